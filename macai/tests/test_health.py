"""Health: open to all, quick, honest, and without a secret."""

import shutil
import time
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backups.models import Backup
from backups.models import State as BackupState
from jobs import leases
from jobs.models import Lease
from macai import health, provider_health
from macai.findings import NEVER, NONE_YET, NOT_VERIFIED, UNKNOWN, Finding, State, well
from providers.errors import ProviderError, Verdict
from songs.tests.factories import make_song

HEALTH, LIVE, READY = "/api/v1/health/", "/api/v1/health/live/", "/api/v1/health/ready/"
# Its checks run in threads with connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    health.memory.forget()
    cache.clear()


@pytest.fixture
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A studio whose worker is up."""
    monkeypatch.setattr("macai.pulse.worker_is_alive", lambda: True)


def told() -> Any:
    health.memory.forget()
    return Client().get(HEALTH).json()


@pytest.mark.usefixtures("_worker")
def test_a_studio_that_is_well_says_so_to_anybody() -> None:
    answer = Client().get(HEALTH)

    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found.keys() == {"status", "checked_at", "checks", "providers"}
    assert list(found["checks"]) == [
        "database", "migrations", "cache", "broker", "worker", "queue", "storage", "disk", "backup",
    ]  # fmt: skip
    assert all(check["ok"] for check in found["checks"].values())
    assert found["checks"]["queue"] == {
        "ok": True, "state": "ok", "code": "ok", "message": "No job waits.", "value": 0, "unit": "s",
    }  # fmt: skip
    assert found["checks"]["disk"]["unit"] == "MB"
    assert found["checks"]["disk"]["value"] > 0
    assert "no-store" in answer["Cache-Control"]


def test_a_studio_without_a_worker_is_failing() -> None:
    answer = Client().get(HEALTH)

    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["checks"]["worker"]["code"] == "no_heartbeat"
    assert answer.json()["checks"]["database"]["ok"]


@pytest.mark.parametrize(("seconds", "is_alive"), [(5, True), (60, False)])
def test_a_worker_without_heartbeat_is_alive_if_it_has_just_worked(seconds: int, is_alive: bool) -> None:
    leases.beat()
    Lease.objects.update(beat=timezone.now() - timedelta(seconds=seconds))

    assert told()["checks"]["worker"]["ok"] is is_alive


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize("name", ["database", "migrations", "queue", "cache", "broker", "storage", "disk"])
def test_what_breaks_is_named_and_nothing_of_it_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> Finding:
        raise ConnectionError("postgres://user:password@host")

    monkeypatch.setitem(health.CHECKS, name, break_down)
    answer = Client().get(HEALTH)

    assert answer.status_code == 503
    assert [key for key, check in answer.json()["checks"].items() if not check["ok"]] == [name]
    assert answer.json()["checks"][name]["code"] == "no_answer"
    assert "password" not in answer.content.decode()


def test_without_a_database_nothing_is_said_of_what_only_it_could_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> Finding:
        raise ConnectionError

    monkeypatch.setitem(health.CHECKS, "database", break_down)

    found = health.look()

    assert found["database"].code == "no_answer"
    assert {name for name, finding in found.items() if finding.code == UNKNOWN} == {
        "migrations", "queue", "backup", "worker",
    }  # fmt: skip


def test_what_hangs_has_failed_in_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[Finding] = []

    def hang() -> Finding:
        time.sleep(3)
        released.append(well("Too late."))
        return released[0]

    checks = {name: (lambda: well("Well.")) for name in health.CHECKS}
    monkeypatch.setattr(health, "CHECKS", checks | {"storage": hang, "queue": hang})
    found = health.look()

    assert released == []  # nobody waited for it
    assert {name: finding.code for name, finding in found.items() if finding.code != "ok"} == {
        "storage": "too_slow",
        "queue": "too_slow",
        "backup": UNKNOWN,
    }


@pytest.mark.usefixtures("_worker")
def test_jobs_that_nobody_takes_are_failing_and_a_long_line_is_only_a_warning() -> None:
    make_song(status="PENDING", queued_at=timezone.now() - timedelta(minutes=5))
    assert told()["checks"]["queue"]["code"] == "not_followed"
    assert told()["status"] == "failing"

    leases.take(leases.FOLLOW, "somebody", timedelta(seconds=60))
    assert told()["checks"]["queue"]["code"] == "ok"
    make_song(status="PENDING", queued_at=timezone.now() - timedelta(hours=2))
    queue = told()["checks"]["queue"]
    assert (queue["state"], queue["code"], queue["unit"]) == ("warning", "waits_long", "s")
    assert queue["value"] == pytest.approx(7200, abs=60)


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(("free", "code", "status"), [(100, "full", 503), (600, "low", 200), (5000, "ok", 200)])
def test_little_room_on_the_disk_is_told_before_there_is_none(
    free: int, code: str, status: int, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.MIN_FREE_DISK = 500
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: SimpleNamespace(free=free * 1024 * 1024))
    answer = Client().get(HEALTH)

    assert (answer.status_code, answer.json()["checks"]["disk"]["code"]) == (status, code)
    assert answer.json()["checks"]["disk"]["value"] == free


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(("hours", "code"), [(None, NONE_YET), (1, "ok"), (40, "too_old")])
def test_a_backup_that_is_missing_or_old_warns_and_does_not_fail(
    hours: int | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = None if hours is None else timezone.now() - timedelta(hours=hours)
    monkeypatch.setattr(health, "newest_backup_at", lambda: made)
    answer = Client().get(HEALTH)

    assert (answer.status_code, answer.json()["checks"]["backup"]["code"]) == (200, code)
    assert answer.json()["status"] == ("ok" if code == "ok" else "warning")


def make_backup(age: float, **fields: Any) -> Backup:
    """A backup that began `age` days ago."""
    return Backup.objects.create(
        **{"state": BackupState.DONE, "name": f"backup-{age}", "started_at": ago(age)} | fields
    )


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


@pytest.mark.usefixtures("_worker")
def test_a_damaged_backup_is_failing_until_one_is_found_good_however_fresh_another_is() -> None:
    make_backup(1, verified_at=ago(8))
    damaged = make_backup(0.5, state=BackupState.FAILED, verify_failed_at=ago(0.3))
    newest = make_backup(0.1)
    answer = Client().get(HEALTH)
    assert answer.status_code == 503
    found = answer.json()["checks"]["backup"]
    assert (found["state"], found["code"], found["unit"]) == ("failing", NOT_VERIFIED, "h")
    assert health.backup().is_worth_an_alert
    Backup.objects.exclude(pk=damaged.pk).update(state=BackupState.FAILED)
    assert health.backup().code == NOT_VERIFIED
    Backup.objects.exclude(pk=damaged.pk).update(state=BackupState.DONE)
    Backup.objects.filter(pk=newest.pk).update(verified_at=timezone.now())
    assert health.backup().code == "ok"


def test_a_verification_that_could_not_be_made_warns_until_one_is_good() -> None:
    make_backup(6, verified_at=ago(7))
    newest = make_backup(0.5, verify_failed_at=ago(0.2), verify_message="There was no room.")
    assert (health.backup().state, health.backup().code) == (State.WARNING, NOT_VERIFIED)
    assert health.backup().is_worth_an_alert
    Backup.objects.filter(pk=newest.pk).update(verified_at=timezone.now(), verify_failed_at=None)
    assert health.backup().code == "ok"


@pytest.mark.parametrize(
    ("kept", "oldest", "verified", "code"),
    [
        (30, 20, 8, "ok"), (30, 20, 10, NOT_VERIFIED), (30, 8, None, "ok"), (30, 10, None, NOT_VERIFIED),
        (7, 5, None, "ok"), (7, 6, None, NOT_VERIFIED), (7, 10, 8, "ok"), (7, 10, 10, NOT_VERIFIED),
        (1, 1, None, "ok"),
    ],
)  # fmt: skip
def test_backups_that_nobody_verifies_are_told_of(
    kept: int, oldest: float, verified: float | None, code: str, settings: Settings
) -> None:
    settings.BACKUP_DAYS = kept
    make_backup(oldest, verified_at=None if verified is None else ago(verified))
    make_backup(0.5)
    assert health.backup().code == code


@pytest.mark.usefixtures("_worker")
def test_tables_of_another_version_are_failing_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get(READY).status_code == 200
    monkeypatch.setattr("macai.health.MigrationExecutor.migration_plan", lambda _self, _targets: ["one", "two"])

    answer = Client().get(READY)
    assert (answer.status_code, list(answer.json()["checks"])) == (503, ["database", "migrations"])
    assert answer.json()["checks"]["migrations"]["value"] == 2
    assert Client().get(HEALTH).status_code == 503


def test_a_process_is_live_whatever_else_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CursorWrapper, "execute", lambda *_args: pytest.fail("the database was asked"))
    monkeypatch.setattr(health, "look", lambda *_args: pytest.fail("something was looked at"))
    client = Client()
    client.cookies["sessionid"] = "a" * 32

    assert (client.get(LIVE).status_code, client.get(LIVE).json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("_worker")
def test_whoever_asks_very_often_does_not_make_the_studio_look_very_often(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def look() -> dict[str, Finding]:
        looks.append("looked")
        return {"database": well("Well.")}

    monkeypatch.setattr(health, "look", look)
    monkeypatch.setattr(health, "REMEMBERED", 60)
    for _number in range(5):
        assert health.memory.look()["database"].is_ok
    assert len(looks) == 1


# --- Providers ------------------------------------------------------------------------------------------------------


def trouble(verdict: Verdict, status: int | None = None) -> ProviderError:
    return ProviderError(verdict, "No.", provider="Mureka", status=status)


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, "ok"),
        (trouble(Verdict.LATER), "down"),
        (trouble(Verdict.LATER, 503), "down"),
        (trouble(Verdict.LATER, 429), "ok"),
        (trouble(Verdict.REFUSED, 404), "ok"),
        (trouble(Verdict.BAD_KEY, 401), "bad_key"),
        (trouble(Verdict.OUT_OF_MONEY, 429), "no_money"),
        (RuntimeError("sk-secret"), "down"),
    ],
    ids=str,
)
def test_a_provider_is_asked_for_free_remembered_and_never_makes_the_studio_fail(
    error: Exception | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask() -> None:
        asked.append("Mureka")
        if error:
            raise error

    monkeypatch.setattr(provider_health, "QUESTIONS", {"Mureka": lambda: None})
    assert told()["providers"]["mureka"]["code"] == UNKNOWN
    provider_health.ask_all()
    monkeypatch.setattr(provider_health, "QUESTIONS", {"Mureka": ask})
    provider_health.ask_all()

    found = told()
    assert found["providers"]["mureka"]["code"] == code
    assert found["providers"]["mureka"]["ok"] is True
    assert found["providers"]["openai"]["code"] == UNKNOWN
    assert found["status"] == "warning"  # there is no backup yet, and nothing worse
    assert len(asked) == 1  # looking asks nobody


def test_what_a_provider_was_long_ago_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_health, "QUESTIONS", {"Mureka": lambda: None})
    provider_health.ask_all()
    assert provider_health.last_known()["mureka"].code == "ok"
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr("macai.provider_health.timezone.now", lambda: later)
    assert provider_health.last_known()["mureka"].code == UNKNOWN


def test_one_that_has_never_answered_is_no_news_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[ProviderError | None] = [trouble(Verdict.LATER), None, trouble(Verdict.LATER)]

    def ask() -> None:
        error = outcomes.pop(0)
        if error:
            raise error

    monkeypatch.setattr(provider_health, "QUESTIONS", {"Ollama": ask})
    found = []
    for _time in range(3):
        provider_health.ask_all()
        found.append(provider_health.last_known()["ollama"])
    assert [finding.code for finding in found] == [NEVER, "ok", "down"]
    assert [finding.is_worth_an_alert for finding in found] == [False, False, True]
