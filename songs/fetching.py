"""Files come home: fetched in threads, checked, stored, and only then noted in the row."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta
from typing import Any

from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs import leases, stopping
from jobs.endings import CLEAN, DATABASE_AWAY, ended_now, with_charge
from jobs.models import Charge, Job, Phase, Status, TransitionError
from library import storage
from providers import mureka
from providers.errors import DownloadError
from providers.http import open_download
from songs.models import FileState, SongFile, SongFileQuerySet

logger = logging.getLogger(__name__)

DOWNLOADS_AT_ONCE = 4
TIMEOUT = (5.0, 30.0)  # seconds to connect, seconds without a byte
BUDGET = 500.0  # seconds for one run; below the queue's timeout
CLAIM = timedelta(seconds=90)
RENEW_EVERY = 20.0  # seconds
BEAT_EVERY = 2.0  # seconds
PATIENCE = 60.0  # seconds that a fetched file waits for a database that is away
AUDIO_LIMIT = 512 * 1024 * 1024  # bytes
ARCHIVE_LIMIT = 2 * 1024 * 1024 * 1024  # bytes

TRIES = 3  # at a link that does not give the file, before that is a fact
PATIENT_TRIES = 10  # the same, while its server has trouble that may pass: about 20 minutes
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
FULL_DISK_PAUSE = timedelta(seconds=60)
MISSING_PAUSE = timedelta(hours=1)
LONGEST_MISSING_PAUSE = timedelta(days=1)

Flying = dict[Future[storage.Stored], SongFile]


def fetch(files: SongFileQuerySet, *, keep_claim: Callable[[], None]) -> None:
    """Fetch the files that are due. Downloads run in threads, every write happens here."""
    claimed = claim(files)
    stop_at = time.monotonic() + BUDGET
    renewed = time.monotonic()
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="download") as pool:
        flying: dict[Future[storage.Stored], SongFile] = {
            pool.submit(copy_context().run, download, file, stop_at): file for file in claimed
        }
        while flying:
            done, _pending = wait(flying, timeout=BEAT_EVERY, return_when=FIRST_COMPLETED)
            for future in done:
                patiently(record, flying.pop(future), future)
            patiently(leases.beat)
            if time.monotonic() - renewed > RENEW_EVERY:
                renewed = time.monotonic()
                patiently(keep_claim)
                patiently(keep_files, [file.pk for file in flying.values()])


def patiently(write: Callable[..., None], *args: Any) -> None:
    """Write; if the database is away, again until it is back. A file that came home must not be forgotten on disk."""
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            return write(*args)
        except DATABASE_AWAY:
            if time.monotonic() > give_up_at:
                raise
            logger.warning("The database is away while files come home.", exc_info=True)
            connections.close_all()
            time.sleep(1)


def keep_files(pks: list[Any]) -> None:
    """Keep other workers from fetching the same files."""
    SongFile.objects.filter(pk__in=pks).away().update(next_try_at=timezone.now() + CLAIM)


def claim(files: SongFileQuerySet) -> list[SongFile]:
    """Claim due files by compare-and-swap on `next_try_at`, so that two workers do not fetch the same one."""
    now = timezone.now()
    claimed = []
    for file in files.due(now):
        mine = SongFile.objects.filter(pk=file.pk, next_try_at=file.next_try_at).away()
        if mine.update(next_try_at=now + CLAIM):
            claimed.append(file)
    return claimed


def extend_claim(model: type[Job], job_pk: str) -> None:
    """Keep the follower from starting the same fetch again while this one lives."""
    rows = model._base_manager.filter(pk=job_pk, phase=Phase.SAVING)
    rows.update(next_poll_at=timezone.now() + CLAIM)


def download(file: SongFile, stop_at: float) -> storage.Stored:
    """Fetch one file into our storage. Runs in a thread: no database here."""

    def check_time(_size: int) -> None:
        if stopping.is_requested() or time.monotonic() > stop_at:
            raise DownloadError("later", _("The download was put off."))

    limit = ARCHIVE_LIMIT if file.suffix == "zip" else AUDIO_LIMIT
    with open_download(file.url, hosts=mureka.file_hosts(), max_bytes=limit, timeout=TIMEOUT) as source:
        return storage.store(
            source.chunks(),
            folder="songs",
            suffix=file.suffix,
            kind=file.suffix,  # type: ignore[arg-type]
            expected_length=source.length,
            max_bytes=limit,
            on_progress=check_time,
        )


def record(file: SongFile, future: Future[storage.Stored]) -> None:
    """Write down how a download ended."""
    error = future.exception()
    if error is None:
        record_home(file, future.result())
    elif isinstance(error, storage.StorageFullError):
        wait_for_room(file, error.message)
    elif isinstance(error, DownloadError) and error.kind == "refused":
        give_up(file, error.message, None)
    elif isinstance(error, storage.DamagedFileError) or (isinstance(error, DownloadError) and error.kind == "missing"):
        record_missing(file, error.message)
    elif isinstance(error, DownloadError):
        record_trouble(file, error.message, min(FIRST_PAUSE * 2 ** min(file.attempts, 10), LONGEST_PAUSE))
    elif isinstance(error, OSError):
        message = _("The file could not be stored: %(why)s.") % {"why": error.strerror or error}
        record_trouble(file, message, FULL_DISK_PAUSE)
    else:
        # Raised, it would stop the other files of the song, and be met again by every next try.
        logger.error("Fetching file %s broke.", file.pk, exc_info=error)
        record_trouble(file, _("The file could not be fetched."), LONGEST_PAUSE)


def record_home(file: SongFile, stored: storage.Stored) -> None:
    """Note that a file is home. If somebody else brought it, or the song is gone, our copy is not needed."""
    rows = SongFile.objects.away().filter(pk=file.pk)
    changed = rows.update(
        state=FileState.HOME,
        name=stored.name,
        size=stored.size,
        sha256=stored.sha256,
        error="",
        next_try_at=None,
        updated_at=timezone.now(),
    )
    # Written before, but the word of it was lost with the database's connection: then the file is ours.
    if not changed and not SongFile.objects.filter(pk=file.pk, name=stored.name).exists():
        storage.delete([stored.name])


def wait_for_room(file: SongFile, message: str) -> None:
    """Try again for as long as the link lives, and count nothing: what is wrong is our own disk."""
    put_off(file, message, FULL_DISK_PAUSE, attempts=0)


def record_trouble(file: SongFile, message: str, pause: timedelta) -> None:
    """Something is wrong that may pass. If it does not, one file must not hold up what else is home: tried rarely."""
    tries = file.attempts + 1
    if tries < PATIENT_TRIES:
        put_off(file, message, pause)
    else:
        give_up(file, message, rare_pause(tries - PATIENT_TRIES))


def put_off(file: SongFile, message: str, pause: timedelta, *, attempts: int = 1) -> None:
    """Try again later: nothing is wrong with the link."""
    now = timezone.now()
    if now >= file.link_expires_at:
        give_up(file, _("The link has expired."), None)
        return
    rows = SongFile.objects.away().filter(pk=file.pk)
    rows.update(error=message, attempts=F("attempts") + attempts, next_try_at=now + pause, updated_at=now)


def record_missing(file: SongFile, message: str) -> None:
    """The link does not give the file: after a few quick tries that is a fact, and tried again rarely."""
    tries = file.attempts + 1
    if tries < TRIES:
        put_off(file, message, FIRST_PAUSE * 2 ** (tries - 1))
    else:
        give_up(file, message, rare_pause(tries - TRIES))


def rare_pause(tries: int) -> timedelta:
    """Return when a file that is not to be had is tried again: the more tries, the later."""
    pause: timedelta = MISSING_PAUSE * 2 ** min(tries, 10)
    return min(pause, LONGEST_MISSING_PAUSE)


def give_up(file: SongFile, message: str, pause: timedelta | None) -> None:
    """State that the file is not to be had, for now or (without a pause) for good."""
    now = timezone.now()
    has_expired = now >= file.link_expires_at
    SongFile.objects.away().filter(pk=file.pk).update(
        state=FileState.EXPIRED if has_expired else FileState.MISSING,
        error=message,
        attempts=F("attempts") + 1,
        next_try_at=None if has_expired or pause is None else now + pause,
        updated_at=now,
    )


def settle(job: Job, files: SongFileQuerySet, *, is_complete: bool) -> None:
    """Move a job on by what its files have become: still coming, all there, or not to be had."""
    waiting = files.filter(state=FileState.WAITING).order_by("next_try_at")
    first = waiting.first()
    try:
        if first is not None:
            put_job_off(job, first, waiting)
        elif is_complete:
            finish(job, files)
        else:
            fail(job, files)
    except TransitionError:
        # Somebody else settled it, or it is not in a phase where files matter (an ended job with late files).
        return


def put_job_off(job: Job, first: SongFile, waiting: SongFileQuerySet) -> None:
    """Some files are still to come: say what holds them up, and come back when the first is due."""
    trouble = waiting.exclude(error="").first()
    sentence = with_charge(trouble.error + " " + _("The files come home later."), Charge.YES) if trouble else ""
    type(job)._base_manager.filter(pk=job.pk, status=Status.PROGRESS, phase=Phase.SAVING).update(
        next_poll_at=first.next_try_at,
        problem="saving" if trouble else "",
        error_message=sentence,
        updated_at=timezone.now(),
    )


def finish(job: Job, files: SongFileQuerySet) -> None:
    """All that can be had is home."""
    missing = files.away().count()
    count = files.count() - missing
    told = ngettext("Done. %(count)d file is home.", "Done. %(count)d files are home.", count) % {"count": count}
    if missing:
        told += " " + ngettext("%(count)d link does not answer.", "%(count)d links do not answer.", missing) % {
            "count": missing
        }
    with transaction.atomic():
        if job.status == Status.FAILURE:
            reopen(job)
        job.move_to(Status.SUCCESS, when={"phase": Phase.SAVING}, event=told, **(CLEAN | ended_now()))


def reopen(job: Job) -> None:
    """A job that failed for want of files has got them after all."""
    job.move_to(Status.PROGRESS, when={"status": Status.FAILURE, "problem": "files"}, phase=Phase.SAVING)


def fail(job: Job, files: SongFileQuerySet) -> None:
    """A choice has no file that plays: the job has failed, though it was paid for and its links are tried again."""
    trouble: Any = files.exclude(error="").first()
    why = trouble.error if trouble else _("Mureka sent no links.")
    message = with_charge(_("It was made, but its files could not be fetched. %(why)s") % {"why": why}, Charge.YES)
    job.move_to(
        Status.FAILURE,
        when={"phase": Phase.SAVING, "status": Status.PROGRESS},
        event=message,
        problem="files",
        error_message=message,
        **ended_now(),
    )
