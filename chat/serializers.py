"""Conversations as JSON: what a client may send, and what it gets."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.rest import TextField
from chat.models import MODEL_LIMIT, TEXT_LIMIT, TITLE_LIMIT, Conversation, Message, SystemPreset

MODEL_HELP = _("The name of a model that Ollama has; empty for the default one.")

# --- What a client gets ---------------------------------------------------------------------------------------------


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A question or an answer. Messages with the same parent are siblings; `position` is the order of sending."""

    class Meta:
        model = Message
        fields = [
            "id", "conversation", "parent", "position", "role", "text", "thinking", "model", "state", "error_message",
            "prompt_tokens", "tokens", "tokens_per_second", "seconds", "context_tokens", "context_used", "left_out",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation as it stands in a list. `last_message` is the end of the branch that is shown."""

    preset_name = serializers.CharField(source="preset.name", default=None, allow_null=True, read_only=True)
    last_message = serializers.UUIDField(source="leaf_id", allow_null=True, read_only=True)
    begun_by = serializers.CharField(source="user.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Conversation
        fields = [
            "id", "title", "display_title", "model", "preset", "preset_name", "is_archived", "archived_at",
            "last_message", "begun_by", "created_at", "updated_at", "deleted_at", "gone_at",
        ]  # fmt: skip
        read_only_fields = fields


class ConversationDetailSerializer(ConversationSerializer):
    """A conversation with the last messages of its branch, the oldest first."""

    messages = MessageSerializer(many=True, read_only=True)
    earlier = serializers.UUIDField(
        read_only=True, allow_null=True, help_text=_("The message before these, for `until`; null at the beginning.")
    )

    class Meta(ConversationSerializer.Meta):
        fields = [*ConversationSerializer.Meta.fields, "messages", "earlier"]
        read_only_fields = fields


class FailedAnswerSerializer(serializers.Serializer[Any]):
    """What became of a question to which no answer came."""

    detail = serializers.CharField(help_text=_("What happened, and what to do."))
    message = MessageSerializer()


class StoppedSerializer(serializers.Serializer[Any]):
    """Whether there was anything to stop."""

    stopped = serializers.BooleanField()


class PresetSerializer(serializers.ModelSerializer[SystemPreset]):
    """What a model is told before a conversation begins."""

    class Meta:
        model = SystemPreset
        fields = ["id", "name", "description", "text", "temperature", "position", "is_active"]
        extra_kwargs = {
            "temperature": {"min_value": 0.0, "max_value": 2.0},
            "position": {"min_value": 0, "max_value": 10_000},
        }


# --- What a client may send -----------------------------------------------------------------------------------------


class PresetField(serializers.PrimaryKeyRelatedField[SystemPreset]):
    """A preset by its id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=SystemPreset.objects.all(), allow_null=True, **kwargs)


class ConversationWishSerializer(serializers.Serializer[Any]):
    """What a conversation begins with."""

    title = TextField(default="", help_text=_("Empty: made from the first message."))
    model = TextField(default="", help_text=MODEL_HELP)
    preset = PresetField(default=None)


class ConversationEditSerializer(serializers.Serializer[Any]):
    """What may be changed on a conversation."""

    title = TextField(required=False, help_text=_("1 to %(limit)d characters.") % {"limit": TITLE_LIMIT})
    is_archived = serializers.BooleanField(required=False)


class MessageWishSerializer(serializers.Serializer[Any]):
    """A message. What is left out stays as it is in the conversation."""

    text = TextField(help_text=_("1 to %(limit)d characters.") % {"limit": TEXT_LIMIT})
    model = TextField(required=False, help_text=MODEL_HELP)
    preset = PresetField(required=False)
    after = serializers.UUIDField(
        required=False, help_text=_("The last message that was seen: its branch is continued. Else the one shown.")
    )


class AgainSerializer(serializers.Serializer[Any]):
    """By whom a question is to be answered anew."""

    model = TextField(required=False, max_length=MODEL_LIMIT, help_text=MODEL_HELP)


class OtherWordsSerializer(AgainSerializer):
    """A question in other words."""

    text = TextField(help_text=_("1 to %(limit)d characters.") % {"limit": TEXT_LIMIT})


class ForkSerializer(serializers.Serializer[Any]):
    """Up to where a conversation is copied."""

    message = serializers.UUIDField(required=False, help_text=_("Else to the end of the branch that is shown."))
