"""The state machine of paid work: what a job is, which states it may take, and who may move it.

The row is the truth. A queue, a worker or a machine may be lost at any moment; whatever is written here is enough to go
on. Nobody but `Job.move_to` writes `status`, and a paid request leaves only after `Phase.SUBMITTING` is committed.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import structlog
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """The owner's five words for where a job stands."""

    PENDING = "PENDING", _("Waiting")
    PROGRESS = "PROGRESS", _("Running")
    SUCCESS = "SUCCESS", _("Done")
    FAILURE = "FAILURE", _("Failed")
    CANCELLED = "CANCELLED", _("Cancelled")


class Phase(models.TextChoices):
    """What a person must tell apart inside a status."""

    WAITING = "waiting", _("Waiting for a turn")  # PENDING
    SUBMITTING = "submitting", _("Being submitted")  # PENDING, claimed: the paid request may be on its way
    RUNNING = "running", _("Running")  # PROGRESS, the provider has a job id for us
    SAVING = "saving", _("Saving files")  # PROGRESS, the provider is done
    UNCERTAIN = "uncertain", _("Uncertain")  # FAILURE, the answer of a paid request was lost
    ENDED = "ended", _("Ended")


class Charge(models.TextChoices):
    """Whether the provider took money for the job."""

    NO = "no", _("Not charged")
    MAYBE = "maybe", _("May have been charged")
    YES = "yes", _("Charged")


ACTIVE = frozenset({Status.PENDING, Status.PROGRESS})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    # PENDING to PROGRESS is the only way to spend; PENDING again is a request that certainly did not arrive.
    Status.PENDING: frozenset({Status.PENDING, Status.PROGRESS, Status.FAILURE, Status.CANCELLED}),
    Status.PROGRESS: frozenset({Status.PROGRESS, Status.SUCCESS, Status.FAILURE}),
    # A person submits again (PENDING); a late answer, a job id or missing files turn up (PROGRESS); what was uncertain
    # turns out to have been refused (FAILURE).
    Status.FAILURE: frozenset({Status.PENDING, Status.PROGRESS, Status.FAILURE}),
    Status.CANCELLED: frozenset({Status.PENDING}),
    Status.SUCCESS: frozenset(),
}

DETAIL_LENGTH = 2000  # of a foreign text


class TransitionError(Exception):
    """The row was not in a state from which the move is allowed: somebody else moved it first."""


def new_token() -> str:
    """Make the identity of one submission."""
    return uuid.uuid4().hex


def current_request_id() -> str:
    """Return the id of the web request that is being answered, or ""."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]


def storable(text: str) -> str:
    """Return the text without what no database stores (NUL, half characters), and not endless."""
    return text.replace("\x00", "")[:DETAIL_LENGTH].encode("utf-8", "replace").decode("utf-8")


class JobQuerySet(models.QuerySet[Any]):
    """The vocabulary in which the engine speaks about many jobs."""

    def active(self) -> Self:
        """Return jobs that still want something done."""
        return self.filter(status__in=ACTIVE)

    def in_phase(self, *phases: Phase) -> Self:
        """Return jobs in one of the phases."""
        return self.filter(phase__in=phases)

    def due(self, now: datetime) -> Self:
        """Return jobs whose time has come, the longest overdue first."""
        return self.filter(next_poll_at__lte=now).order_by("next_poll_at")

    def waiting(self) -> Self:
        """Return jobs that wait for a turn, first come first served."""
        return self.filter(status=Status.PENDING, phase=Phase.WAITING).order_by("queued_at", "pk")

    def holding_a_turn(self, now: datetime) -> Self:
        """Return jobs that count against the provider's limit of concurrent requests."""
        return self.filter(slot_until__gt=now)

    def uncertain(self) -> Self:
        """Return jobs whose paid request was sent but whose answer was lost."""
        return self.filter(status=Status.FAILURE, phase=Phase.UNCERTAIN)


