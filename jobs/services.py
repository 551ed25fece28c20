"""What a person may ask of any job: cancel it, submit it again, ask the provider again, name its job id."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import siblings, tasks
from jobs.endings import CLEAN, ended_now
from jobs.kinds import kind_of
from jobs.models import (
    ACTIVE,
    Charge,
    EarlierSubmission,
    Job,
    Phase,
    Status,
    TransitionError,
    current_request_id,
    new_token,
)

JOB_ID_LENGTH = 255


class JobError(Exception):
    """The job cannot do what was asked of it, in one plain sentence."""


def cancel_job(job: Job) -> bool:
    """Cancel a job that waits. True if it is cancelled.

    One that may have been submitted cannot be stopped: the provider knows no cancel, the result is paid for and is
    brought home. The wish is noted, and honoured should the submission turn out not to have arrived.

    Raises:
        JobError: the job has ended already.
    """
    rows = type(job)._base_manager.filter(pk=job.pk)
    while True:
        try:
            job.move_to(
                Status.CANCELLED, when={"phase": Phase.WAITING}, event=_("Cancelled. Not charged."), **ended_now()
            )
        except TransitionError:
            if note_cancel(job):
                return False
            # It may have come back into the line in this very moment. Then the cancel is free after all.
            if not rows.filter(status=Status.PENDING, phase=Phase.WAITING).exists():
                raise JobError(_("It has ended already, so there is nothing to cancel.")) from None
        else:
            return True


def note_cancel(job: Job) -> bool:
    """Note the wish to cancel a job that may have been submitted. False if it is not in such a phase."""
    now = timezone.now()
    rows = type(job)._base_manager.filter(pk=job.pk, status__in=ACTIVE).exclude(phase=Phase.WAITING)
    told = _("Cancel asked for. %(provider)s cannot stop a job, so its result is kept.")
    with transaction.atomic():
        if rows.filter(cancel_requested_at=None).update(cancel_requested_at=now, updated_at=now):
            job.tell(told % {"provider": kind_of(job).provider_name})
        elif not rows.exists():
            return False
    job.refresh_from_db()
    return True


def submit_again(job: Job) -> None:
    """Put a job that ended without a result back in line, at the end. If it was charged before, it is paid for again.

    Raises:
        JobError: the job runs or is done.
    """
    is_in_the_books = job.charge in {Charge.MAYBE, Charge.YES}
    spent = job.cost if is_in_the_books else 0
    now = timezone.now()
    earlier = EarlierSubmission(
        kind=job._meta.label_lower,
        job_pk=job.pk,
        task_id=job.task_id,
        submitted_at=job.submitted_at or now,
        cost=spent,
        charge=job.charge,
    )
    with transaction.atomic():
        _put_in_line(job, spent, now)
        if is_in_the_books:
            earlier.save()
    tasks.nudge()


def _put_in_line(job: Job, spent: Decimal | int, now: datetime) -> None:
    try:
        job.move_to(
            Status.PENDING,
            when={
                "status__in": [Status.FAILURE, Status.CANCELLED],
                "task_id": job.task_id,
                # The books are added up from the row as it was read, so it must still be like that.
                "charge": job.charge,
                "spent_before": job.spent_before,
            },
            event=_("Submitted again by hand."),
            phase=Phase.WAITING,
            request_id=current_request_id() or job.request_id,
            task_id=new_token(),  # from now on, an answer that comes late is that of an earlier submission
            job_id="",
            charge=Charge.NO,
            spent_before=job.spent_before + spent,
            queued_at=now,
            next_poll_at=now,
            submitted_at=None,
            slot_until=None,
            deadline_at=None,
            cancel_requested_at=None,
            completed_at=None,
            progress_info={},
            **CLEAN,
        )
    except TransitionError:
        raise JobError(_("Only a job that failed or was cancelled can be submitted again.")) from None


def ask_again(job: Job, *, job_id: str = "") -> Job:
    """Have the provider asked about the job now. `job_id` names a job whose id was lost with the answer.

    Return the job that is asked about: a new one, if this one is busy or done with another submission.

    Raises:
        JobError: there is nothing to ask about, or the id belongs to another job.
    """
    job_id = job_id.strip()
    if len(job_id) > JOB_ID_LENGTH or not job_id.isprintable():
        raise JobError(_("This is not a job id."))
    if not (job.job_id or job_id):
        raise JobError(_("The provider's job id is not known. Enter it, or submit again."))
    if kind_of(job).wish and job_id not in {"", job.job_id} and not _has_room_for_an_id(job):
        return _ask_about_another(job, job_id)
    if job.status in {Status.PENDING, Status.SUCCESS, Status.CANCELLED}:
        raise JobError(_("There is nothing to ask the provider about now."))
    now = timezone.now()
    if job.status == Status.PROGRESS:
        # A job in the air is asked about at its own pace; only its waiting time is cut short.
        type(job)._base_manager.filter(pk=job.pk, status=Status.PROGRESS, next_poll_at__gt=now).update(next_poll_at=now)
        tasks.nudge()
        return job
    if not kind_of(job).is_askable:
        raise JobError(_("%(provider)s cannot be asked about this.") % {"provider": kind_of(job).provider_name})
    try:
        job.move_to(
            Status.PROGRESS,
            when={"status": Status.FAILURE, "task_id": job.task_id},
            event=_("The provider is asked again (%(id)s).") % {"id": job_id or job.job_id},
            phase=Phase.RUNNING,
            request_id=current_request_id() or job.request_id,
            job_id=job_id or job.job_id,
            charge=Charge.YES if job_id else job.charge,
            next_poll_at=now,
            deadline_at=now + kind_of(job).deadline,
            completed_at=None,
            **CLEAN,
        )
    except TransitionError:
        raise JobError(_("The job has just been moved on.")) from None
    except IntegrityError:
        raise JobError(_("That job id belongs to another job.")) from None
    tasks.nudge()
    return job


def _has_room_for_an_id(job: Job) -> bool:
    """Whether the job ended without a provider's job of its own, or with one that the provider does not know."""
    return job.status == Status.FAILURE and (not job.job_id or job.problem == "lost")


def _ask_about_another(job: Job, job_id: str) -> Job:
    told = _("The provider is asked about an earlier submission (%(id)s).") % {"id": job_id}
    try:
        sibling = siblings.adopt(kind_of(job), job, job_id, told)
    except IntegrityError:
        raise JobError(_("That job id belongs to another job.")) from None
    tasks.nudge()
    return sibling
