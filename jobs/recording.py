"""How outcomes are written down: every answer of a provider ends here, in one conditional write."""

import logging
import random
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import turns
from jobs.kinds import Accepted, Ended, Finished, Kind, Running
from jobs.models import Charge, Job, Phase, Status, TransitionError
from providers.errors import ProviderError, Verdict

logger = logging.getLogger(__name__)

FIRST_ASK = timedelta(seconds=2)
SHORTEST_ASK = timedelta(seconds=2.5)
LONGEST_ASK = timedelta(seconds=15)
TROUBLE_FIRST = timedelta(seconds=5)
TROUBLE_LONGEST = timedelta(seconds=60)

SUBMITTED = (Phase.SUBMITTING, Phase.UNCERTAIN)


def record_submission(kind: Kind[Any], job: Job, outcome: Accepted | Finished | Exception) -> None:
    """Write down what became of a paid request.

    The write is tied to the submission's token, so an answer that comes late (the process was paused, the row was
    already given up as uncertain) is still accepted, and one that belongs to an earlier submission is not.
    """
    try:
        if isinstance(outcome, Accepted):
            _record_accepted(kind, job, outcome)
        elif isinstance(outcome, Finished):
            _record_finished(kind, job, outcome, {"task_id": job.task_id, "phase__in": SUBMITTED})
        else:
            _record_unsubmitted(kind, job, outcome)
    except TransitionError:
        logger.warning("An answer for %s %s came too late and was not needed.", job._meta.label, job.pk)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the follower keeps the outcome and tries again
    except Exception as error:
        # A job id that we already know, an answer that cannot be stored: whatever it is, it may well be paid for.
        logger.exception("The answer for %s %s could not be stored.", job._meta.label, job.pk)
        mark_uncertain(kind, job, detail=str(error))


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


CLEAN: dict[str, Any] = {"attempts": 0, "problem": "", "error_message": "", "error_detail": ""}


def _record_finished(kind: Kind[Any], job: Job, outcome: Finished, when: dict[str, Any]) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {**CLEAN, **outcome.fields, "charge": Charge.YES, "completed_at": None}
    if outcome.job_id:
        fields["job_id"] = outcome.job_id
    if outcome.cost is not None:
        fields["cost"] = outcome.cost
    with transaction.atomic():
        job.move_to(
            Status.PROGRESS,
            when=when,
            event=_("%(provider)s is done. The files are coming home.") % {"provider": kind.provider_name},
            phase=Phase.SAVING,
            slot_until=None,
            next_poll_at=now,
            **fields,
        )
        kind.keep(job, outcome.answer)


def _record_unsubmitted(kind: Kind[Any], job: Job, error: Exception) -> None:
    if not isinstance(error, ProviderError):
        logger.error("Submitting %s %s broke.", job._meta.label, job.pk, exc_info=error)
        mark_uncertain(kind, job, detail=repr(error))
    elif error.verdict == Verdict.UNCERTAIN:
        mark_uncertain(kind, job, message=error.message, detail=error.detail)
    elif error.verdict == Verdict.LATER:
        _put_back(kind, job, error)
    else:
        message = with_charge(error.message, Charge.NO)
        job.move_to(
            Status.FAILURE,
            when={"task_id": job.task_id, "phase__in": SUBMITTED},
            event=message,
            phase=Phase.ENDED,
            problem=error.verdict.value,
            charge=Charge.NO,
            error_message=message,
            error_detail=error.detail,
            slot_until=None,
            next_poll_at=None,
            completed_at=timezone.now(),
        )


def _put_back(kind: Kind[Any], job: Job, error: ProviderError) -> None:
    """Put a job whose request certainly did not arrive back in line, or end it if a cancel was asked for meanwhile."""
    until = turns.back_off(kind.provider, error)
    when = {"task_id": job.task_id, "phase": Phase.SUBMITTING}
    again = {"slot_until": None, "submitted_at": None, "attempts": job.attempts + 1}
    if type(job)._base_manager.filter(pk=job.pk, cancel_requested_at__isnull=False).exists():
        job.move_to(Status.CANCELLED, when=when, event=_("Cancelled. Not charged."), **(ended_now() | again))
        return
    job.move_to(
        Status.PENDING,
        when=when,
        # A provider that is down for a night must not fill the history: the first refusal tells, the row counts.
        event=with_charge(error.message, Charge.NO) if job.attempts == 0 else "",
        phase=Phase.WAITING,
        next_poll_at=until,
        problem=error.verdict.value,
        error_message=with_charge(error.message, Charge.NO),
        error_detail=error.detail,
        **again,
    )


