"""Where a backup may be restored to: an empty place, which nobody uses."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.status import Stat

from accounts.models import AccessToken, User
from accounts.services import create_owner
from backups import targets
from backups.errors import BackupError
from backups.targets import must_be_empty, studio_stopped
from jobs import leases
from prompts.models import MagicRun
from songs.tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def make_owner(**fields: Any) -> User:
    owner = create_owner(username="owner", password="a long enough pass phrase")
    User.objects.filter(pk=owner.pk).update(**fields)
    return owner


def must_be_refused() -> None:
    with pytest.raises(BackupError, match="is not empty"):
        must_be_empty()


def test_an_owner_who_never_signed_in_and_has_nothing_is_nobody() -> None:
    must_be_empty()
    make_owner()
    must_be_empty()


def test_an_owner_who_signed_in_is_somebody() -> None:
    make_owner(last_login=timezone.now())
    must_be_refused()


def test_an_owner_with_a_token_is_somebody() -> None:
    AccessToken.objects.create(make_owner(), name="a program")
    must_be_refused()


def test_an_owner_who_had_a_text_written_is_somebody() -> None:
    MagicRun.objects.create(user=make_owner(), category="lyrics", action="enhance", version="1")
    must_be_refused()


def test_anybody_else_is_somebody() -> None:
    make_user(username="a guest")
    must_be_refused()
    User.objects.all().delete()
    make_owner()
    make_user(username="a guest")
    must_be_refused()


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a second in place of fifteen. No worker of ours is in the cache."""
    monkeypatch.setattr(targets, "ALIVE", timedelta(seconds=1))
    monkeypatch.setattr(targets, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(Stat, "get_all", list)
    monkeypatch.setattr(targets, "stay_connected", lambda: False)


@pytest.mark.usefixtures("_quick")
def test_a_worker_that_has_just_ended_is_waited_for() -> None:
    leases.beat()
    told: list[str] = []
    with studio_stopped(told.append):
        assert len(told) == 1
        assert "Looking for 1 s" in told[0]
    with studio_stopped(told.append):
        assert len(told) == 1  # nothing to wait for


@pytest.mark.usefixtures("_quick")
def test_a_worker_that_goes_on_is_not_restored_under(monkeypatch: pytest.MonkeyPatch) -> None:
    leases.beat()
    sleep = time.sleep

    def work(seconds: float) -> None:
        sleep(seconds)
        leases.beat()

    monkeypatch.setattr(time, "sleep", work)
    started = time.monotonic()
    with pytest.raises(BackupError, match="The studio runs"), studio_stopped():
        pytest.fail("a worker lives")
    assert time.monotonic() - started < 1


@pytest.mark.usefixtures("_quick")
def test_a_worker_that_shows_life_in_the_cache_for_all_the_time_is_not_restored_under(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Stat, "get_all", lambda: ["a worker"])
    with pytest.raises(BackupError, match="The studio runs"), studio_stopped():
        pytest.fail("a worker lives")
