"""What Django-Q runs: it only starts the commands, which run as long as they need, in processes of their own."""

from datetime import datetime, timedelta

from django.utils import timezone
from django_q.models import Schedule

from backups.launching import launch
from jobs import leases, schedule

PATIENCE = "900"  # seconds that one waits for another


def back_up() -> None:
    """Make a backup."""
    leases.beat()
    launch("backup", f"--patience={PATIENCE}")


def verify(name: str = "") -> None:
    """Verify a backup; without a name, the newest."""
    leases.beat()
    launch("verify_backup", *([name] if name else []))


def next_night() -> datetime:
    """Return the next 3:30 in the time zone of the studio."""
    night = timezone.localtime().replace(hour=3, minute=30, second=0, microsecond=0)
    return night if night > timezone.now() else night + timedelta(days=1)


def register() -> None:
    """Have a backup made every night, and one verified every week, two hours later."""
    schedule.register("backups.daily", schedule.Line("backups.tasks.back_up", Schedule.DAILY, None, next_night))
    later = timedelta(hours=2)
    schedule.register(
        "backups.weekly", schedule.Line("backups.tasks.verify", Schedule.WEEKLY, None, lambda: next_night() + later)
    )
