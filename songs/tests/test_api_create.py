"""Asking for a song through the API: the row is there at once, and one wish is paid for once."""

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Phase, Status
from songs.models import LYRICS_LIMIT, Song, SongModel
from songs.tests.factories import make_api_client

pytestmark = pytest.mark.django_db
SONGS = "/api/v1/songs/"
WISH = {"lyrics": "[Verse]\n  Rain ", "prompt": "folk"}


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def test_a_song_asked_for_is_a_row_at_once(api: APIClient) -> None:
    answer = api.post(SONGS, WISH | {"title": "Rain", "tags": "wet", "variants": 3, "gender": "female"})

    song = Song.objects.get()
    row = answer.json()
    assert answer.status_code == 202
    assert answer["Location"] == f"http://testserver{SONGS}{song.pk}/"
    assert api.get(answer["Location"]).json() == row
    assert (row["status"], row["phase"], row["charge"]) == (Status.PENDING, Phase.WAITING, "no")
    assert (song.lyrics, song.variants, song.gender, song.is_instrumental) == (WISH["lyrics"], 3, "female", False)
    assert (row["cost"], row["requested_by"]) == ("0.4500", song.requested_by.username)  # type: ignore[union-attr]


def test_an_instrumental_needs_no_lyrics_and_keeps_none(api: APIClient) -> None:
    row = api.post(SONGS, {"prompt": "piano", "lyrics": "not sung", "is_instrumental": True}).json()

    assert (row["is_instrumental"], row["lyrics"], row["variants"]) == (True, "", 2)


def test_unknown_fields_are_ignored(api: APIClient) -> None:
    assert api.post(SONGS, WISH | {"status": "SUCCESS", "cost": "0", "colour": "red"}).status_code == 202
    assert Song.objects.get().cost == Decimal("0.30")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lyrics": ""}, "lyrics"),
        ({"lyrics": "x" * (LYRICS_LIMIT + 1)}, "lyrics"),
        ({"lyrics": ["a"]}, "lyrics"),
        ({"lyrics": "a\x00"}, "lyrics"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"title": 7}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"tags": {"a": 1}}, "tags"),
        ({"model": "none such"}, "model"),
        ({"model": "audio-separation-1"}, "model"),
        ({"variants": 0}, "variants"),
        ({"variants": 4}, "variants"),
        ({"variants": "two"}, "variants"),
        ({"variants": True}, "variants"),
        ({"variants": 10**400}, "variants"),
        ({"gender": "other"}, "gender"),
        ({"is_instrumental": "perhaps"}, "is_instrumental"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_nothing_is_made(api: APIClient, change: dict[str, Any], field: str) -> None:
    answer = api.post(SONGS, WISH | change)

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert answer.json()[field]
    assert not Song.objects.exists()


def test_the_same_key_again_returns_the_same_song(api: APIClient) -> None:
    first = api.post(SONGS, WISH, headers={"Idempotency-Key": "wish 1"})
    SongModel.objects.update(is_active=False)  # what is not offered any more was asked for already
    second = api.post(SONGS, WISH | {"title": "Other"}, headers={"Idempotency-Key": "wish 1"})

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert Song.objects.count() == 1


def test_another_key_and_another_persons_key_are_other_wishes(api: APIClient) -> None:
    api.post(SONGS, WISH, headers={"Idempotency-Key": "1"})
    api.post(SONGS, WISH, headers={"Idempotency-Key": "2"})
    make_api_client().post(SONGS, WISH, headers={"Idempotency-Key": "1"})
    api.post(SONGS, WISH)

    assert Song.objects.count() == 4


@pytest.mark.parametrize("key", ["", "   ", "k" * 201])
def test_a_key_that_names_nothing_is_refused(api: APIClient, key: str) -> None:
    answer = api.post(SONGS, WISH, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert list(answer.json()) == ["Idempotency-Key"]
    assert not Song.objects.exists()


def test_the_models_come_with_their_prices(api: APIClient) -> None:
    models = {row["name"]: row for row in api.get(f"{SONGS}models/").json()}

    assert models["auto"]["is_default"] is True
    assert (models["auto"]["song_price"], models["auto"]["stems_price"]) == ("0.1500", None)
    assert models["mureka-o2"]["instrumental_price"] is None
