"""Which job and which request a line of the log belongs to: from the web through the queue into a worker's threads."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from django_q.signals import post_execute_in_worker, pre_enqueue, pre_execute

from jobs.models import Job


@contextmanager
def belonging_to(job: Job, **more: str) -> Iterator[None]:
    """Let all lines of this thread name the job, and the request by which it was asked for."""
    with structlog.contextvars.bound_contextvars(
        job_kind=job._meta.label_lower, job=str(job.pk), request_id=job.request_id, **more
    ):
        yield


def take_along(sender: Any, task: dict[str, Any], **kwargs: Any) -> None:
    """Send the request's id along with a task that goes into the queue."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        task["request_id"] = request_id


def unpack(sender: Any, func: Callable[..., Any], task: Mapping[str, Any], **kwargs: Any) -> None:
    """Let all lines of a task name it, and the request by which it was put into the queue."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=getattr(func, "__name__", str(task.get("func"))))
    if "request_id" in task:
        structlog.contextvars.bind_contextvars(request_id=task["request_id"])


def forget(sender: Any, **kwargs: Any) -> None:
    """End a task: the next one of this process is another's."""
    structlog.contextvars.clear_contextvars()


def install() -> None:
    """Listen to Django-Q."""
    pre_enqueue.connect(take_along, dispatch_uid="jobs.tracing.take_along")
    pre_execute.connect(unpack, dispatch_uid="jobs.tracing.unpack")
    post_execute_in_worker.connect(forget, dispatch_uid="jobs.tracing.forget")
