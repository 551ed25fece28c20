"""The follower: one process at a time submits waiting jobs, asks about running ones and sends finished ones home.

HTTP happens in threads, every write in the main thread, no transaction is held over HTTP. Whatever it holds in memory
may be lost at any moment: the rows are enough for the next one to go on.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from django.db import close_old_connections, connections, transaction
from django.utils import timezone

from jobs import leases, recording, stopping, turns
from jobs.kinds import ACCOUNT_READERS, KINDS, Kind, Running, is_anything_active, kind_of, kinds_at
from jobs.models import Job, Phase, Status, TransitionError

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
RENEW_EVERY = 3.0  # seconds
RUN_FOR = 45.0  # seconds, then a fresh task takes over
LONGEST_RUN = 1150.0  # seconds; below the queue's timeout. Only a paid call in the air makes a run this long.
IDLE_FOR = 2.0  # seconds without anything to do before leaving
TICK = 0.25  # seconds
DRAIN = 2.0  # seconds that questions in the air are waited for at the end
SUBMIT_THREADS = 16
ASK_THREADS = 32
ASK_CLAIM = timedelta(seconds=45)  # longer than any question takes; then it may be asked again
HOME_CLAIM = timedelta(seconds=120)  # a bringing-home that has not reported by then is started again
OVERDUE_EVERY = 2.0  # seconds

Record = Callable[[Any], None]


class Follower:
    """One run of the follower."""

    def __init__(self, send_home: Callable[[str, str], None]) -> None:
        """`send_home` enqueues the bringing-home of a job, by kind and primary key."""
        self.owner = leases.new_owner()
        self.send_home = send_home
        self.started = time.monotonic()
        self.renewed = self.started
        self.looked_back = 0.0
        self.busy_at = self.started
        self.has_lease = True
        self.submitters = ThreadPoolExecutor(SUBMIT_THREADS, thread_name_prefix="submit")
        self.askers = ThreadPoolExecutor(ASK_THREADS, thread_name_prefix="ask")
        # What is in the air, and how its outcome is written down.
        self.submissions: dict[Future[Any], Record] = {}
        self.questions: dict[Future[Any], tuple[Kind[Any], Job]] = {}
        self.account_reads: dict[Future[Any], Record] = {}

    def run(self) -> bool:
        """Follow until the time is up or nothing is left to do. False if another process follows already."""
        if not leases.take(leases.FOLLOW, self.owner, LEASE):
            return False
        try:
            while self._goes_on():
                try:
                    self._tick()
                except Exception:
                    # The database is away, or one row is broken. What is in the air stays in our hands: an answer
                    # that is dropped here may be a paid job lost.
                    logger.exception("A step of the follower failed.")
                    connections.close_all()
                    time.sleep(1)
                self._wait()
            self._drain()
        finally:
            self.submitters.shutdown(wait=False, cancel_futures=True)
            self.askers.shutdown(wait=False, cancel_futures=True)
            leases.drop(leases.FOLLOW, self.owner)
        return True

    @property
    def _may_claim(self) -> bool:
        """Whether new work may be taken up: not at the end of a run, not without the lease."""
        return self.has_lease and not stopping.is_requested() and time.monotonic() - self.started < RUN_FOR

    def _goes_on(self) -> bool:
        now = time.monotonic()
        if now - self.started > LONGEST_RUN:
            return False
        if self.submissions:
            return True
        return self._may_claim and (now - self.busy_at < IDLE_FOR or is_anything_active())

    def _tick(self) -> None:
        close_old_connections()
        self._collect()
        if time.monotonic() - self.renewed > RENEW_EVERY:
            self.has_lease = leases.take(leases.FOLLOW, self.owner, LEASE)
            self.renewed = time.monotonic()
        if not self.has_lease:
            return
        if time.monotonic() - self.looked_back > OVERDUE_EVERY:
            look_back()
            self.looked_back = time.monotonic()
        if self._may_claim:
            self._submit()
            self._read_accounts()
        self._ask()
        self._send_home()

    def _wait(self) -> None:
        """Sleep for a tick, or until a paid answer is there: a job id is saved the moment it is known."""
        flying = set(self.submissions)
        if flying:
            wait(flying, timeout=TICK, return_when=FIRST_COMPLETED)
        else:
            time.sleep(TICK)

    def _collect(self) -> None:
        """Write down what has come back. An outcome leaves our hands only after it is written."""
        for future in [future for future in self.submissions if future.done()]:
            self.submissions[future](outcome_of(future))
            del self.submissions[future]
            self.busy_at = time.monotonic()
        for future in [future for future in self.account_reads if future.done()]:
            self.account_reads.pop(future)(outcome_of(future))
        answers = [(future, *self.questions[future], outcome_of(future)) for future in self.questions if future.done()]
        with transaction.atomic():  # one commit for all that are simply still running
            for _future, kind, job, outcome in answers:
                if isinstance(outcome, Running):
                    recording.record_answer(kind, job, outcome)
        for future, kind, job, outcome in answers:
            if not isinstance(outcome, Running):
                recording.record_answer(kind, job, outcome)
            del self.questions[future]
            self.busy_at = time.monotonic()

    def _submit(self) -> None:
        for provider in {kind.provider for kind in KINDS.values()}:
            room = SUBMIT_THREADS - len(self.submissions)
            for job in turns.claim_turns(provider, at_most=room) if room > 0 else []:
                kind = kind_of(job)
                future = self.submitters.submit(kind.submit, job)
                self.submissions[future] = recorder(kind, job)

    def _ask(self) -> None:
        room = ASK_THREADS * 2 - len(self.questions)
        for kind, job in claim_due(Phase.RUNNING, ASK_CLAIM, at_most=room):
            self.questions[self.askers.submit(kind.ask, job)] = (kind, job)

    def _send_home(self) -> None:
        for kind, job in claim_due(Phase.SAVING, HOME_CLAIM, at_most=50):
            self.send_home(kind.label, str(job.pk))
            self.busy_at = time.monotonic()

    def _read_accounts(self) -> None:
        for provider, read in ACCOUNT_READERS.items():
            is_wanted = any(kind.rows.waiting().exists() for kind in kinds_at(provider))
            if is_wanted and turns.claim_account_check(provider):
                self.account_reads[self.askers.submit(read)] = account_recorder(provider)

    def _drain(self) -> None:
        """Give questions in the air a moment. They cost nothing, so what is lost is only asked again."""
        if self.questions:
            wait(set(self.questions), timeout=DRAIN)
            self._collect()


def recorder(kind: Kind[Any], job: Job) -> Record:
    """Return what writes down the outcome of a submission."""
    return lambda outcome: recording.record_submission(kind, job, outcome)


def account_recorder(provider: str) -> Record:
    """Return what writes down the figures of an account."""
    return lambda outcome: turns.record_account(provider, outcome)


def outcome_of(future: Future[Any]) -> Any:
    """Return a thread's result or its exception, which is as much an outcome."""
    error = future.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error if error is not None else future.result()


