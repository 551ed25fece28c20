"""What goes on in the studio, in figures: for the queue page of the admin and for the API."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, JSONField, Min, Q
from django.utils import timezone
from django_q.models import Failure, Schedule
from django_q.status import Stat
from django_q.tasks import queue_size

from jobs.kinds import KINDS, Kind
from jobs.leases import FOLLOW
from jobs.models import Job, JobQuerySet, Lease, Phase, Status

logger = logging.getLogger(__name__)

LINE_LIMIT = 200  # characters of a task's traceback


@dataclass(frozen=True)
class Worker:
    """A cluster of Django-Q that is alive, as its last heartbeat tells."""

    host: str
    pid: int
    status: str  # Django-Q's word: Starting, Idle, Working, Stopping, Stopped
    started_at: datetime
    beat_at: datetime
    processes: int
    waiting_tasks: int  # taken from the queue, not begun
    done_tasks: int  # done, not noted yet
    reincarnations: int  # processes that died and were replaced

    @property
    def uptime(self) -> timedelta:
        """How long the cluster has been up."""
        return timezone.now() - self.started_at

    @property
    def beat_age(self) -> timedelta:
        """How long ago the last heartbeat was."""
        return timezone.now() - self.beat_at


@dataclass(frozen=True)
class Follow:
    """The right to follow jobs: who holds it, and when that process last showed life."""

    owner: str  # empty if nobody follows
    beat_at: datetime
    until: datetime

    @property
    def is_held(self) -> bool:
        """Whether somebody follows jobs now."""
        return bool(self.owner) and self.until >= timezone.now()

    @property
    def beat_age(self) -> timedelta:
        """How long ago the last sign of life was."""
        return timezone.now() - self.beat_at


@dataclass(frozen=True)
class QueueCounts:
    """How many jobs of all kinds are in which phase."""

    waiting: int = 0
    submitting: int = 0
    running: int = 0
    saving: int = 0
    uncertain: int = 0

    @property
    def active(self) -> int:
        """How many jobs still want something done."""
        return self.waiting + self.submitting + self.running + self.saving


@dataclass(frozen=True)
class JobLine:
    """One job in a list of jobs of all kinds."""

    kind: str  # the model's label, as in "songs.song"
    kind_name: str
    provider: str
    pk: UUID
    title: str
    status: Status
    phase: Phase
    job_id: str
    problem: str
    message: str
    cost: Decimal  # US dollars
    charge: str
    queued_at: datetime
    submitted_at: datetime | None
    completed_at: datetime | None
    elapsed: timedelta | None
    place: int | None = None  # in the provider's line, from 1; of waiting jobs only


@dataclass(frozen=True)
class TaskFailure:
    """A task of Django-Q that broke. It only ever wakes somebody up, so nothing is lost by it."""

    pk: str
    name: str
    func: str
    stopped_at: datetime
    reason: str  # the first line of the error


@dataclass(frozen=True)
class ScheduleLine:
    """A task that Django-Q starts by the clock."""

    name: str
    func: str
    next_run: datetime | None


def workers() -> tuple[Worker, ...]:
    """Return the clusters that are alive; none if the broker is away, too."""
    try:
        # The first reading after a restart may leave somebody out (the list is changed while it is walked).
        Stat.get_all()
        stats = Stat.get_all()
    except Exception:  # whatever the broker has, the rest of the overview must be seen
        logger.warning("The workers' heartbeats could not be read.", exc_info=True)
        return ()
    alive = (
        Worker(
            host=stat.host,
            pid=stat.pid,
            status=stat.status,
            started_at=stat.tob,
            beat_at=stat.timestamp,
            processes=len(stat.workers),
            waiting_tasks=stat.task_q_size,
            done_tasks=stat.done_q_size,
            reincarnations=stat.reincarnations,
        )
        for stat in stats
    )
    return tuple(sorted(alive, key=lambda worker: (worker.host, worker.pid)))


def tasks_queued() -> int | None:
    """Return how many tasks lie in the queue, or None if the broker is away."""
    try:
        return int(queue_size())
    except Exception:  # see workers
        logger.warning("The queue could not be counted.", exc_info=True)
        return None


def follow() -> Follow | None:
    """Return the follower's lease, or None if nobody has ever followed."""
    lease = Lease.objects.filter(name=FOLLOW).first()
    return Follow(owner=lease.owner, beat_at=lease.beat, until=lease.until) if lease else None


