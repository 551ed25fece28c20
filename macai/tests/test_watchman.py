"""The watchman: one at a time, who notices a dead worker, a dead web server and a database that is away."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from jobs import leases
from jobs.models import Lease
from macai import health, provider_health, watchman
from macai.findings import NONE_YET, Finding, failing, unknown, warning, well
from macai.watchman import Watchman
from watch.models import Alert

pytestmark = pytest.mark.django_db
Sent = list[dict[str, Any]]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    """What a look finds."""
    studio = {"database": well("Well."), "worker": well("Well."), "backup": warning(NONE_YET, "None.")}
    monkeypatch.setattr(health, "look", lambda: dict(studio))
    monkeypatch.setattr(provider_health, "last_known", lambda: {"mureka": well("Well.")})
    monkeypatch.setattr("macai.watchman.connections.close_all", lambda: None)
    return studio


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Sent:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_AFTER_SECONDS = "https://hook.example/", 0
    monkeypatch.setattr("watch.alerts.GREEN_FOR", timedelta(0))
    got: Sent = []
    monkeypatch.setattr("providers.webhook.post", lambda _url, body: got.append(body))
    return got


def events(sent: Sent) -> list[str]:
    return [f"{body['event']} {' '.join(line['check'] for line in body['checks'])}" for body in sent]


def test_only_one_is_on_duty_until_it_is_gone(found: dict[str, Finding], sent: Sent) -> None:
    first, second = Watchman(is_web=True), Watchman(is_web=True)
    found["worker"] = failing("no_heartbeat", "No worker is up.")
    assert first.look()
    assert not second.look()
    Lease.objects.filter(name="watch").update(until=timezone.now() - timedelta(seconds=1))
    assert second.look()
    assert not first.look()
    assert events(sent) == ["red worker"]


def test_a_dead_worker_is_told_by_the_web_server_and_its_return_too(found: dict[str, Finding], sent: Sent) -> None:
    man = Watchman(is_web=True)
    man.look()
    found["worker"] = failing("no_heartbeat", "No worker is up.")
    man.look()
    man.look()
    found["worker"] = well("A worker is up.")
    man.look()
    man.look()
    assert events(sent) == ["red worker", "green worker"]


def test_a_dead_web_server_is_told_by_the_worker_and_its_return_by_itself(
    found: dict[str, Finding], sent: Sent
) -> None:
    watchman.look_from_worker()
    assert "web" not in Alert.objects.values_list("check_name", flat=True)  # there may be none
    web = Watchman(is_web=True)
    web.look()
    watchman.look_from_worker()  # not its turn
    long_ago = timezone.now() - timedelta(seconds=61)
    Lease.objects.filter(name__in=["watch", "web"]).update(until=long_ago, beat=long_ago)
    watchman.look_from_worker()
    watchman.look_from_worker()
    assert events(sent) == ["red web"]
    assert not leases.is_held("watch")  # the web server need not wait when it comes back
    web.look()
    web.look()
    assert events(sent) == ["red web", "green web"]


def test_what_is_unknown_or_not_yet_there_is_no_news(found: dict[str, Finding], sent: Sent) -> None:
    found["worker"] = unknown("It cannot be known now.")
    Watchman(is_web=True).look()
    assert sent == []
    assert set(Alert.objects.values_list("check_name", flat=True)) == {"database", "backup", "mureka", "web"}


def test_a_provider_that_is_down_is_told_though_the_studio_does_not_fail(
    found: dict[str, Finding], sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_health, "last_known", lambda: {"mureka": warning("down", "Mureka does not answer.")})
    Watchman(is_web=True).look()
    assert events(sent) == ["red mureka"]


@pytest.mark.parametrize("is_replaced", [False, True], ids=["stays on duty", "is replaced when it is back"])
def test_a_database_that_is_away_is_told_once_by_whoever_was_on_duty(
    is_replaced: bool, found: dict[str, Finding], sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> bool:
        raise OperationalError

    on_duty, other = Watchman(is_web=True), Watchman(is_web=True)
    assert on_duty.look()
    assert not other.look()
    with monkeypatch.context() as patch:
        patch.setattr(leases, "take", away)
        for _look in range(3):
            on_duty.look()
            other.look()
        assert events(sent) == ["red database"]
    if is_replaced:
        Lease.objects.filter(name="watch").update(until=timezone.now() - timedelta(seconds=1))
        assert other.look()
    for _look in range(2):
        on_duty.look()
        other.look()
    assert events(sent) == ["red database", "green database"]


def test_the_public_address_is_watched_if_there_is_one(
    found: dict[str, Finding], sent: Sent, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_URL = "https://studio.example"
    asked: list[str] = []
    monkeypatch.setattr("providers.webhook.answers", lambda url: bool(asked.append(url)))  # type: ignore[func-returns-value]
    Watchman(is_web=True).look()
    assert asked == ["https://studio.example/api/v1/health/live/"]
    assert events(sent) == ["red front"]


def test_providers_are_asked_beside_and_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(watchman, "ask_quietly", lambda: asked.append("asked"))
    man = Watchman(is_web=True)
    for _time in range(3):
        man.ask_providers()
        assert man.asking
        man.asking.join(5)
    assert asked == ["asked"]
