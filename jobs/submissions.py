"""How the outcome of a paid request is written down: in one conditional write, tied to the submission's token."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import siblings, turns
from jobs.endings import CLEAN, DATABASE_AWAY, end_failed, ended_now, record_finished, with_charge
from jobs.kinds import Accepted, Ended, Finished, Kind
from jobs.models import Charge, Job, Phase, Status, TransitionError, storable
from jobs.spending import note_charged
from providers.errors import ProviderError, Verdict

logger = logging.getLogger(__name__)

FIRST_ASK = timedelta(seconds=2)
GIVE_WAY = timedelta(seconds=2)  # for which a job that was refused more than once lets others try first

SUBMITTED = (Phase.SUBMITTING, Phase.UNCERTAIN)
Submission = Accepted | Finished | Ended | Exception


def record_submission(kind: Kind[Any], job: Job, outcome: Submission) -> None:
    """Write down what became of a paid request.

    The write is tied to the submission's token, so an answer that comes late (the process was paused, the row was
    already given up as uncertain) is still accepted, and one that belongs to an earlier submission is not.
    """
    try:
        _record_outcome(kind, job, outcome)
    except TransitionError:
        _tell_late(kind, job, outcome)
    except DATABASE_AWAY:
        raise  # the follower keeps the outcome and tries again
    except Exception as error:
        # A job id that we already know, an answer that cannot be stored: whatever it is, it may well be paid for.
        logger.exception("The answer for %s %s could not be stored.", job._meta.label, job.pk)
        _record_what_can_be(kind, job, outcome, error)


def _record_outcome(kind: Kind[Any], job: Job, outcome: Submission) -> None:
    if isinstance(outcome, Accepted):
        _record_accepted(kind, job, outcome)
    elif isinstance(outcome, Finished):
        record_finished(kind, job, outcome, {"task_id": job.task_id, "phase__in": SUBMITTED})
        turns.forgive(kind.provider)
    elif isinstance(outcome, Ended):
        when = {"task_id": job.task_id, "phase__in": SUBMITTED}
        end_failed(job, when, outcome.message, outcome.problem, charge=outcome.charge, **outcome.fields)
    else:
        _record_unsubmitted(kind, job, outcome)


def _record_what_can_be(kind: Kind[Any], job: Job, outcome: Submission, error: Exception) -> None:
    """Save at least the job id of an answer that cannot be stored whole. If that fails too, the job is uncertain."""
    try:
        if isinstance(outcome, Accepted):
            _record_accepted(kind, job, replace(outcome, fields={}))
            return
        if isinstance(outcome, Finished):
            bare = replace(outcome, fields={}, job_id=job.task_id)
            record_finished(kind, job, bare, {"task_id": job.task_id, "phase__in": SUBMITTED})
            return
    except TransitionError:
        _tell_late(kind, job, outcome)
        return
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("Not even its job id could be stored.")
    try:
        mark_uncertain(kind, job, detail=f"{error!r} {outcome!r}")
    except TransitionError:
        logger.warning("The answer for %s %s is not needed: %.500r", job._meta.label, job.pk, outcome)


def _tell_late(kind: Kind[Any], job: Job, outcome: Submission) -> None:
    """Nobody waits for this answer any more. What it brings was paid for, so it is kept, or at least told."""
    logger.warning("An answer for %s %s came too late: %.500r", job._meta.label, job.pk, outcome)
    row = type(job)._base_manager.filter(pk=job.pk)
    if isinstance(outcome, Finished):
        # Only if it is another submission's: with the same token, the answer has been written before.
        if row.exclude(task_id=job.task_id).exists():
            with transaction.atomic():
                # What is not home yet is fetched with what the row waits for, or by the next sweep.
                kind.keep(job, outcome.answer)
                note_charged(job)
                job.tell(_("An earlier submission was answered after all, and is kept. It was charged."))
    elif isinstance(outcome, Accepted) and row.exclude(job_id=outcome.job_id).exists():
        note_charged(job)
        told = _("%(provider)s took an earlier submission after all, as job %(id)s. It was charged.")
        told %= {"provider": kind.provider_name, "id": outcome.job_id}
        if not kind.wish:
            job.tell(told)
            return
        try:
            siblings.adopt(kind, job, outcome.job_id, told, submitted_at=job.submitted_at)
        except IntegrityError:
            if not type(job)._base_manager.filter(job_id=outcome.job_id).exists():
                job.tell(told)


def _record_accepted(kind: Kind[Any], job: Job, outcome: Accepted) -> None:
    now = timezone.now()
    job.move_to(
        Status.PROGRESS,
        when={"task_id": job.task_id, "phase__in": SUBMITTED},
        event=_("%(provider)s took the job (%(id)s).") % {"provider": kind.provider_name, "id": outcome.job_id},
        phase=Phase.RUNNING,
        job_id=outcome.job_id,
        cost=outcome.cost,
        charge=Charge.YES,
        slot_until=now + kind.slot,
        deadline_at=now + kind.deadline,
        next_poll_at=now + FIRST_ASK,
        completed_at=None,
        **CLEAN,
        **outcome.fields,
    )
    turns.forgive(kind.provider)


def _record_unsubmitted(kind: Kind[Any], job: Job, error: Exception) -> None:
    if not isinstance(error, ProviderError):
        logger.error("Submitting %s %s broke.", job._meta.label, job.pk, exc_info=error)
        mark_uncertain(kind, job, detail=repr(error))
    elif error.verdict == Verdict.UNCERTAIN:
        mark_uncertain(kind, job, message=error.message, detail=error.detail)
    elif error.verdict == Verdict.LATER:
        _put_back(kind, job, error)
    else:
        _refuse(job, error, SUBMITTED)


def _refuse(job: Job, error: ProviderError, phases: tuple[Phase, ...]) -> None:
    message = with_charge(error.message, Charge.NO)
    job.move_to(
        Status.FAILURE,
        when={"task_id": job.task_id, "phase__in": phases},
        event=message,
        problem=error.verdict.value,
        charge=Charge.NO,
        error_message=message,
        error_detail=storable(error.detail),
        **ended_now(),
    )


def _put_back(kind: Kind[Any], job: Job, error: ProviderError) -> None:
    """Put a job whose request certainly did not arrive back in line, or end it if a cancel was asked for meanwhile."""
    until = turns.back_off(kind.provider, error)
    if error.status is not None and job.attempts:
        until += GIVE_WAY  # what the provider answers may be about this job alone: it must not block the line for ever
    when: dict[str, Any] = {"task_id": job.task_id, "phase": Phase.SUBMITTING}
    again = {"slot_until": None, "submitted_at": None, "attempts": job.attempts + 1}
    try:
        job.move_to(
            Status.PENDING,
            when=when | {"cancel_requested_at": None},
            # A provider that is down for a night must not fill the history: the first refusal tells, the row counts.
            event=with_charge(error.message, Charge.NO) if job.attempts == 0 else "",
            phase=Phase.WAITING,
            next_poll_at=until,
            problem=error.verdict.value,
            error_message=with_charge(error.message, Charge.NO),
            error_detail=storable(error.detail),
            **again,
        )
    except TransitionError:
        _put_away(job, error, when, again)


def _put_away(job: Job, error: ProviderError, when: dict[str, Any], again: dict[str, Any]) -> None:
    """End a job that is not to go back in line: a cancel was asked for, or it was given up as uncertain meanwhile."""
    when = when | {"cancel_requested_at__isnull": False}
    try:
        job.move_to(Status.CANCELLED, when=when, event=_("Cancelled. Not charged."), **(ended_now() | again))
    except TransitionError:
        _refuse(job, error, (Phase.UNCERTAIN,))


def mark_uncertain(kind: Kind[Any], job: Job, *, message: str = "", detail: str = "") -> None:
    """End a job whose paid request was sent and whose answer is lost. It keeps its turn until `slot_until`.

    Raises:
        TransitionError: the submission has got an answer meanwhile.
    """
    message = message or _("No answer from %(provider)s.") % {"provider": kind.provider_name}
    sentence = with_charge(message, Charge.MAYBE)
    job.move_to(
        Status.FAILURE,
        when={"task_id": job.task_id, "phase": Phase.SUBMITTING},
        event=sentence,
        phase=Phase.UNCERTAIN,
        problem=Verdict.UNCERTAIN.value,
        charge=Charge.MAYBE,
        error_message=sentence,
        error_detail=storable(detail),
        next_poll_at=None,
        completed_at=timezone.now(),
    )
