"""Pictures as an API: the same verbs as the pages, from images.services."""

from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.api import ProblemSerializer
from accounts.rest import AnyAccept, checked, switch_of
from images import request_api, services
from images.archive import file_name, zip_chunks
from images.filters import ImageFilter
from images.keeping import SIDES
from images.models import GeneratedImage
from images.serializers import (
    BulkOutcomeSerializer,
    ImageBulkSerializer,
    ImageEditSerializer,
    ImageIdsSerializer,
    ImageModelSerializer,
    ImageSerializer,
    ImageUploadSerializer,
    ImageWishSerializer,
    UploadedSerializer,
)
from library.serving import serve_file

FORM_BYTES = 1024 * 1024  # of an upload, beside the file itself
RATINGS = {"1": 1, "0": 0, "": None}
SENT_IN: dict[str, type[BaseSerializer[Any]]] = {
    "create": ImageWishSerializer,
    "partial_update": ImageEditSerializer,
    "bulk": ImageBulkSerializer,
    "zip": ImageIdsSerializer,
    "uploads": ImageUploadSerializer,
}
NOT_AT_HOME = OpenApiResponse(ProblemSerializer, description="No such picture, or its file is gone.")


class ImageViewSet(GenericViewSet[GeneratedImage]):
    """Pictures."""

    queryset = GeneratedImage.objects.all()
    serializer_class = ImageSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = ImageFilter
    lookup_value_converter = "uuid"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse an upload that is too long before any of it is read."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if self.action == "uploads" and length.isdecimal() and int(length) > services.UPLOAD_LIMIT + FORM_BYTES:
            raise ValidationError({"file": [_("At most %(limit)d MB.") % {"limit": services.UPLOAD_LIMIT // 1024**2}]})
        super().initial(request, *args, **kwargs)

    def filter_queryset(self, queryset: Any) -> Any:
        """Filter the list only: one picture is found wherever it lies, in the trash too."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what is sent in: the browsable API draws its forms from it."""
        return SENT_IN.get(self.action, ImageSerializer)

    @extend_schema(**request_api.CREATE_SCHEMA)
    def create(self, request: Request) -> Response:
        """Answer with the finished pictures (201); 202 if they take longer than the studio lets a client wait.

        The wish is a row before anything is paid for: a client that hangs up finds its pictures afterwards.
        """
        return request_api.create(request)

    @extend_schema(tags=["images"], summary="Search and list pictures", responses=ImageSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List pictures, newest first. Pages are numbered and not counted: follow `next`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ImageSerializer(page, many=True).data)

    @extend_schema(tags=["images"], summary="Show a picture", responses=ImageSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a picture, also one in the trash."""
        return Response(ImageSerializer(self.get_object()).data)

    @extend_schema(
        tags=["images"],
        summary="Rate a picture, or change its title or tags",
        request=ImageEditSerializer,
        responses=ImageSerializer,
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is sent and leave the rest. All of it is checked before any of it is written."""
        image = self.get_object()
        data = checked(ImageEditSerializer, request)
        with transaction.atomic():
            if "rating" in data:
                services.rate_images([image], data.pop("rating"))
            services.edit_image(image, **data)
        image.refresh_from_db()
        return Response(ImageSerializer(image).data)

    @extend_schema(tags=["images"], summary="Move a picture to the trash", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Move a picture to the trash; it and its files go for good 30 days later, at `gone_at`."""
        services.delete_images([self.get_object()])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["images"], summary="Take a picture out of the trash", request=None, responses={200: ImageSerializer}
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a picture out of the trash; one that is not there stays as it is."""
        image = self.get_object()
        services.restore_images([image])
        image.refresh_from_db()
        return Response(ImageSerializer(image).data)

    @extend_schema(
        tags=["images"],
        summary="Tag, rate, delete or restore many pictures",
        request=ImageBulkSerializer,
        responses={200: BulkOutcomeSerializer},
    )
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Do one thing to up to 500 pictures. Ids that do not exist (any more) are passed over."""
        data = checked(ImageBulkSerializer, request)
        with request_api.named_as_sent({"tag": "value", "rating": "value"}):
            changed = do_to_many(data["action"], data["value"] or "", self.get_queryset().filter(pk__in=data["ids"]))
        return Response(BulkOutcomeSerializer({"changed": changed}).data)

    @extend_schema(
        tags=["images"],
        summary="Fetch a picture",
        parameters=[
            OpenApiParameter("download", bool, description="Have a browser save the file."),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="A part, as in `bytes=0-1023`."),
        ],
        responses={
            (200, "image/*"): OpenApiTypes.BINARY,
            (206, "image/*"): OpenApiTypes.BINARY,
            404: NOT_AT_HOME,
            416: OpenApiResponse(description="The part lies outside the file."),
        },
    )
    @action(detail=True, content_negotiation_class=AnyAccept)
    def file(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send the original, whole or in part."""
        image = self.get_object()
        return serve_file(
            request, image.file_path, content_type=image.content_type, etag=image.sha256,
            filename=file_name(image), download=switch_of(request, "download"),
        )  # fmt: skip

    @extend_schema(
        tags=["images"],
        summary="Fetch a small version",
        parameters=[
            OpenApiParameter("side", int, enum=SIDES, default=SIDES[0], description="The longer side, pixels.")
        ],
        responses={(200, "image/webp"): OpenApiTypes.BINARY, 404: NOT_AT_HOME},
    )
    @action(detail=True, content_negotiation_class=AnyAccept)
    def thumbnail(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send a small version, as WebP."""
        side = request.query_params.get("side") or str(SIDES[0])
        if side not in {str(known) for known in SIDES}:
            known = ", ".join(str(known) for known in SIDES)
            raise ValidationError({"side": [_("Choose one of: %(values)s.") % {"values": known}]})
        image = self.get_object()
        name = image.thumb_640 if side == "640" else image.thumb_320
        if not name:
            raise NotFound(_("There is no small version."))
        called = f"{image.pk}-{side}.webp"
        return serve_file(request, name, content_type="image/webp", etag=f"{image.sha256}-{side}", filename=called)

    @extend_schema(
        tags=["images"],
        summary="Fetch many pictures as one archive",
        request=ImageIdsSerializer,
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: NOT_AT_HOME},
    )
    @action(detail=False, methods=["post"], content_negotiation_class=AnyAccept)
    def zip(self, request: Request) -> HttpResponseBase:
        """Send the originals of up to 500 pictures in one ZIP archive, which is made while it is sent."""
        images = list(self.get_queryset().filter(pk__in=checked(ImageIdsSerializer, request)["ids"]))
        if not images:
            raise NotFound(_("There are no such pictures."))
        response = StreamingHttpResponse(zip_chunks(images), content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="pictures.zip"'
        return response

    @extend_schema(
        tags=["images"],
        summary="Upload a picture to work from",
        request={"multipart/form-data": ImageUploadSerializer},
        responses={201: UploadedSerializer},
    )
    @action(detail=False, methods=["post"], parser_classes=[MultiPartParser])
    def uploads(self, request: Request) -> Response:
        """Keep a picture for `reference_ids` or `mask_id`. It is judged by its content; its name is not used."""
        data = checked(ImageUploadSerializer, request)
        file = data["file"]
        with request_api.named_as_sent({"references": "file", "mask": "file"}):
            name = services.take_reference(file, size=file.size, is_mask=data["is_mask"])
        return Response(UploadedSerializer({"id": name}).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        tags=["images"],
        operation_id="images_models_list",
        summary="Models and their prices",
        filters=False,
        responses=ImageModelSerializer(many=True),
    )
    @action(detail=False, pagination_class=None, filter_backends=[])
    def models(self, request: Request) -> Response:
        """List the models that are offered, with what they can do and cost. One that retires soon says so."""
        return Response(ImageModelSerializer(services.offered_models(), many=True).data)


def do_to_many(verb: str, value: str, images: Any) -> int:
    """Do one thing to many pictures and return to how many.

    Raises:
        django.core.exceptions.ValidationError: the value is no tag or rating.
    """
    found = list(images)
    if verb == "delete":
        return services.delete_images(found)
    if verb == "restore":
        return services.restore_images(found)
    if verb == "tag":
        services.tag_images(found, value)
    else:
        services.rate_images(found, RATINGS.get(value, -1))
    return len(found)
