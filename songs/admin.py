"""The console door to songs: seen, heard, rated, and moved on by the same services as everywhere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from jobs.admin import JobAdmin, LargeTableAdmin, NamedFields, ReadOnlyAdmin
from jobs.model_admin import ModelFilter, OneDefaultAdmin
from jobs.services import JobError
from library.trash import KEPT_FOR
from library.trash_admin import PARAMETER, TrashFilter
from songs import curation, services
from songs.models import HEAVY, Song, SongChoice, SongFile, SongModel, StemSeparation


def player_of(choice: SongChoice) -> str:
    """Return an audio player for a choice, or why it cannot be heard. Loads nothing until it is pressed."""
    file = choice.audio
    if file is None:
        states = sorted({str(file.get_state_display()) for file in choice.files.all()})
        return ", ".join(states) or gettext("No audio")
    try:
        address = reverse("songs:file", args=[choice.pk, file.kind])
    except NoReverseMatch:
        return file.name
    label = gettext("Play %(choice)s") % {"choice": choice}
    return format_html('<audio controls preload="none" src="{}" aria-label="{}"></audio>', address, label)


def minutes(choice: SongChoice) -> str:
    """Return how long a choice plays, as 3:07."""
    if choice.duration is None:
        return "-"
    seconds = round(choice.duration / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def edit_choice(choice: SongChoice, changed: list[str]) -> None:
    """Write what a form changed on a choice, and nothing else."""
    texts = {name: getattr(choice, name) for name in changed if name in {"title", "tags"}}
    with forbidden():
        curation.edit_choice(choice, **texts)
        if "rating" in changed:
            curation.rate_choice(choice, choice.rating)


@contextmanager
def forbidden() -> Iterator[None]:
    """Refuse what cannot be done to a song as it stands: its form was sent after it had been moved to the trash."""
    try:
        yield
    except JobError as error:
        raise PermissionDenied(str(error)) from error


def link_to_song(song: Song) -> str:
    """Return a link to the song's page in the admin."""
    return format_html('<a href="{}">{}</a>', reverse("admin:songs_song_change", args=[song.pk]), song)


class SongModelFilter(ModelFilter):
    """Songs by model."""

    price_list = SongModel


class ChoiceInline(NamedFields, admin.TabularInline):  # type: ignore[type-arg]  # generic for the stubs only
    """The choices on the song's page."""

    model = SongChoice
    fields = ["player", "length", "rating", "title", "tags"]
    readonly_fields = ["player", "length"]
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the choices with their files."""
        return SongChoice.objects.for_list()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid: choices come from the provider."""
        return False

    @admin.display(description=_("listen"))
    def player(self, choice: SongChoice) -> str:
        """Return a player."""
        return player_of(choice)

    @admin.display(description=_("duration"))
    def length(self, choice: SongChoice) -> str:
        """Return minutes and seconds."""
        return minutes(choice)


