"""The console door to songs: it calls the services, keeps what is protected, and costs the same at any size."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs.models import Charge, JobEvent, Phase, Status
from songs import curation
from songs.models import FileState, Song, SongChoice, SongFile, SongModel, Workflow
from songs.tests.factories import (
    make_choice,
    make_file,
    make_instrumental,
    make_song,
    make_stems,
    make_user,
)

pytestmark = pytest.mark.django_db
SONGS = "/admin/songs/song/"
CHOICES = "/admin/songs/songchoice/"


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def act(client: Client, action: str, *songs: Any, url: str = SONGS, **fields: str) -> str:
    """Choose an action for rows of a list, and return the page that follows."""
    data = {"action": action, "_selected_action": [str(song.pk) for song in songs], **fields}
    return client.post(url, data, follow=True).content.decode()


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


# --- Actions ---


def test_cancel_frees_waiting_songs_and_says_what_became_of_each(owner: Client) -> None:
    waits, runs, done = make_song(status="PENDING"), make_song(status="PROGRESS"), make_song()
    page = act(owner, "cancel", waits, runs, done)
    waits.refresh_from_db()
    runs.refresh_from_db()
    done.refresh_from_db()
    assert waits.status == Status.CANCELLED
    assert runs.status == Status.PROGRESS
    assert runs.cancel_requested_at is not None
    assert done.status == Status.SUCCESS
    assert f"“{waits.title}”: Cancelled. Not charged." in page
    assert f"“{runs.title}”: It was submitted already and cannot be stopped" in page
    assert f"“{done.title}”: It has ended already" in page
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {str(waits.pk), str(runs.pk)}


def test_a_song_that_cost_nothing_is_submitted_again_at_once(owner: Client) -> None:
    song = make_song(status="FAILURE", charge=Charge.NO, job_id="")
    act(owner, "submit_again", song)
    song.refresh_from_db()
    assert (song.status, song.phase) == (Status.PENDING, Phase.WAITING)
    assert JobEvent.objects.filter(job_pk=song.pk, text="Submitted again by hand.").count() == 1


def test_a_song_that_may_have_been_paid_for_is_submitted_again_only_after_the_sum_is_confirmed(owner: Client) -> None:
    price = SongModel.objects.get(name="auto").song_price
    assert price is not None
    song = make_song(status="FAILURE", phase=Phase.UNCERTAIN, charge=Charge.MAYBE, job_id="", cost=price, variants=2)
    page = act(owner, "submit_again", song)
    song.refresh_from_db()
    assert song.status == Status.FAILURE, "nothing may be spent before the confirmation"
    total = f"${price * 2:.2f}"
    assert f"This costs {total}." in page
    assert "May have been charged" in page

    act(owner, "submit_again", song, confirmed="$0.01")
    song.refresh_from_db()
    assert song.status == Status.FAILURE, "another sum than the one confirmed is asked about again"

    act(owner, "submit_again", song, confirmed=total)
    song.refresh_from_db()
    assert song.status == Status.PENDING
    assert song.spent_before == price
    assert song.cost == price * 2


def test_asking_again_takes_the_lost_job_id_from_the_songs_page(owner: Client) -> None:
    song = make_song(status="FAILURE", phase=Phase.UNCERTAIN, charge=Charge.MAYBE, job_id="")
    page = act(owner, "ask_again", song)
    assert "The provider&#x27;s job id is not known." in page
    assert 'name="job_id"' in owner.get(f"{SONGS}{song.pk}/change/").content.decode()
    page = act(owner, "ask_again", song, job_id="700123", from_page="1")
    song.refresh_from_db()
    assert (song.status, song.phase, song.job_id) == (Status.PROGRESS, Phase.RUNNING, "700123")
    assert "It is asked about now." in page
    assert "| Change song |" in page, "the song's page follows, not the list"


def test_stems_are_acted_on_by_the_same_verbs(owner: Client) -> None:
    stems = make_stems(status="PENDING")
    act(owner, "cancel", stems, url="/admin/songs/stemseparation/")
    stems.refresh_from_db()
    assert stems.status == Status.CANCELLED
    assert owner.get(f"/admin/songs/stemseparation/{stems.pk}/change/").status_code == 200


def test_somebody_who_may_only_look_can_do_nothing(client: Client) -> None:
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    person = make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_song"))
    client.force_login(person)
    song = make_song(status="PENDING")
    page = client.get(SONGS).content.decode()
    assert song.title in page
    assert 'value="cancel"' not in page
    act(client, "cancel", song)
    act(client, "delete_selected", song, post="yes")
    song.refresh_from_db()
    assert song.status == Status.PENDING


def test_choices_files_and_stems_cannot_be_deleted_or_added_by_hand(owner: Client) -> None:
    choice = make_choice()
    file, stems = make_file(choice), make_stems(choice)
    for row in (choice, file, stems):
        base = f"/admin/songs/{row._meta.model_name}/"
        assert owner.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert owner.get(f"{base}add/").status_code == 403
    assert owner.get(f"{SONGS}add/").status_code == 403


# --- Editing ---


def list_form(row: Any, **fields: str) -> dict[str, str]:
    management = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(row.pk), "_save": "Save"}
    return management | {f"form-0-{name}": value for name, value in fields.items()}


def test_a_choice_is_rated_in_the_list(owner: Client) -> None:
    choice = make_choice()
    make_file(choice)
    owner.post(CHOICES, list_form(choice, rating="1"))
    choice.refresh_from_db()
    assert choice.rating == 1
    owner.post(CHOICES, list_form(choice, rating=""))
    unrated = SongChoice.objects.get(pk=choice.pk)
    assert unrated.rating is None
    assert unrated.lyrics_sections, "a column that the form does not show is not touched"


def test_a_choice_is_heard_in_the_list_and_on_the_songs_page(owner: Client) -> None:
    choice = make_choice()
    make_file(choice)
    source = f'<audio controls preload="none" src="{reverse("songs:file", args=[choice.pk, "mp3"])}"'
    assert source in owner.get(CHOICES).content.decode()
    assert source in owner.get(f"{SONGS}{choice.song_id}/change/").content.decode()
    SongFile.objects.update(state=FileState.EXPIRED)
    assert "Link has expired" in owner.get(CHOICES).content.decode()


def test_saving_the_workflow_in_the_list_leaves_what_a_worker_writes(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = make_song(status="PENDING")
    edit = curation.edit_song

    def worker_is_faster(row: Song, **changes: Any) -> None:
        Song.objects.filter(pk=song.pk).update(status=Status.PROGRESS, phase=Phase.RUNNING, job_id="7")
        edit(row, **changes)

    monkeypatch.setattr(curation, "edit_song", worker_is_faster)
    owner.post(SONGS, list_form(song, workflow="onWork"))
    song.refresh_from_db()
    assert (song.workflow, song.status, song.job_id) == (Workflow.ON_WORK, Status.PROGRESS, "7")


def test_the_songs_page_edits_notes_and_ratings_and_nothing_else(owner: Client) -> None:
    song = make_song()
    choice = make_choice(song)
    data = {
        "title": "New", "tags": "calm", "workflow": "inUse", "lyrics": "hacked", "status": "PENDING", "job_id": "1",
        "choices-TOTAL_FORMS": "1", "choices-INITIAL_FORMS": "1", "choices-0-id": str(choice.pk),
        "choices-0-song": str(song.pk), "choices-0-rating": "0", "choices-0-title": "Take", "choices-0-tags": "",
    }  # fmt: skip
    assert owner.post(f"{SONGS}{song.pk}/change/", data).status_code == 302
    before, song = song, Song.objects.get(pk=song.pk)
    assert (song.title, song.tags, song.workflow) == ("New", "calm", "inUse")
    assert (song.lyrics, song.status, song.job_id) == (before.lyrics, before.status, before.job_id)
    choice.refresh_from_db()
    assert (choice.rating, choice.title) == (0, "Take")


def test_a_new_default_model_ends_the_old_one(owner: Client) -> None:
    old = SongModel.objects.get(is_default=True)
    new = SongModel.objects.create(name="new-one", position=99)
    data = {"name": "new-one", "position": "99", "is_default": "on", "is_active": "on"}
    assert owner.post(f"/admin/songs/songmodel/{new.pk}/change/", data).status_code == 302
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.is_default, new.is_default) == (False, True)


# --- Lists ---


@pytest.mark.parametrize("name", ["song", "songchoice", "songfile", "stemseparation"])
def test_a_list_asks_the_same_number_of_queries_for_one_row_as_for_many(owner: Client, name: str) -> None:
    def make_one() -> None:
        for song in (make_song(), make_instrumental()):
            choice = make_choice(song)
            make_file(choice)
            make_file(choice, "wav")
            make_stems(choice)

    url = f"/admin/songs/{name}/"
    make_one()
    owner.get(url)
    few = queries_of(owner, url)
    for _number in range(5):
        make_one()
    assert queries_of(owner, url) == few


def test_the_list_of_songs_reads_neither_lyrics_nor_answers_and_counts_within_bounds(owner: Client) -> None:
    make_choice(make_song(lyrics="secret words", mureka_response={"a": 1}))
    with CaptureQueriesContext(connection) as queries:
        page = owner.get(SONGS).content.decode()
    asked = [query["sql"] for query in queries if '"songs"' in query["sql"]]
    assert asked
    assert not any('"songs"."lyrics"' in sql or "mureka_response" in sql for sql in asked)
    counts = [sql for sql in asked if sql.startswith("SELECT COUNT(")]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)
    assert "1 song" in page


def test_search_and_filters_find_songs(owner: Client) -> None:
    make_song(title="Rain", lyrics="drops", model="auto")
    make_song(title="Sun", lyrics="light", status="FAILURE", model="mureka-8")
    for query, title in (("q=drops", "Rain"), ("status__exact=FAILURE", "Sun"), ("model=mureka-8", "Sun")):
        page = owner.get(f"{SONGS}?{query}").content.decode()
        assert f">{title}</a>" in page, query
        assert page.count('class="action-select"') == 1, query


def test_every_song_shows_its_history(owner: Client) -> None:
    song = make_song()
    song.tell("Mureka took the <job>.")
    page = owner.get(f"{SONGS}{song.pk}/change/").content.decode()
    assert "Mureka took the &lt;job&gt;." in page
    assert SongChoice.objects.count() == 0