def ended_now() -> dict[str, Any]:
    """Return the columns of a job that wants nothing done any more."""
    return {"phase": Phase.ENDED, "next_poll_at": None, "slot_until": None, "completed_at": timezone.now()}


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
        error_detail=detail,
        next_poll_at=None,
        completed_at=timezone.now(),
    )


def record_answer(kind: Kind[Any], job: Job, outcome: Running | Finished | Ended | Exception) -> None:
    """Write down how a running job stands. `job.next_poll_at` is the value that this asking was claimed with."""
    when = {"phase": Phase.RUNNING, "next_poll_at": job.next_poll_at}
    try:
        if isinstance(outcome, Running):
            _record_running(kind, job, outcome, when)
        elif isinstance(outcome, Finished):
            _record_finished(kind, job, outcome, when)
        elif isinstance(outcome, Ended):
            _end_failed(job, when, outcome.message, outcome.problem, charge=outcome.charge, **outcome.fields)
        else:
            _record_trouble(kind, job, outcome, when)
    except TransitionError:
        logger.info("%s %s was moved on while it was asked about.", job._meta.label, job.pk)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the follower keeps the outcome and tries again
    except Exception as error:  # noqa: BLE001  # an answer that cannot be stored must not stop all other jobs
        _record_trouble(kind, job, error, when)


def _record_running(kind: Kind[Any], job: Job, outcome: Running, when: dict[str, Any]) -> None:
    now = timezone.now()
    type(job)._base_manager.filter(pk=job.pk, **when).update(
        next_poll_at=now + ask_interval(job, now),
        slot_until=now + kind.slot,
        progress_info=dict(outcome.progress),
        updated_at=now,
        **CLEAN,
        **outcome.fields,
    )


def _record_trouble(kind: Kind[Any], job: Job, error: Exception, when: dict[str, Any]) -> None:
    """Asking failed. Only a plain refusal ends the job; whatever else it is may pass, and the job is paid for."""
    if not isinstance(error, ProviderError):
        logger.error("Asking about %s %s broke.", job._meta.label, job.pk, exc_info=error)
        message, detail = _("The answer could not be understood."), repr(error)
    else:
        message, detail = error.message, error.detail
        if error.verdict == Verdict.REFUSED:
            _end_failed(job, when, message, "lost", charge=Charge.MAYBE, error_detail=detail)
            return
    pause = min(TROUBLE_FIRST * 2 ** min(job.attempts, 10), TROUBLE_LONGEST)
    if isinstance(error, ProviderError) and error.retry_after is not None:
        pause = max(pause, timedelta(seconds=error.retry_after))
    type(job)._base_manager.filter(pk=job.pk, **when).update(
        next_poll_at=timezone.now() + pause,
        attempts=job.attempts + 1,
        problem="asking",
        error_message=message,
        error_detail=detail,
        updated_at=timezone.now(),
    )


def _end_failed(job: Job, when: dict[str, Any], message: str, problem: str, *, charge: Charge, **fields: Any) -> None:
    message = with_charge(message, charge)
    fields |= {"problem": problem, "charge": charge, "error_message": message}
    job.move_to(Status.FAILURE, when=when, event=message, **ended_now(), **fields)


def end_overdue(kind: Kind[Any], job: Job) -> None:
    """End a job that has not finished by its deadline. Its id is kept, so a person can still ask for it."""
    message = _("No result from %(provider)s in %(minutes)d minutes.") % {
        "provider": kind.provider_name,
        "minutes": kind.deadline.total_seconds() // 60,
    }
    when = {"phase": Phase.RUNNING, "deadline_at": job.deadline_at}
    try:
        _end_failed(job, when, message, "deadline", charge=Charge.YES)
    except TransitionError:
        logger.info("%s %s ended just before its deadline.", job._meta.label, job.pk)


def ask_interval(job: Job, now: datetime) -> timedelta:
    """Return how long to wait before asking again: soon while the job is young, more rarely as it ages."""
    age = now - (job.submitted_at or now)
    pause = min(max(age * 0.08, SHORTEST_ASK), LONGEST_ASK)
    return pause * random.uniform(0.9, 1.1)  # noqa: S311  # spreads the questions, guards nothing


def with_charge(message: str, charge: Charge) -> str:
    """Add to what happened whether it cost money: the second thing a person wants to know."""
    money = {
        Charge.NO: _("Not charged."),
        Charge.MAYBE: _("It may have been charged, so it was not repeated."),
        Charge.YES: _("It was charged."),
    }[charge]
    return f"{message} {money}"
