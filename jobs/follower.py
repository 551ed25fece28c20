"""The follower: one process at a time submits waiting jobs, asks about running ones and sends finished ones home.

HTTP happens in threads, every write in the main thread, no transaction is held over HTTP. Whatever it holds in memory
may be lost at any moment: the rows are enough for the next one to go on.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from django.db import close_old_connections, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import answers, leases, stopping, submissions, turns
from jobs.endings import DATABASE_AWAY
from jobs.kinds import ACCOUNT_READERS, KINDS, Kind, Running, is_anything_active, kind_of, kinds_at
from jobs.models import Job, Phase, Status, TransitionError
from jobs.tracing import belonging_to
from providers.errors import ProviderError, Verdict

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
RENEW_EVERY = 3.0  # seconds
RUN_FOR = 45.0  # seconds, then a fresh task takes over
LONGEST_RUN = 1150.0  # seconds; below the queue's timeout. Only a paid call in the air makes a run this long.
IDLE_FOR = 2.0  # seconds without anything to do before leaving
TICK = 0.1  # seconds; only while there is something to follow
DRAIN = 2.0  # seconds that questions in the air are waited for at the end
SUBMIT_THREADS = 16  # for each provider, so that one that hangs does not block another
ASK_THREADS = 32  # the same
ASKS_PER_SECOND = 100.0  # at all providers together: what one follower can write down, and a provider will bear
HELD_UP = timedelta(seconds=10)  # a paid call that takes longer keeps the run going, so others are taken up meanwhile
FRESH = timedelta(seconds=10)  # after its claim, a paid request that has not left yet does not leave any more
ASK_CLAIM = timedelta(seconds=45)  # longer than any question takes; then it may be asked again
HOME_CLAIM = timedelta(seconds=120)  # a bringing-home that has not reported by then is started again
OVERDUE_EVERY = 2.0  # seconds

Flying = dict[Future[Any], tuple[Kind[Any], Job]]
Pools = defaultdict[str, ThreadPoolExecutor]


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
        self.asked_at = self.started
        self.may_ask = 0.0  # questions
        self.has_lease = True
        self.is_heir = False  # the follower before us died with the lease in its hands
        self.submitters: Pools = defaultdict(lambda: ThreadPoolExecutor(SUBMIT_THREADS, thread_name_prefix="submit"))
        self.askers: Pools = defaultdict(lambda: ThreadPoolExecutor(ASK_THREADS, thread_name_prefix="ask"))
        # What is in the air.
        self.submissions: Flying = {}
        self.questions: Flying = {}
        self.account_reads: dict[Future[Any], str] = {}

    def run(self) -> bool:
        """Follow until the time is up or nothing is left to do. False if another process follows already."""
        before = leases.owner_of(leases.FOLLOW)
        if not leases.take(leases.FOLLOW, self.owner, LEASE):
            return False
        self.is_heir = bool(before)
        try:
            while self._step():
                self._wait()
            self._drain()
        finally:
            for pool in [*self.submitters.values(), *self.askers.values()]:
                pool.shutdown(wait=False, cancel_futures=True)
            leases.drop(leases.FOLLOW, self.owner)
        return True

    def _step(self) -> bool:
        """Do a round of everything. False if there is nothing left to do here."""
        try:
            if not self._goes_on():
                return False
            self._tick()
        except Exception:
            # The database is away, or one row is broken. What is in the air stays in our hands: an answer that is
            # dropped here may be a paid job lost.
            logger.exception("A step of the follower failed.")
            connections.close_all()
            time.sleep(1)
        return True

    @property
    def _age(self) -> float:
        return time.monotonic() - self.started

    @property
    def _may_claim(self) -> bool:
        """Whether new work may be taken up: not at the end of a run, not without the lease."""
        return self.has_lease and not stopping.is_requested() and (self._age < RUN_FOR or self._is_held_up())

    def _is_held_up(self) -> bool:
        """Whether a long paid call keeps this run going. Nobody else can submit meanwhile, for we hold the lease."""
        long_ago = timezone.now() - HELD_UP
        return any(job.submitted_at and job.submitted_at < long_ago for _kind, job in self.submissions.values())

    def _goes_on(self) -> bool:
        now = time.monotonic()
        if self._age > LONGEST_RUN:
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
        for step in (self._look_back, self._submit, self._read_accounts, self._ask, self._send_home):
            try:
                step()
            except DATABASE_AWAY:
                raise
            except Exception:  # one broken row must not stop what the others need
                logger.exception("%s failed.", step.__name__)

    def _wait(self) -> None:
        """Sleep for a tick, or until a paid answer is there: a job id is saved the moment it is known."""
        flying = {future for future in self.submissions if not future.done()}
        if flying:
            wait(flying, timeout=TICK, return_when=FIRST_COMPLETED)
        else:
            time.sleep(TICK)

    def _collect(self) -> None:
        """Write down what has come back. An outcome leaves our hands only after it is written."""
        self._record(self.submissions, submissions.record_submission)
        self._record_still_running()
        self._record(self.questions, answers.record_answer)
        for future in [future for future in self.account_reads if future.done()]:
            turns.record_account(self.account_reads.pop(future), outcome_of(future))

    def _record(self, flying: Flying, record: Callable[[Any, Any, Any], None]) -> None:
        """Write down each outcome by itself, so that one that cannot be written does not hold up the others."""
        for future in [future for future in flying if future.done()]:
            kind, job = flying.pop(future)
            try:
                with belonging_to(job):
                    record(kind, job, outcome_of(future))
            except DATABASE_AWAY:
                logger.exception("The database did not take an answer, which is kept.")
                flying[future] = (kind, job)  # behind the others
                break
            except Exception:
                # Nothing is lost for good: what was submitted will be found and called uncertain, the rest asked again.
                logger.exception("An answer for %s %s was lost: %r", job._meta.label, job.pk, outcome_of(future))
            self.busy_at = time.monotonic()

    def _record_still_running(self) -> None:
        """Write down in one commit all that are simply still running. If that fails, each is written by itself."""
        running = [future for future in self.questions if future.done() and isinstance(outcome_of(future), Running)]
        try:
            with transaction.atomic():
                for future in running:
                    answers.record_answer(*self.questions[future], outcome_of(future))
        except DATABASE_AWAY:
            raise
        except Exception:  # `_record` finds out which one it is
            logger.warning("Answers could not be written together.", exc_info=True)
            return
        for future in running:
            del self.questions[future]

    def _look_back(self) -> None:
        if time.monotonic() - self.looked_back > OVERDUE_EVERY:
            look_back(is_heir=self.is_heir)
            self.is_heir = False
            self.looked_back = time.monotonic()

    def _submit(self) -> None:
        if not self._may_claim:
            return
        time_left = timedelta(seconds=LONGEST_RUN - self._age)
        for provider in {kind.provider for kind in KINDS.values()}:
            room = SUBMIT_THREADS - sum(kind.provider == provider for kind, _job in self.submissions.values())
            for job in turns.claim_turns(provider, at_most=room, time_left=time_left) if room > 0 else []:
                kind = kind_of(job)
                self.submissions[self.submitters[provider].submit(send, kind, job)] = (kind, job)

    def _ask(self) -> None:
        now = time.monotonic()
        self.may_ask = min(self.may_ask + (now - self.asked_at) * ASKS_PER_SECOND, ASKS_PER_SECOND)
        self.asked_at = now
        for kind in KINDS.values():
            room = ASK_THREADS * 2 - sum(asked is kind for asked, _job in self.questions.values())
            for job in claim_due(kind, Phase.RUNNING, ASK_CLAIM, at_most=min(room, int(self.may_ask))):
                self.may_ask -= 1
                self.questions[self.askers[kind.provider].submit(ask, kind, job)] = (kind, job)

    def _send_home(self) -> None:
        for kind in KINDS.values():
            for job in claim_due(kind, Phase.SAVING, HOME_CLAIM, at_most=50):
                with belonging_to(job):
                    self.send_home(kind.label, str(job.pk))
                self.busy_at = time.monotonic()

    def _read_accounts(self) -> None:
        for provider, read in ACCOUNT_READERS.items() if self._may_claim else ():
            is_wanted = any(kind.rows.waiting().exists() for kind in kinds_at(provider))
            if is_wanted and turns.claim_account_check(provider):
                self.account_reads[self.askers[provider].submit(read)] = provider

    def _drain(self) -> None:
        """Give questions in the air a moment. They cost nothing, so what is lost is only asked again."""
        if self.questions:
            wait(set(self.questions), timeout=DRAIN)
            self._collect()


def send(kind: Kind[Any], job: Job) -> Any:
    """Send the paid request, unless our process slept so long that the claim may have been given up meanwhile."""
    if job.submitted_at is None or timezone.now() - job.submitted_at > FRESH:
        message = _("The request was not sent in time.")
        raise ProviderError(Verdict.LATER, message, provider=kind.provider_name)
    with belonging_to(job, cost=str(job.cost)):
        return kind.submit(job)


def ask(kind: Kind[Any], job: Job) -> Any:
    """Ask how a job stands."""
    with belonging_to(job):
        return kind.ask(job)


def outcome_of(future: Future[Any]) -> Any:
    """Return a thread's result or its exception, which is as much an outcome."""
    error = future.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error if error is not None else future.result()


