"""What can be done with a song through the API, and what is refused with its reason."""

import uuid
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from jobs.models import Charge, JobEvent, Phase, Status
from prompts.tests.factories import make_run
from songs.models import Song, Workflow
from songs.tests.factories import make_api_client, make_choice, make_file, make_song, make_user

pytestmark = pytest.mark.django_db
SONGS = "/api/v1/songs/"


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def at(song: Song, verb: str = "") -> str:
    return f"{SONGS}{song.pk}/{verb}"


def test_a_song_is_shown_in_full(api: APIClient) -> None:
    song = make_song(mureka_response={"id": "1"})
    make_file(make_choice(song))

    row = api.get(at(song)).json()

    assert (row["id"], row["lyrics"], row["mureka_response"]) == (str(song.pk), song.lyrics, {"id": "1"})
    assert row["choices"][0]["files"][0]["kind"] == "mp3"


@pytest.mark.parametrize("choices", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_choices(
    choices: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    api = APIClient()
    api.force_authenticate(make_user())
    song = make_song()
    for _number in range(choices):
        make_file(make_choice(song))

    with django_assert_num_queries(4):  # song, choices, files, stems
        assert len(api.get(at(song)).json()["choices"]) == choices


def test_only_what_is_sent_is_changed(api: APIClient) -> None:
    song = make_song(title="Old", tags="a")

    answer = api.patch(at(song), {"tags": "b, c", "workflow": "inUse", "status": "FAILURE"})

    song.refresh_from_db()
    assert answer.status_code == 200
    assert (answer.json()["tags"], answer.json()["workflow"]) == ("b, c", "inUse")
    assert (song.title, song.tags, song.workflow, song.status) == ("Old", "b, c", Workflow.IN_USE, Status.SUCCESS)


@pytest.mark.parametrize(("field", "value"), [("title", "x" * 501), ("workflow", "lost"), ("tags", 1), ("title", None)])
def test_a_wrong_change_is_refused_and_nothing_is_changed(api: APIClient, field: str, value: Any) -> None:
    song = make_song(title="Old")

    answer = api.patch(at(song), {"title": "New", field: value})

    song.refresh_from_db()
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert song.title == "Old"


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"workflow": Workflow.IN_USE}, "In use"), ({"status": Status.PROGRESS}, "being made")],
)
def test_a_protected_or_running_song_stays(api: APIClient, fields: dict[str, Any], why: str) -> None:
    song = make_song(**fields)

    answer = api.delete(at(song))

    assert answer.status_code == 409
    assert why in answer.json()["detail"]
    assert Song.objects.filter(pk=song.pk).exists()


def test_a_waiting_song_is_cancelled_for_nothing(api: APIClient) -> None:
    song = make_song(status=Status.PENDING)

    answer = api.post(at(song, "cancel/"))

    assert (answer.status_code, answer.json()["status"]) == (200, Status.CANCELLED)
    assert "detail" not in answer.json()


def test_a_running_song_goes_on_and_says_why(api: APIClient) -> None:
    song = make_song(status=Status.PROGRESS)

    answer = api.post(at(song, "cancel/"))

    assert (answer.status_code, answer.json()["status"]) == (202, Status.PROGRESS)
    assert "kept" in answer.json()["detail"]
    assert answer.json()["cancel_requested_at"]


def test_a_song_that_failed_is_submitted_again(api: APIClient) -> None:
    song = make_song(status=Status.FAILURE, charge=Charge.MAYBE)

    answer = api.post(at(song, "submit-again/"))

    assert (answer.status_code, answer.json()["status"], answer.json()["spent_before"]) == (202, "PENDING", "0.3000")


def test_an_uncertain_song_is_asked_about_by_the_job_id_a_person_found(api: APIClient) -> None:
    song = make_song(status=Status.FAILURE, phase=Phase.UNCERTAIN, job_id="")

    assert api.post(at(song, "refresh/")).status_code == 409
    answer = api.post(at(song, "refresh/"), {"job_id": "4711"})

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["job_id"]) == ("PROGRESS", "4711")


