"""The songs of the earlier system, and their variants. Links that still live are fetched home by the usual tasks."""

import uuid
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.models import Charge, JobEvent, Phase, Status, storable
from macai.legacy.people import People
from macai.legacy.report import Count
from macai.legacy.source import Source
from macai.legacy.values import Row, identity, moment, number, structure, text, truth, whole
from songs.models import LINKS_LIVE, FileState, Song, SongChoice, SongFile, SongModel, Workflow

SONGS, CHOICES = "songs", "song_choices"
RECENT = timedelta(days=1)  # what ran so lately, Mureka can still be asked about
AUDIO_LINKS = ("mp3", "flac", "wav")
URL_LIMIT = 1000
# What the earlier queue, and people, called it.
STATUSES = {
    "PENDING": Status.PENDING, "QUEUED": Status.PENDING, "RECEIVED": Status.PENDING,
    "PROGRESS": Status.PROGRESS, "STARTED": Status.PROGRESS, "RETRY": Status.PROGRESS, "RUNNING": Status.PROGRESS,
    "SUCCESS": Status.SUCCESS, "SUCCEEDED": Status.SUCCESS, "COMPLETED": Status.SUCCESS, "DONE": Status.SUCCESS,
    "FAILURE": Status.FAILURE, "FAILED": Status.FAILURE, "ERROR": Status.FAILURE,
    "CANCELLED": Status.CANCELLED, "CANCELED": Status.CANCELLED, "REVOKED": Status.CANCELLED,
}  # fmt: skip


def bring_songs(source: Source, people: People, count: Count, *, dry_run: bool) -> None:
    """Bring the songs over that are not here yet."""
    models = set(SongModel.objects.values_list("name", flat=True))
    for batch in source.batches(SONGS, "created_at", "id"):
        rows = {identity(row.get("id"), SONGS): row for row in batch}
        here = set(Song.objects.filter(pk__in=rows).values_list("pk", flat=True))
        taken = taken_names(rows)
        songs = [song_of(pk, row, people, models, taken, count) for pk, row in rows.items() if pk not in here]
        count.found += len(batch)
        count.there += len(here)
        count.brought += len(songs)
        if not dry_run:
            save_songs(songs)


def taken_names(rows: dict[uuid.UUID, Row]) -> dict[str, set[str]]:
    """Return which of their task and job ids other songs of ours have."""
    found: dict[str, set[str]] = {}
    for name in ("task_id", "job_id"):
        wanted = [value for row in rows.values() if (value := text(row, name, 255))]
        found[name] = set(Song.objects.filter(**{f"{name}__in": wanted}).values_list(name, flat=True))
    return found


def free_name(row: Row, name: str, taken: dict[str, set[str]]) -> str:
    """Return a task or job id that no other song has, "" if it is taken."""
    value = text(row, name, 255)
    if value in taken[name]:
        return ""
    taken[name].add(value)
    return value


def song_of(
    pk: uuid.UUID, row: Row, people: People, models: set[str], taken: dict[str, set[str]], count: Count
) -> Song:
    """Return the song as we keep it."""
    created = moment(row, "created_at", "created") or timezone.now()
    model = text(row, "model", 100)
    workflow = text(row, "workflow", 50)
    if model and model not in models:
        count.tell(f"of a model that Mureka does not have: {model}; made again, it is of the newest one")
    return Song(
        id=pk,
        task_id=free_name(row, "task_id", taken) or f"earlier-{pk.hex}",
        job_id=free_name(row, "job_id", taken),
        lyrics=text(row, "lyrics"),
        prompt=text(row, "prompt"),
        model=model if model in models else "auto",
        resolved_model=model,
        title=text(row, "title", 500),
        tags=text(row, "tags", 1000),
        workflow=workflow if workflow in Workflow.values else Workflow.NOT_USED,
        progress_info=structure(row, "progress_info"),
        mureka_response=structure(row, "mureka_response"),
        mureka_status=text(row, "mureka_status", 100),
        is_instrumental=truth(row, "is_instrumental"),
        requested_by_id=people.by_earlier_id.get(row.get("user_id")),
        queued_at=created,
        created_at=created,
        updated_at=moment(row, "updated_at") or created,
        completed_at=moment(row, "completed_at"),
        **state_of(pk, row, created, count),
    )


def state_of(pk: uuid.UUID, row: Row, created: datetime, count: Count) -> dict[str, Any]:
    """Return where the song stands here: ended, or still to be asked for at Mureka."""
    said = text(row, "status", 50).strip()
    status = STATUSES.get(said.upper().rpartition(".")[2])
    message = storable(text(row, "error_message"))
    has_job = bool(text(row, "job_id"))
    charge = Charge.MAYBE if has_job else Charge.NO
    ended = {"phase": Phase.ENDED, "next_poll_at": None}
    if status == Status.SUCCESS:
        return ended | {"status": status, "charge": Charge.YES}
    if status in {Status.FAILURE, Status.CANCELLED}:
        return ended | {"status": status, "charge": charge, "error_message": message}
    if status is None:
        count.tell(f"with a status that we do not know, now failed: {said!r}", str(pk))
        message = message or _("Its status in the earlier studio was “%(status)s”.") % {"status": said}
        return ended | {"status": Status.FAILURE, "charge": charge, "error_message": message, "problem": "moved"}
    now = timezone.now()
    if has_job and now - created < RECENT:
        count.tell("still being made: Mureka is asked about them")
        deadline = now + timedelta(seconds=settings.MUREKA_DEADLINE_SECONDS)
        running = {"phase": Phase.RUNNING, "next_poll_at": now, "submitted_at": created, "deadline_at": deadline}
        return running | {"status": Status.PROGRESS, "charge": Charge.YES}
    count.tell("never finished, now failed")
    message = _("It was not finished when the studio moved. It may have been charged, so it was not submitted again.")
    return ended | {"status": Status.FAILURE, "charge": Charge.MAYBE, "error_message": message, "problem": "moved"}


