"""The watchman: one at a time, who notices a dead worker, a dead web server and a database that is away."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from jobs import leases
from jobs.models import Lease
from macai import health, outage, provider_health, watchman
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
def sent(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Sent:
    settings.DATA_DIR = tmp_path
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


class Database:
    """A database that can be away."""

    is_away = False


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database, take = Database(), leases.take

    def take_or_fail(*args: Any) -> bool:
        if database.is_away:
            raise OperationalError
        return take(*args)

    monkeypatch.setattr(leases, "take", take_or_fail)
    return database


def look_all(*men: Watchman, times: int = 3) -> None:
    for _look in range(times):
        for man in men:
            man.look()


def killed(man: Watchman) -> None:
    man.outage.leave()  # what the system does with the files of a process that has ended


@pytest.mark.parametrize("is_replaced", [False, True], ids=["stays on duty", "is replaced when it is back"])
def test_a_database_that_is_away_is_told_once_and_its_return_once(
    is_replaced: bool, found: dict[str, Finding], sent: Sent, database: Database
) -> None:
    on_duty, other = Watchman(is_web=True), Watchman(is_web=True)
    assert on_duty.look()
    assert not other.look()
    database.is_away = True
    look_all(on_duty, other)
    assert events(sent) == ["red database"]
    database.is_away = False
    if is_replaced:
        Lease.objects.filter(name="watch").update(until=timezone.now() - timedelta(seconds=1))
        assert other.look()
    look_all(on_duty, other)
    assert events(sent) == ["red database", "green database"]


def test_one_that_is_started_while_the_database_is_away_tells_of_it(
    found: dict[str, Finding], sent: Sent, database: Database
) -> None:
    database.is_away = True
    first, second = Watchman(is_web=True), Watchman(is_web=True)
    assert (first.look(), second.look()) == (True, False)
    look_all(first, second)
    assert events(sent) == ["red database"]
    database.is_away = False
    look_all(first, second)
    assert events(sent) == ["red database", "green database"]


def test_one_that_takes_the_place_of_whoever_told_tells_nothing_twice_and_forgets_nothing(
    found: dict[str, Finding], sent: Sent, database: Database
) -> None:
    first = Watchman(is_web=True)
    first.look()
    database.is_away = True
    look_all(first)
    killed(first)
    second = Watchman(is_web=True)
    look_all(second)
    assert events(sent) == ["red database"]
    killed(second)
    database.is_away = False
    Lease.objects.filter(name="watch").update(until=timezone.now() - timedelta(seconds=1))
    third = Watchman(is_web=True)
    look_all(third)
    assert events(sent) == ["red database", "green database"]
    assert sent[0]["checks"][0]["red_since"] == sent[1]["checks"][0]["red_since"]
    database.is_away = True
    look_all(third)
    assert events(sent)[2:] == ["red database"]


def test_an_outage_that_nobody_was_told_of_is_none_after_the_next_start(
    found: dict[str, Finding], sent: Sent, database: Database, settings: Settings
) -> None:
    settings.ALERT_AFTER_SECONDS = 3600
    database.is_away = True
    first, second = Watchman(is_web=True), Watchman(is_web=True)
    look_all(first)
    killed(first)
    look_all(second)
    assert first.outage.since != second.outage.since
    assert sent == []


def test_people_are_told_once_also_on_a_full_disk(
    found: dict[str, Finding], sent: Sent, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outage, "record", lambda: tmp_path / "none" / "none" / "database-away")
    database.is_away = True
    man = Watchman(is_web=True)
    look_all(man)
    database.is_away = False
    look_all(man)
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