@admin.register(Song)
class SongAdmin(JobAdmin):
    """Songs and instrumentals."""

    editable = ("title", "tags", "workflow")
    list_display = ["name", "state", "money", "workflow", "choice_count", "kind", "created_at", "job_id"]
    list_editable = ["workflow"]
    list_filter = [TrashFilter, "status", "phase", "charge", "workflow", "is_instrumental", SongModelFilter]
    search_fields = ["title", "tags", "lyrics", "=job_id"]
    search_help_text = _("Title, tags, lyrics, or the whole job id.")
    actions = ["cancel", "submit_again", "ask_again", "delete_selected", "restore"]
    inlines = [ChoiceInline]
    delete_confirmation_template = "admin/move_to_trash.html"
    fieldsets = [
        (None, {"fields": ["title", "tags", "workflow", "in_trash"]}),
        (
            _("What was asked for"),
            {"fields": ["kind", "prompt", "lyrics", "model", "resolved_model", "variants", "gender"]},
        ),
        (
            _("How the words came about"),
            {
                "classes": ["collapse"],
                "fields": [
                    "lyrics_written",
                    "lyrics_magic",
                    "lyrics_run",
                    "prompt_written",
                    "prompt_magic",
                    "prompt_run",
                    "title_written",
                    "title_magic",
                    "title_run",
                ],
            },
        ),
        *JobAdmin.engine_fieldsets,
        (_("The provider's answer"), {"classes": ["collapse"], "fields": ["mureka_status", "error_detail", "answer"]}),
    ]

    # --- The verbs ---

    def cancel_job(self, job: Song) -> bool:
        """Cancel the song. Raises JobError."""
        return services.cancel_song(job)

    def submit_job_again(self, job: Song) -> None:
        """Have the song submitted once more, at today's price. Raises JobError."""
        services.submit_song_again(job)

    def ask_about_job(self, job: Song, job_id: str) -> None:
        """Have Mureka asked about the song. Raises JobError."""
        services.ask_about_song(job, job_id=job_id)

    def price_again(self, job: Song) -> Decimal | None:
        """Return today's price of the song."""
        model = services.offered_model(job.model)
        price = model.price(is_instrumental=job.is_instrumental) if model else None
        return None if price is None else price * job.variants

    # --- Lists and pages ---

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return songs without what is long, and with the number of their choices."""
        choices = SongChoice.objects.filter(song=OuterRef("pk")).order_by().values("song").values(n=Count("pk"))
        light = rows.defer(*HEAVY, "error_detail", "progress_info")
        counted: QuerySet[Any] = light.annotate(choice_count=Subquery(choices))
        return counted

    def save_model(self, request: HttpRequest, obj: Song, form: Any, change: bool) -> None:
        """Write the owner's notes, and nothing else."""
        with forbidden():
            curation.edit_song(obj, **{name: form.cleaned_data[name] for name in form.changed_data})

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write what was changed on the choices, and nothing else."""
        formset.save(commit=False)
        for choice, changed in formset.changed_objects:
            edit_choice(choice, changed)

    @admin.display(description=_("title"), ordering="title")
    def name(self, song: Song) -> str:
        """Return the title, or what tells the song from others."""
        return song.display_title

    @admin.display(description=_("kind"), ordering="is_instrumental")
    def kind(self, song: Song) -> str:
        """Return whether somebody sings."""
        return gettext("Instrumental") if song.is_instrumental else gettext("Song")

    @admin.display(description=_("choices"))
    def choice_count(self, song: Any) -> int:
        """Return how many choices came back."""
        return song.choice_count or 0

    @admin.display(description=_("Mureka's answer"))
    def answer(self, song: Song) -> str:
        """Return the complete answer."""
        text = json.dumps(song.mureka_response, indent=2, ensure_ascii=False)
        return format_html('<pre class="code short">{}</pre>', text)

    # --- The trash ---

    @admin.display(description=_("trash"))
    def in_trash(self, song: Song) -> str:
        """Return whether the song lies in the trash, and until when."""
        if song.gone_at is None:
            return gettext("No")
        day = date_format(timezone.localtime(song.gone_at), "j F Y")
        return gettext("Until %(day)s, then it goes for good.") % {"day": day}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; in the trash nothing is edited."""
        changelist = super().get_changelist_instance(request)
        if PARAMETER in request.GET:
            changelist.list_editable = ()
        return changelist

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions: in the trash there is but one, and elsewhere not that one."""
        actions: dict[str, Any] = super().get_actions(request)
        return {name: found for name, found in actions.items() if (name == "restore") == (PARAMETER in request.GET)}

    def has_change_permission(self, request: HttpRequest, obj: Song | None = None) -> bool:
        """Forbid changing what lies in the trash."""
        return super().has_change_permission(request, obj) and (obj is None or not obj.is_in_trash)

    def has_delete_permission(self, request: HttpRequest, obj: Song | None = None) -> bool:
        """Forbid what the service would keep: protected songs, ones that are being made, what is in the trash."""
        may = admin.ModelAdmin.has_delete_permission(self, request, obj)
        return may and (obj is None or Song.objects.live().deletable().filter(pk=obj.pk).exists())

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Tell what is moved, without walking through everything that hangs on it: all of it stays with the song."""
        return [str(song) for song in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Song) -> None:
        """Move a song to the trash, or say why it stays."""
        for _title, reason in curation.delete_songs([obj]).kept:
            raise PermissionDenied(reason)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note that a song was moved to the trash: nothing is deleted yet."""
        return [self.log_change(request, song, gettext("Moved to the trash.")) for song in queryset]

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Say what became of a song, and show the list."""
        self.message_user(request, trash_sentence(1), messages.SUCCESS)
        return redirect("admin:songs_song_changelist")

    @admin.action(description=_("Move to the trash"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Move songs to the trash, and tell which stay, and why. It can be undone, so nothing is asked first."""
        songs = list(queryset.live())  # type: ignore[attr-defined]  # a SongQuerySet
        result = curation.delete_songs(songs)
        moved = Song.objects.trashed().filter(pk__in=[song.pk for song in songs])
        self.log_deletions(request, moved)
        if result.deleted:
            self.message_user(request, trash_sentence(result.deleted), messages.SUCCESS)
        for title, reason in result.kept:
            self.message_user(request, gettext("“%(title)s” stays. ") % {"title": title} + reason, messages.WARNING)

    @admin.action(description=_("Take out of the trash"), permissions=["delete"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take songs out of the trash."""
        songs = list(queryset.trashed())  # type: ignore[attr-defined]  # a SongQuerySet
        count = curation.restore_songs(songs)
        for song in songs:
            self.log_change(request, song, gettext("Taken out of the trash."))
        text = ngettext("%(count)d song is out of the trash.", "%(count)d songs are out of the trash.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.INFO)


def trash_sentence(count: int) -> str:
    """Return what became of songs that were deleted."""
    text = ngettext(
        "%(count)d song moved to the trash for %(days)d days.",
        "%(count)d songs moved to the trash for %(days)d days.",
        count,
    )
    return text % {"count": count, "days": KEPT_FOR.days}


@admin.register(SongChoice)
class SongChoiceAdmin(LargeTableAdmin):
    """Choices, heard and rated in the list."""

    list_display = ["number", "song_link", "player", "rating", "length", "created_at"]
    list_editable = ["rating"]
    list_filter = ["rating"]
    search_fields = ["title", "song__title", "song__tags"]
    search_help_text = _("Title of the choice; title and tags of the song.")
    ordering = ["-created_at", "-pk"]
    list_per_page = 25
    fields = [
        "song_link", "player", "rating", "title", "tags", "length", "mureka_choice_id",
        "mp3_url", "flac_url", "wav_url", "created_at",
    ]  # fmt: skip
    readonly_fields = [
        "song_link", "player", "length", "mureka_choice_id", "mp3_url", "flac_url", "wav_url", "created_at",
    ]  # fmt: skip

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return choices with their song and files, without what is long and without the trash."""
        heavy = ["lyrics_sections", "song__error_detail", *(f"song__{name}" for name in HEAVY)]
        return rows.filter(song__deleted_at=None).select_related("song").defer(*heavy).prefetch_related("files")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid: choices come from the provider."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid: a choice goes with its song, and then its files go too."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: SongChoice | None = None) -> bool:
        """Forbid changing what lies in the trash."""
        return super().has_change_permission(request, obj) and (obj is None or not obj.song.is_in_trash)

    def save_model(self, request: HttpRequest, obj: SongChoice, form: Any, change: bool) -> None:
        """Write what was changed, and nothing else."""
        edit_choice(obj, form.changed_data)

    @admin.display(description=_("choice"))
    def number(self, choice: SongChoice) -> str:
        """Return the choice's number, and its title if it has one of its own."""
        label = gettext("Choice %(number)d") % {"number": choice.number}
        return label if choice.title in {"", choice.song.title} else f"{label}: {choice.title}"

    @admin.display(description=_("song"))
    def song_link(self, choice: SongChoice) -> str:
        """Return a link to the song."""
        return link_to_song(choice.song)

    @admin.display(description=_("listen"))
    def player(self, choice: SongChoice) -> str:
        """Return a player."""
        return player_of(choice)

    @admin.display(description=_("duration"), ordering="duration")
    def length(self, choice: SongChoice) -> str:
        """Return minutes and seconds."""
        return minutes(choice)


@admin.register(SongModel)
class SongModelAdmin(OneDefaultAdmin):
    """Models and prices, which the owner keeps."""

    list_display = ["name", "song_price", "instrumental_price", "stems_price", "is_default", "is_active", "position"]
    list_editable = ["is_active", "position"]
    search_fields = ["name", "description"]


@admin.register(StemSeparation)
class StemSeparationAdmin(JobAdmin):
    """Separations into stems."""

    list_display = ["song_link", "choice_number", "state", "money", "model", "created_at", "job_id"]
    list_display_links = ["choice_number"]
    list_filter = ["status", "phase", "charge"]
    search_fields = ["choice__song__title", "choice__title", "=job_id"]
    fieldsets = [
        (None, {"fields": ["song_link", "choice", "model", "source_url", "source_name", "source_expires_at"]}),
        *JobAdmin.engine_fieldsets,
        (_("The provider's answer"), {"classes": ["collapse"], "fields": ["error_detail", "mureka_response"]}),
    ]

    def submit_job_again(self, job: StemSeparation) -> None:
        """Have the separation submitted once more. Raises JobError."""
        services.submit_stems_again(job)

    def price_again(self, job: StemSeparation) -> Decimal | None:
        """Return today's price of the separation."""
        model = services.offered_model(job.model)
        return model.stems_price if model else None

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return separations with their song, without what is long."""
        heavy = ["choice__lyrics_sections", *(f"choice__song__{name}" for name in HEAVY)]
        return super().for_list(rows).select_related("choice__song").defer("error_detail", "mureka_response", *heavy)

    @admin.display(description=_("song"))
    def song_link(self, stems: StemSeparation) -> str:
        """Return a link to the song."""
        return link_to_song(stems.choice.song)

    @admin.display(description=_("choice"))
    def choice_number(self, stems: StemSeparation) -> str:
        """Return which choice it is."""
        return gettext("Choice %(number)d") % {"number": stems.choice.number}


@admin.register(SongFile)
class SongFileAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """Where every file is."""

    list_display = ["kind", "song_link", "state", "bytes", "attempts", "next_try_at", "error"]
    list_filter = ["state"]

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return files with their song, without what is long."""
        heavy = ["choice__lyrics_sections", *(f"choice__song__{name}" for name in HEAVY)]
        return rows.select_related("choice__song").defer(*heavy, "choice__song__error_detail")

    @admin.display(description=_("song"))
    def song_link(self, file: SongFile) -> str:
        """Return a link to the song."""
        return link_to_song(file.choice.song)

    @admin.display(description=_("size"), ordering="size")
    def bytes(self, file: SongFile) -> str:
        """Return the size in words."""
        return filesizeformat(file.size) if file.size else "-"
