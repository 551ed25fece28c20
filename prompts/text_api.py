"""Texts by Ollama as an API: one answer, magic by a template, and the models there are."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts.api import ProblemSerializer
from accounts.rest import AnyAccept, checked, user_of
from prompts import services, wire
from prompts.models import MagicRun
from prompts.serializers import (
    AnswerSerializer,
    FailedRunSerializer,
    GenerateSerializer,
    MagicRunSerializer,
    MagicWishSerializer,
    OllamaModelSerializer,
)
from providers.errors import ProviderError
from providers.ollama_types import Finish, Options

NO_MODEL = "Ollama does not have the model; `detail` says how to get it."
NO_ANSWER = "Ollama answered with an error, broke off, or wrote nothing; `detail` says what to do."
NO_OLLAMA = "Ollama cannot be reached, or is busy; `detail` names the address that was tried."
STREAM_HELP = (
    "Asked for by `Accept: application/x-ndjson` or `text/event-stream`: lines of JSON as the text is written. The "
    'first names the "run", the template and the version, then come {"text"} and {"thinking"}, the last has a "state": '
    "done, stopped or failed. Hanging up does not stop the writing."
)
WHY = {422: NO_MODEL, 502: NO_ANSWER, 503: NO_OLLAMA}
FAILURES: dict[Any, Any] = {code: OpenApiResponse(FailedRunSerializer, description=why) for code, why in WHY.items()}


def status_of(error: ProviderError) -> int:
    """Return what to answer: 422 for a model that is not there, 503 for an Ollama out of reach or busy, else 502."""
    if error.status == status.HTTP_404_NOT_FOUND:
        return status.HTTP_422_UNPROCESSABLE_ENTITY
    if error.status is None or error.status == status.HTTP_503_SERVICE_UNAVAILABLE:
        return status.HTTP_503_SERVICE_UNAVAILABLE
    return status.HTTP_502_BAD_GATEWAY


def told(error: ProviderError) -> str:
    """Return the error as a sentence that names the address, where nobody answered there."""
    address = str(settings.OLLAMA_BASE_URL)
    is_missing = status_of(error) == status.HTTP_503_SERVICE_UNAVAILABLE and address not in error.message
    return f"{error.message} ({address})" if is_missing else error.message


def failed(error: ProviderError, run: MagicRun, headers: dict[str, str] | None = None) -> Response:
    """Answer that a text was not written, with the run that keeps what came of it."""
    body = {"detail": told(error), "run": MagicRunSerializer(run).data}
    return Response(body, status=status_of(error), headers=headers)


class GenerateView(APIView):
    """One text, as it is asked for. It stays, whatever becomes of whoever asked."""

    serializer_class = GenerateSerializer

    @extend_schema(
        tags=["chat"], summary="Have one text written", request=GenerateSerializer,
        responses={
            200: OpenApiResponse(AnswerSerializer, description="`Location` is where the text is kept."),
            **FAILURES,
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answer with the whole text, which takes as long as the model does.

        The text is kept as a run of magic whose category is `chat` and whose action is `generate`: a client that hangs
        up finds it there, the latest first.
        """
        sent = checked(GenerateSerializer, request)
        options = dict(sent.pop("options", {}))
        options["stop"] = tuple(options.get("stop", ()))
        begun = services.begin_text(
            prompt=sent["prompt"], model=sent["model"], before=sent["pre_condition"], after=sent["post_condition"],
            options=Options(**options), user=user_of(request),
        )  # fmt: skip
        ended, run = services.wait_for_end(begun), begun.run
        headers = {"Location": reverse("magic-run-detail", [run.pk], request=request)}
        if ended.error is not None:
            return failed(ended.error, run, headers)
        finish = ended.finish or Finish(reason="", model=run.model)
        answer = {"run": run.pk, "text": run.output_text, "thinking": run.thinking, "finish": finish}
        return Response(AnswerSerializer(answer).data, headers=headers)


class MagicView(APIView):
    """A text by a template."""

    serializer_class = MagicWishSerializer
    content_negotiation_class = AnyAccept

    @extend_schema(
        tags=["chat"], summary="Have a text written by a template", request=MagicWishSerializer,
        responses={
            (201, "application/json"): MagicRunSerializer,
            (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, description=STREAM_HELP),
            (200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR, description=STREAM_HELP),
            **FAILURES,
        },
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponseBase:
        """Use the template that is in use for a category and action. The run stays, whatever becomes of it."""
        begun = services.begin_magic(**checked(MagicWishSerializer, request), user=user_of(request))
        form = wire.form_asked(cast("HttpRequest", request))
        if form is not None:
            return wire.stream(begun.writing, form=form, first=begun.first_line, last=begun.last_line)
        ended = services.wait_for_end(begun)
        if ended.error is not None:
            return failed(ended.error, begun.run)
        return Response(MagicRunSerializer(begun.run).data, status=status.HTTP_201_CREATED)


class ModelsView(APIView):
    """What Ollama has."""

    @extend_schema(
        tags=["chat"], summary="List Ollama's models",
        responses={
            200: OllamaModelSerializer(many=True),
            **{code: OpenApiResponse(ProblemSerializer, description=WHY[code]) for code in (502, 503)},
        },
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Show the models there are, their size, and whether they are in memory."""
        try:
            models = services.installed_models()
        except ProviderError as error:
            return Response({"detail": told(error)}, status=status_of(error))
        return Response(OllamaModelSerializer(models, many=True).data)
