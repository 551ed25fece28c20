"""The periodic schedule, in code: a malformed row in Django-Q's table would stop every other one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from django_q.models import Schedule


class Line(NamedTuple):
    """Something that is done again and again: the task by its path, and Django-Q's words for how often."""

    func: str
    schedule_type: str
    minutes: int | None = None
    first_run: Callable[[], datetime] | None = None  # without it, at once

    @property
    def fields(self) -> dict[str, Any]:
        """Return the columns of its row."""
        return {"func": self.func, "schedule_type": self.schedule_type, "minutes": self.minutes, "repeats": -1}


LINES: dict[str, Line] = {"jobs.sweep": Line("jobs.tasks.sweep", Schedule.MINUTES, 1)}


def register(name: str, line: Line) -> None:
    """Have something done again and again; called by an app that is ready."""
    LINES[name] = line


def install() -> None:
    """Write the schedule into Django-Q's table. May run any number of times, from any number of workers."""
    for name, line in LINES.items():
        first = {"next_run": line.first_run()} if line.first_run else {}
        schedule, created = Schedule.objects.get_or_create(name=name, defaults=line.fields | first)
        if not created and any(getattr(schedule, column) != value for column, value in line.fields.items()):
            Schedule.objects.filter(pk=schedule.pk).update(**line.fields)
