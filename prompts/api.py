"""Templates and runs of magic as an API: the same verbs as the pages."""

import uuid
from dataclasses import replace
from typing import Any

from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.rest import CONFLICT, checked, user_of
from prompts import curation, services
from prompts.curation import StaleEditError, Wording, wording_of
from prompts.filters import RunFilter, TemplateFilter
from prompts.models import MagicRun, PromptTemplate
from prompts.serializers import MagicRunSerializer, TemplateSerializer, WordingSerializer


class TemplateViewSet(GenericViewSet[PromptTemplate]):
    """Prompt templates. The list has the latest version of each; every version has an id of its own."""

    queryset = PromptTemplate.objects.select_related("created_by")
    serializer_class = TemplateSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = TemplateFilter
    lookup_value_converter = "int"

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what is sent in: the browsable API draws its forms from it."""
        return WordingSerializer if self.action in {"create", "partial_update"} else TemplateSerializer

    def told(self, template: PromptTemplate, code: int = status.HTTP_200_OK) -> Response:
        """Answer with a version."""
        return Response(TemplateSerializer(template).data, status=code)

    @extend_schema(tags=["templates"], summary="List templates", responses=TemplateSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the latest version of each template."""
        page = self.paginate_queryset(
            self.filter_queryset(PromptTemplate.objects.newest().select_related("created_by"))
        )
        return self.get_paginated_response(TemplateSerializer(page, many=True).data)

    @extend_schema(tags=["templates"], summary="Show a version of a template", responses=TemplateSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one version."""
        return self.told(self.get_object())

    @extend_schema(
        tags=["templates"], summary="Make a template", request=WordingSerializer, responses={201: TemplateSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make the first version of a template, and use it unless `active` is false."""
        sent = checked(WordingSerializer, request)
        note, active = sent.pop("note"), sent.pop("active", True)
        wording = Wording(**sent | {"variables": tuple(sent["variables"])})
        template = curation.create_template(wording, user=user_of(request), active=active, note=note)
        return self.told(template, status.HTTP_201_CREATED)

    @extend_schema(
        tags=["templates"],
        summary="Edit a template",
        request=WordingSerializer,
        responses={
            200: OpenApiResponse(TemplateSerializer, description="Nothing but `active` changed: the same version."),
            201: OpenApiResponse(TemplateSerializer, description="The new version, with an id of its own."),
            **CONFLICT,
        },
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Save an edit of the latest version as a new one; the old ones stay. 409 if it is not the latest any more."""
        template = self.get_object()
        sender = WordingSerializer(data=request.data, partial=True)
        sender.is_valid(raise_exception=True)
        sent = dict(sender.validated_data)
        note, active = sent.pop("note", ""), sent.pop("active", None)
        if "variables" in sent:
            sent["variables"] = tuple(sent["variables"])
        try:
            saved = curation.edit_template(
                template, replace(wording_of(template), **sent), user=user_of(request), active=active, note=note
            )
        except StaleEditError as error:
            return Response({"detail": " ".join(error.messages)}, status=status.HTTP_409_CONFLICT)
        return self.told(saved, status.HTTP_200_OK if saved.pk == template.pk else status.HTTP_201_CREATED)

    @extend_schema(tags=["templates"], summary="Delete a template", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a template with all its versions. What was written with them stays."""
        curation.delete_template(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["templates"], summary="List the versions of a template", responses=TemplateSerializer(many=True),
        filters=False,
    )  # fmt: skip
    @action(detail=True, filter_backends=[])
    def versions(self, request: Request, pk: int) -> Response:
        """Show every version, the latest first."""
        template = self.get_object()
        versions = PromptTemplate.objects.versions_of(template.category, template.action)
        page = self.paginate_queryset(versions.select_related("created_by"))
        return self.get_paginated_response(TemplateSerializer(page, many=True).data)

    @extend_schema(
        tags=["templates"], summary="Roll back to a version", request=None, responses={201: TemplateSerializer}
    )
    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request: Request, pk: int) -> Response:
        """Make a new version that equals this one, and use it."""
        return self.told(curation.roll_back(self.get_object(), user=user_of(request)), status.HTTP_201_CREATED)

    @extend_schema(tags=["templates"], summary="Use a version", request=None, responses=TemplateSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: int) -> Response:
        """Use this version, in place of the one that was used."""
        template = self.get_object()
        curation.set_active(template, active=True)
        return self.told(template)

    @extend_schema(tags=["templates"], summary="Put a template aside", request=None, responses=TemplateSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: int) -> Response:
        """Take this version out of use: no field offers it any more."""
        template = self.get_object()
        curation.set_active(template, active=False)
        return self.told(template)


class MagicRunViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[MagicRun]):
    """What was written with templates."""

    queryset = MagicRun.objects.select_related("user")
    serializer_class = MagicRunSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = RunFilter
    lookup_value_converter = "uuid"

    @extend_schema(tags=["chat"], summary="List runs of magic")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show what was written with templates, or by `chat/generate/`, the latest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=["chat"], summary="Show a run of magic")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one run; its text as far as it is."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(tags=["chat"], summary="Stop a run of magic", request=None, responses=MagicRunSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop a text that is being written. What came of it is kept."""
        run = get_object_or_404(MagicRun, pk=pk)
        services.stop_magic(run)
        return Response(MagicRunSerializer(run).data)