def claim_due(kind: Kind[Any], phase: Phase, duration: timedelta, *, at_most: int) -> list[Job]:
    """Claim due jobs by compare-and-swap on `next_poll_at`, which is also how long the claim lasts."""
    now = timezone.now()
    due = list(kind.rows.filter(status=Status.PROGRESS, phase=phase).due(now)[:at_most]) if at_most > 0 else []
    claimed: list[Job] = []
    if due:
        with transaction.atomic():
            for job in due:
                mine = type(job)._base_manager.filter(pk=job.pk, phase=phase, next_poll_at=job.next_poll_at)
                if mine.update(next_poll_at=now + duration):
                    job.next_poll_at = now + duration
                    claimed.append(job)
    return claimed


def look_back(*, is_heir: bool = False) -> None:
    """Find submissions that nobody came back for: their answer is lost.

    The heir of a follower that died need not wait until they are due. What that one has not sent while its claim was
    fresh it will not send any more, and should it live after all, its answers are still accepted.
    """
    now = timezone.now()
    for kind in KINDS.values():
        rows = kind.rows.in_phase(Phase.SUBMITTING).filter(status=Status.PENDING)
        for job in (rows.filter(submitted_at__lt=now - FRESH) if is_heir else rows.due(now))[:100]:
            try:
                submissions.mark_uncertain(kind, job)
            except TransitionError:
                logger.info("%s %s got its answer at the last moment.", job._meta.label, job.pk)
