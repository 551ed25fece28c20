"""The periodic schedule, in code: a malformed row in Django-Q's table would stop every other one."""

from django_q.models import Schedule


def install() -> None:
    """Write the schedule into Django-Q's table. May run any number of times, from any number of workers."""
    fields = {"func": "jobs.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    schedule, created = Schedule.objects.get_or_create(name="jobs.sweep", defaults=fields)
    if not created and any(getattr(schedule, name) != value for name, value in fields.items()):
        Schedule.objects.filter(pk=schedule.pk).update(**fields)