def claim_due(phase: Phase, duration: timedelta, *, at_most: int) -> Iterator[tuple[Kind[Any], Job]]:
    """Claim due jobs by compare-and-swap on `next_poll_at`, which is also how long the claim lasts."""
    now = timezone.now()
    for kind in KINDS.values():
        if at_most <= 0:
            return
        rows = kind.rows.filter(status=Status.PROGRESS, phase=phase).due(now)[:at_most]
        claimed: list[Job] = []
        due = list(rows)
        if due:
            with transaction.atomic():
                for job in due:
                    mine = type(job)._base_manager.filter(pk=job.pk, phase=phase, next_poll_at=job.next_poll_at)
                    if mine.update(next_poll_at=now + duration):
                        job.next_poll_at = now + duration
                        claimed.append(job)
        at_most -= len(claimed)
        for job in claimed:
            yield kind, job


def look_back() -> None:
    """Find what nobody came back for: submissions whose answer is lost, jobs beyond their deadline."""
    now = timezone.now()
    for kind in KINDS.values():
        for job in kind.rows.in_phase(Phase.SUBMITTING).filter(status=Status.PENDING).due(now)[:100]:
            try:
                recording.mark_uncertain(kind, job)
            except TransitionError:
                logger.info("%s %s got its answer at the last moment.", job._meta.label, job.pk)
        for job in kind.rows.in_phase(Phase.RUNNING).filter(status=Status.PROGRESS, deadline_at__lt=now)[:100]:
            recording.end_overdue(kind, job)
