"""Songs: what was asked for, the variants that came back, and their files at home."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import ACTIVE, Job, JobQuerySet
from library.trash import Trashable, TrashQuerySet
from prompts.models import MagicRun, TitleOrigin

LINKS_LIVE = timedelta(days=30)  # Mureka's result links die after 30 days
LYRICS_LIMIT = 5000
PROMPT_LIMIT = 1024
VARIANTS_LIMIT = 3
LIVE = Q(deleted_at=None)
# What is long and stands in no list.
HEAVY = (
    "lyrics", "lyrics_written", "lyrics_magic", "prompt_written", "prompt_magic", "title_written", "title_magic",
    "mureka_response",
)  # fmt: skip
PRICE_HELP = _("US dollars for one; empty if the model does not make it.")


class Workflow(models.TextChoices):
    """What the owner does with a song."""

    NOT_USED = "notUsed", _("Not used")
    ON_WORK = "onWork", _("On work")
    IN_USE = "inUse", _("In use")


PROTECTED_WORKFLOWS = (Workflow.ON_WORK, Workflow.IN_USE)


class SongModel(models.Model):
    """A model of the music provider and its prices. Models come and go there, so they are data that the owner edits."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    song_price = models.DecimalField(
        _("price of a song"), max_digits=8, decimal_places=4, null=True, blank=True, help_text=PRICE_HELP
    )
    instrumental_price = models.DecimalField(
        _("price of an instrumental"), max_digits=8, decimal_places=4, null=True, blank=True, help_text=PRICE_HELP
    )
    stems_price = models.DecimalField(
        _("price of stems"), max_digits=8, decimal_places=4, null=True, blank=True, help_text=PRICE_HELP
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    is_default = models.BooleanField(_("default"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        db_table = "song_models"
        ordering = ["position", "name"]
        verbose_name = _("song model")
        verbose_name_plural = _("song models")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_song_model"),
        ]

    def __str__(self) -> str:
        return self.name

    def price(self, *, is_instrumental: bool) -> Decimal | None:
        """Return the price of one variant in US dollars, or None if the model does not make that."""
        return self.instrumental_price if is_instrumental else self.song_price


class SongQuerySet(JobQuerySet, TrashQuerySet):  # type: ignore[override]  # the plugin types as_manager per class
    """Songs, in words."""

    def for_list(self) -> Self:
        """Return rows light enough for a list: without lyrics, without the complete answer."""
        choices = SongChoice.objects.for_list()
        return self.defer(*HEAVY, "error_detail").prefetch_related(models.Prefetch("choices", queryset=choices))

    def with_choices(self) -> Self:
        """Return songs with choices and files, in a constant number of queries."""
        return self.prefetch_related("choices__files", "choices__stems")

    def deletable(self) -> Self:
        """Return songs that may go: not protected by their workflow, neither they nor their stems being made."""
        stems = StemSeparation.objects.active().filter(choice__song=models.OuterRef("pk"))
        return self.exclude(workflow__in=PROTECTED_WORKFLOWS).exclude(status__in=ACTIVE).exclude(models.Exists(stems))


class Song(Job, Trashable, TitleOrigin):
    """A song or an instrumental as it was asked for; its variants are the choices."""

    lyrics = models.TextField(_("lyrics"), blank=True)
    prompt = models.TextField(_("style"), blank=True)
    model = models.CharField(_("model"), max_length=100, default="auto")
    variants = models.PositiveSmallIntegerField(_("variants"), default=2)
    gender = models.CharField(_("voice"), max_length=10, blank=True)
    is_instrumental = models.BooleanField(_("instrumental"), default=False)
    title = models.CharField(_("title"), max_length=500, blank=True)
    tags = models.CharField(_("tags"), max_length=1000, blank=True)
    # How the words came about: what a person wrote, what magic made of it, and the template (prompts/origins.py).
    lyrics_written = models.TextField(_("lyrics as written"), blank=True, editable=False)
    lyrics_magic = models.TextField(_("lyrics as magic made them"), blank=True, editable=False)
    lyrics_run = models.ForeignKey(
        MagicRun, models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("magic of the lyrics"),
    )  # fmt: skip
    prompt_written = models.TextField(_("style as written"), blank=True, editable=False)
    prompt_magic = models.TextField(_("style as magic made it"), blank=True, editable=False)
    prompt_run = models.ForeignKey(
        MagicRun, models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("magic of the style"),
    )  # fmt: skip
    workflow = models.CharField(_("workflow"), max_length=50, choices=Workflow.choices, default=Workflow.NOT_USED)
    mureka_response = models.JSONField(_("Mureka's answer"), default=dict, blank=True, editable=False)
    mureka_status = models.CharField(_("Mureka's status"), max_length=100, blank=True, editable=False)
    resolved_model = models.CharField(_("model used"), max_length=100, blank=True, editable=False)

    objects = SongQuerySet.as_manager()

    class Meta(Job.Meta):
        db_table = "songs"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("song")
        verbose_name_plural = _("songs")
        indexes = [
            *Job.Meta.indexes,
            *Trashable.Meta.indexes,
            # For the library, which never shows the trash.
            models.Index(fields=["-created_at", "-id"], condition=LIVE, name="song_newest"),
            models.Index(fields=["is_instrumental", "-created_at", "-id"], condition=LIVE, name="song_kind"),
            models.Index(fields=["workflow", "-created_at", "-id"], condition=LIVE, name="song_workflow"),
            models.Index(fields=["title", "-created_at", "-id"], condition=LIVE, name="song_title"),
            models.Index(fields=["updated_at", "id"], condition=LIVE, name="song_updated"),
            # For the engine, too, to which the trash is nothing special.
            models.Index(fields=["status", "-created_at", "-id"], name="song_status"),
        ]

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        """Return the song's page."""
        return reverse("songs:detail", args=[self.pk])

    @property
    def display_title(self) -> str:
        """Return the title, or the first words of the style: what every list has at hand, and every page then says."""
        return self.title or self.prompt[:60] or str(_("Untitled"))

    @property
    def can_submit_again(self) -> bool:
        """Whether a person may have it made once more. What lies in the trash is taken out first."""
        return super().can_submit_again and not self.is_in_trash

    @property
    def can_ask_again(self) -> bool:
        """Whether Mureka can be asked about it. What lies in the trash is taken out first."""
        return super().can_ask_again and not self.is_in_trash

    @property
    def is_protected(self) -> bool:
        """Whether the workflow protects the song from being deleted."""
        return self.workflow in PROTECTED_WORKFLOWS

    @property
    def tag_list(self) -> list[str]:
        """Return the tags one by one."""
        return [tag.strip() for tag in self.tags.split(",") if tag.strip()]


class SongChoiceQuerySet(models.QuerySet[Any]):
    """Choices, in words."""

    def for_list(self) -> Self:
        """Return rows light enough for a list: without word-timed lyrics, with their files."""
        return self.defer("lyrics_sections").prefetch_related("files")


class SongChoice(models.Model):
    """One variant of a song."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    song = models.ForeignKey(Song, models.CASCADE, related_name="choices", verbose_name=_("song"))
    mureka_choice_id = models.CharField(_("Mureka's id"), max_length=255, blank=True, editable=False)
    choice_index = models.PositiveIntegerField(_("number"), default=0, editable=False)
    mp3_url = models.CharField(_("mp3 at Mureka"), max_length=1000, blank=True, editable=False)
    flac_url = models.CharField(_("flac at Mureka"), max_length=1000, blank=True, editable=False)
    wav_url = models.CharField(_("wav at Mureka"), max_length=1000, blank=True, editable=False)
    video_url = models.CharField(_("video at Mureka"), max_length=1000, blank=True, editable=False)
    image_url = models.CharField(_("image at Mureka"), max_length=1000, blank=True, editable=False)
    duration = models.FloatField(_("duration"), null=True, blank=True, editable=False, help_text=_("Milliseconds."))
    title = models.CharField(_("title"), max_length=500, blank=True)
    tags = models.CharField(_("tags"), max_length=1000, blank=True)
    rating = models.IntegerField(
        _("rating"), null=True, blank=True, choices=[(1, _("Thumbs up")), (0, _("Thumbs down"))]
    )
    lyrics_sections = models.JSONField(_("word-timed lyrics"), default=list, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = SongChoiceQuerySet.as_manager()

    class Meta:
        db_table = "song_choices"
        ordering = ["song_id", "choice_index"]
        verbose_name = _("choice")
        verbose_name_plural = _("choices")
        constraints = [
            models.UniqueConstraint(fields=["song", "choice_index"], name="song_choice_index_once"),
            models.CheckConstraint(condition=Q(rating__isnull=True) | Q(rating__in=[0, 1]), name="song_choice_rating"),
        ]

    def __str__(self) -> str:
        return self.title or str(_("Choice %(number)d") % {"number": self.number})

    @property
    def number(self) -> int:
        """Return the number a person sees: the first choice is 1."""
        return self.choice_index + 1

    def file_at_home(self, kind: str) -> "SongFile | None":
        """Return the file of that kind if it is at home. Uses the prefetched files."""
        return next((file for file in self.files.all() if file.kind == kind and file.is_home), None)

    @property
    def audio(self) -> "SongFile | None":
        """Return the file that a browser plays: mp3, else wav, else flac."""
        return self.file_at_home("mp3") or self.file_at_home("wav") or self.file_at_home("flac")


class StemSeparationQuerySet(JobQuerySet):
    """Stem separations, in words."""


class StemSeparation(Job):
    """The separation of one choice into stems. A paid, synchronous request of its own."""

    choice = models.OneToOneField(SongChoice, models.CASCADE, related_name="stems", verbose_name=_("choice"))
    model = models.CharField(_("model"), max_length=100)
    source_url = models.CharField(_("link to separate"), max_length=1000, blank=True, editable=False)
    source_name = models.CharField(_("our file, should the link have died"), max_length=255, blank=True, editable=False)
    source_expires_at = models.DateTimeField(_("link lives until"), editable=False)
    mureka_response = models.JSONField(_("Mureka's answer"), default=dict, blank=True, editable=False)

    objects = StemSeparationQuerySet.as_manager()

    class Meta(Job.Meta):
        db_table = "song_stems"
        ordering = ["-created_at"]
        verbose_name = _("stem separation")
        verbose_name_plural = _("stem separations")

    def __str__(self) -> str:
        return str(_("Stems of %(choice)s") % {"choice": self.choice_id})

    @property
    def can_submit_again(self) -> bool:
        """Whether a person may have it made once more. A song in the trash is taken out first."""
        return super().can_submit_again and not self.choice.song.is_in_trash

    @property
    def can_ask_again(self) -> bool:
        """Mureka has no call that asks about stems."""
        return False

    def get_absolute_url(self) -> str:
        """Return the page of the song."""
        return reverse("songs:detail", args=[self.choice.song_id])


class FileState(models.TextChoices):
    """Where a file is."""

    WAITING = "waiting", _("On its way")
    HOME = "home", _("At home")
    MISSING = "missing", _("Link does not answer")
    EXPIRED = "expired", _("Link has expired")


FILE_KINDS = {
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "stems": "application/zip",
    "midi": "application/zip",
}
AUDIO_KINDS = ("mp3", "flac", "wav")


class SongFileQuerySet(models.QuerySet[Any]):
    """Files, in words."""

    def due(self, now: datetime) -> Self:
        """Return files that are not at home and may be tried now."""
        return self.filter(state__in=[FileState.WAITING, FileState.MISSING], next_try_at__lte=now)

    def away(self) -> Self:
        """Return files that do not lie in our own storage."""
        return self.exclude(state=FileState.HOME)

    def home(self) -> Self:
        """Return files that lie in our own storage."""
        return self.filter(state=FileState.HOME)


class SongFile(models.Model):
    """One file of a choice: the link it comes from, and where it lies at home."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    choice = models.ForeignKey(SongChoice, models.CASCADE, related_name="files", verbose_name=_("choice"))
    kind = models.CharField(_("kind"), max_length=10)
    url = models.CharField(_("link"), max_length=1000)
    state = models.CharField(_("state"), max_length=10, choices=FileState.choices, default=FileState.WAITING)
    name = models.CharField(_("name in storage"), max_length=255, blank=True)
    size = models.PositiveBigIntegerField(_("size"), default=0, help_text=_("Bytes."))
    sha256 = models.CharField(max_length=64, blank=True)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True, default=timezone.now)
    link_expires_at = models.DateTimeField(_("link lives until"))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = SongFileQuerySet.as_manager()

    class Meta:
        db_table = "song_files"
        ordering = ["choice_id", "kind"]
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [
            models.UniqueConstraint(fields=["choice", "kind"], name="song_file_kind_once"),
            models.CheckConstraint(condition=~Q(state="home") | ~Q(name=""), name="song_file_home_has_name"),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="song_file_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def is_home(self) -> bool:
        """Whether the file lies in our own storage."""
        return self.state == FileState.HOME

    @property
    def content_type(self) -> str:
        """Return the media type to serve the file as."""
        return FILE_KINDS[self.kind]

    @property
    def suffix(self) -> str:
        """Return the ending of the file's name."""
        return self.kind if self.kind in AUDIO_KINDS else "zip"
