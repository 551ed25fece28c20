"""The schedule, the queue and the console: backups by themselves, and by a button."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import DjangoCaptureOnCommitCallbacks

from backups import launching, tasks
from backups.models import Backup, State
from jobs import schedule
from songs.tests.factories import make_user

pytestmark = pytest.mark.django_db

LIST = "admin:backups_backup_changelist"


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "launch", lambda *command: commands.append(command))
    return commands


def signed_in(client: Client, **fields: Any) -> Client:
    client.force_login(make_user(**fields))
    return client


def test_a_backup_is_made_every_night_and_verified_every_week() -> None:
    schedule.install()
    daily, weekly = (Schedule.objects.get(name=name) for name in ("backups.daily", "backups.weekly"))
    assert (daily.func, daily.schedule_type) == ("backups.tasks.back_up", Schedule.DAILY)
    assert (weekly.func, weekly.schedule_type) == ("backups.tasks.verify", Schedule.WEEKLY)
    assert timezone.now() < daily.next_run < weekly.next_run


def test_the_tasks_start_commands_and_do_not_wait_for_them(launched: list[tuple[str, ...]]) -> None:
    tasks.back_up()
    tasks.verify()
    tasks.verify("a-name")
    assert launched == [("backup", "--patience=900"), ("verify_backup",), ("verify_backup", "a-name")]


def test_a_command_runs_in_a_process_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    launching.launch("restore", "--list")
    (process,) = launching.launched
    assert process.wait(60) == 0
    assert "There is no backup" in capfd.readouterr().out
    launching.launched.clear()


def test_the_button_has_a_worker_make_a_backup(
    client: Client, enqueued: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    signed_in(client, is_staff=True, is_superuser=True)
    assert "Back up now" in client.get(reverse(LIST)).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("admin:backups_backup_make"), follow=True)
    assert "A worker makes a backup now." in answer.content.decode()
    assert [task.func for task in enqueued] == [tasks.back_up]
    assert client.get(reverse("admin:backups_backup_make")).status_code == 405


def test_only_staff_who_may_see_backups_may_ask_for_one(client: Client, enqueued: list[Any]) -> None:
    assert client.post(reverse("admin:backups_backup_make")).status_code == 302
    signed_in(client)
    assert client.post(reverse("admin:backups_backup_make")).status_code == 302
    signed_in(client, is_staff=True)
    assert client.post(reverse("admin:backups_backup_make")).status_code == 403
    assert enqueued == []


def test_the_list_says_how_large_how_old_and_what_went_wrong(
    client: Client, enqueued: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    signed_in(client, is_staff=True, is_superuser=True)
    now = timezone.now()
    done = Backup.objects.create(
        name="good", state=State.DONE, finished_at=now, files=7, media_bytes=3 * 2**30, verified_at=now
    )
    failed = Backup.objects.create(state=State.FAILED, finished_at=now, message="The disk with the backups is full.")
    page = client.get(reverse(LIST)).content.decode()
    assert "3.0\xa0GB" in page
    assert "Failed" in page
    page = client.get(reverse("admin:backups_backup_change", args=[failed.pk])).content.decode()
    assert "The disk with the backups is full." in page
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse(LIST), {"action": "verify", "_selected_action": [done.pk, failed.pk]})
    assert [(task.func, task.args) for task in enqueued] == [(tasks.verify, ("good",))]
