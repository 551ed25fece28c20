"""A database that is away for a moment is 503 with a time to come back, not a mistake of ours."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from songs.tests.factories import make_api_client, make_user

pytestmark = pytest.mark.django_db


def break_down(*_: Any, **__: Any) -> Any:
    raise OperationalError("connection to server at 10.0.0.1 failed: password")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that answers nobody who asks for songs."""
    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", break_down)


def test_a_page_says_so(request: pytest.FixtureRequest) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(make_user())
    request.getfixturevalue("away")
    answer = client.get("/songs/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database does not answer" in answer.content.decode()
    assert "10.0.0.1" not in answer.content.decode()


def test_the_api_says_so(request: pytest.FixtureRequest) -> None:
    client: APIClient = make_api_client()
    request.getfixturevalue("away")
    answer = client.get("/api/v1/songs/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert "10.0.0.1" not in answer.content.decode()


def test_a_mistake_of_ours_is_still_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(make_user())
    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", lambda _self: 1 / 0)
    assert client.get("/songs/").status_code == 500
