"""The engine at a glance: who works, what waits, what runs, what went wrong. For the API and the admin's queue page."""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, JSONField, Min
from django.utils import timezone
from django_q.models import Failure, Schedule
from django_q.status import Stat
from django_q.tasks import queue_size

from jobs import leases
from jobs.kinds import KINDS
from jobs.models import Job, JobQuerySet, Lease, Phase, Status

logger = logging.getLogger(__name__)

RUNNING_SHOWN = 50
WAITING_SHOWN = 50
FAILURES_SHOWN = 20
REASON_LIMIT = 200  # characters of what a task said when it broke


@dataclass(frozen=True)
class Cluster:
    """A group of worker processes that showed life within the last three seconds."""

    id: str
    host: str
    pid: int
    status: str
    workers: int
    started_at: datetime
    seen_at: datetime
    tasks_inside: int  # taken from the queue, not yet reported
    reincarnations: int  # processes that died and were replaced

    @property
    def seen_ago(self) -> timedelta:
        """How old the last heartbeat is."""
        return timezone.now() - self.seen_at


@dataclass(frozen=True)
class Overview:
    """What the engine is about, over all kinds of jobs."""

    clusters: list[Cluster]
    is_followed: bool
    worked_at: datetime | None
    counts: dict[str, int]  # by phase
    oldest_waiting_seconds: float | None
    running: list[Job]
    failures: list[Job]


@dataclass(frozen=True)
class Waiting:
    """A job that waits, and its place in the line of its provider, from 1."""

    place: int
    job: Job


@dataclass(frozen=True)
class TaskFailure:
    """A task of Django-Q that broke. It only ever wakes somebody up, so nothing is lost by it."""

    pk: str
    name: str
    stopped_at: datetime
    reason: str  # the first line of the error


@dataclass(frozen=True)
class ScheduleLine:
    """A task that Django-Q starts by the clock."""

    name: str
    func: str
    next_run: datetime | None


def clusters() -> list[Cluster]:
    """Return the clusters whose heartbeat is fresh: it is written twice a second and gone after three.

    None if the broker is away, too: the rest of the overview must be seen.
    """
    try:
        # Just after a restart the first read of a file or database cache leaves clusters out, so it does not count.
        Stat.get_all()
        stats = Stat.get_all()
    except Exception:  # whatever the broker or the cache has
        logger.warning("The workers' heartbeats could not be read.", exc_info=True)
        return []
    return [
        Cluster(
            id=str(stat.cluster_id),
            host=stat.host,
            pid=stat.pid,
            status=str(stat.status),
            workers=len(stat.workers),
            started_at=stat.tob,
            seen_at=stat.timestamp,
            tasks_inside=stat.task_q_size + stat.done_q_size,
            reincarnations=stat.reincarnations,
        )
        for stat in sorted(stats, key=lambda stat: (stat.host, stat.pid))
    ]


def look() -> Overview:
    """Look at everything at once. The number of queries depends on the number of kinds only."""
    return Overview(
        clusters=clusters(),
        is_followed=leases.is_held(leases.FOLLOW),
        worked_at=leases.newest_beat(),
        counts=counts(),
        oldest_waiting_seconds=oldest_waiting_seconds(),
        running=running(),
        failures=failures(),
    )


def tasks_queued() -> int | None:
    """Return how many tasks lie in the queue, or None if the broker is away."""
    try:
        return int(queue_size())
    except Exception:  # as in clusters
        logger.warning("The tasks in the queue could not be counted.", exc_info=True)
        return None


def follower() -> Lease | None:
    """Return the right to follow jobs, with its holder, or None if nobody has ever followed."""
    return Lease.objects.filter(name=leases.FOLLOW).first()