class Job(models.Model):
    """One piece of paid work at a provider. Concrete kinds add what is asked for and what came back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task_id = models.CharField(
        _("submission"),
        max_length=255,
        unique=True,
        default=new_token,
        editable=False,
        help_text=_("Identity of the current submission; a late answer to an earlier one is told apart by it."),
    )
    job_id = models.CharField(_("job id at the provider"), max_length=255, blank=True, db_index=True)
    status = models.CharField(
        _("status"), max_length=50, choices=Status.choices, default=Status.PENDING, editable=False
    )
    phase = models.CharField(_("phase"), max_length=20, choices=Phase.choices, default=Phase.WAITING, editable=False)
    progress_info = models.JSONField(_("progress"), default=dict, blank=True, editable=False)
    error_message = models.TextField(_("message"), blank=True, editable=False)
    error_detail = models.TextField(_("the provider's answer"), blank=True, editable=False)
    problem = models.CharField(_("problem"), max_length=30, blank=True, editable=False)
    charge = models.CharField(_("charge"), max_length=10, choices=Charge.choices, default=Charge.NO, editable=False)
    cost = models.DecimalField(
        _("cost"),
        max_digits=10,
        decimal_places=4,
        default=0,
        editable=False,
        help_text=_("US dollars, by our price list."),
    )
    spent_before = models.DecimalField(
        _("spent before"),
        max_digits=10,
        decimal_places=4,
        default=0,
        editable=False,
        help_text=_("US dollars that earlier submissions of this job cost, or may have cost."),
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    request_id = models.CharField(
        _("request"),
        max_length=64,
        blank=True,
        default=current_request_id,
        editable=False,
        help_text=_("Id of the web request that asked for it, as the logs show it."),
    )
    queued_at = models.DateTimeField(_("queued"), default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True, editable=False)
    next_poll_at = models.DateTimeField(_("next step"), null=True, blank=True, default=timezone.now, editable=False)
    slot_until = models.DateTimeField(_("holds a turn until"), null=True, blank=True, editable=False)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, editable=False)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["job_id"], condition=~models.Q(job_id=""), name="%(class)s_job_id_once"),
            models.CheckConstraint(
                condition=~models.Q(status=Status.PROGRESS) | ~models.Q(job_id=""), name="%(class)s_progress_has_job_id"
            ),
        ]
        indexes = [
            models.Index(
                fields=["phase", "next_poll_at"], condition=models.Q(status__in=sorted(ACTIVE)), name="%(class)s_due"
            ),
            models.Index(fields=["submitted_at"], name="%(class)s_submitted"),
            models.Index(fields=["slot_until"], condition=models.Q(slot_until__isnull=False), name="%(class)s_turn"),
        ]

    def move_to(self, status: Status, *, event: str = "", when: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Move the row to `status` and set `fields`, if it still is where the move is allowed and `when` holds.

        One conditional UPDATE, with the event that tells about it in the same transaction.

        Raises:
            TransitionError: no row matched, so nothing was written.
        """
        allowed = [old for old, targets in TRANSITIONS.items() if status in targets]
        fields |= {"status": status, "updated_at": timezone.now()}
        with transaction.atomic():
            rows = type(self)._base_manager.filter(pk=self.pk, status__in=allowed).filter(**(when or {}))
            if not rows.update(**fields):
                raise TransitionError(f"{self._meta.label} {self.pk} cannot become {status} now.")
            if event:
                self.tell(event)
        for name, value in fields.items():
            setattr(self, name, value)

    def tell(self, text: str, *, about: "Job | None" = None) -> None:
        """Add a line to the job's history. `about` is another job of the kind, to which the line leads."""
        other = about.pk if about else None
        JobEvent.objects.create(kind=self._meta.label_lower, job_pk=self.pk, text=storable(text), other_pk=other)

    def history(self) -> models.QuerySet["JobEvent"]:
        """Return what happened to the job, oldest first."""
        return JobEvent.objects.filter(job_pk=self.pk).order_by("pk")

    @property
    def is_active(self) -> bool:
        """Whether the job still wants something done."""
        return self.status in ACTIVE

    @property
    def is_uncertain(self) -> bool:
        """Whether a paid request was sent and its answer lost."""
        return self.phase == Phase.UNCERTAIN

    @property
    def can_cancel(self) -> bool:
        """Whether a cancel would be free. A running job is paid for, so it is brought home all the same."""
        return self.status == Status.PENDING and self.phase == Phase.WAITING

    @property
    def can_submit_again(self) -> bool:
        """Whether a person may have the paid request sent once more."""
        return self.status in {Status.FAILURE, Status.CANCELLED}

    @property
    def can_ask_again(self) -> bool:
        """Whether the provider can be asked about the job."""
        return bool(self.job_id) and self.status in {Status.PROGRESS, Status.FAILURE}

    @property
    def elapsed(self) -> timedelta | None:
        """How long the provider has been at work, or was."""
        if self.submitted_at is None:
            return None
        return (self.completed_at or timezone.now()) - self.submitted_at


