"""A song's page and its card: what stands there, and what its buttons do."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import signed_in
from jobs import leases
from jobs.models import Charge, Phase, Status
from songs.models import FileState, Song, SongFile, StemSeparation, Workflow
from songs.tests.factories import make_choice, make_file, make_finished_song, make_song, make_stems

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def client() -> Client:
    return signed_in()


def page_of(client: Client, song: Song) -> str:
    answer = client.get(song.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def card_of(client: Client, song: Song) -> str:
    return client.get(reverse("songs:card", args=[song.pk])).content.decode()


def uncertain_song(**overrides: Any) -> Song:
    fields: dict[str, Any] = {
        "status": Status.FAILURE,
        "phase": Phase.UNCERTAIN,
        "job_id": "",
        "charge": Charge.MAYBE,
        "error_message": "No answer from Mureka. It may have been charged, so it was not repeated.",
    }
    return make_song(**(fields | overrides))


# --- The page -------------------------------------------------------------------------------------------------------


def test_a_finished_song_shows_its_choices_words_and_costs(client: Client) -> None:
    song = make_finished_song(title="Rain", lyrics="Words of rain", prompt="soft folk", spent_before="0.30")
    song.tell("Asked for.")
    page = page_of(client, song)
    for text in ("Choice 1", "Choice 2", "Words of rain", "soft folk", "Asked for.", "$0.30", "for earlier tries"):
        assert text in page
    assert page.count("data-play ") == 2
    for choice in song.choices.all():
        assert f'data-src="{reverse("songs:file", args=[choice.pk, "mp3"])}"' in page
        assert f'data-lyrics-url="{reverse("songs:lyrics", args=[choice.pk])}"' in page
    assert page.count("<h1") == 1
    assert "every 2s" not in page


def test_what_people_and_providers_wrote_is_shown_as_text(client: Client) -> None:
    song = make_song(
        title=EVIL, lyrics=EVIL, prompt=EVIL, tags=EVIL, status=Status.FAILURE, error_message=EVIL, error_detail=EVIL
    )
    choice = make_choice(song, title=EVIL)
    choice.lyrics_sections = [{"section_type": EVIL, "lines": [{"start": 0, "text": EVIL}]}]
    choice.save()
    make_file(choice, state=FileState.MISSING, error=EVIL)
    song.tell(EVIL)
    for url in (song.get_absolute_url(), "/songs/", "/jobs/", "/songs/new/", f"/songs/new/?from={song.pk}"):
        page = client.get(url).content.decode()
        assert EVIL not in page
        assert "&lt;script&gt;" in page


def test_a_link_that_does_not_answer_is_stated_and_can_be_tried_again(client: Client) -> None:
    song = make_finished_song()
    file = make_file(song.choices.first(), "wav", state=FileState.MISSING, error="HTTP 404", next_try_at=None)
    assert "1 link at Mureka does not answer" in page_of(client, song)
    client.post(reverse("songs:refresh", args=[song.pk]))
    file.refresh_from_db()
    assert file.next_try_at is not None


def test_notes_are_edited(client: Client) -> None:
    song = make_song()
    answer = client.post(
        reverse("songs:edit", args=[song.pk]), {"title": "New", "tags": "a", "workflow": Workflow.IN_USE}
    )
    assert answer.status_code == 302
    song.refresh_from_db()
    assert (song.title, song.tags, song.workflow) == ("New", "a", Workflow.IN_USE)


@pytest.mark.parametrize(("field", "value"), [("title", "x" * 501), ("tags", "x" * 1001), ("workflow", "sometimes")])
def test_wrong_notes_come_back_with_a_reason(client: Client, field: str, value: str) -> None:
    song = make_song(title="Old")
    sent = {"title": "New", "tags": "", "workflow": Workflow.NOT_USED} | {field: value}
    answer = client.post(reverse("songs:edit", args=[song.pk]), sent)
    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    song.refresh_from_db()
    assert song.title == "Old"


# --- The card -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "is_active", "pill"),
    [
        ({"status": Status.PENDING}, True, "Waiting, next in line"),
        ({"status": Status.PENDING, "phase": Phase.SUBMITTING}, True, "Being submitted"),
        ({"status": Status.PROGRESS, "submitted_at": timezone.now() - timedelta(days=1)}, True, "Running 14"),
        ({"status": Status.PROGRESS, "phase": Phase.SAVING}, True, "Saving files"),
        ({"status": Status.SUCCESS}, False, "Done"),
        ({"status": Status.FAILURE}, False, "Failed"),
        ({"status": Status.FAILURE, "phase": Phase.UNCERTAIN}, False, "Uncertain"),
        ({"status": Status.CANCELLED}, False, "Cancelled"),
    ],
)
def test_the_card_says_where_the_song_stands_and_asks_again_only_while_active(
    client: Client, fields: dict[str, Any], is_active: bool, pill: str
) -> None:
    song = make_song(**fields)
    answer = client.get(reverse("songs:card", args=[song.pk]))
    page = answer.content.decode()
    assert pill in page
    assert ('hx-trigger="every 2s"' in page) == is_active
    assert ("job-ended" in answer.headers.get("HX-Trigger", "")) == (not is_active)
    assert 'aria-live="polite"' in page


def test_the_card_tells_the_place_in_line(client: Client) -> None:
    songs = [make_song(status=Status.PENDING, queued_at=timezone.now() + timedelta(seconds=n)) for n in range(5)]
    assert "second in line" in card_of(client, songs[1])
    assert "5th in line" in card_of(client, songs[4])


def test_a_look_at_the_card_wakes_a_follower_where_none_is(
    client: Client, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    song = make_song(status=Status.PROGRESS)
    with django_capture_on_commit_callbacks(execute=True):
        card_of(client, song)
    assert len(enqueued) == 1
    leases.take(leases.FOLLOW, "somebody", timedelta(seconds=15))
    with django_capture_on_commit_callbacks(execute=True):
        card_of(client, song)
    assert len(enqueued) == 1


def test_a_song_that_waits_long_without_a_worker_says_so(client: Client) -> None:
    song = make_song(status=Status.PENDING, queued_at=timezone.now() - timedelta(minutes=1))
    assert "No worker is running." in card_of(client, song)
    leases.take(leases.FOLLOW, "somebody", timedelta(seconds=15))
    assert "No worker is running." not in card_of(client, song)


def test_trouble_says_when_it_is_tried_again(client: Client) -> None:
    song = make_song(
        status=Status.PENDING,
        problem="later",
        error_message="Mureka is busy. Not charged.",
        next_poll_at=timezone.now() + timedelta(seconds=40.5),
    )
    assert "Mureka is busy. Not charged. Trying again in 4" in card_of(client, song)


def test_the_usual_time_comes_from_our_own_history(client: Client) -> None:
    now = timezone.now()
    for seconds in (40, 50, 60, 90):
        make_song(submitted_at=now - timedelta(seconds=seconds), completed_at=now)
    page = card_of(client, make_song(status=Status.PROGRESS, submitted_at=now - timedelta(seconds=45)))
    assert "Usually 50 to 91 s." in page
    assert 'value="49"' in page


def test_an_error_stands_before_its_buttons_and_the_raw_answer_is_closed(client: Client) -> None:
    page = card_of(client, make_song(status=Status.FAILURE, error_message="No. Not charged.", error_detail="{raw}"))
    assert page.index("No. Not charged.") < page.index("Submit again") < page.index("{raw}")
    assert "<details open" not in page


def test_only_a_waiting_song_can_be_cancelled(client: Client) -> None:
    waiting = make_song(status=Status.PENDING)
    assert reverse("songs:cancel", args=[waiting.pk]) in card_of(client, waiting)
    answer = client.post(reverse("songs:cancel", args=[waiting.pk]), follow=True)
    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    assert "Cancelled. Not charged." in answer.content.decode()


def test_cancelling_a_running_song_is_refused_in_words(client: Client) -> None:
    running = make_song(status=Status.PROGRESS)
    assert reverse("songs:cancel", args=[running.pk]) not in card_of(client, running)
    answer = client.post(reverse("songs:cancel", args=[running.pk]), follow=True)
    assert "cannot stop a job" in answer.content.decode()
    answer = client.post(reverse("songs:cancel", args=[make_song().pk]), follow=True)
    assert "It has ended already" in answer.content.decode()


# --- Submit again, ask again ----------------------------------------------------------------------------------------


def test_a_song_that_cost_nothing_is_submitted_again_at_once(client: Client) -> None:
    song = make_song(status=Status.FAILURE, charge=Charge.NO)
    assert "Submit again, about $0.30" in card_of(client, song)
    client.post(reverse("songs:submit-again", args=[song.pk]))
    song.refresh_from_db()
    assert song.status == Status.PENDING


@pytest.mark.parametrize(("charge", "words"), [(Charge.MAYBE, "may cost $0.30 again"), (Charge.YES, "charged $0.30")])
def test_a_song_that_may_be_paid_for_asks_before_it_is_submitted_again(
    client: Client, charge: Charge, words: str
) -> None:
    song = make_song(status=Status.FAILURE, charge=charge)
    url = reverse("songs:submit-again", args=[song.pk])
    assert f'action="{url}"' not in card_of(client, song)
    assert f'href="{url}"' in card_of(client, song)
    assert words in client.get(url).content.decode()
    song.refresh_from_db()
    assert song.status == Status.FAILURE  # looking changes nothing


def test_a_running_song_is_not_submitted_again(client: Client) -> None:
    song = make_song(status=Status.PROGRESS)
    answer = client.post(reverse("songs:submit-again", args=[song.pk]), follow=True)
    assert "Only a job that failed" in answer.content.decode()
    song.refresh_from_db()
    assert song.status == Status.PROGRESS


def test_the_job_id_of_an_earlier_submission_leads_to_its_song(client: Client) -> None:
    song = make_song(job_id="4712")

    answer = client.post(reverse("songs:refresh", args=[song.pk]), {"job_id": "4711"})

    sibling = Song.objects.get(job_id="4711")
    assert answer.headers["Location"] == sibling.get_absolute_url()
    assert f'href="{sibling.get_absolute_url()}"' in client.get(song.get_absolute_url()).content.decode()


def test_the_job_id_of_an_uncertain_song_can_be_entered(client: Client) -> None:
    song = uncertain_song()
    assert 'name="job_id"' in card_of(client, song)
    answer = client.post(reverse("songs:refresh", args=[song.pk]), follow=True)
    assert "job id is not known" in answer.content.decode()
    client.post(reverse("songs:refresh", args=[song.pk]), {"job_id": "4711"})
    song.refresh_from_db()
    assert (song.status, song.job_id) == (Status.PROGRESS, "4711")


def test_trouble_with_the_account_leads_to_its_page(client: Client) -> None:
    song = make_song(status=Status.FAILURE, problem="out_of_money")
    assert reverse("songs:account") in card_of(client, song)


# --- Choices --------------------------------------------------------------------------------------------------------


def test_a_thumb_is_given_and_taken_back(client: Client) -> None:
    choice = make_choice()
    url = reverse("songs:rate", args=[choice.pk])
    for sent, rating in (("1", 1), ("0", 0), ("", None)):
        assert client.post(url, {"rating": sent}).status_code == 302
        choice.refresh_from_db()
        assert choice.rating == rating


def test_after_a_thumb_the_page_is_the_one_it_was_given_on(client: Client) -> None:
    url = reverse("songs:rate", args=[make_choice().pk])
    assert client.post(url, {"rating": "1", "next": "/songs/?q=x"}).url == "/songs/?q=x"  # type: ignore[attr-defined]
    assert client.post(url, {"rating": "1", "next": "https://evil.example/"}).url.startswith("/songs/")  # type: ignore[attr-defined]


@pytest.mark.parametrize("rating", ["2", "-1", "up", "²"])
def test_any_other_thumb_is_refused(client: Client, rating: str) -> None:
    choice = make_choice()
    assert client.post(reverse("songs:rate", args=[choice.pk]), {"rating": rating}).status_code == 422
    choice.refresh_from_db()
    assert choice.rating is None


def test_a_file_is_sent_whole_in_part_and_as_a_download(client: Client) -> None:
    song = make_finished_song(title="Rain", content=b"ID3" + bytes(range(97)))
    url = reverse("songs:file", args=[song.choices.all()[0].pk, "mp3"])
    whole = client.get(url)
    assert (whole.status_code, whole["Content-Type"], whole["Content-Length"]) == (200, "audio/mpeg", "100")
    part = client.get(url, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert b"".join(part) == (b"ID3" + bytes(range(97)))[10:20]
    download = client.get(url, {"download": "1"})
    assert download["Content-Disposition"] == 'attachment; filename="Rain 1.mp3"'
    assert client.head(url).status_code == 200


@pytest.mark.parametrize("kind", ["flac", "exe"])
def test_a_file_that_is_not_at_home_is_not_found(client: Client, kind: str) -> None:
    choice = make_finished_song().choices.all()[0]
    make_file(choice, "flac", state=FileState.MISSING)
    assert client.get(reverse("songs:file", args=[choice.pk, kind])).status_code == 404


def test_the_words_are_sent_with_their_times(client: Client) -> None:
    choice = make_choice()
    answer = client.get(reverse("songs:lyrics", args=[choice.pk]))
    assert answer.json() == {"sections": choice.lyrics_sections}


# --- Stems ----------------------------------------------------------------------------------------------------------


def test_stems_are_asked_for_once_at_the_price_on_the_button(client: Client) -> None:
    song = make_finished_song()
    choice = song.choices.all()[0]
    page = page_of(client, song)
    assert "Up to five stems, $0.06" in page
    for _time in range(2):
        client.post(reverse("songs:stems", args=[choice.pk]), {"model": "audio-separation-1"})
    assert StemSeparation.objects.get().cost == Decimal("0.06")
    page = page_of(client, song)
    assert "Stems of" in page
    assert "every 2s" in page


def test_stems_of_an_unknown_model_are_refused_in_words(client: Client) -> None:
    song = make_finished_song()
    url = reverse("songs:stems", args=[song.choices.all()[0].pk])
    assert "There is no such model." in client.post(url, {"model": "auto"}, follow=True).content.decode()
    assert not StemSeparation.objects.exists()


def test_stems_have_a_card_and_can_be_cancelled_and_submitted_again(client: Client) -> None:
    stems = make_stems(status=Status.PENDING)
    card = reverse("songs:stems-card", args=[stems.choice_id])
    assert "every 2s" in client.get(card).content.decode()
    client.post(reverse("songs:stems-cancel", args=[stems.choice_id]))
    stems.refresh_from_db()
    assert stems.status == Status.CANCELLED
    again = reverse("songs:stems-submit-again", args=[stems.choice_id])
    assert "about $0.06" in client.get(again).content.decode()
    client.post(again)
    stems.refresh_from_db()
    assert stems.status == Status.PENDING


def test_a_damaged_archive_does_not_break_the_page(client: Client) -> None:
    song = make_finished_song()
    choice = song.choices.all()[0]
    make_stems(choice)
    make_file(choice, "stems", content=b"PK, but not a zip")
    assert "STEMS" in page_of(client, song)


# --- Every address --------------------------------------------------------------------------------------------------

OF_SONGS = {
    "detail": "get",
    "card": "get",
    "edit": "post",
    "delete": "get post",
    "cancel": "post",
    "submit-again": "get post",
    "refresh": "post",
}
OF_CHOICES = {
    "rate": "post",
    "lyrics": "get",
    "stems": "post",
    "stems-card": "get",
    "stems-cancel": "post",
    "stems-submit-again": "get post",
}


@pytest.mark.parametrize(("name", "methods"), [*OF_SONGS.items(), *OF_CHOICES.items()])
def test_an_unknown_id_is_not_found_a_wrong_method_refused_and_strangers_sign_in(
    client: Client, name: str, methods: str
) -> None:
    url = reverse(f"songs:{name}", args=[uuid.uuid4()])
    for method in ("get", "post"):
        expected = 404 if method in methods.split() else 405
        assert getattr(client, method)(url).status_code == expected
        answer = getattr(Client(), method)(url)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("accounts:sign-in"))


def test_strangers_get_no_file() -> None:
    file = SongFile.objects.get(choice__song=make_finished_song(), choice__choice_index=0)
    assert Client().get(reverse("songs:file", args=[file.choice_id, "mp3"])).status_code == 302
