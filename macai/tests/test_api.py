"""Promises of the whole API: nobody comes in unknown, and every no is clean JSON."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework.test import APIClient

from songs.tests.factories import PASSWORD, make_api_client, make_song, make_user

pytestmark = pytest.mark.django_db
SONGS = "/api/v1/songs/"
SAMPLES: dict[str, Any] = {"uuid": uuid.uuid4(), "slug": "mp3", "str": "x", "int": 1, "path": "x"}
# What is open by decision; the mock checks its own key, static files are no secret.
OPEN = {
    "/api/v1/health/",
    "/api/v1/health/live/",
    "/api/v1/health/ready/",
    "/api/v1/auth/token/",
    "/sign-in/",
    "/first-visit/",
    "/admin/login/",
    "/admin/jsi18n/",
}
OPEN_BELOW = ("/mock/", "/static/")


def addresses(patterns: list[Any], before: str = "/") -> Iterator[str]:
    """Walk every address of the site, with a sample for each of its variables."""
    for pattern in patterns:
        route = str(pattern.pattern)
        converters = getattr(pattern.pattern, "converters", None)
        if converters:
            for name, converter in converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
                for spelling in (f"<{kind}:{name}>", f"<{name}>"):
                    route = route.replace(spelling, str(SAMPLES[kind]))
        address = before + route.removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield address


def test_no_address_answers_without_a_sign_in() -> None:
    make_user()
    client = Client(raise_request_exception=False)
    seen = [address for address in addresses(get_resolver().url_patterns) if not address.startswith(OPEN_BELOW)]
    assert {SONGS, "/api/v1/queue/", "/api/docs/", "/api/openapi.json"} <= set(seen)

    for address in seen:
        if address in OPEN:
            continue
        for send in (client.get, client.post, client.delete):
            answer = send(address)
            place = answer.headers.get("Location", "") if answer.status_code == 302 else ""
            is_led_to_sign_in = place.startswith(("/sign-in/", "/admin/login/"))
            assert is_led_to_sign_in or answer.status_code == 401, (address, answer.status_code)


def test_without_a_token_the_answer_is_401_and_names_the_scheme() -> None:
    for client in (APIClient(), APIClient(headers={"Authorization": "Token macai_wrong"})):
        answer = client.get(SONGS)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
        assert answer.json()["detail"]


def test_a_session_reads_and_must_prove_itself_to_write() -> None:
    user = make_user()
    client = APIClient(enforce_csrf_checks=True)
    assert client.login(username=user.username, password=PASSWORD)

    assert client.get(SONGS).status_code == 200
    refused = client.post(SONGS, {"prompt": "x"})
    assert (refused.status_code, "CSRF" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    "address",
    [
        "/api/",
        "/api/v1/",
        "/api/v1/nothing/",
        "/api/v1/songs",
        "/api/v1/songs/not-a-uuid/",
        "/api/v1/songs/not-a-uuid/cancel/",
        "/api/v1/song-choices/1/",
        "/api/v1/songs/00000000-0000-4000-8000-000000000000/",
    ],
)
def test_what_does_not_exist_is_404_in_json(address: str) -> None:
    api = make_api_client()

    for answer in (api.get(address), api.delete(address)):
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ("{", "application/json", 400),
        ("[1]", "application/json", 400),
        ('"text"', "application/json", 400),
        ("null", "application/json", 400),
        (b'{"prompt": "\xff"}', "application/json", 400),
        ('{"prompt": "\\ud800", "lyrics": "a"}', "application/json", 400),
        ('{"prompt": NaN}', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("x" * 3_000_000, "application/json", 413),
        ("prompt=" + "x" * 3_000_000, "application/x-www-form-urlencoded", 413),
        ("&".join(f"a{number}=1" for number in range(2000)), "application/x-www-form-urlencoded", 400),
        ("<song/>", "application/xml", 415),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_cannot_be_read_is_refused(body: str | bytes, content_type: str, code: int) -> None:
    answer = make_api_client().post(SONGS, body, content_type=content_type)

    assert (answer.status_code, answer["Content-Type"]) == (code, "application/json")


def test_what_nobody_foresaw_is_a_clean_500_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.DEBUG = True

    def break_down(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("songs.curation.edit_song", break_down)
    answer = make_api_client().patch(f"{SONGS}{make_song().pk}/", {"title": "x"})

    assert (answer.status_code, list(answer.json())) == (500, ["detail"])
    assert "secret" not in answer.content.decode()
    assert any(record.exc_info and "secret inside" in str(record.exc_info[1]) for record in caplog.records)


def test_a_method_that_does_not_fit_is_405() -> None:
    assert make_api_client().put(SONGS, {}).status_code == 405


def test_the_browsable_api_shows_the_list_to_whoever_is_signed_in() -> None:
    client = Client()
    client.force_login(make_user())
    make_song(title="Rain on the roof")

    answer = client.get(SONGS, headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert "Rain on the roof" in answer.content.decode()


def test_the_queue_shows_what_runs_and_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    make_song(title="At work", status="PROGRESS")
    make_song(title="In line", status="PENDING")
    make_song(title="Lost", status="FAILURE", phase="uncertain", job_id="")
    make_song(title="Broken", status="FAILURE", error_message="Mureka refused. Not charged.")

    queue = make_api_client().get("/api/v1/queue/").json()

    assert {name: queue[name] for name in ("waiting", "submitting", "running", "saving", "uncertain")} == {
        "waiting": 1, "submitting": 0, "running": 1, "saving": 0, "uncertain": 1,
    }  # fmt: skip
    assert [job["title"] for job in queue["running_jobs"]] == ["At work"]
    assert {job["title"]: job["error_message"] for job in queue["last_failures"]} == {
        "Broken": "Mureka refused. Not charged.",
        "Lost": "",
    }
    assert queue["oldest_waiting_seconds"] >= 0
    assert queue["workers"] == []


@pytest.mark.parametrize("rows", [1, 20])
def test_the_queue_asks_the_database_as_often_for_many_jobs(rows: int, django_assert_max_num_queries: Any) -> None:
    api = APIClient()
    api.force_authenticate(make_user())
    for _number in range(rows):
        make_song(status="PROGRESS")
        make_song(status="FAILURE")

    with django_assert_max_num_queries(20):
        api.get("/api/v1/queue/")
