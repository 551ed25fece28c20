"""The list of songs in the API: what is found, in which order, on which page, at what price in queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from jobs.models import Phase, Status
from songs.models import Workflow
from songs.tests.factories import make_api_client, make_choice, make_file, make_instrumental, make_song, make_user

pytestmark = pytest.mark.django_db
SONGS = "/api/v1/songs/"


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def titles(api: APIClient, **query: Any) -> list[str]:
    answer = api.get(SONGS, query)
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]]


def test_songs_are_listed_newest_first_without_what_is_heavy(api: APIClient) -> None:
    make_song(title="Old", created_at=timezone.now() - timedelta(days=1))
    make_file(make_choice(make_song(title="New", mureka_response={"big": "answer"})))

    rows = api.get(SONGS).json()["results"]

    assert [row["title"] for row in rows] == ["New", "Old"]
    assert not {"lyrics", "mureka_response", "error_detail"} & rows[0].keys()
    assert "lyrics_sections" not in rows[0]["choices"][0]
    assert rows[0]["choices"][0]["files"][0]["url"].endswith("/files/mp3/")


@pytest.mark.parametrize("rows", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_songs(
    rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    user = make_user()
    api = APIClient()
    api.force_authenticate(user)
    for _number in range(rows):
        song = make_song()
        for _choice in range(2):
            make_file(make_choice(song))

    with django_assert_num_queries(4):  # ids, songs, choices, files
        assert len(api.get(SONGS).json()["results"]) == rows


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("rain", ["Rain"]),
        ("RAIN", ["Rain"]),
        ("thunder", ["Storm"]),
        ("jazz", ["Quiet"]),
        ("storm thunder", ["Storm"]),
        ("storm jazz", []),
        ("100%", ["Quiet"]),
        ("_", []),
        ("ÉTÉ", ["Storm"]),
        ("été", ["Storm"]),
    ],
)
def test_every_word_must_be_in_title_lyrics_or_tags(api: APIClient, words: str, found: list[str]) -> None:
    make_song(title="Rain", lyrics="la la")
    make_song(title="Storm", lyrics="Thunder in été")
    make_song(title="Quiet", lyrics="no word", tags="jazz, 100% calm")

    assert titles(api, q=words) == found


def test_the_filters_leave_what_they_say(api: APIClient) -> None:
    make_song(title="done", workflow=Workflow.IN_USE)
    make_song(title="failed", status=Status.FAILURE)
    make_song(title="lost", status=Status.FAILURE, phase=Phase.UNCERTAIN)
    make_instrumental(title="piano", status=Status.PENDING)

    assert titles(api, status="SUCCESS") == ["done"]
    assert titles(api, status="FAILURE", ordering="created_at") == ["failed", "lost"]
    assert titles(api, workflow="inUse") == ["done"]
    assert titles(api, kind="instrumental") == ["piano"]
    assert "piano" not in titles(api, kind="song")
    assert titles(api, phase="uncertain") == titles(api, is_uncertain="true") == ["lost"]
    assert titles(api, is_uncertain="false", ordering="created_at") == ["done", "failed", "piano"]
    assert titles(api, phase="waiting") == ["piano"]
    assert titles(api, phase="ended", ordering="created_at") == ["done", "failed"]


def test_songs_are_found_by_when_they_were_asked_for(api: APIClient) -> None:
    now = timezone.now().replace(year=2026, month=6, day=15, hour=12)
    for days in (0, 1, 2):
        make_song(title=f"{days}", created_at=now - timedelta(days=days))

    assert titles(api, created_after="2026-06-14", created_before="2026-06-15") == ["1"]
    assert titles(api, created_after=now.isoformat()) == ["0"]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "DONE"},
        {"workflow": "lost"},
        {"kind": "opera"},
        {"phase": "later"},
        {"is_uncertain": "perhaps"},
        {"created_after": "yesterday"},
        {"ordering": "lyrics"},
        {"q": "a\x00b"},
        {"page": "0"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "99999999999999999999"},
        {"page_size": "0"},
        {"page_size": "101"},
    ],
)
def test_a_wrong_value_is_refused_with_its_field(api: APIClient, query: dict[str, str]) -> None:
    answer = api.get(SONGS, query)

    assert answer.status_code == 400
    assert list(answer.json()) == list(query)


@pytest.mark.parametrize("ordering", ["-created_at", "created_at", "title", "-title", "status", "updated_at"])
def test_the_pages_of_any_order_hold_every_song_once(api: APIClient, ordering: str) -> None:
    moment = timezone.now()
    for number in range(7):
        make_song(title=f"T{number % 2}", created_at=moment - timedelta(minutes=number // 3))
    whole = titles(api, ordering=ordering)

    seen, address = [], f"{SONGS}?ordering={ordering}&page_size=3"
    ids: list[str] = []
    while address:
        page = api.get(address).json()
        seen += [row["title"] for row in page["results"]]
        ids += [row["id"] for row in page["results"]]
        address = page["next"]

    assert seen == whole
    assert len(set(ids)) == 7


def test_a_page_knows_the_pages_beside_it(api: APIClient) -> None:
    for _number in range(5):
        make_song()

    first = api.get(SONGS, {"page_size": "2", "status": "SUCCESS"}).json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()

    assert first["previous"] is None
    assert api.get(second["previous"]).json()["results"] == first["results"]
    assert api.get(third["previous"]).json()["results"] == second["results"]
    assert (len(third["results"]), third["next"]) == (1, None)
    assert api.get(SONGS, {"page": 9}).json()["results"] == []
