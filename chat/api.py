"""Conversations and presets as an API: the same verbs as the pages, from chat.services and chat.keeping."""

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from accounts.rest import AnyAccept, OwnersWrite, checked, documented, user_of
from chat import keeping, services, showing
from chat.filters import ConversationFilter
from chat.message_api import ANSWERS, answered
from chat.models import Conversation, Message, SystemPreset
from chat.serializers import (
    ConversationDetailSerializer,
    ConversationEditSerializer,
    ConversationSerializer,
    ConversationWishSerializer,
    ForkSerializer,
    MessageSerializer,
    MessageWishSerializer,
    PresetSerializer,
)

SENT_IN: dict[str, type[BaseSerializer[Any]]] = {
    "create": ConversationWishSerializer,
    "partial_update": ConversationEditSerializer,
    "fork": ForkSerializer,
}


class ConversationViewSet(GenericViewSet[Conversation]):
    """Conversations."""

    queryset = Conversation.objects.select_related("preset", "user")
    serializer_class = ConversationSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = ConversationFilter
    lookup_value_converter = "uuid"

    def filter_queryset(self, queryset: Any) -> Any:
        """Filter the list only: one conversation is found wherever it lies, in the trash too."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what is sent in: the browsable API draws its forms from it."""
        if self.action == "messages":
            return MessageWishSerializer if self.request.method == "POST" else MessageSerializer
        return SENT_IN.get(self.action, ConversationSerializer)

    @extend_schema(tags=["chat"], summary="Search and list conversations", responses=ConversationSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List conversations, those written in last first. Pages are numbered and not counted: follow `next`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ConversationSerializer(page, many=True).data)

    @extend_schema(
        tags=["chat"],
        summary="Begin a conversation",
        request=ConversationWishSerializer,
        responses={201: ConversationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Make a conversation without messages; its first one is sent to `messages/`."""
        made = services.create(**checked(ConversationWishSerializer, request), user=user_of(request))
        return Response(ConversationSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        tags=["chat"],
        summary="Show a conversation",
        parameters=[OpenApiParameter("until", uuid.UUID, description="Messages up to this one, instead of the last.")],
        responses=ConversationDetailSerializer,
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a conversation with the last messages of its branch; `earlier` leads to those before."""
        found = self.get_object()
        until = request.query_params.get("until")
        end = message_of(found, until).pk if until else None
        shown = [entry.message for entry in showing.entries_at(found, end)]
        messages = MessageSerializer(shown, many=True).data
        earlier = shown[0].parent_id if shown else None
        return Response({**ConversationSerializer(found).data, "messages": messages, "earlier": earlier})

    @extend_schema(
        tags=["chat"],
        summary="Rename or archive a conversation",
        request=ConversationEditSerializer,
        responses=ConversationSerializer,
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is sent and leave the rest."""
        found = self.get_object()
        data = checked(ConversationEditSerializer, request)
        with transaction.atomic():
            if "title" in data:
                keeping.rename(found, data["title"])
            if "is_archived" in data:
                keeping.set_aside(found, is_archived=data["is_archived"])
        return Response(ConversationSerializer(found).data)

    @extend_schema(tags=["chat"], summary="Move a conversation to the trash", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Move a conversation to the trash; it goes for good 30 days later, at `gone_at`."""
        keeping.delete(Conversation.objects.filter(pk=self.get_object().pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["chat"],
        summary="Take a conversation out of the trash",
        request=None,
        responses={200: ConversationSerializer},
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a conversation out of the trash; one that is not there stays as it is."""
        found = self.get_object()
        keeping.restore(Conversation.objects.filter(pk=found.pk))
        found.refresh_from_db()
        return Response(ConversationSerializer(found).data)

    @extend_schema(
        methods=["GET"],
        tags=["chat"],
        summary="List the messages of a conversation",
        filters=False,
        responses=MessageSerializer(many=True),
    )
    @extend_schema(
        methods=["POST"],
        tags=["chat"],
        summary="Send a message, and get the answer",
        request=MessageWishSerializer,
        responses=ANSWERS,
    )
    @action(detail=True, methods=["get", "post"], content_negotiation_class=AnyAccept)
    def messages(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """List all messages of every branch in the order of sending; or send one."""
        found = self.get_object()
        if request.method == "POST":
            return answered(request, services.send(found, **checked(MessageWishSerializer, request)))
        page = self.paginate_queryset(found.messages.order_by("position")) or []
        services.settle_lost([*page])
        return self.get_paginated_response(MessageSerializer(page, many=True).data)

    @extend_schema(
        tags=["chat"], summary="Fork a conversation", request=ForkSerializer, responses={201: ConversationSerializer}
    )
    @action(detail=True, methods=["post"])
    def fork(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Copy a branch, up to a message, into a conversation of its own."""
        found = self.get_object()
        wanted = checked(ForkSerializer, request).get("message", found.leaf_id)
        forked = keeping.fork(message_of(found, wanted), user=user_of(request))
        return Response(ConversationSerializer(forked).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=["chat"], summary="Export a conversation", responses={(200, "text/markdown"): OpenApiTypes.STR})
    @action(detail=True, content_negotiation_class=AnyAccept)
    def export(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send the branch that is shown as Markdown."""
        found = self.get_object()
        header = content_disposition_header(as_attachment=True, filename=keeping.file_name(found)) or "attachment"
        text = "".join(keeping.export(found))
        return HttpResponse(text, "text/markdown; charset=utf-8", headers={"Content-Disposition": header})


def message_of(conversation: Conversation, pk: Any) -> Message:
    """Return a message of this conversation, or answer that there is none."""
    found: Message = get_object_or_404(conversation.messages.select_related("conversation__preset"), pk=pk)
    return found


@documented("chat", one="a preset", many="presets", making="Make")
class PresetViewSet(ModelViewSet[SystemPreset]):
    """Presets: what a model is told before a conversation begins."""

    queryset = SystemPreset.objects.all()
    serializer_class = PresetSerializer
    permission_classes = [OwnersWrite]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
