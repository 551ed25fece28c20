"""Choices, their files and their stems as an API: the same verbs as the pages."""

import uuid
from typing import Any

from django.db import transaction
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.api import ProblemSerializer
from accounts.rest import CONFLICT, AnyAccept, checked, switch_of, user_of
from jobs import services as job_services
from library.serving import serve_file
from songs import curation, services
from songs.models import FILE_KINDS, SongChoice, StemSeparation
from songs.panels import download_name
from songs.serializers import (
    ChoiceEditSerializer,
    SongChoiceDetailSerializer,
    StemsRequestSerializer,
    StemsSerializer,
)


class SongChoiceViewSet(GenericViewSet[SongChoice]):
    """The variants of a song."""

    queryset = SongChoice.objects.prefetch_related("files")
    serializer_class = SongChoiceDetailSerializer
    lookup_value_converter = "uuid"

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what is sent in: the browsable API draws its forms from it."""
        sent_in: dict[str, type[BaseSerializer[Any]]] = {
            "partial_update": ChoiceEditSerializer,
            "request_stems": StemsRequestSerializer,
        }
        return sent_in.get(self.action, SongChoiceDetailSerializer)

    def stems_of(self, pk: uuid.UUID) -> StemSeparation:
        """Return the separation of a choice. Raises Http404 if none was asked for."""
        found = StemSeparation.objects.select_related("choice__song").defer("choice__lyrics_sections")
        stems: StemSeparation | None = found.filter(choice=pk).first()
        if stems is None:
            raise Http404
        return stems

    @extend_schema(
        tags=["choices"], summary="Show a choice with its word-timed lyrics", responses=SongChoiceDetailSerializer
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a choice, its files, and its lyrics with times in milliseconds."""
        return Response(SongChoiceDetailSerializer(self.get_object()).data)

    @extend_schema(
        tags=["choices"],
        summary="Rate a choice, or change its title or tags",
        request=ChoiceEditSerializer,
        responses={200: SongChoiceDetailSerializer, **CONFLICT},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is sent and leave the rest. All of it is checked before any of it is written."""
        choice = self.get_object()
        data = checked(ChoiceEditSerializer, request)
        with transaction.atomic():
            if "rating" in data:
                curation.rate_choice(choice, data.pop("rating"))
            curation.edit_choice(choice, **data)
        return Response(SongChoiceDetailSerializer(choice).data)

    @extend_schema(
        tags=["choices"],
        summary="Fetch a file of a choice",
        filters=False,
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=sorted(FILE_KINDS)),
            OpenApiParameter("download", bool, description="Have a browser save the file."),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="A part, as in `bytes=0-1023`."),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            404: OpenApiResponse(ProblemSerializer, description="No such file, or it is not at home."),
            416: OpenApiResponse(description="The part lies outside the file."),
        },
    )
    @action(
        detail=True, url_path="files/<slug:kind>", url_name="file", pagination_class=None,
        content_negotiation_class=AnyAccept,
    )  # fmt: skip
    def file(self, request: Request, pk: uuid.UUID, kind: str) -> HttpResponseBase:
        """Send a file that is at home, whole or in part."""
        choice = get_object_or_404(SongChoice.objects.for_list().select_related("song"), pk=pk)
        file = choice.file_at_home(kind)
        if file is None:
            raise NotFound(_("This file is not at home."))
        return serve_file(
            request, file.name, content_type=file.content_type, etag=file.sha256,
            filename=download_name(choice, file), download=switch_of(request, "download"),
        )  # fmt: skip

    @extend_schema(tags=["choices"], summary="Show the separation of a choice", responses=StemsSerializer)
    @action(detail=True)
    def stems(self, request: Request, pk: uuid.UUID) -> Response:
        """Show how the separation stands. Its archives are files of the choice: stems, and midi where there are any."""
        return Response(StemsSerializer(self.stems_of(pk)).data)

    @extend_schema(
        tags=["choices"],
        summary="Ask for the stems of a choice",
        request=StemsRequestSerializer,
        responses={202: StemsSerializer, **CONFLICT},
    )
    @stems.mapping.post
    def request_stems(self, request: Request, pk: uuid.UUID) -> Response:
        """Have a choice separated. Asked for again, the separation that exists is returned: nothing is paid twice."""
        choice = self.get_object()
        stems = services.request_stems(choice, user=user_of(request), **checked(StemsRequestSerializer, request))
        return Response(StemsSerializer(stems).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=["choices"], summary="Submit stems again", request=None, responses={202: StemsSerializer, **CONFLICT}
    )
    @action(detail=True, methods=["post"], url_path="stems/submit-again")
    def submit_stems_again(self, request: Request, pk: uuid.UUID) -> Response:
        """Put a separation that failed or was cancelled back in line. It is paid for again if it was charged before."""
        stems = self.stems_of(pk)
        services.submit_stems_again(stems)
        return Response(StemsSerializer(stems).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=["choices"],
        summary="Cancel stems",
        request=None,
        responses={200: StemsSerializer, 202: OpenApiResponse(StemsSerializer, description="It goes on."), **CONFLICT},
    )
    @action(detail=True, methods=["post"], url_path="stems/cancel")
    def cancel_stems(self, request: Request, pk: uuid.UUID) -> Response:
        """Cancel a separation that waits. One that may have been submitted goes on: it is paid for."""
        stems = self.stems_of(pk)
        code = status.HTTP_200_OK if job_services.cancel_job(stems) else status.HTTP_202_ACCEPTED
        return Response(StemsSerializer(stems).data, status=code)
