"""Whether the studio is well: what is looked at, how, and in how much time."""

import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.brokers import get_broker

from backups.models import newest_backup_at, verification
from jobs import leases, overview
from macai import provider_health, pulse
from macai.findings import NONE_YET, NOT_VERIFIED, Finding, failing, unknown, warning, well

logger = logging.getLogger(__name__)

PATIENCE = 1.8  # seconds for all checks together; one that has not answered by then has failed
REMEMBERED = 1.0  # seconds; whoever asks again sooner gets the same answer
FRESH = timedelta(seconds=15)  # a worker's own sign of life, where its heartbeat cannot be read
UNFOLLOWED = 120  # seconds that a job may wait while nobody follows: a sweep comes every minute
WAITS_LONG = 3600  # seconds
BACKUP_AGE = timedelta(hours=36)  # one is made every day
VERIFIED_AGE = timedelta(days=9)  # one is verified every week
DISK_ROOMY = 3  # times MIN_FREE_DISK; below it, a warning
MEGABYTE = 1024 * 1024
# Three answers' worth of threads: a disk that hangs may hold some for ever, but never more than these.
POOL = ThreadPoolExecutor(max_workers=18, thread_name_prefix="health")

Check = Callable[[], Finding]


# --- What is looked at ----------------------------------------------------------------------------------------------


def database() -> Finding:
    """Ask the database for nothing."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return well(_("The database answers."), round((time.perf_counter() - started) * 1000, 1), "ms")


def migrations() -> Finding:
    """Look whether the tables are those of this version."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return failing("unapplied", _("The tables are not those of this version."), missing, "migrations")
    return well(_("The tables are those of this version."))


def queue() -> Finding:
    """Look how long the first job in line has waited, and whether anybody is there to take it."""
    seconds = overview.oldest_waiting_seconds()
    if seconds is None:
        return well(_("No job waits."), 0, "s")
    waited = round(seconds)
    if waited > UNFOLLOWED and not leases.is_held(leases.FOLLOW):
        return failing("not_followed", _("Jobs wait and nobody takes them."), waited, "s")
    if waited > WAITS_LONG:
        return warning("waits_long", _("A job has waited for more than an hour."), waited, "s")
    return well(_("Jobs wait for their turn."), waited, "s")


def backup() -> Finding:
    """Look how old the newest backup is, and whether what a verification last found is good, and not too long ago."""
    newest = newest_backup_at()
    now = timezone.now()
    known = verification()
    hours = round((now - newest).total_seconds() / 3600, 1) if newest else None
    if known.is_damage_open:
        return failing(NOT_VERIFIED, _("The backup that was verified last is damaged."), hours, "h" if newest else "")
    if newest is None:
        return warning(NONE_YET, _("There is no backup yet."))
    if now - newest > BACKUP_AGE:
        return warning("too_old", _("The newest backup is too old."), hours, "h")
    if known.is_failure_open:
        return warning(NOT_VERIFIED, _("The newest backup could not be verified."), hours, "h")
    since = known.good_at or known.first_backup_at
    if since and now - since > verified_age(is_first=known.good_at is None):
        return warning(NOT_VERIFIED, _("No backup was verified for more than a week."), hours, "h")
    return well(_("There is a fresh backup."), hours, "h")


def verified_age(*, is_first: bool) -> timedelta:
    """Return how long ago the last good verification may be; for the first, how old the oldest backup.

    A backup that was verified is kept until another one is, but one that never was may be gone before nine days.
    """
    if not is_first:
        return VERIFIED_AGE
    return min(VERIFIED_AGE, max(timedelta(days=settings.BACKUP_DAYS) - BACKUP_AGE, BACKUP_AGE))


def cache_() -> Finding:
    """Leave something in the cache and take it back."""
    started = time.perf_counter()
    token = uuid.uuid4().hex
    cache.set(f"health-{token}", token, timeout=10)
    found = cache.get(f"health-{token}")
    cache.delete(f"health-{token}")
    if found != token:
        return failing("forgets", _("The cache does not keep what it is given."))
    return well(_("The cache answers."), round((time.perf_counter() - started) * 1000, 1), "ms")


def broker() -> Finding:
    """Ask the queue how long it is."""
    asked = get_broker()
    if not asked.ping():
        return failing("no_answer", _("The queue does not answer."))
    return well(_("The queue answers."), int(asked.queue_size()), "tasks")


