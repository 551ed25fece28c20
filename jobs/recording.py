"""How outcomes are written down: every answer of a provider ends here, in one conditional write."""

import logging
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import turns
from jobs.kinds import Accepted, Ended, Finished, Kind, Running
from jobs.models import Charge, Job, Phase, Status, TransitionError, storable
from providers.errors import ProviderError, Verdict

logger = logging.getLogger(__name__)

FIRST_ASK = timedelta(seconds=2)
SHORTEST_ASK = timedelta(seconds=2.5)
LONGEST_ASK = timedelta(seconds=15)
TROUBLE_FIRST = timedelta(seconds=5)
TROUBLE_LONGEST = timedelta(seconds=60)
LAST_TRIES = 8  # failed askings in a row, about 5 minutes, before a job beyond its deadline is given up unheard
GIVE_WAY = timedelta(seconds=2)  # for which a job that was refused more than once lets others try first
PROBLEM_LENGTH = 30

DATABASE_AWAY = (OperationalError, InterfaceError)

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
        _record_finished(kind, job, outcome, {"task_id": job.task_id, "phase__in": SUBMITTED})
    elif isinstance(outcome, Ended):
        when = {"task_id": job.task_id, "phase__in": SUBMITTED}
        _end_failed(job, when, outcome.message, outcome.problem, charge=outcome.charge, **outcome.fields)
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
            _record_finished(kind, job, bare, {"task_id": job.task_id, "phase__in": SUBMITTED})
            return
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("Not even its job id could be stored.")
    try:
        mark_uncertain(kind, job, detail=f"{error!r} {outcome!r}")
    except TransitionError:
        logger.warning("The answer for %s %s is not needed: %r", job._meta.label, job.pk, outcome)


def _tell_late(kind: Kind[Any], job: Job, outcome: Submission) -> None:
    """Nobody waits for this answer any more. A job id in it is worth money, so it goes into the history."""
    logger.warning("An answer for %s %s came too late: %r", job._meta.label, job.pk, outcome)
    if isinstance(outcome, Finished) and outcome.is_home:
        with transaction.atomic():
            kind.keep(job, outcome.answer)
            job.tell(_("An earlier submission was answered after all, and is kept. It was charged."))
    if not isinstance(outcome, Accepted):
        return
    if type(job)._base_manager.filter(pk=job.pk).exclude(job_id=outcome.job_id).exists():
        told = _("%(provider)s took an earlier submission after all, as job %(id)s. It was charged.")
        job.tell(told % {"provider": kind.provider_name, "id": outcome.job_id})


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
            event=outcome.told
            or _("%(provider)s is done. The files are coming home.") % {"provider": kind.provider_name},
            phase=Phase.SAVING,
            slot_until=None,
            next_poll_at=now,
            **fields,
        )
        kind.keep(job, outcome.answer)
        if outcome.is_home:
            job.move_to(Status.SUCCESS, **ended_now())


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
        error_detail=storable(detail),
        next_poll_at=None,
        completed_at=timezone.now(),
    )


def record_answer(kind: Kind[Any], job: Job, outcome: Running | Finished | Ended | Exception) -> None:
    """Write down how a running job stands. `job.next_poll_at` is the value that this asking was claimed with.

    A result is true whoever asked for it; when to ask next is only for the one who holds the claim to say.
    """
    when = {"phase": Phase.RUNNING, "next_poll_at": job.next_poll_at}
    attempts = job.attempts
    try:
        if isinstance(outcome, Running):
            _record_running(kind, job, outcome, when)
        elif isinstance(outcome, Finished | Ended):
            _record_result(kind, job, outcome)
        else:
            _record_trouble(kind, job, outcome, when)
    except TransitionError:
        logger.info("%s %s was moved on while it was asked about.", job._meta.label, job.pk)
    except DATABASE_AWAY:
        raise  # the follower keeps the outcome and tries again
    except Exception as error:  # noqa: BLE001  # an answer that cannot be stored must not stop all other jobs
        job.attempts = attempts
        _record_trouble(kind, job, error, when)


def _record_result(kind: Kind[Any], job: Job, outcome: Finished | Ended) -> None:
    when = {"phase": Phase.RUNNING, "task_id": job.task_id, "job_id": job.job_id}
    try:
        _record_end(kind, job, outcome, when)
    except (TransitionError, *DATABASE_AWAY):
        raise
    except Exception:
        logger.exception("The answer for %s %s could not be stored whole.", job._meta.label, job.pk)
        _record_end(kind, job, replace(outcome, fields={}), when)


def _record_end(kind: Kind[Any], job: Job, outcome: Finished | Ended, when: dict[str, Any]) -> None:
    if isinstance(outcome, Finished):
        _record_finished(kind, job, outcome, when)
    else:
        _end_failed(job, when, outcome.message, outcome.problem, charge=outcome.charge, **outcome.fields)


def _record_running(kind: Kind[Any], job: Job, outcome: Running, when: dict[str, Any]) -> None:
    now = timezone.now()
    if _is_overdue(job, now):
        end_overdue(kind, job)
        return
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
            _end_failed(job, when, message, "lost", charge=Charge.MAYBE, error_detail=storable(detail))
            return
    if _is_overdue(job, timezone.now()) and job.attempts >= LAST_TRIES:
        end_overdue(kind, job)
        return
    pause = min(TROUBLE_FIRST * 2 ** min(job.attempts, 10), TROUBLE_LONGEST)
    if isinstance(error, ProviderError) and error.retry_after is not None:
        pause = max(pause, timedelta(seconds=error.retry_after))
    type(job)._base_manager.filter(pk=job.pk, **when).update(
        next_poll_at=timezone.now() + pause,
        attempts=job.attempts + 1,
        problem="asking",
        error_message=storable(message),
        error_detail=storable(detail),
        updated_at=timezone.now(),
    )


def _end_failed(job: Job, when: dict[str, Any], message: str, problem: str, *, charge: Charge, **fields: Any) -> None:
    message = with_charge(message, charge)
    fields |= {"problem": problem[:PROBLEM_LENGTH], "charge": charge, "error_message": message}
    job.move_to(Status.FAILURE, when=when, event=message, **ended_now(), **fields)


def _is_overdue(job: Job, now: datetime) -> bool:
    return job.deadline_at is not None and job.deadline_at < now


def end_overdue(kind: Kind[Any], job: Job) -> None:
    """End a job that has not finished by its deadline. Its id is kept, so a person can still ask for it.

    Only an asking ends a job so: after a night switched off, what is overdue has most likely long been done.
    """
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
    return f"{storable(message)} {money}"
