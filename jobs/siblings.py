"""What a provider took for an earlier submission gets a row of its own: it is paid for, so it has to be fetched."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.kinds import Kind
from jobs.models import Charge, Job, Phase, Status, current_request_id


def adopt(kind: Kind[Any], job: Job, job_id: str, told: str, *, submitted_at: datetime | None = None) -> Job:
    """Make a row like `job` that is followed as `job_id`, and tell in the history of both.

    It costs nothing: what the earlier submission cost was added to what `job` had spent before.

    Raises:
        IntegrityError: a row has that job id already. Nothing was written.
    """
    now = timezone.now()
    with transaction.atomic():
        sibling: Job = kind.model._default_manager.create(
            **{name: getattr(job, name) for name in kind.wish},
            requested_by_id=job.requested_by_id,
            request_id=current_request_id() or job.request_id,
            phase=Phase.SUBMITTING,
            submitted_at=submitted_at or now,
        )
        sibling.move_to(
            Status.PROGRESS,
            phase=Phase.RUNNING,
            job_id=job_id,
            charge=Charge.YES,
            slot_until=now + kind.slot,
            deadline_at=now + kind.deadline,
            next_poll_at=now,
        )
        words = _("%(provider)s made this for an earlier submission, as job %(id)s. What it cost is counted there.")
        sibling.tell(words % {"provider": kind.provider_name, "id": job_id}, about=job)
        job.tell(told, about=sibling)
    return sibling
