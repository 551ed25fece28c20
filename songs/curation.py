"""What is done with songs that exist: noted on, rated, moved to the trash, taken back, and in the end deleted."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.models import EarlierSubmission, JobEvent
from jobs.services import JobError
from library import storage
from library.texts import check_text
from prompts.models import MagicRun
from prompts.origins import columns_after_edit
from songs.models import HEAVY, Song, SongChoice, SongFile, StemSeparation, Workflow

TITLE_LIMIT = 500
TAGS_LIMIT = 1000


@dataclass(frozen=True)
class Deletion:
    """What became of a wish to delete songs."""

    deleted: int
    kept: tuple[tuple[str, str], ...] = ()  # title of a song that stays, and why


def hold_live(song_pk: Any) -> Song:
    """Hold a song until the transaction ends, so that nobody moves it to the trash meanwhile. Its title can be read.

    Raises:
        JobError: it lies in the trash, or is not there any more.
    """
    row: Song | None = Song.objects.select_for_update().only("title", "deleted_at").filter(pk=song_pk).first()
    if row is None:
        raise JobError(_("It is not there any more."))
    if row.is_in_trash:
        raise JobError(_("It is in the trash. Restore it first."))
    return row


def check_notes(**texts: str) -> dict[str, str]:
    """Return what is wrong with a title or tags, by field."""
    limits = {"title": TITLE_LIMIT, "tags": TAGS_LIMIT}
    problems: dict[str, str] = {}
    for name, text in texts.items():
        check_text(problems, name, text, limits[name])
    return problems


def edit_song(
    song: Song,
    *,
    title: str | None = None,
    tags: str | None = None,
    workflow: str | None = None,
    title_run: MagicRun | None = None,
) -> None:
    """Change what the owner notes on a song; None leaves a field as it is. Its choices that have its title follow it.

    `title_run` is the magic that the title came about by; see prompts.origins.

    Raises:
        ValidationError: a message per field.
        JobError: it lies in the trash.
    """
    changes: dict[str, Any] = {name: value for name, value in (("title", title), ("tags", tags)) if value is not None}
    problems = check_notes(**changes)
    if workflow is not None:
        changes["workflow"] = workflow
        if workflow not in Workflow.values:
            problems["workflow"] = _("Choose one of: %(values)s.") % {"values": ", ".join(Workflow.values)}
    if title is not None or title_run is not None:
        changes |= columns_after_edit(song, "title", song.title if title is None else title, title_run)
    with transaction.atomic():
        old = _apply(song, song.pk, changes, problems)
        if title is not None and title != old.title:
            namesakes = SongChoice.objects.filter(song=song, title=old.title)
            namesakes.update(title=title, updated_at=timezone.now())


def edit_choice(choice: SongChoice, *, title: str | None = None, tags: str | None = None) -> None:
    """Change a choice's title or tags; None leaves a field as it is.

    Raises:
        ValidationError: a message per field.
        JobError: its song lies in the trash.
    """
    changes = {name: value for name, value in (("title", title), ("tags", tags)) if value is not None}
    _apply(choice, choice.song_id, changes, check_notes(**changes))


def rate_choice(choice: SongChoice, rating: int | None) -> None:
    """Give a choice a thumb up (1), a thumb down (0) or none.

    Raises:
        ValidationError: any other rating.
        JobError: its song lies in the trash.
    """
    problems = {} if rating in {None, 0, 1} else {"rating": _("A rating is 1, 0 or empty.")}
    _apply(choice, choice.song_id, {"rating": rating}, problems)


@transaction.atomic
def _apply(row: Song | SongChoice, song_pk: Any, changes: dict[str, Any], problems: dict[str, str]) -> Song:
    """Write only the named columns, so that a worker's write in the same moment is not undone. Return the song held."""
    if problems:
        raise ValidationError(dict(problems))
    held = hold_live(song_pk)
    if changes:
        type(row).objects.filter(pk=row.pk).update(**changes, updated_at=timezone.now())
        for name, value in changes.items():
            setattr(row, name, value)
    return held


def delete_songs(songs: Iterable[Song]) -> Deletion:
    """Move songs to the trash, files and all. Protected ones stay, and ones that are being made or whose stems are."""
    deleted = 0
    kept: list[tuple[str, str]] = []
    for song in songs:
        with transaction.atomic():
            # Held: neither protecting the song nor asking for its stems comes between the look and the move.
            row = Song.objects.live().select_for_update().filter(pk=song.pk).defer(*HEAVY).first()
            if row is None:
                continue
            if Song.objects.filter(pk=row.pk).deletable().throw_away():
                row.tell(_("Moved to the trash."))
                deleted += 1
            else:
                kept.append((row.display_title, _why_kept(row)))
    return Deletion(deleted, tuple(kept))


def _why_kept(song: Song) -> str:
    if song.is_protected:
        return _("It is marked “%(workflow)s”.") % {"workflow": song.get_workflow_display()}
    if song.is_active:
        return _("It is being made. Cancel it first.")
    return _("Its stems are being made.")


def restore_songs(songs: Iterable[Song]) -> int:
    """Take songs out of the trash. Return how many were there."""
    restored = 0
    for song in songs:
        with transaction.atomic():
            if Song.objects.filter(pk=song.pk).take_back():
                song.tell(_("Taken out of the trash."))
                restored += 1
    return restored


def purge_songs(songs: Iterable[Song]) -> int:
    """Delete songs for good that have lain in the trash for long enough: choices, stems, history and files.

    Return how many. Called by the sweep; a song that was taken out of the trash meanwhile stays.
    """
    purged = 0
    for song in songs:
        with transaction.atomic():
            Song.objects.select_for_update().only("pk").filter(pk=song.pk).first()
            row = Song.objects.filter(pk=song.pk).worn_out(timezone.now()).deletable()
            # Held, so that a file which comes home in this moment is either listed or finds its row gone.
            files = SongFile.objects.select_for_update(of=("self",)).filter(choice__song=song).order_by("pk")
            names = [name for name in files.values_list("name", flat=True) if name]
            jobs = [song.pk, *StemSeparation.objects.filter(choice__song=song).values_list("pk", flat=True)]
            if not row.delete()[0]:
                continue
            JobEvent.objects.filter(job_pk__in=jobs).delete()
            EarlierSubmission.objects.filter(job_pk__in=jobs).delete()
            transaction.on_commit(partial(storage.delete, names))
            purged += 1
    return purged
