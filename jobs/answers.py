"""How the answers about a running job are written down, and when it is asked about next."""

import logging
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.endings import CLEAN, DATABASE_AWAY, end_failed, record_finished
from jobs.kinds import Ended, Finished, Kind, Running
from jobs.models import Charge, Job, Phase, TransitionError, storable
from providers.errors import ProviderError, Verdict

logger = logging.getLogger(__name__)

SHORTEST_ASK = timedelta(seconds=2.5)
LONGEST_ASK = timedelta(seconds=15)
USUALLY_DONE = timedelta(minutes=5)
TROUBLE_FIRST = timedelta(seconds=5)
TROUBLE_LONGEST = timedelta(seconds=60)
LAST_TRIES = 8  # failed askings in a row, about 5 minutes, before a job beyond its deadline is given up unheard


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
        record_finished(kind, job, outcome, when)
    else:
        end_failed(job, when, outcome.message, outcome.problem, charge=outcome.charge, **outcome.fields)


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
            end_failed(job, when, message, "lost", charge=Charge.MAYBE, error_detail=storable(detail))
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
        end_failed(job, when, message, "deadline", charge=Charge.YES)
    except TransitionError:
        logger.info("%s %s ended just before its deadline.", job._meta.label, job.pk)


def ask_interval(job: Job, now: datetime) -> timedelta:
    """Return how long to wait before asking again: soon while the job can be done any moment, then more rarely.

    How many are asked about at once is bounded by the follower, so a crowd is asked about more rarely by itself.
    """
    late = now - (job.submitted_at or now) - USUALLY_DONE
    pause = min(SHORTEST_ASK + max(late, timedelta(0)) * 0.04, LONGEST_ASK)
    return pause * random.uniform(0.9, 1.1)  # noqa: S311  # spreads the questions, guards nothing