def save_songs(songs: list[Song]) -> None:
    """Write the rows, and a line of history for each."""
    updated = {song.pk: song.updated_at for song in songs}
    with transaction.atomic():
        made = Song.objects.bulk_create(songs)
        for song in made:
            song.updated_at = updated[song.pk]  # which writing set to now
        Song.objects.bulk_update(made, ["updated_at"], batch_size=200)
        told = _("Brought over from the earlier studio.")
        JobEvent.objects.bulk_create(JobEvent(kind=Song._meta.label_lower, job_pk=song.pk, text=told) for song in songs)


# --- Choices --------------------------------------------------------------------------------------------------------


def bring_choices(source: Source, count: Count, files: Count, *, dry_run: bool) -> None:
    """Bring the variants over that are not here yet, and note their links: those that live are fetched home."""
    parents = "id" in source.columns(SONGS)
    for batch in source.batches(CHOICES, "song_id", "choice_index", "id"):
        rows = {identity(row.get("id"), CHOICES): row for row in batch}
        count.found += len(batch)
        here = set(SongChoice.objects.filter(pk__in=rows).values_list("pk", flat=True))
        count.there += len(here)
        new = {pk: row for pk, row in rows.items() if pk not in here}
        songs = {pk: identity(row.get("song_id"), SONGS) for pk, row in new.items()}
        known = set(Song.objects.filter(pk__in=songs.values()).values_list("pk", flat=True))
        if dry_run and parents:
            known |= set(songs.values())
        used = used_numbers(known)
        choices = []
        for pk, row in new.items():
            if songs[pk] in known:
                choices.append(choice_of(pk, songs[pk], row, used[songs[pk]]))
            else:
                count.leave("its song is not there", str(pk))
        links = [file for choice in choices for file in files_of(choice)]
        count.brought += len(choices)
        count_files(links, files)
        if not dry_run:
            save_choices(choices, links)


def used_numbers(songs: set[uuid.UUID]) -> dict[uuid.UUID, set[int]]:
    """Return which numbers the variants of these songs have already."""
    used: dict[uuid.UUID, set[int]] = defaultdict(set)
    for song, index in SongChoice.objects.filter(song__in=songs).values_list("song_id", "choice_index"):
        used[song].add(index)
    return used


def choice_of(pk: uuid.UUID, song: uuid.UUID, row: Row, used: set[int]) -> SongChoice:
    """Return the variant as we keep it, with the first free number if its own is taken."""
    wanted = max(whole(row, "choice_index") or 0, 0)
    index = wanted if wanted not in used else next(free for free in range(len(used) + 1) if free not in used)
    used.add(index)
    created = moment(row, "created_at", "created") or timezone.now()
    rating = whole(row, "rating")
    urls = {f"{kind}_url": text(row, f"{kind}_url").strip() for kind in (*AUDIO_LINKS, "video", "image")}
    return SongChoice(
        id=pk,
        song_id=song,
        mureka_choice_id=text(row, "mureka_choice_id", 255),
        choice_index=index,
        duration=number(row, "duration"),
        title=text(row, "title", 500),
        tags=text(row, "tags", 1000),
        rating=rating if rating in {0, 1} else None,
        created_at=created,
        updated_at=moment(row, "updated_at") or created,
        **{name: url if len(url) <= URL_LIMIT else "" for name, url in urls.items()},
    )


def files_of(choice: SongChoice) -> list[SongFile]:
    """Return the files that the links of a variant lead to: on their way home, or a stated fact."""
    expires, now = choice.created_at + LINKS_LIVE, timezone.now()
    is_dead = expires <= now
    return [
        SongFile(
            choice_id=choice.pk,
            kind=kind,
            url=url,
            state=FileState.EXPIRED if is_dead else FileState.WAITING,
            error=_("The link has expired.") if is_dead else "",
            next_try_at=None if is_dead else now,
            link_expires_at=expires,
        )
        for kind in AUDIO_LINKS
        if (url := getattr(choice, f"{kind}_url"))
    ]


def count_files(links: list[SongFile], files: Count) -> None:
    """Count the links by what becomes of them."""
    files.found += len(links)
    for link in links:
        if link.state == FileState.WAITING:
            files.brought += 1
        else:
            files.tell("links were dead already: Mureka keeps them for 30 days")


def save_choices(choices: list[SongChoice], links: list[SongFile]) -> None:
    """Write the rows."""
    updated = {choice.pk: choice.updated_at for choice in choices}
    with transaction.atomic():
        made = SongChoice.objects.bulk_create(choices)
        for choice in made:
            choice.updated_at = updated[choice.pk]  # which writing set to now
        SongChoice.objects.bulk_update(made, ["updated_at"], batch_size=200)
        SongFile.objects.bulk_create(links)