def test_the_job_id_of_an_earlier_submission_becomes_a_song_of_its_own(api: APIClient) -> None:
    song = make_song(job_id="4712")

    answer = api.post(at(song, "refresh/"), {"job_id": "4711"})

    assert answer.status_code == 202
    assert (answer.json()["id"] != str(song.pk), answer.json()["job_id"], answer.json()["cost"]) == (
        True, "4711", "0.0000",
    )  # fmt: skip


def test_a_song_of_an_earlier_submission_knows_how_its_words_came_about(api: APIClient) -> None:
    story = {
        f"{text}_{part}": f"{text}, {part}" for text in ("lyrics", "prompt", "title") for part in ("written", "magic")
    }
    runs = {f"{text}_run": make_run() for text in ("lyrics", "prompt", "title")}
    song = make_song(job_id="4712", **story, **runs)

    sibling = Song.objects.get(pk=api.post(at(song, "refresh/"), {"job_id": "4711"}).json()["id"])

    assert sibling != song
    assert {name: getattr(sibling, name) for name in story} == story
    assert {name: getattr(sibling, name) for name in runs} == runs


def test_a_job_id_of_another_song_is_refused(api: APIClient) -> None:
    song = make_song(status=Status.FAILURE, phase=Phase.UNCERTAIN, job_id="")
    other = make_song(job_id="4711")

    answer = api.post(at(song, "refresh/"), {"job_id": other.job_id})

    assert answer.status_code == 409
    assert "another job" in answer.json()["detail"]
    assert api.post(at(song, "refresh/"), {"job_id": 4711}).status_code == 400


@pytest.mark.parametrize("verb", ["cancel/", "submit-again/", "refresh/"])
def test_a_verb_that_does_not_fit_is_a_conflict_with_a_sentence(api: APIClient, verb: str) -> None:
    answer = api.post(at(make_song(), verb))

    assert answer.status_code == 409
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("verb", ["cancel/", "submit-again/", "refresh/"])
def test_a_song_that_does_not_exist_is_404(api: APIClient, verb: str) -> None:
    assert api.post(f"{SONGS}{uuid.uuid4()}/{verb}").status_code == 404


def test_many_songs_are_deleted_and_those_kept_are_named(api: APIClient) -> None:
    songs = [make_song(title="Gone 1"), make_song(title="Gone 2")]
    kept = make_song(title="Kept", workflow=Workflow.ON_WORK)
    other = make_song(title="Not asked for")
    ids = [str(song.pk) for song in [*songs, kept]] + [str(uuid.uuid4())]

    answer = api.post(f"{SONGS}bulk-delete/", {"ids": ids})

    assert answer.status_code == 200
    assert answer.json()["deleted"] == 2
    assert [row["title"] for row in answer.json()["kept"]] == ["Kept"]
    assert answer.json()["kept"][0]["reason"]
    assert set(Song.objects.live().values_list("pk", flat=True)) == {kept.pk, other.pk}


@pytest.mark.parametrize(
    "ids",
    [None, [], "all", ["not a uuid"], ["00000000-0000-4000-8000-000000000000"] * 501, {"0": "x"}],
    ids=lambda ids: str(ids)[:12],
)
def test_a_list_that_is_none_is_refused(api: APIClient, ids: Any) -> None:
    answer = api.post(f"{SONGS}bulk-delete/", {"ids": ids})

    assert (answer.status_code, list(answer.json())) == (400, ["ids"])


def test_what_happened_is_told_in_order(api: APIClient) -> None:
    song = make_song(status=Status.PENDING)
    song.tell("Asked for.")
    api.post(at(song, "cancel/"))

    lines = api.get(at(song, "history/")).json()

    assert [line["text"] for line in lines] == ["Asked for.", "Cancelled. Not charged."]
    assert JobEvent.objects.count() == 2