def counts() -> dict[str, int]:
    """Return how many jobs are in each phase that wants something: from the program, or (uncertain) from a person."""
    found = dict.fromkeys([Phase.WAITING, Phase.SUBMITTING, Phase.RUNNING, Phase.SAVING, Phase.UNCERTAIN], 0)
    for kind in KINDS.values():
        active = kind.rows.active().order_by().values("phase").annotate(number=Count("pk"))
        for row in active.values_list("phase", "number"):
            found[Phase(row[0])] = found.get(Phase(row[0]), 0) + row[1]
        found[Phase.UNCERTAIN] += kind.rows.uncertain().filter(status=Status.FAILURE).count()
    return {phase.value: number for phase, number in found.items()}


def oldest_waiting_seconds() -> float | None:
    """Return how long the first in line has waited, or None if nobody waits."""
    times = [kind.rows.waiting().aggregate(first=Min("queued_at"))["first"] for kind in KINDS.values()]
    first = min((time for time in times if time is not None), default=None)
    return None if first is None else max(0.0, (timezone.now() - first).total_seconds())


def waiting() -> list[Waiting]:
    """Return the jobs that are next, each with its place in the line of its provider."""
    providers = {kind.label: kind.provider for kind in KINDS.values()}
    places: dict[str, int] = defaultdict(int)
    lines = []
    jobs = first_of_all(lambda rows: rows.waiting(), WAITING_SHOWN)
    for job in sorted(jobs, key=lambda job: (job.queued_at, str(job.pk)))[:WAITING_SHOWN]:
        provider = providers[job._meta.label_lower]
        places[provider] += 1
        lines.append(Waiting(place=places[provider], job=job))
    return lines


def running() -> list[Job]:
    """Return jobs that are being submitted, made or saved, the oldest first."""
    jobs = first_of_all(
        lambda rows: rows.active().exclude(phase=Phase.WAITING).order_by("submitted_at", "pk"), RUNNING_SHOWN
    )
    return sorted(jobs, key=lambda job: job.submitted_at or job.queued_at)[:RUNNING_SHOWN]


def uncertain() -> list[Job]:
    """Return jobs whose paid request was sent and its answer lost, the newest first: a person decides."""
    jobs = first_of_all(
        lambda rows: rows.uncertain().filter(status=Status.FAILURE).order_by("-created_at", "-pk"), FAILURES_SHOWN
    )
    return sorted(jobs, key=lambda job: job.created_at, reverse=True)[:FAILURES_SHOWN]


def failures() -> list[Job]:
    """Return the newest jobs that failed."""
    jobs = first_of_all(lambda rows: rows.filter(status=Status.FAILURE).order_by("-created_at", "-pk"), FAILURES_SHOWN)
    return sorted(jobs, key=lambda job: job.created_at, reverse=True)[:FAILURES_SHOWN]


def first_of_all(chosen: Callable[[JobQuerySet], JobQuerySet], limit: int) -> list[Job]:
    """Return the first jobs of each kind that are chosen, without the providers' answers, which may be long."""
    jobs: list[Any] = []
    for kind in KINDS.values():
        answers = [field.name for field in kind.model._meta.concrete_fields if isinstance(field, JSONField)]
        jobs += chosen(kind.rows).defer(*answers)[:limit]
    return jobs


def task_failures() -> list[TaskFailure]:
    """Return the tasks of Django-Q that broke last."""
    rows = Failure.objects.order_by("-stopped").only("id", "name", "stopped", "result")[:FAILURES_SHOWN]
    return [
        TaskFailure(
            pk=row.id,
            name=row.name,
            stopped_at=row.stopped,
            reason=str(row.result or "").strip().partition(" : Traceback")[0].partition("\n")[0][:REASON_LIMIT],
        )
        for row in rows
    ]


def schedule() -> list[ScheduleLine]:
    """Return what Django-Q starts by the clock, the next one first."""
    rows = Schedule.objects.order_by(F("next_run").asc(nulls_last=True))
    return [ScheduleLine(name=row.name or "", func=row.func, next_run=row.next_run) for row in rows]
