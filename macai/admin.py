"""The studio's admin site: Django's, with the machine's pulse on its home and a page for the queue."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs import overview
from jobs.models import Job
from jobs.spending import dollars, month_start, spent_since
from macai import pulse


class StudioAdminSite(AdminSite):
    """Django's admin under the studio's name."""

    site_header = _("Macai")
    site_title = _("Macai")
    index_title = _("Everything in the studio")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the queue page."""
        queue: list[URLPattern | URLResolver] = [path("queue/", self.admin_view(self.queue), name="queue")]
        return queue + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show everything that can be managed, below the machine's pulse."""
        return super().index(request, {**figures(), "spending": spent_since(month_start()), **(extra_context or {})})

    def queue(self, request: HttpRequest) -> TemplateResponse:
        """Show who works, what waits, what runs and what failed."""
        follower = overview.follower()
        context = {
            **self.each_context(request),
            **figures(),
            "title": _("Queue"),
            "follower": follower,
            "beat": clock(timezone.now() - follower.beat) if follower else "",
            "is_followed": bool(follower and follower.owner and follower.until >= timezone.now()),
            "tasks_queued": overview.tasks_queued(),
            "waiting": [line_of(each.job, place=each.place) for each in overview.waiting()],
            "running": [line_of(job) for job in overview.running()],
            "uncertain": [line_of(job) for job in overview.uncertain()],
            "failures": [line_of(job) for job in overview.failures()],
            "task_failures": overview.task_failures(),
            "schedule": overview.schedule(),
        }
        return TemplateResponse(request, "admin/queue.html", context)


def figures() -> dict[str, Any]:
    """Return how the machine is: who works, how much there is to do, whether it costs real money."""
    return {
        "clusters": overview.clusters(),
        "counts": overview.counts(),
        "oldest_waiting_seconds": overview.oldest_waiting_seconds(),
        "providers": pulse.providers(),
    }


def line_of(job: Job, *, place: int | None = None) -> dict[str, Any]:
    """Return a job as a line of the queue page, with the address of its page in the admin."""
    opts = job._meta
    return {
        "job": job,
        "place": place,
        "kind": opts.verbose_name,
        "url": reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[job.pk]),
        "price": dollars(job.cost),
        "waits": clock(timezone.now() - job.queued_at),
        "elapsed": clock(job.elapsed),
    }


def clock(span: timedelta | None) -> str:
    """Return a span of time as 0:47, 12:05 or 26:00:10."""
    if span is None:
        return ""
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
