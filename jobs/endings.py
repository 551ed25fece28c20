"""How a job's row moves on: what every outcome, of a submission or of a question, shares."""

from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.kinds import Finished, Kind
from jobs.models import Charge, Job, Phase, Status, storable

PROBLEM_LENGTH = 30

DATABASE_AWAY = (OperationalError, InterfaceError)

CLEAN: dict[str, Any] = {"attempts": 0, "problem": "", "error_message": "", "error_detail": ""}


def ended_now() -> dict[str, Any]:
    """Return the columns of a job that wants nothing done any more."""
    return {"phase": Phase.ENDED, "next_poll_at": None, "slot_until": None, "completed_at": timezone.now()}


def end_failed(job: Job, when: dict[str, Any], message: str, problem: str, *, charge: Charge, **fields: Any) -> None:
    """End a job without a result, and say whether it cost money."""
    message = with_charge(message, charge)
    fields |= {"problem": problem[:PROBLEM_LENGTH], "charge": charge, "error_message": message}
    job.move_to(Status.FAILURE, when=when, event=message, **ended_now(), **fields)


def record_finished(kind: Kind[Any], job: Job, outcome: Finished, when: dict[str, Any]) -> None:
    """Keep what a provider made; if its files came with the answer, the job is done."""
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


def with_charge(message: str, charge: Charge) -> str:
    """Add to what happened whether it cost money: the second thing a person wants to know."""
    money = {
        Charge.NO: _("Not charged."),
        Charge.MAYBE: _("It may have been charged, so it was not repeated."),
        Charge.YES: _("It was charged."),
    }[charge]
    return f"{storable(message)} {money}"
