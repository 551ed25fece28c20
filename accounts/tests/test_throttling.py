"""How often the API may be asked, and what whoever asks too often is told."""

from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import throttling
from accounts.tests.clients import make_api_client
from accounts.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
SONGS, TOKEN, HEALTH = "/api/v1/songs/", "/api/v1/auth/token/", "/api/v1/health/"
ME = {"username": "ada", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _few(settings: Settings) -> None:
    cache.clear()
    settings.API_RATES = {"user": (3, 60), "anonymous": (4, 60), "token": (2, 60)}


def test_a_person_who_asks_too_often_is_told_when_to_come_back() -> None:
    api = make_api_client(make_user())
    assert [api.get(SONGS).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = api.get(SONGS)
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused.json()["detail"]
    assert make_api_client().get(SONGS).status_code == 200


def test_the_span_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("accounts.throttling.time.time", lambda: now)
    api = make_api_client(make_user())
    assert [api.get(SONGS).status_code for _ in range(4)] == [200, 200, 200, 429]
    now += 61
    assert api.get(SONGS).status_code == 200


def test_a_token_is_asked_for_rarely_right_or_wrong() -> None:
    make_user()
    assert APIClient().post(TOKEN, ME).status_code == 201
    assert APIClient().post(TOKEN, ME | {"password": "wrong"}).status_code == 401
    refused = APIClient().post(TOKEN, ME)
    assert (refused.status_code, refused["Retry-After"] > "0") == (429, True)
    assert APIClient(REMOTE_ADDR="192.0.2.7").post(TOKEN, ME).status_code == 201


def test_health_is_never_asked_too_often() -> None:
    assert all(APIClient().get(f"{HEALTH}live/").status_code == 200 for _ in range(9))


def test_a_rate_may_be_off(settings: Settings) -> None:
    settings.API_RATES = {"user": None, "anonymous": None, "token": None}
    api = make_api_client(make_user())
    assert all(api.get(SONGS).status_code == 200 for _ in range(9))


def test_a_cache_that_is_away_closes_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(throttling, "cache", type("Away", (), {"get": away, "set": away}))
    api = make_api_client(make_user())
    assert all(api.get(SONGS).status_code == 200 for _ in range(9))
