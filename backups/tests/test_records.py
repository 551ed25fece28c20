"""What is told about backups."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import Backup, State, newest_backup_at

pytestmark = pytest.mark.django_db


def test_there_is_no_newest_backup_before_one_is_whole() -> None:
    Backup.objects.create()
    Backup.objects.create(state=State.FAILED, message="The disk is full.")
    assert newest_backup_at() is None


def test_the_newest_backup_is_the_whole_one_that_began_last() -> None:
    now = timezone.now()
    for hours in (50, 2, 26):
        Backup.objects.create(state=State.DONE, name=f"backup-{hours}", started_at=now - timedelta(hours=hours))
    Backup.objects.create(state=State.FAILED, started_at=now)
    assert newest_backup_at() == now - timedelta(hours=2)