def worker() -> Finding:
    """Look for a worker's heartbeat, or for what it has just written into the database."""
    if pulse.worker_is_alive():
        return well(_("A worker is up."))
    beat = leases.newest_beat()
    if beat is not None and timezone.now() - beat < FRESH:
        return well(_("A worker is up."))
    age = None if beat is None else round((timezone.now() - beat).total_seconds())
    return failing("no_heartbeat", _("No worker is up, so jobs wait."), age, "s" if age is not None else "")


def storage() -> Finding:
    """Write a file where songs and pictures are kept."""
    if not pulse.storage_is_writable():
        return failing("not_writable", _("Files cannot be written where songs and pictures are kept."))
    return well(_("Files can be written."))


def disk() -> Finding:
    """Look how much room there is where the studio writes."""
    places = [place for place in (settings.MEDIA_ROOT, settings.DATA_DIR) if place.exists()]
    free = min(shutil.disk_usage(place).free for place in places) // MEGABYTE
    if free < settings.MIN_FREE_DISK:
        return failing("full", _("The disk is nearly full."), free, "MB")
    if free < settings.MIN_FREE_DISK * DISK_ROOMY:
        return warning("low", _("There is little room on the disk."), free, "MB")
    return well(_("There is room on the disk."), free, "MB")


# Each line is looked at in a thread of its own, with one database connection; if the first of it fails, the others
# cannot be known.
LINES: tuple[tuple[str, ...], ...] = (
    ("database", "migrations", "queue", "backup"),
    ("cache",),
    ("broker",),
    ("worker",),
    ("storage",),
    ("disk",),
)
CHECKS: dict[str, Check] = {
    "database": database,
    "migrations": migrations,
    "cache": cache_,
    "broker": broker,
    "worker": worker,
    "queue": queue,
    "storage": storage,
    "disk": disk,
    "backup": backup,
}
NEEDS = {"worker": ("broker", "cache", "database")}  # what must answer before silence says anything


# --- Looking --------------------------------------------------------------------------------------------------------


def run(name: str) -> Finding:
    """Run one check. Whatever it raises, the thing is not well, and nothing of what it raised is told."""
    try:
        return CHECKS[name]()
    except Exception as error:  # noqa: BLE001
        logger.warning("The health check of the %s failed: %s", name, type(error).__name__)
        return failing("no_answer", _("It does not answer."))


def run_line(names: tuple[str, ...], found: dict[str, Finding]) -> None:
    """Run the checks of one line, one after the other, and note what each has found."""
    try:
        for name in names:
            found[name] = run(name)
            if name == names[0] and not found[name].is_ok:
                break
    finally:
        connections.close_all()


def look(names: tuple[str, ...] = tuple(CHECKS)) -> dict[str, Finding]:
    """Look at everything at once, or at the things named. What takes longer than PATIENCE counts as failed."""
    lines = [wanted for line in LINES if (wanted := tuple(name for name in line if name in names))]
    found: dict[str, Finding] = {}
    running: dict[Future[None], tuple[str, ...]] = {POOL.submit(run_line, line, found): line for line in lines}
    wait(running, timeout=PATIENCE)
    for future in running:
        future.cancel()  # one that has not even begun need not
    seen = dict(found)  # what comes later is too late
    for line in running.values():
        first = next((name for name in line if name not in seen), None)
        if first == line[0] or (first and seen[line[0]].is_ok):
            seen[first] = failing("too_slow", _("It does not answer in time."))
    not_known = unknown(_("It cannot be known now."))
    answer = {name: seen.get(name, not_known) for name in CHECKS if name in names}
    for name, needed in NEEDS.items():
        if name in answer and not answer[name].is_ok and any(not answer[it].is_ok for it in needed if it in answer):
            answer[name] = not_known
    return answer


class Memory:
    """The last look, so that whoever asks very often does not make the studio look very often."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._found: dict[str, Finding] = {}

    def look(self) -> dict[str, Finding]:
        """Return what the last look found, if it is fresh; else look."""
        with self._lock:
            if time.monotonic() - self._at > REMEMBERED:
                self._found = look()
                self._at = time.monotonic()
            return dict(self._found)

    def forget(self) -> None:
        """Look the next time, however soon."""
        self._at = float("-inf")


memory = Memory()


def providers() -> dict[str, Finding]:
    """Return how the services outside were when they were last asked. None of them can make the studio unwell."""
    return provider_health.last_known()