class JobEvent(models.Model):
    """One line of a job's history: what happened, and when. Only ever added to."""

    kind = models.CharField(_("kind"), max_length=100)
    job_pk = models.UUIDField(_("job"), db_index=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    text = models.TextField(_("what happened"))
    other_pk = models.UUIDField(_("other job"), null=True, blank=True)  # of the same kind

    class Meta:
        db_table = "job_events"
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        """Return the page of the other job that the line speaks of, or ""."""
        if self.other_pk is None:
            return ""
        url: str = apps.get_model(self.kind)(pk=self.other_pk).get_absolute_url()
        return url


class EarlierSubmission(models.Model):
    """What a job cost, or may have cost, before it was submitted again: the books need to know when."""

    kind = models.CharField(_("kind"), max_length=100)
    job_pk = models.UUIDField(_("job"), db_index=True)
    task_id = models.CharField(_("submission"), max_length=255)
    submitted_at = models.DateTimeField(_("submitted"), db_index=True)
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=4, help_text=_("US dollars."))
    charge = models.CharField(_("charge"), max_length=10, choices=Charge.choices)

    class Meta:
        db_table = "job_earlier_submissions"
        verbose_name = _("earlier submission")
        verbose_name_plural = _("earlier submissions")

    def __str__(self) -> str:
        return self.task_id


class Lease(models.Model):
    """A right that one process holds for a while and loses by itself: to follow jobs, to nudge the queue."""

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    until = models.DateTimeField(_("until"), default=timezone.now)
    beat = models.DateTimeField(_("last sign of life"), default=timezone.now)

    class Meta:
        db_table = "job_leases"
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name


class ProviderAccount(models.Model):
    """Our account at a provider: how much it may do at once, when to leave it alone, what it has left."""

    provider = models.CharField(_("provider"), max_length=50, primary_key=True)
    concurrent_request_limit = models.PositiveIntegerField(_("jobs at once"), default=1)
    backoff_until = models.DateTimeField(_("left alone until"), null=True, blank=True)
    backoff_reason = models.TextField(_("why"), blank=True)
    strikes = models.PositiveIntegerField(_("refusals in a row"), default=0)
    balance = models.IntegerField(_("balance"), null=True, blank=True, help_text=_("US cents."))
    total_recharge = models.IntegerField(_("paid in"), null=True, blank=True, help_text=_("US cents."))
    total_spending = models.IntegerField(_("spent"), null=True, blank=True, help_text=_("US cents."))
    account_id = models.CharField(_("account"), max_length=100, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    check_after = models.DateTimeField(_("next check"), default=timezone.now)
    check_error = models.TextField(_("last error"), blank=True)

    class Meta:
        db_table = "provider_accounts"
        verbose_name = _("provider account")
        verbose_name_plural = _("provider accounts")

    def __str__(self) -> str:
        return self.provider
