"""Health: open to all, quick, honest, and without a secret."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs import leases
from jobs.models import Lease
from macai import health

HEALTH = "/api/v1/health/"
# Its checks run in threads with connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A studio whose worker is up, and whose queue is the database (the suite replaces the real one)."""
    monkeypatch.setattr("macai.pulse.worker_is_alive", lambda: True)


def well() -> bool:
    return True


@pytest.mark.usefixtures("worker")
def test_a_studio_that_is_well_says_so_to_anybody() -> None:
    answer = Client().get(HEALTH)

    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "status": "ok",
        "checks": {name: {"ok": True} for name in ("database", "cache", "broker", "worker", "storage")},
    }
    assert "no-store" in answer["Cache-Control"]


def test_a_studio_without_a_worker_is_failing() -> None:
    answer = Client().get(HEALTH)

    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["checks"]["worker"] == {"ok": False}
    assert answer.json()["checks"]["database"] == {"ok": True}


@pytest.mark.parametrize(("seconds", "is_alive"), [(5, True), (60, False)])
def test_a_worker_without_heartbeat_is_alive_if_it_has_just_worked(seconds: int, is_alive: bool) -> None:
    leases.beat()
    Lease.objects.update(beat=timezone.now() - timedelta(seconds=seconds))

    assert Client().get(HEALTH).json()["checks"]["worker"] == {"ok": is_alive}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name", ["database", "cache", "broker", "storage"])
def test_what_breaks_is_named_and_nothing_of_it_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> bool:
        raise ConnectionError("postgres://user:password@host")

    monkeypatch.setitem(health.CHECKS, name, break_down)
    answer = Client().get(HEALTH)

    assert answer.status_code == 503
    assert [key for key, check in answer.json()["checks"].items() if not check["ok"]] == [name]
    assert "password" not in answer.content.decode()


def test_what_hangs_has_failed_in_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang() -> bool:
        time.sleep(3)
        return True

    checks: dict[str, Callable[[], bool]] = dict.fromkeys(health.CHECKS, well)
    monkeypatch.setattr(health, "CHECKS", checks | {"storage": hang})
    started = time.monotonic()
    found: dict[str, Any] = health.look()

    assert time.monotonic() - started < 2.0
    assert found == dict.fromkeys(health.CHECKS, True) | {"storage": False}
