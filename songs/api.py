"""Songs and our account at Mureka as an API: the same verbs as the pages, from songs.services and songs.curation."""

import uuid
from typing import Any

from django.forms.models import model_to_dict
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.rest import CONFLICT, KEY_PARAMETER, checked, key_of, user_of
from jobs import services as job_services
from jobs import tasks as job_tasks
from jobs import turns
from jobs.serializers import EventSerializer
from jobs.spending import month_start, spent_since
from songs import curation, services
from songs.filters import SongFilter
from songs.models import Song, SongModel
from songs.serializers import (
    BulkDeleteSerializer,
    CancelledSongSerializer,
    DeletionSerializer,
    MurekaAccountSerializer,
    RefreshSerializer,
    SongDetailSerializer,
    SongEditSerializer,
    SongModelSerializer,
    SongRequestSerializer,
    SongRowSerializer,
)
from songs.tasks import MUREKA

KEY_NAMESPACE = uuid.UUID("6f1d7f4e-7b0a-5a52-9a3c-2f4b7f0c1c55")  # drawn once; never to be changed
FIRST_EXAMPLE = OpenApiExample(
    "A song",
    request_only=True,
    value={"lyrics": "[Verse]\nRain on the roof", "prompt": "indie folk, warm guitar", "title": "Rain", "variants": 2},
)
SECOND_EXAMPLE = OpenApiExample(
    "An instrumental", request_only=True, value={"prompt": "slow piano, strings", "is_instrumental": True}
)
SENT_IN: dict[str, type[serializers.BaseSerializer[Any]]] = {
    "create": SongRequestSerializer,
    "partial_update": SongEditSerializer,
    "refresh": RefreshSerializer,
    "bulk_delete": BulkDeleteSerializer,
}


