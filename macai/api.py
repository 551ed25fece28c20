"""The API put together: its addresses, how it says no, and its documentation."""

import logging
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView, SpectacularYAMLAPIView
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import as_serializer_error
from rest_framework.views import APIView, exception_handler, set_rollback

from accounts.api import TokenView
from chat.api import ConversationViewSet, PresetViewSet
from chat.message_api import MessageViewSet
from images.api import ImageViewSet
from images.request_api import ImageRequestViewSet
from jobs.api import QueueView
from jobs.endings import DATABASE_AWAY
from jobs.services import JobError
from library.storage import StorageAwayError
from macai.errors import RETRY_AFTER
from macai.health_api import HealthView, LiveView, ReadyView
from macai.settings_api import SettingsView
from prompts.api import MagicRunViewSet, TemplateViewSet
from prompts.text_api import GenerateView, MagicView, ModelsView
from prompts.vocabulary_api import SectionKindViewSet, SongStructureViewSet, StyleTermViewSet
from songs.api import MurekaAccountView, SongViewSet
from songs.choice_api import SongChoiceViewSet

logger = logging.getLogger(__name__)


class ConflictError(APIException):
    """What was asked for cannot be done as things stand."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooLongError(APIException):
    """The body is longer than the studio reads (DATA_UPLOAD_MAX_MEMORY_SIZE)."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_long"


class AwayError(APIException):
    """The database, or the place of the files, is away. Nothing was decided; the same request may be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "away"
    wait = RETRY_AFTER  # becomes the header Retry-After


def explain(error: Exception, context: dict[str, Any]) -> Response:
    """Answer an error as JSON: the engine's no is 409, a wrong field 400, what nobody foresaw a logged, clean 500."""
    if isinstance(error, JobError):
        error = ConflictError(str(error))
    elif isinstance(error, DjangoValidationError):
        error = ValidationError(as_serializer_error(error))
    elif isinstance(error, RequestDataTooBig):
        error = TooLongError(_("The body is too long."))
    elif isinstance(error, SuspiciousOperation):
        error = ParseError(_("The request cannot be read."))
    elif isinstance(error, DATABASE_AWAY):
        logger.error("The database does not answer: %s", type(error).__name__)
        words = _("The database does not answer. Ask again with the same Idempotency-Key, then nothing is made twice.")
        error = AwayError(words)
    elif isinstance(error, StorageAwayError):
        logger.error("The files are away: %s", error)
        error = AwayError(
            _("The files are away for a moment. Ask again; with the same Idempotency-Key nothing is made twice.")
        )
    response = exception_handler(error, context)
    if response is not None:
        return response
    request = context.get("request")
    address = f"{request.method} {request.path}" if request is not None else "a request"
    logger.error("The API broke at %s.", address, exc_info=error)
    set_rollback()
    detail = _("Something went wrong in the studio. It has been noted in the log.")
    return Response({"detail": detail}, status=status.HTTP_500_INTERNAL_SERVER_ERROR)


class NothingHere(APIView):
    """Every address of the API that does not exist."""

    @extend_schema(exclude=True)
    def handle_nothing(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say so in JSON."""
        raise NotFound(_("There is nothing at this address. Addresses of the API end with a slash."))

    get = post = put = patch = delete = handle_nothing


def describe_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add to the OpenAPI document how any operation may refuse (a hook of drf-spectacular)."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["FieldProblems"] = {
        "type": "object",
        "description": "What is wrong: by field, or as `detail` where the body as a whole cannot be read.",
        "properties": {"detail": {"type": "string"}},
        "additionalProperties": {"oneOf": [{"type": "array", "items": {}}, {"type": "object"}]},
    }
    for address, operations in result["paths"].items():
        for method, operation in operations.items():
            prefer_json(operation)
            for code, refusal in refusals_of(address, method, operation).items():
                operation["responses"].setdefault(code, refusal_response(*refusal))
    return result


def prefer_json(operation: dict[str, Any]) -> None:
    """Say nothing of forms where JSON is read: they are for the browsable pages, and know no numbers and no null."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        content.pop("application/x-www-form-urlencoded", None)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            parameter["allowEmptyValue"] = (
                True  # as a form sends a field that nobody filled in: as if it were not there
            )


def refusals_of(address: str, method: str, operation: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return how an operation may refuse: by status, the schema of the answer, and when."""
    has_body = "requestBody" in operation
    is_asked = any(parameter["in"] != "path" for parameter in operation.get("parameters", []))
    is_guarded = {} not in operation.get("security", [{}])
    said = {
        "400": (has_body or is_asked, "FieldProblems", "A value is wrong; the answer names its field."),
        "401": (is_guarded, "Problem", "No token or session, or one that does not work."),
        "403": (is_guarded and method != "get", "Problem", "A session without its CSRF token."),
        "404": ("{" in address, "Problem", "There is no such row."),
        "406": (True, "Problem", "It is not to be had in any of the types that the request accepts."),
        "413": (has_body, "Problem", "The body is too long."),
        "415": (has_body, "Problem", "The body is of a type that is not read."),
        "429": (
            is_guarded,
            "Problem",
            "Asked too often; Retry-After says after how many seconds it may be tried again.",
        ),
    }
    return {code: (schema, when) for code, (may, schema, when) in said.items() if may}


def refusal_response(schema: str, description: str) -> dict[str, Any]:
    """Return one refusal as OpenAPI describes it."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, from our own files, for whoever is signed in."""

    permission_classes = [AllowAny]  # the address itself is behind login_required, which leads a person to the sign-in
    http_method_names = ["get", "head"]  # it is a page: what OPTIONS would tell has no template
    url_name = "openapi-json"
    title = "Macai API"


router = SimpleRouter(use_regex_path=False)
router.register("songs", SongViewSet, basename="song")
router.register("song-choices", SongChoiceViewSet, basename="song-choice")
router.register("images", ImageViewSet, basename="image")
router.register("image-requests", ImageRequestViewSet, basename="image-request")
router.register("chat/conversations", ConversationViewSet, basename="conversation")
router.register("chat/messages", MessageViewSet, basename="message")
router.register("chat/presets", PresetViewSet, basename="preset")
router.register("prompt-templates", TemplateViewSet, basename="prompt-template")
router.register("magic-runs", MagicRunViewSet, basename="magic-run")
router.register("style-words", StyleTermViewSet, basename="style-word")
router.register("section-kinds", SectionKindViewSet, basename="section-kind")
router.register("song-structures", SongStructureViewSet, basename="song-structure")

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(router.urls)),
    path("v1/chat/generate/", GenerateView.as_view(), name="chat-generate"),
    path("v1/chat/magic/", MagicView.as_view(), name="chat-magic"),
    path("v1/chat/models/", ModelsView.as_view(), name="chat-models"),
    path("v1/auth/token/", TokenView.as_view(), name="auth-token"),
    path("v1/mureka/account/", MurekaAccountView.as_view(), name="mureka-account"),
    path("v1/settings/", SettingsView.as_view(), name="settings-api"),
    path("v1/queue/", QueueView.as_view(), name="queue"),
    path("v1/health/", HealthView.as_view(), name="health"),
    path("v1/health/live/", LiveView.as_view(), name="health-live"),
    path("v1/health/ready/", ReadyView.as_view(), name="health-ready"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi-json"),
    path("openapi.yaml", SpectacularYAMLAPIView.as_view(), name="openapi-yaml"),
    path("docs/", login_required(DocsView.as_view()), name="api-docs"),
    re_path("", NothingHere.as_view()),
]
