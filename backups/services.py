"""What a person may ask for: a backup now, the verification of one."""

from backups import tasks
from jobs.tasks import enqueue


def back_up_now() -> None:
    """Have a worker start a backup."""
    enqueue(tasks.back_up)


def verify_now(name: str) -> None:
    """Have a worker start the verification of a backup."""
    enqueue(tasks.verify, name)
