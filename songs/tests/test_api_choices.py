"""Choices in the API: thumbs, files in whole and in part, stems."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from jobs.models import Status
from songs.models import FileState, SongChoice, StemSeparation
from songs.tests.factories import make_api_client, make_choice, make_file, make_stems

pytestmark = pytest.mark.django_db
CONTENT = b"ID3" + bytes(range(256)) * 4


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def at(choice: SongChoice, verb: str = "") -> str:
    return f"/api/v1/song-choices/{choice.pk}/{verb}"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_choice_is_shown_with_its_timed_lyrics(api: APIClient) -> None:
    choice = make_choice()

    row = api.get(at(choice)).json()

    assert (row["id"], row["song"]) == (str(choice.pk), str(choice.song_id))
    assert row["lyrics_sections"] == choice.lyrics_sections


@pytest.mark.parametrize("rating", [1, 0, None])
def test_a_choice_is_rated(api: APIClient, rating: int | None) -> None:
    choice = make_choice(rating=None if rating else 1)

    answer = api.patch(at(choice), {"rating": rating, "title": "Best"})

    choice.refresh_from_db()
    assert (answer.status_code, answer.json()["rating"]) == (200, rating)
    assert (choice.rating, choice.title) == (rating, "Best")


def test_a_rating_that_is_not_sent_stays(api: APIClient) -> None:
    choice = make_choice(rating=1)

    api.patch(at(choice), {"tags": "x"})

    choice.refresh_from_db()
    assert (choice.rating, choice.tags) == (1, "x")


@pytest.mark.parametrize(
    ("field", "value"), [("rating", 2), ("rating", "up"), ("rating", True), ("title", "x" * 501), ("tags", 7)]
)
def test_a_wrong_change_is_refused_as_a_whole(api: APIClient, field: str, value: Any) -> None:
    choice = make_choice(title="Old")

    answer = api.patch(at(choice), {"rating": 1, "title": "New"} | {field: value})

    choice.refresh_from_db()
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert (choice.rating, choice.title) == (None, "Old")


@pytest.mark.usefixtures("media")
def test_a_file_is_sent_whole(api: APIClient) -> None:
    choice = make_choice(title="Rain")
    make_file(choice, content=CONTENT)

    answer = api.get(at(choice, "files/mp3/"))

    assert (answer.status_code, answer["Content-Type"], body(answer)) == (200, "audio/mpeg", CONTENT)
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Disposition"].startswith("inline")


@pytest.mark.usefixtures("media")
def test_a_file_is_sent_in_part_so_that_a_player_can_jump(api: APIClient) -> None:
    choice = make_choice()
    make_file(choice, content=CONTENT)

    answer = api.get(at(choice, "files/mp3/"), headers={"Range": "bytes=10-19"})

    assert (answer.status_code, body(answer)) == (206, CONTENT[10:20])
    assert answer["Content-Range"] == f"bytes 10-19/{len(CONTENT)}"
    assert api.get(at(choice, "files/mp3/"), headers={"Range": "bytes=99999-"}).status_code == 416


@pytest.mark.usefixtures("media")
def test_a_file_is_saved_under_the_songs_name(api: APIClient) -> None:
    choice = make_choice(title="Rain")
    make_file(choice, content=CONTENT)

    answer = api.get(at(choice, "files/mp3/"), {"download": "1"})

    assert answer["Content-Disposition"] == 'attachment; filename="Rain 1.mp3"'
    assert body(answer) == CONTENT


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize("accept", ["audio/mpeg", "audio/*;q=0.9", "text/html", "*/*"])
def test_a_player_that_accepts_audio_only_gets_it_too(api: APIClient, accept: str) -> None:
    choice = make_choice()
    make_file(choice, content=CONTENT)

    answer = api.get(at(choice, "files/mp3/"), headers={"Accept": accept})

    assert (answer.status_code, body(answer)) == (200, CONTENT)
    assert api.head(at(choice, "files/mp3/"), headers={"Accept": accept}).status_code == 200


@pytest.mark.usefixtures("media")
def test_a_file_that_is_not_at_home_is_404(api: APIClient) -> None:
    choice = make_choice()
    make_file(choice, state=FileState.WAITING)
    make_file(choice, kind="flac")  # the row says home, the disk does not have it

    for kind in ("mp3", "flac", "wav", "exe"):
        answer = api.get(at(choice, f"files/{kind}/"))
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json"), kind
        assert answer.json()["detail"]


def test_stems_asked_for_twice_are_one_separation(api: APIClient) -> None:
    choice = make_choice()

    assert api.get(at(choice, "stems/")).status_code == 404
    first = api.post(at(choice, "stems/"))
    second = api.post(at(choice, "stems/"), {"model": "audio-separation-2"})

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert api.get(at(choice, "stems/")).json() == first.json()
    assert StemSeparation.objects.get().model == "audio-separation-1"


@pytest.mark.parametrize("model", ["none such", "auto", 3])
def test_a_model_that_makes_no_stems_is_refused(api: APIClient, model: Any) -> None:
    answer = api.post(at(make_choice(), "stems/"), {"model": model})

    assert (answer.status_code, list(answer.json())) == (400, ["model"])
    assert not StemSeparation.objects.exists()


def test_stems_that_failed_are_paid_for_again_only_on_purpose(api: APIClient) -> None:
    stems = make_stems(status=Status.FAILURE, error_message="No answer. It may have been charged.")

    refused = api.post(at(stems.choice, "stems/"))
    again = api.post(at(stems.choice, "stems/submit-again/"))

    assert (refused.status_code, refused.json()) == (409, {"detail": "No answer. It may have been charged."})
    assert (again.status_code, again.json()["status"]) == (202, Status.PENDING)
    assert api.post(at(stems.choice, "stems/submit-again/")).status_code == 409


def test_stems_that_wait_are_cancelled(api: APIClient) -> None:
    stems = make_stems(status=Status.PENDING)

    assert api.post(at(stems.choice, "stems/cancel/")).json()["status"] == Status.CANCELLED
    assert api.post(at(stems.choice, "stems/cancel/")).status_code == 409
    assert api.post(at(make_choice(), "stems/cancel/")).status_code == 404


def test_the_archive_is_a_file_of_the_choice(api: APIClient) -> None:
    stems = make_stems()
    make_file(stems.choice, kind="stems")

    files = api.get(at(stems.choice, "stems/")).json()["files"]

    assert [(file["kind"], file["url"]) for file in files] == [("stems", at(stems.choice, "files/stems/"))]


def test_a_choice_that_does_not_exist_is_404(api: APIClient) -> None:
    lost = f"/api/v1/song-choices/{uuid.uuid4()}/"

    assert [api.get(lost + verb).status_code for verb in ("", "stems/", "files/mp3/")] == [404, 404, 404]
    assert [api.post(lost + verb).status_code for verb in ("stems/", "stems/submit-again/")] == [404, 404]
    assert api.patch(lost, {"rating": 1}).status_code == 404
