"""The columns that every kind of job has, for the factories of the kinds."""

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from jobs.models import Charge, Phase, Status

PHASES = {
    Status.PENDING: Phase.WAITING,
    Status.PROGRESS: Phase.RUNNING,
    Status.SUCCESS: Phase.ENDED,
    Status.FAILURE: Phase.ENDED,
    Status.CANCELLED: Phase.ENDED,
}
numbers = itertools.count(700_000_001)


def job_fields(overrides: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that belong together with the status asked for."""
    status = Status(overrides.get("status", Status.SUCCESS))
    now = timezone.now()
    fields: dict[str, Any] = {"status": status, "phase": PHASES[status]}
    if status not in {Status.PENDING, Status.CANCELLED}:
        fields |= {
            "job_id": str(next(numbers)),
            "submitted_at": now - timedelta(seconds=40),
            "charge": Charge.YES,
        }
    if status in {Status.SUCCESS, Status.FAILURE, Status.CANCELLED}:
        fields |= {"completed_at": now, "next_poll_at": None}
    return fields
