"""What the card of any job shows: where it stands, whether it cost money, and what may be done about it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.humanize.templatetags.humanize import ordinal
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import leases, turns
from jobs.kinds import kind_of
from jobs.models import Charge, Job, Phase, Status

# After this long in line, with nobody following, it is the worker that is missing and not a turn.
PATIENCE = timedelta(seconds=15)
IN_LINE = {1: gettext_lazy("next in line"), 2: gettext_lazy("second in line"), 3: gettext_lazy("third in line")}
NEEDS_ACCOUNT = frozenset({"bad_key", "out_of_money"})
FEW = 4  # jobs that are too few to say what is usual


def pill_of(job: Job) -> tuple[str, str]:
    """Return the kind and the words of a job's pill."""
    if job.status == Status.PROGRESS and job.phase == Phase.RUNNING:
        return "running", _("Running %(time)s") % {"time": elapsed_of(job)}
    by_phase = {
        Phase.WAITING: ("waiting", _("Waiting")),
        Phase.SUBMITTING: ("running", _("Being submitted")),
        Phase.SAVING: ("saving", _("Saving files")),
        Phase.UNCERTAIN: ("uncertain", _("Uncertain")),
    }
    by_status = {
        Status.SUCCESS: ("done", _("Done")),
        Status.FAILURE: ("failed", _("Failed")),
        Status.CANCELLED: ("cancelled", _("Cancelled")),
    }
    return by_phase.get(Phase(job.phase)) or by_status[Status(job.status)]


def elapsed_of(job: Job) -> str:
    """Return how long the provider has been at work, as 0:42."""
    seconds = int((job.elapsed or timedelta()).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02}"


def usual_of(spans: Iterable[tuple[datetime | None, datetime | None]]) -> tuple[int, int] | None:
    """Return what is usual among spans of (submitted, completed), in seconds: a quarter to three quarters of them."""
    seconds = sorted((done - sent).total_seconds() for sent, done in spans if sent and done)
    if len(seconds) < FEW:
        return None
    return int(seconds[len(seconds) // 4]), int(seconds[len(seconds) * 3 // 4]) + 1


class JobsAround:
    """What all cards of a page share, so that it is asked for once and not for every card."""

    @cached_property
    def somebody_follows(self) -> bool:
        """Whether a worker follows the jobs now."""
        return leases.is_held(leases.FOLLOW)


class JobCard(ABC):
    """One job as its card shows it (components/job_card.html). Each kind says what it makes and where its pages are.

    `place` in line and what is `around` are given where the caller knows them already.
    """

    def __init__(self, job: Any, place: int | None = None, around: JobsAround | None = None) -> None:
        self.job = job
        self.place = place
        self.around = around or JobsAround()

    @property
    @abstractmethod
    def title(self) -> str:
        """What the job makes."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the card is."""

    @property
    @abstractmethod
    def page_url(self) -> str:
        """The page of what is made."""

    @property
    @abstractmethod
    def cancel_url(self) -> str:
        """Where a cancel is sent."""

    @property
    @abstractmethod
    def again_url(self) -> str:
        """Where "submit again" is asked about, and sent."""

    @property
    def usual(self) -> tuple[int, int] | None:
        """How long jobs like this take, in seconds; None for what has no history."""
        return None

    @property
    def element_id(self) -> str:
        """The card's id in a page."""
        return f"job-{self.job.pk}"

    @property
    def pill(self) -> str:
        """The kind of the pill."""
        return pill_of(self.job)[0]

    @cached_property
    def label(self) -> str:
        """The words of the pill, with the place in line."""
        if self.job.phase != Phase.WAITING or self.job.status != Status.PENDING:
            return pill_of(self.job)[1]
        place = self.place or turns.place_in_line(self.job)
        in_line = IN_LINE.get(place) or _("%(place)s in line") % {"place": ordinal(place)}
        return _("Waiting, %(place)s") % {"place": in_line}

    @property
    def shows_progress(self) -> bool:
        """Whether there is a bar: the provider is at work, or the files are on their way home."""
        return bool(self.job.status == Status.PROGRESS)

    @property
    def progress(self) -> int | None:
        """How far the usual time has gone, in percent; None if that is not known."""
        if self.usual is None or self.job.elapsed is None or self.job.phase == Phase.SAVING:
            return None
        return min(95, int(100 * self.job.elapsed.total_seconds() / max(1, self.usual[1])))

    @cached_property
    def note(self) -> str:
        """What a person waits for, in one line."""
        job = self.job
        if not job.is_active:
            return ""
        if job.problem and job.next_poll_at:
            seconds = int((job.next_poll_at - timezone.now()).total_seconds()) + 1
            return _("Trying again in %(seconds)d s.") % {"seconds": seconds} if seconds > 1 else _("Trying again now.")
        if job.can_cancel and timezone.now() - job.queued_at > PATIENCE and not self.around.somebody_follows:
            return _("No worker is running. It is made as soon as one is.")
        if job.cancel_requested_at:
            words = _("%(provider)s cannot stop a job, so its result is kept.")
            return words % {"provider": kind_of(job).provider_name}
        if self.usual and self.usual[1] > self.usual[0]:
            return _("Usually %(low)d to %(high)d s.") % {"low": self.usual[0], "high": self.usual[1]}
        return ""

    @property
    def again_price(self) -> Decimal | None:
        """What submitting it again would cost in US dollars; None if it cannot be."""
        return None

    @property
    def may_cost_twice(self) -> bool:
        """Whether the job may have been paid for already, so that once more is a decision of its own."""
        return bool(self.job.charge != Charge.NO)

    @property
    def needs_account(self) -> bool:
        """Whether the trouble is with the account at the provider."""
        return self.job.problem in NEEDS_ACCOUNT