def queue_counts() -> QueueCounts:
    """Count jobs by phase."""
    counts: dict[str, int] = defaultdict(int)
    for kind in KINDS.values():
        for phase, count in kind.rows.active().order_by().values_list("phase").annotate(Count("pk")):
            counts[phase] += count
        counts[Phase.UNCERTAIN] += kind.rows.filter(status=Status.FAILURE).uncertain().count()
    return QueueCounts(**{name: counts[name] for name in QueueCounts.__dataclass_fields__})


def oldest_waiting() -> datetime | None:
    """Return since when the job waits that has waited longest."""
    since = (kind.rows.waiting().order_by().aggregate(oldest=Min("queued_at"))["oldest"] for kind in KINDS.values())
    return min((moment for moment in since if moment), default=None)


def waiting(limit: int) -> tuple[JobLine, ...]:
    """Return the jobs next in line, with their place in the line of their provider."""
    lines: list[JobLine] = []
    places: dict[str, int] = defaultdict(int)
    for kind, job in _merged(lambda rows: rows.waiting(), ("queued_at", "pk"), limit):
        places[kind.provider] += 1
        lines.append(_line(kind, job, place=places[kind.provider]))
    return tuple(lines)


def running(limit: int) -> tuple[JobLine, ...]:
    """Return jobs that the provider has or is being given, the oldest first."""
    phases = [Phase.SUBMITTING, Phase.RUNNING]
    return _lines(lambda rows: rows.active().in_phase(*phases), ("submitted_at", "pk"), limit)


def saving(limit: int) -> tuple[JobLine, ...]:
    """Return jobs whose files are coming home, the oldest first."""
    return _lines(lambda rows: rows.active().in_phase(Phase.SAVING), ("submitted_at", "pk"), limit)


def uncertain(limit: int) -> tuple[JobLine, ...]:
    """Return jobs whose paid request was sent but whose answer was lost, the newest first."""
    return _lines(lambda rows: rows.filter(status=Status.FAILURE).uncertain(), ("-completed_at", "pk"), limit)


def failures(limit: int) -> tuple[JobLine, ...]:
    """Return the jobs that failed last, without the uncertain ones."""
    failed = Q(status=Status.FAILURE) & ~Q(phase=Phase.UNCERTAIN)
    return _lines(lambda rows: rows.filter(failed), ("-completed_at", "pk"), limit)


def task_failures(limit: int) -> tuple[TaskFailure, ...]:
    """Return the tasks of Django-Q that broke last."""
    rows = Failure.objects.order_by("-stopped").only("id", "name", "func", "stopped", "result")[:limit]
    return tuple(
        TaskFailure(
            pk=row.id,
            name=row.name,
            func=row.func,
            stopped_at=row.stopped,
            reason=(str(row.result or "").strip().splitlines() or [""])[0][:LINE_LIMIT],
        )
        for row in rows
    )


def schedule() -> tuple[ScheduleLine, ...]:
    """Return what Django-Q starts by the clock."""
    rows = Schedule.objects.order_by(F("next_run").asc(nulls_last=True))
    return tuple(ScheduleLine(name=row.name or "", func=row.func, next_run=row.next_run) for row in rows)


def _lines(chosen: Any, order: tuple[str, ...], limit: int) -> tuple[JobLine, ...]:
    return tuple(_line(kind, job) for kind, job in _merged(chosen, order, limit))


def _merged(chosen: Any, order: tuple[str, ...], limit: int) -> list[tuple[Kind[Any], Job]]:
    """Return the first jobs of all kinds in one order. `order` names a time and a tie-breaker."""
    jobs: list[tuple[Kind[Any], Job]] = []
    for kind in KINDS.values():
        rows: JobQuerySet = chosen(kind.rows)
        answers = [field.name for field in kind.model._meta.concrete_fields if isinstance(field, JSONField)]
        jobs += [(kind, job) for job in rows.defer(*answers).order_by(*order)[:limit]]
    column = order[0].removeprefix("-")
    longest_ago = timezone.now() - timedelta(days=36500)
    jobs.sort(key=lambda pair: getattr(pair[1], column) or longest_ago, reverse=order[0].startswith("-"))
    return jobs[:limit]


def _line(kind: Kind[Any], job: Job, *, place: int | None = None) -> JobLine:
    return JobLine(
        kind=kind.label,
        kind_name=str(kind.model._meta.verbose_name),
        provider=kind.provider,
        pk=job.pk,
        title=str(job),
        status=Status(job.status),
        phase=Phase(job.phase),
        job_id=job.job_id,
        problem=job.problem,
        message=job.error_message,
        cost=job.cost,
        charge=job.charge,
        queued_at=job.queued_at,
        submitted_at=job.submitted_at,
        completed_at=job.completed_at,
        elapsed=job.elapsed,
        place=place,
    )
