"""A person's settings, for programs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import FEWEST_ITEMS, MODEL_LENGTH, MOST_ITEMS, Theme, User
from accounts.rest import TextField, checked, user_of
from macai.personal import change_settings


class SettingsSerializer(serializers.Serializer[User]):
    """What a person likes. An empty model, or no number of items, leaves it to the studio."""

    chat_model = TextField(max_length=MODEL_LENGTH, required=False, help_text="of Ollama, for conversations")
    text_model = TextField(max_length=MODEL_LENGTH, required=False, help_text="of Ollama, for templates that name none")
    song_model = TextField(max_length=MODEL_LENGTH, required=False)
    image_model = TextField(max_length=MODEL_LENGTH, required=False)
    items_per_page = serializers.IntegerField(
        min_value=FEWEST_ITEMS, max_value=MOST_ITEMS, allow_null=True, required=False
    )
    theme = serializers.ChoiceField(choices=Theme.choices, required=False)


class SettingsView(APIView):
    """The settings of whoever asks."""

    @extend_schema(operation_id="settings_read", tags=["studio"], responses=SettingsSerializer)
    def get(self, request: Request) -> Response:
        """Return the settings."""
        return Response(SettingsSerializer(user_of(request)).data)

    @extend_schema(
        operation_id="settings_change", tags=["studio"], request=SettingsSerializer, responses=SettingsSerializer
    )
    def patch(self, request: Request) -> Response:
        """Change what is sent, and leave the rest."""
        change_settings(user_of(request), checked(SettingsSerializer, request))
        return Response(SettingsSerializer(user_of(request)).data)
