"""Messages as an API: sent and answered, as a stream or in one piece; stopped, written again, asked again."""

from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.rest import AnyAccept, checked
from chat import answering, services
from chat.models import Conversation, Message, State
from chat.serializers import (
    AgainSerializer,
    ConversationSerializer,
    FailedAnswerSerializer,
    MessageSerializer,
    OtherWordsSerializer,
    StoppedSerializer,
)
from chat.services import Exchange
from prompts import wire
from prompts.writing import Ended

STREAM_HELP = (
    "Asked for by `Accept: application/x-ndjson` or `text/event-stream`: lines of JSON as the answer is written. "
    'The first is {"conversation", "question", "answer"} (ids), then {"text"} and {"thinking"}, the last has "ended": '
    "done, stopped or failed. Hanging up does not stop the answer."
)
ANSWERS: dict[Any, Any] = {
    (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, description=STREAM_HELP),
    (200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR, description=STREAM_HELP),
    201: OpenApiResponse(MessageSerializer, description="The whole answer. It takes as long as the model does."),
    502: OpenApiResponse(FailedAnswerSerializer, description="No answer came; `detail` says why."),
}


def answered(request: Request, exchange: Exchange) -> HttpResponseBase:
    """Answer with what is written: as a stream if that is asked for, otherwise when it is there."""
    form = wire.form_asked(cast("HttpRequest", request))
    if form is not None:
        first = {
            "conversation": str(exchange.conversation.pk),
            "question": str(exchange.question.pk),
            "answer": str(exchange.answer.pk),
        }
        return wire.stream(exchange.writing, form=form, first=first, last=last_line)
    answering.wait_for_end(exchange.writing)
    answer = Message.objects.get(pk=exchange.answer.pk)
    told = MessageSerializer(answer).data
    if answer.state == State.FAILED:
        body = {"detail": answer.error_message, "message": told}
        return Response(body, status=status.HTTP_502_BAD_GATEWAY)
    return Response(told, status=status.HTTP_201_CREATED)


def last_line(ended: Ended) -> dict[str, Any]:
    """Return the last line of a stream: how it ended, and what it took."""
    line: dict[str, Any] = {"ended": ended.outcome}
    if ended.error is not None:
        line["detail"] = ended.error.message
    if ended.finish is not None:
        finish = ended.finish
        line |= {
            "model": finish.model,
            "prompt_tokens": finish.prompt_tokens,
            "tokens": finish.tokens,
            "tokens_per_second": finish.tokens_per_second,
            "seconds": finish.total_seconds,
        }
    return line


class MessageViewSet(GenericViewSet[Message]):
    """Messages, one by one."""

    queryset = Message.objects.select_related("conversation__preset", "parent")
    serializer_class = MessageSerializer
    pagination_class = None
    lookup_value_converter = "uuid"

    @extend_schema(tags=["chat"], summary="Show a message", responses=MessageSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a message; an answer that is being written as far as it is."""
        message = self.get_object()
        services.settle_lost([message])
        return Response(MessageSerializer(message).data)

    @extend_schema(tags=["chat"], summary="Stop an answer", request=None, responses={200: StoppedSerializer})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop an answer that is being written. What came of it is kept."""
        return Response({"stopped": services.stop(self.get_object())})

    @extend_schema(tags=["chat"], summary="Have a question answered anew", request=AgainSerializer, responses=ANSWERS)
    @action(detail=True, methods=["post"], content_negotiation_class=AnyAccept)
    def regenerate(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Write an answer again, beside the old one, and show the new one."""
        return answered(request, services.regenerate(self.get_object(), **checked(AgainSerializer, request)))

    @extend_schema(tags=["chat"], summary="Ask in other words", request=OtherWordsSerializer, responses=ANSWERS)
    @action(detail=True, methods=["post"], content_negotiation_class=AnyAccept, url_path="ask-again")
    def ask_again(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask a question in other words, beside the old one. What followed the old one stays in its branch."""
        return answered(request, services.ask_again(self.get_object(), **checked(OtherWordsSerializer, request)))

    @extend_schema(
        tags=["chat"], summary="Show the branch of a message", request=None, responses={200: ConversationSerializer}
    )
    @action(detail=True, methods=["post"])
    def choose(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the branch that this message is in, to its newest end."""
        message = self.get_object()
        services.choose(message)
        rows = Conversation.objects.select_related("preset", "user")
        return Response(ConversationSerializer(rows.get(pk=message.conversation_id)).data)