class SongViewSet(GenericViewSet[Song]):
    """Songs and instrumentals."""

    queryset = Song.objects.all()
    serializer_class = SongDetailSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = SongFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> Any:
        """Return light rows for the list, whole ones for everything else."""
        if self.action == "list":
            return Song.objects.for_list()
        return Song.objects.with_choices().select_related("requested_by")

    def filter_queryset(self, queryset: Any) -> Any:
        """Search and filter the list only: a song of its own is found wherever it is, in the trash, too."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """Return what is sent in: the browsable API draws its forms from it."""
        return SENT_IN.get(self.action, SongDetailSerializer)

    def answer(self, request: Request, song: Song, code: int, **extra: Any) -> Response:
        """Answer with the row as it is now, and where it is."""
        row = SongDetailSerializer(self.get_queryset().get(pk=song.pk), context={"request": request}).data
        headers = {"Location": reverse("song-detail", [song.pk], request=request)}
        return Response({**extra, **row}, status=code, headers=headers)

    @extend_schema(tags=["songs"], summary="Search and list songs", responses=SongRowSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List songs, newest first, without their lyrics. Pages are numbered and not counted: follow `next`.

        With `trashed=true`, those in the trash, the latest first.
        """
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(SongRowSerializer(page, many=True).data)

    @extend_schema(tags=["songs"], summary="Show a song", responses=SongDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a song in full, with its choices and files."""
        return Response(SongDetailSerializer(self.get_object()).data)

    @extend_schema(
        tags=["songs"],
        summary="Ask for a song or an instrumental",
        request=SongRequestSerializer,
        parameters=[KEY_PARAMETER],
        examples=[FIRST_EXAMPLE, SECOND_EXAMPLE],
        responses={202: OpenApiResponse(SongDetailSerializer, description="Noted; `Location` is where to follow it.")},
    )
    def create(self, request: Request) -> Response:
        """Note the wish and answer at once; a worker has the song made. It is paid for when Mureka takes it."""
        key = key_of(request, KEY_NAMESPACE)
        song = Song.objects.filter(pk=key).first() if key else None
        if song is None:
            data = checked(SongRequestSerializer, request)
            if data.pop("is_instrumental"):
                del data["lyrics"], data["gender"], data["lyrics_run"]
                song = services.request_instrumental(user=user_of(request), key=key, **data)
            else:
                song = services.request_song(user=user_of(request), key=key, **data)
        return self.answer(request, song, status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=["songs"],
        summary="Change title, tags or workflow",
        request=SongEditSerializer,
        responses={200: SongDetailSerializer, **CONFLICT},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what the owner notes on a song; a field that is not sent stays."""
        song = self.get_object()
        curation.edit_song(song, **checked(SongEditSerializer, request))
        return self.answer(request, song, status.HTTP_200_OK)

    @extend_schema(tags=["songs"], summary="Delete a song", responses={204: None, **CONFLICT})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Move a song to the trash, where it stays for 30 days. One in use, on work or being made is kept (409)."""
        for _title, reason in curation.delete_songs([self.get_object()]).kept:
            raise job_services.JobError(reason)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=["songs"], summary="Take a song out of the trash", request=None, responses=SongDetailSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a song back with everything that is its own. One that is not in the trash is left as it is."""
        song = self.get_object()
        curation.restore_songs([song])
        return self.answer(request, song, status.HTTP_200_OK)

    @extend_schema(
        tags=["songs"],
        summary="Cancel a song",
        request=None,
        responses={
            200: OpenApiResponse(CancelledSongSerializer, description="Cancelled, not charged."),
            202: OpenApiResponse(CancelledSongSerializer, description="It runs and goes on; `detail` says why."),
            **CONFLICT,
        },
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel a song that waits. Mureka cannot stop one that runs: it is paid for, so its result is kept."""
        song = self.get_object()
        if services.cancel_song(song):
            return self.answer(request, song, status.HTTP_200_OK)
        detail = _("Mureka cannot stop a job, so its result is kept.")
        return self.answer(request, song, status.HTTP_202_ACCEPTED, detail=detail)

    @extend_schema(
        tags=["songs"], summary="Submit a song again", request=None, responses={202: SongDetailSerializer, **CONFLICT}
    )
    @action(detail=True, methods=["post"], url_path="submit-again")
    def submit_again(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put a song that failed or was cancelled back in line. It is paid for again if it was charged before."""
        song = self.get_object()
        services.submit_song_again(song)
        return self.answer(request, song, status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=["songs"],
        summary="Ask Mureka about a song again",
        request=RefreshSerializer,
        responses={202: SongDetailSerializer, **CONFLICT},
    )
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Have Mureka asked now, or missing files fetched. `job_id` names a job whose id was lost with the answer.

        Given for a song that is busy or done with another submission, it becomes a song of its own, which is returned.
        """
        song = self.get_object()
        asked = services.ask_about_song(song, **checked(RefreshSerializer, request))
        return self.answer(request, asked, status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=["songs"], summary="Delete many songs", request=BulkDeleteSerializer, responses={200: DeletionSerializer}
    )
    @action(detail=False, methods=["post"], url_path="bulk-delete", filter_backends=[])
    def bulk_delete(self, request: Request) -> Response:
        """Move up to 500 songs to the trash. Those in use, on work or being made are kept, each with its reason."""
        songs = Song.objects.filter(pk__in=checked(BulkDeleteSerializer, request)["ids"]).only("pk")
        outcome = curation.delete_songs(songs)
        kept = [{"title": title, "reason": reason} for title, reason in outcome.kept]
        return Response(DeletionSerializer({"deleted": outcome.deleted, "kept": kept}).data)

    @extend_schema(
        tags=["songs"], summary="What happened to a song", filters=False, responses=EventSerializer(many=True)
    )
    @action(detail=True, pagination_class=None, filter_backends=[])
    def history(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what happened to a song, oldest first."""
        return Response(EventSerializer(self.get_object().history(), many=True).data)

    @extend_schema(
        tags=["songs"], summary="Models and their prices", filters=False, responses=SongModelSerializer(many=True)
    )
    @action(detail=False, pagination_class=None, filter_backends=[])
    def models(self, request: Request) -> Response:
        """List the models that are offered, with the prices of one in US dollars."""
        return Response(SongModelSerializer(SongModel.objects.filter(is_active=True), many=True).data)


class MurekaAccountView(APIView):
    """Our account at Mureka."""

    @extend_schema(
        operation_id="mureka_account_retrieve", tags=["studio"], summary="Show balance, limit and spending",
        responses=MurekaAccountSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Show the figures as they were last read; when they are old, a worker reads them again meanwhile."""
        if turns.claim_account_check(MUREKA):
            job_tasks.enqueue(job_tasks.read_account, MUREKA)
        account = turns.account_of(MUREKA)
        spent = spent_since(month_start(), provider=MUREKA)
        return Response(MurekaAccountSerializer({**model_to_dict(account), "spending_this_month": spent}).data)
