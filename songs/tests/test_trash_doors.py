"""The three doors to the trash: pages, API and console delete, show and take back the same way."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from rest_framework.test import APIClient

from jobs.models import Status
from library import paging
from library.trash import KEPT_FOR
from songs.models import FileState, Song, SongChoice, Workflow
from songs.tests.engine import fresh
from songs.tests.factories import (
    make_api_client,
    make_choice,
    make_file,
    make_finished_song,
    make_song,
    make_stems,
    make_user,
)

pytestmark = pytest.mark.django_db
SONGS = "/api/v1/songs/"
CONSOLE = "/admin/songs/song/"


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def trashed(song: Song, **ago: float) -> Song:
    song.deleted_at = timezone.now() - timedelta(**ago)
    song.save()
    return song


def text_of(client: Client, url: str, **query: Any) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


# --- Pages ---


def test_a_song_is_moved_to_the_trash_after_a_question_and_can_be_taken_back(owner: Client) -> None:
    song = make_song(title="Rain")
    url = reverse("songs:delete", args=[song.pk])
    question = text_of(owner, url)
    assert "Delete “Rain”?" in question
    assert "Moved to the trash for 30 days" in question
    assert not fresh(song).is_in_trash
    answer = owner.post(url, follow=True).content.decode()
    assert '1 song moved to the trash for 30 days. <a href="/songs/trash/">Undo in the trash</a>' in answer
    assert fresh(song).is_in_trash

    restored = owner.post(reverse("songs:restore", args=[song.pk]), follow=True)
    assert restored.redirect_chain == [(song.get_absolute_url(), 302)]
    assert "1 song is back in the library." in restored.content.decode()
    assert not fresh(song).is_in_trash
    again = owner.post(reverse("songs:restore", args=[song.pk]), follow=True).content.decode()
    assert "Nothing was taken out of the trash." in again


def test_a_song_in_use_is_kept_and_says_why(owner: Client) -> None:
    song = make_song(title="Rain", workflow=Workflow.IN_USE)
    url = reverse("songs:delete", args=[song.pk])
    assert "Nothing here can be deleted." in text_of(owner, url)
    assert "“Rain” was kept. It is marked “In use”." in owner.post(url, follow=True).content.decode()
    assert not fresh(song).is_in_trash


def test_the_question_keeps_what_the_verb_would_keep(owner: Client) -> None:
    song = make_stems(status=Status.PENDING).choice.song
    assert "Nothing here can be deleted." in text_of(owner, reverse("songs:delete", args=[song.pk]))
    gone = trashed(make_song())
    assert "Nothing here can be deleted." in text_of(owner, reverse("songs:delete", args=[gone.pk]))


def test_chosen_songs_are_deleted_after_a_question_and_restored_together(owner: Client) -> None:
    gone, kept, other = make_song(title="Gone"), make_song(title="Kept", workflow=Workflow.ON_WORK), make_song()
    chosen = {"song": [str(gone.pk), str(kept.pk), "nonsense"]}
    question = owner.post("/songs/bulk-delete/", chosen).content.decode()
    assert "Delete 1 song?" in question
    assert "Kept, because they are in use" in question
    assert Song.objects.live().count() == 3
    answer = owner.post("/songs/bulk-delete/", chosen | {"confirmed": "yes"}, follow=True).content.decode()
    assert "1 song moved to the trash" in answer
    assert "“Kept” was kept. It is marked “On work”." in answer
    assert set(Song.objects.live()) == {kept, other}

    restored = owner.post("/songs/bulk-restore/", chosen, follow=True)
    assert restored.redirect_chain == [("/songs/trash/", 302)]
    assert "1 song is back in the library." in restored.content.decode()
    assert Song.objects.live().count() == 3


def test_choosing_nothing_is_no_error(owner: Client) -> None:
    assert "No song was chosen." in owner.post("/songs/bulk-delete/", follow=True).content.decode()
    assert "Nothing was taken out" in owner.post("/songs/bulk-restore/", follow=True).content.decode()
    assert owner.get("/songs/bulk-delete/").status_code == 405
    assert owner.get("/songs/bulk-restore/").status_code == 405


def test_lists_leave_out_what_lies_in_the_trash(owner: Client) -> None:
    make_song(title="Here")
    trashed(make_song(title="Thrown away"))
    trashed(make_stems(make_choice(make_song(title="Thrown stems")), status=Status.FAILURE).choice.song)
    trashed(make_song(title="Thrown failure", status=Status.FAILURE))
    for url in ("/", "/songs/", "/songs/new/", "/jobs/"):
        assert "Thrown" not in text_of(owner, url), url
    assert "No song matches." in text_of(owner, "/songs/", q="Thrown")
    assert owner.get("/songs/", {"trashed": "true"}).headers["Location"] == "/songs/trash/"


def test_the_trash_shows_what_was_deleted_last_first_and_until_when_it_stays(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    assert "The trash is empty." in text_of(owner, "/songs/trash/")
    make_song(title="Here")
    for days in (3, 1, 2):
        trashed(make_finished_song(title=f"Day {days}"), days=days)
    page = owner.get("/songs/trash/")
    assert [song.title for song in page.context["page_obj"].rows] == ["Day 1", "Day 2"]
    html = page.content.decode()
    day = date_format(timezone.localtime(timezone.now() - timedelta(days=1) + KEPT_FOR), "j F Y")
    assert f"goes for good on {day}" in html
    assert html.count('data-src="/songs/choices/') == 2  # one can listen before restoring
    assert 'rel="next" href="/songs/trash/?page=2"' in html
    assert "Day 3" in text_of(owner, "/songs/trash/", page=2)


def test_the_number_of_queries_of_the_trash_does_not_grow_with_the_songs(
    owner: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    trashed(make_finished_song())
    with django_assert_max_num_queries(14) as few:
        owner.get("/songs/trash/")
    for _number in range(9):
        trashed(make_finished_song())
    with django_assert_num_queries(len(few.captured_queries)):
        owner.get("/songs/trash/")


def test_the_page_of_a_song_in_the_trash_plays_and_restores_and_does_nothing_else(owner: Client) -> None:
    song = trashed(make_finished_song())
    make_file(song.choices.first(), "wav", state=FileState.MISSING)
    page = text_of(owner, song.get_absolute_url())
    assert "In the trash. On " in page
    assert f'action="/songs/{song.pk}/restore/"' in page
    assert page.count("data-play ") == 2
    for gone in ("Delete…", "/rating/", "Save</button>", "Make stems", "Try again now"):
        assert gone not in page, gone
    choice = song.choices.first()
    assert choice is not None
    assert owner.get(reverse("songs:file", args=[choice.pk, "mp3"])).status_code == 200


@pytest.mark.parametrize("fields", [{"status": Status.FAILURE}, {"status": Status.FAILURE, "phase": "uncertain"}])
def test_a_failed_song_in_the_trash_offers_nothing_that_costs(owner: Client, fields: dict[str, Any]) -> None:
    song = trashed(make_song(**fields))
    page = text_of(owner, song.get_absolute_url())
    for gone in ("Submit again", "Ask Mureka"):
        assert gone not in page, gone
    for verb in ("submit-again", "refresh", "edit"):
        sent = {"title": "New", "tags": "", "workflow": Workflow.NOT_USED}
        answer = owner.post(f"/songs/{song.pk}/{verb}/", sent, follow=True).content.decode()
        assert "It is in the trash. Restore it first." in answer, verb
    assert fresh(song).title == song.title


def test_a_thumb_for_a_song_in_the_trash_is_refused_with_a_sentence(owner: Client) -> None:
    choice = make_choice(trashed(make_song()))
    answer = owner.post(reverse("songs:rate", args=[choice.pk]), {"rating": "1"}, follow=True)
    assert "It is in the trash. Restore it first." in answer.content.decode()
    assert SongChoice.objects.get().rating is None


# --- API ---


def test_a_song_is_deleted_read_in_the_trash_and_taken_back(api: APIClient) -> None:
    song = make_song()
    assert api.get(f"{SONGS}{song.pk}/").json()["deleted_at"] is None
    for _time in range(2):
        assert api.delete(f"{SONGS}{song.pk}/").status_code == 204
    row = api.get(f"{SONGS}{song.pk}/")
    assert row.status_code == 200
    assert row.json()["deleted_at"]
    for _time in range(2):
        answer = api.post(f"{SONGS}{song.pk}/restore/")
        assert (answer.status_code, answer.json()["deleted_at"]) == (200, None)


def test_the_list_shows_the_trash_only_if_it_is_asked_for(api: APIClient) -> None:
    make_song(title="Here")
    trashed(make_song(title="First"), days=2)
    trashed(make_song(title="Last"), days=1)

    def titles(**query: str) -> list[str]:
        return [row["title"] for row in api.get(SONGS, query).json()["results"]]

    assert titles() == titles(trashed="false") == ["Here"]
    assert titles(trashed="true") == ["Last", "First"]
    assert titles(trashed="true", ordering="title") == ["First", "Last"]
    assert titles(trashed="true", q="first") == ["First"]
    assert api.get(SONGS, {"trashed": "perhaps"}).status_code == 400


def test_what_lies_in_the_trash_is_a_conflict_with_a_sentence(api: APIClient) -> None:
    choice = make_choice(trashed(make_song(status=Status.FAILURE)))
    stems = make_choice(choice.song)
    make_stems(stems, status=Status.FAILURE)
    song, at_choice = f"{SONGS}{choice.song_id}/", f"/api/v1/song-choices/{choice.pk}/"
    answers = [
        api.post(f"{song}submit-again/"),
        api.post(f"{song}refresh/"),
        api.patch(song, {"title": "New"}),
        api.patch(at_choice, {"rating": 1}),
        api.post(f"{at_choice}stems/"),
        api.post(f"/api/v1/song-choices/{stems.pk}/stems/submit-again/"),
    ]
    assert [answer.status_code for answer in answers] == [409] * 6
    assert {answer.json()["detail"] for answer in answers} == {"It is in the trash. Restore it first."}
    row = api.get(song).json()
    assert (row["can_submit_again"], row["can_ask_again"]) == (False, False)


# --- Console ---


def act(client: Client, action: str, *songs: Song, url: str = CONSOLE) -> str:
    data = {"action": action, "_selected_action": [str(song.pk) for song in songs]}
    return client.post(url, data, follow=True).content.decode()


def test_the_console_moves_to_the_trash_keeps_what_is_protected_and_takes_back(owner: Client) -> None:
    goes, used, runs = make_song(), make_song(workflow=Workflow.IN_USE), make_song(status=Status.PROGRESS)
    page = act(owner, "delete_selected", goes, used, runs)
    assert "1 song moved to the trash for 30 days." in page
    assert f"“{used.title}” stays. It is marked “In use”." in page
    assert f"“{runs.title}” stays. It is being made." in page
    assert set(Song.objects.live()) == {used, runs}
    assert goes.title not in text_of(owner, CONSOLE)
    assert used.title in text_of(owner, CONSOLE)
    trash = text_of(owner, CONSOLE, trash="yes")
    assert goes.title in trash
    assert used.title not in trash
    assert 'name="form-0-workflow"' not in trash
    assert 'value="restore"' in trash
    assert 'value="submit_again"' not in trash

    assert "1 song is out of the trash." in act(owner, "restore", goes, url=f"{CONSOLE}?trash=yes")
    assert not fresh(goes).is_in_trash
    logged = LogEntry.objects.order_by("pk").values_list("object_id", "action_flag", "change_message")
    assert list(logged) == [
        (str(goes.pk), CHANGE, "Moved to the trash."),
        (str(goes.pk), CHANGE, "Taken out of the trash."),
    ]


def test_the_delete_button_of_one_song_obeys_the_same_rules_and_speaks_of_the_trash(owner: Client) -> None:
    goes, used = make_finished_song(), make_song(workflow=Workflow.ON_WORK)
    assert "deletelink" not in text_of(owner, f"{CONSOLE}{used.pk}/change/")
    assert owner.post(f"{CONSOLE}{used.pk}/delete/", {"post": "yes"}).status_code == 403
    assert f"Move “{goes.title}” to the trash?" in text_of(owner, f"{CONSOLE}{goes.pk}/delete/")
    page = owner.post(f"{CONSOLE}{goes.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "1 song moved to the trash for 30 days." in page
    assert "deleted successfully" not in page
    assert fresh(goes).is_in_trash


def test_the_console_shows_a_song_in_the_trash_and_lets_nobody_change_it(owner: Client) -> None:
    song = trashed(make_song(status=Status.FAILURE))
    choice = make_choice(song)
    page = text_of(owner, f"{CONSOLE}{song.pk}/change/")
    assert "then it goes for good." in page
    for gone in ('name="_save"', "deletelink", 'value="submit_again"'):
        assert gone not in page, gone
    assert owner.post(f"{CONSOLE}{song.pk}/change/", {"title": "New"}).status_code == 403
    assert owner.post(f"/admin/songs/songchoice/{choice.pk}/change/", {"title": "New"}).status_code == 403
    assert str(choice.pk) not in text_of(owner, "/admin/songs/songchoice/")


def test_a_list_that_was_open_while_a_song_went_to_the_trash_changes_nothing(owner: Client) -> None:
    song = make_song()
    other = make_song()
    form = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(song.pk),
        "form-0-workflow": Workflow.IN_USE, "_save": "Save",
    }  # fmt: skip
    trashed(song)
    owner.post(CONSOLE, form)
    assert (fresh(song).workflow, fresh(other).workflow) == (Workflow.NOT_USED, Workflow.NOT_USED)
