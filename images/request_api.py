"""Requests for pictures as an API: asked for and waited for, followed, cancelled, submitted again."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts.rest import CONFLICT, KEY_PARAMETER, checked, key_of, user_of
from images import services
from images.filters import ImageRequestFilter
from images.models import ImageRequest
from images.serializers import (
    CancelledImageRequestSerializer,
    FailedImageRequestSerializer,
    ImageRequestDetailSerializer,
    ImageRequestRowSerializer,
    ImageWishSerializer,
    SameImageSerializer,
)
from images.services import Wish
from images.waiting import code_of, wait_for_end
from jobs.serializers import EventSerializer

KEY_NAMESPACE = uuid.UUID("b6a2c1f4-35f0-5f3c-8d53-0d7c5a9e2e41")  # drawn once; never to be changed
ASYNC = "respond-async"  # RFC 7240, section 4.1
SENT_AS = {"count": "n", "references": "reference_ids", "mask": "mask_id"}
HEAVY = (
    "openai_response", "error_detail", "progress_info", "prompt_written", "prompt_magic", "title_written",
    "title_magic",
)  # fmt: skip

CREATE_SCHEMA: dict[str, Any] = {
    "tags": ["images"],
    "summary": "Ask for pictures, and wait for them",
    "request": ImageWishSerializer,
    "parameters": [
        KEY_PARAMETER,
        OpenApiParameter(
            "Prefer", str, OpenApiParameter.HEADER, description=f"`{ASYNC}`: answer 202 at once and do not wait."
        ),
    ],
    "examples": [
        OpenApiExample("A picture", request_only=True, value={"prompt": "A lighthouse in the fog, watercolour"}),
        OpenApiExample(
            "A set for a page",
            request_only=True,
            value={"prompt": "A paper boat", "n": 3, "size": "1536x1024", "output_format": "webp", "title": "Boats"},
        ),
    ],
    "responses": {
        201: OpenApiResponse(ImageRequestDetailSerializer, description="Done: `images` are the pictures."),
        202: OpenApiResponse(
            ImageRequestDetailSerializer, description="Noted and not done yet; `Location` is where to follow it."
        ),
        402: OpenApiResponse(
            FailedImageRequestSerializer, description="The account at the provider has no money left."
        ),
        409: OpenApiResponse(
            SameImageSerializer, description="`unless_exists`: there is such a picture, or it is at work."
        ),
        422: OpenApiResponse(FailedImageRequestSerializer, description="The provider refused it, in its words."),
        502: OpenApiResponse(FailedImageRequestSerializer, description="It failed; `detail` says why."),
        504: OpenApiResponse(
            FailedImageRequestSerializer, description="Uncertain: the answer was lost. It is not asked for again."
        ),
    },
}


def create(request: Request) -> Response:
    """Note the wish; then wait until it has ended, unless the client does not want to, or it takes too long."""
    key = key_of(request, KEY_NAMESPACE)
    row = ImageRequest.objects.filter(pk=key).first() if key else None
    if row is None:
        wish, unless_exists = wish_of(request)
        with named_as_sent(SENT_AS), services.one_after_another():
            same = services.find_same(wish) if unless_exists else None
            if same is not None:
                return Response(SameImageSerializer(same).data, status=status.HTTP_409_CONFLICT)
            row = services.request_images(wish, user=user_of(request), key=key)
    if wants_no_wait(request):
        answer = answer_with(request, row, status.HTTP_202_ACCEPTED)
        answer["Preference-Applied"] = ASYNC
        return answer
    has_ended = wait_for_end(row.pk, settings.IMAGES_WAIT_SECONDS)
    row.refresh_from_db()
    return answer_with(request, row, code_of(row) if has_ended else status.HTTP_202_ACCEPTED)


def wish_of(request: Request) -> tuple[Wish, bool]:
    """Return what is asked for, and whether a picture that exists is to be answered instead."""
    data = checked(ImageWishSerializer, request)
    unless_exists: bool = data.pop("unless_exists")
    return Wish(**data), unless_exists


@contextmanager
def named_as_sent(names: dict[str, str]) -> Iterator[None]:
    """Tell what is wrong by the names under which it was sent."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({names.get(name, name): told for name, told in error.message_dict.items()}) from error


def wants_no_wait(request: Request) -> bool:
    """Tell whether the client prefers to come back for the answer."""
    preferences = request.headers.get("Prefer", "").split(",")
    return any(preference.partition(";")[0].strip().lower() == ASYNC for preference in preferences)


def answer_with(request: Request, row: ImageRequest, code: int, **extra: Any) -> Response:
    """Answer with the row as it is now and where it is; of one that failed, with what happened first."""
    body: dict[str, Any] = {**extra, **ImageRequestDetailSerializer(row, context={"request": request}).data}
    if code >= status.HTTP_400_BAD_REQUEST:
        body = {"detail": row.error_message or str(row.get_status_display()), "request": body}
    return Response(body, status=code, headers={"Location": reverse("image-request-detail", [row.pk], request=request)})


class ImageRequestViewSet(GenericViewSet[ImageRequest]):
    """Requests for pictures: each is a job with the set of pictures that it made."""

    queryset = ImageRequest.objects.select_related("requested_by").prefetch_related("images")
    serializer_class = ImageRequestDetailSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = ImageRequestFilter
    lookup_value_converter = "uuid"

    @extend_schema(tags=["images"], summary="List requests", responses=ImageRequestRowSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List requests with their pictures, newest first. Pages are numbered and not counted: follow `next`."""
        rows = ImageRequest.objects.prefetch_related("images").defer(*HEAVY)
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(ImageRequestRowSerializer(page, many=True).data)

    @extend_schema(tags=["images"], summary="Show a request", responses=ImageRequestDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show how a request stands, and the pictures that it made."""
        return Response(ImageRequestDetailSerializer(self.get_object()).data)

    @extend_schema(
        tags=["images"],
        summary="Cancel a request",
        request=None,
        responses={
            200: OpenApiResponse(CancelledImageRequestSerializer, description="Cancelled, not charged."),
            202: OpenApiResponse(CancelledImageRequestSerializer, description="It goes on; `detail` says why."),
            **CONFLICT,
        },
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel a request that waits. OpenAI cannot stop one that was sent: it is paid for, so its result is kept."""
        row = self.get_object()
        if services.cancel_request(row):
            return answer_with(request, row, status.HTTP_200_OK)
        detail = _("OpenAI cannot stop a job, so its result is kept.")
        return answer_with(request, row, status.HTTP_202_ACCEPTED, detail=detail)

    @extend_schema(
        tags=["images"],
        summary="Submit a request again",
        request=None,
        responses={202: ImageRequestDetailSerializer, **CONFLICT},
    )
    @action(detail=True, methods=["post"], url_path="submit-again")
    def submit_again(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put a request that failed or was cancelled back in line. It is paid for again if it was charged before."""
        row = self.get_object()
        services.submit_request_again(row)
        return answer_with(request, row, status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=["images"], summary="What happened to a request", filters=False, responses=EventSerializer(many=True)
    )
    @action(detail=True, pagination_class=None, filter_backends=[])
    def history(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what happened to a request, oldest first."""
        return Response(EventSerializer(self.get_object().history(), many=True).data)
