"""What Django-Q runs. It only wakes somebody up: every task may be lost, or run twice, without harm."""

import logging
import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django_q.tasks import async_task

from jobs import leases, stopping, turns
from jobs.follower import Follower
from jobs.kinds import ACCOUNT_READERS, KINDS, AccountFigures, is_anything_active

logger = logging.getLogger(__name__)

NUDGE_AT_MOST_EVERY = timedelta(seconds=3)


def enqueue(task: Any, *args: Any) -> None:
    """Put a task into the queue after the commit. A queue that is away is no error: the sweep finds the row."""

    def send() -> None:
        try:
            async_task(task, *args, q_options={"save": False, "task_name": f"{task.__name__} {uuid.uuid4().hex[:8]}"})
        except Exception:  # the row is the truth, so whatever the broker has is not the caller's problem
            logger.warning("The queue did not take %s; the sweep will.", task.__name__, exc_info=True)

    transaction.on_commit(send)


def nudge() -> None:
    """Wake a follower for new work."""
    enqueue(follow)


def nudge_if_nobody_follows() -> None:
    """Wake a follower if there is work that nobody follows. Cheap enough for every look at a job card."""
    if leases.is_held(leases.FOLLOW):
        return
    if is_anything_active() and leases.take(leases.NUDGE, leases.new_owner(), NUDGE_AT_MOST_EVERY):
        nudge()


def send_home(kind_label: str, job_pk: str) -> None:
    """Have the files of a finished job fetched."""
    enqueue(bring_home, kind_label, job_pk)


def follow() -> None:
    """Follow every job until the time is up, then pass on to a successor."""
    structlog.contextvars.unbind_contextvars("request_id")  # each job has its own
    leases.beat()
    ran = Follower(send_home).run()
    if ran and not stopping.is_requested() and is_anything_active():
        nudge()


def bring_home(kind_label: str, job_pk: str) -> None:
    """Fetch the files of one job."""
    leases.beat()
    with structlog.contextvars.bound_contextvars(job_kind=kind_label, job=job_pk):
        KINDS[kind_label].bring_home(job_pk)


def sweep() -> None:
    """Find, once a minute, what no nudge has reached."""
    leases.beat()
    nudge_if_nobody_follows()
    for kind in KINDS.values():
        try:
            kind.sweep()
        except Exception:  # one kind's trouble is not the others'
            logger.exception("The sweep of %s broke.", kind.label)


def read_account(provider: str) -> None:
    """Read the figures of our account at a provider."""
    leases.beat()
    figures: AccountFigures | Exception
    try:
        figures = ACCOUNT_READERS[provider]()
    except Exception as error:  # whatever it is, it is shown beside the figures  # noqa: BLE001
        figures = error
    turns.record_account(provider, figures)
