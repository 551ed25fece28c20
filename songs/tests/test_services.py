"""The verbs that ask a provider: asked for once and paid for once, kept in the books."""

import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from jobs import tasks
from jobs.follower import FRESH
from jobs.kinds import KINDS, Ended, Finished, Running
from jobs.models import Charge, Phase, Status
from jobs.services import JobError
from jobs.spending import Spending, spent_since
from providers import mureka
from providers.errors import ProviderError, Verdict
from providers.http import longest_call
from songs import services
from songs.cards import Card
from songs.models import LINKS_LIVE, FileState, Song, SongChoice, SongFile, SongModel, StemSeparation
from songs.tasks import SongKind, StemsKind, expiry_of
from songs.tests.engine import fresh, told
from songs.tests.factories import make_choice, make_file, make_song, make_stems

pytestmark = pytest.mark.django_db
SONG = KINDS["songs.song"]
STEMS = KINDS["songs.stemseparation"]


def ask_for(**overrides: Any) -> Song:
    return services.request_song(**({"user": None, "lyrics": "la la", "prompt": "folk"} | overrides))


def task_of(*choices: mureka.Choice, status: str = "succeeded", **overrides: Any) -> mureka.Task:
    fields = {"id": "4711", "model": "m", "failed_reason": "", "created_at": 1, "finished_at": 2, "raw": {"id": "4711"}}
    return mureka.Task(status=status, choices=choices, **(fields | overrides))  # type: ignore[arg-type]


def choice_of(number: int, **overrides: Any) -> mureka.Choice:
    link = f"https://cdn.mureka.ai/{number}.mp3"
    fields = {"id": f"c{number}", "index": number, "duration": 1000, "mp3_url": link, "flac_url": "", "wav_url": ""}
    return mureka.Choice(sections=(), lyrics_sections=[], **(fields | overrides))  # type: ignore[arg-type]


# --- Asking ---


def test_a_song_that_is_asked_for_waits_with_its_price_and_wakes_a_follower(
    enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        song = ask_for(variants=3)
    price = SongModel.objects.get(is_default=True).song_price
    assert price is not None
    assert (song.status, song.phase, song.charge, song.cost) == (Status.PENDING, Phase.WAITING, Charge.NO, price * 3)
    assert told(song) == ["Asked for."]
    assert [task.func for task in enqueued] == [tasks.follow]


def test_the_same_key_again_is_the_same_song_and_wakes_nobody(
    enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    key = uuid.uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        first, second = ask_for(key=key), ask_for(key=key, lyrics="other")
    assert (first.pk, second.lyrics, Song.objects.count()) == (second.pk, "la la", 1)
    assert len(enqueued) == 1
    assert told(first) == ["Asked for."]


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "x" * 5001, "  "])
def test_a_text_that_cannot_be_stored_or_sung_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ask_for(lyrics=text)
    assert set(caught.value.message_dict) == {"lyrics"}
    assert Song.objects.count() == 0


def test_every_field_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ValidationError) as caught:
        ask_for(prompt="", title="t" * 501, tags="\x00", variants=4, gender="x", model="nothing")
    assert set(caught.value.message_dict) == {"prompt", "title", "tags", "variants", "gender", "model"}


def test_a_model_that_makes_no_instrumentals_is_refused_for_them() -> None:
    with pytest.raises(ValidationError) as caught:
        services.request_instrumental(user=None, prompt="jazz", model="mureka-o2")
    assert set(caught.value.message_dict) == {"model"}


# --- Submitting again, and the books ---


def test_a_song_is_submitted_again_at_todays_price_and_the_old_one_stays_in_the_books() -> None:
    song = make_song(status=Status.FAILURE, model="mureka-9", variants=2, cost=Decimal("0.50"), charge=Charge.MAYBE)
    services.submit_song_again(song)
    row = fresh(song)
    assert (row.status, row.cost, row.spent_before) == (Status.PENDING, Decimal("0.09"), Decimal("0.50"))
    assert song.cost == Decimal("0.09")


def test_a_model_that_is_not_offered_any_more_is_not_submitted_again() -> None:
    song = make_song(status=Status.FAILURE, model="mureka-5")
    with pytest.raises(JobError, match="not offered"):
        services.submit_song_again(song)
    assert fresh(song).status == Status.FAILURE


def test_a_song_that_runs_is_not_submitted_again_and_its_cost_stays() -> None:
    song = make_song(status=Status.PROGRESS, model="mureka-9", cost=Decimal("0.50"))
    with pytest.raises(JobError):
        services.submit_song_again(song)
    assert fresh(song).cost == Decimal("0.50")


def test_spending_counts_what_was_and_what_may_have_been_charged() -> None:
    now = timezone.now()
    make_song(cost=Decimal(1), charge=Charge.YES)
    make_song(cost=Decimal(2), charge=Charge.MAYBE, status=Status.FAILURE)
    make_song(cost=Decimal(4), charge=Charge.NO, status=Status.FAILURE)
    make_song(cost=Decimal(8), charge=Charge.YES, submitted_at=now - timedelta(days=40))
    make_stems(cost=Decimal(16), charge=Charge.YES)  # on a song of 0.30
    assert spent_since(now - timedelta(days=30)) == Spending(charged=Decimal("17.3"), maybe=Decimal(2))


def test_what_an_earlier_submission_may_have_cost_stays_a_doubt_in_its_own_month() -> None:
    now, month = timezone.now(), timezone.now() - timedelta(days=30)
    old = {"status": Status.FAILURE, "model": "mureka-9", "charge": Charge.MAYBE, "cost": Decimal("0.30")}
    for days in (40, 20):
        services.submit_song_again(make_song(submitted_at=now - timedelta(days=days), **old))
    assert spent_since(month) == Spending(charged=Decimal(0), maybe=Decimal("0.30"))
    assert spent_since(now - timedelta(days=50)) == Spending(charged=Decimal(0), maybe=Decimal("0.60"))
    assert spent_since(month, provider="openai") == Spending()


@pytest.mark.parametrize("charge", [Charge.NO, Charge.YES])
def test_an_earlier_submission_is_counted_once_and_only_if_it_cost(charge: Charge) -> None:
    moment = timezone.now() - timedelta(days=1)
    song = make_song(status=Status.FAILURE, model="mureka-9", charge=charge, cost=Decimal("0.30"))
    spent = spent_since(moment)
    services.submit_song_again(song)
    assert spent_since(moment) == spent == Spending(charged=Decimal("0.30") if charge == Charge.YES else Decimal(0))


def test_what_was_spent_does_not_vanish_while_the_song_waits_to_be_made_again() -> None:
    moment = timezone.now() - timedelta(days=1)
    song = make_song(status=Status.FAILURE, cost=Decimal("0.30"), charge=Charge.YES, model="mureka-9")
    assert spent_since(moment).charged == Decimal("0.30")
    services.submit_song_again(song)
    assert spent_since(moment).charged == Decimal("0.30")
    services.cancel_song(fresh(song))
    assert spent_since(moment).charged == Decimal("0.30")


def test_missing_files_of_a_finished_song_are_fetched_when_somebody_asks(
    enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    song = make_song()
    file = make_file(make_choice(song), state=FileState.MISSING, next_try_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        services.ask_about_song(song)
    assert fresh_file(file).next_try_at is not None
    assert [(task.func, task.args) for task in enqueued] == [(tasks.bring_home, ("songs.song", str(song.pk)))]


def fresh_file(file: SongFile) -> SongFile:
    return SongFile.objects.get(pk=file.pk)


# --- Stems ---


def test_stems_are_paid_for_once_however_often_they_are_asked_for(
    enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    choice = make_choice()
    with django_capture_on_commit_callbacks(execute=True):
        first = services.request_stems(choice, user=None)
        second = services.request_stems(choice, user=None, model="audio-separation-2")
    assert first == second
    assert (second.model, second.cost, StemSeparation.objects.count()) == ("audio-separation-1", Decimal("0.06"), 1)
    assert len(enqueued) == 1


def test_stems_that_failed_are_not_asked_for_again_by_the_way() -> None:
    stems = make_stems(status=Status.FAILURE, error_message="No answer.")
    with pytest.raises(JobError, match="No answer"):
        services.request_stems(stems.choice, user=None)
    services.submit_stems_again(stems)
    assert fresh(stems).status == Status.PENDING


def test_stems_are_submitted_again_at_todays_price_of_what_is_at_home_today() -> None:
    stems = make_stems(status=Status.FAILURE, charge=Charge.MAYBE, cost=Decimal("0.06"))
    assert stems.source_name == ""
    mp3 = make_file(stems.choice, content=b"ID3abc")
    SongModel.objects.filter(name=stems.model).update(stems_price=Decimal("0.09"))
    assert Card(stems).again_price == Decimal("0.09")
    services.submit_stems_again(stems)
    row = fresh(stems)
    assert (row.status, row.cost, row.spent_before) == (Status.PENDING, Decimal("0.09"), Decimal("0.06"))
    assert (row.source_name, row.source_expires_at) == (mp3.name, mp3.link_expires_at)
    assert (stems.cost, stems.source_name) == (row.cost, row.source_name)


def test_stems_of_a_model_that_is_not_offered_any_more_are_not_submitted_again() -> None:
    stems = make_stems(status=Status.FAILURE)
    SongModel.objects.filter(name=stems.model).update(is_active=False)
    assert Card(stems).again_price is None
    with pytest.raises(JobError, match="not offered any more"):
        services.submit_stems_again(stems)
    assert fresh(stems).status == Status.FAILURE


def test_a_model_that_makes_no_stems_is_refused() -> None:
    with pytest.raises(ValidationError):
        services.request_stems(make_choice(), user=None, model="mureka-9")


def separated_from(stems: StemSeparation, monkeypatch: pytest.MonkeyPatch) -> str:
    """Submit a separation, and return the address that Mureka was given."""
    given: list[str] = []
    answer = mureka.Stems(zip_url="https://cdn.mureka.ai/s.zip", midi_zip_url="", expires_at=None, trace_id="", raw={})

    def separate(*, url: str, model: str) -> mureka.Stems:
        del model
        given.append(url)
        return answer

    monkeypatch.setattr(mureka, "separate_stems", separate)
    STEMS.submit(stems)
    return given[0]


def test_stems_are_made_from_the_link_while_it_lives_and_from_our_file_after(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    name = make_file(content=b"ID3abc").name
    stems = make_stems(source_name=name)
    assert separated_from(stems, monkeypatch) == stems.source_url
    stems.source_expires_at = timezone.now()
    assert separated_from(stems, monkeypatch) == "data:audio/mp3;base64,SUQzYWJj"


@pytest.mark.parametrize("name", ["", "songs/00/gone.mp3"])
def test_stems_of_what_cannot_be_sent_are_refused_before_anything_is_sent(name: str) -> None:
    stems = make_stems(source_name=name, source_expires_at=timezone.now())
    with pytest.raises(ProviderError) as caught:
        STEMS.submit(stems)
    assert caught.value.verdict == Verdict.REFUSED


@pytest.mark.parametrize("seconds", [None, 0, 1, 1_795_000_000_000, 2**52])
def test_an_expiry_that_is_no_time_is_not_believed(seconds: int | None) -> None:
    assert abs(expiry_of(seconds) - (timezone.now() + LINKS_LIVE)) < timedelta(seconds=5)


def test_an_expiry_that_may_be_true_is_believed() -> None:
    moment = timezone.now() + timedelta(hours=1)
    assert abs(expiry_of(int(moment.timestamp())) - moment) < timedelta(seconds=2)


# --- What Mureka answers ---


def test_a_claim_outlives_the_longest_call_it_covers() -> None:
    for kind, timeout in ((SongKind, mureka.SUBMIT_TIMEOUT), (StemsKind, mureka.STEMS_TIMEOUT)):
        assert kind.submit_timeout > FRESH + timedelta(seconds=longest_call(timeout))
    assert SONG.slot > SongKind.submit_timeout
    assert STEMS.slot > StemsKind.submit_timeout


def test_instrumentals_are_asked_about_on_their_own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answering(name: str) -> Any:
        def query(_id: str) -> mureka.Task:
            asked.append(name)
            return task_of(status="running")

        return query

    for name in ("query_song", "query_instrumental"):
        monkeypatch.setattr(mureka, name, answering(name))
    SONG.ask(make_song())
    SONG.ask(make_song(is_instrumental=True))
    assert asked == ["query_song", "query_instrumental"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("running", Running), ("reviewing", Running), ("", Running), ("failed", Ended), ("cancelled", Ended)],
)
def test_a_status_that_nobody_knows_is_still_running(
    monkeypatch: pytest.MonkeyPatch, status: str, expected: type
) -> None:
    monkeypatch.setattr(mureka, "query_song", lambda _id: task_of(status=status))
    assert isinstance(SONG.ask(make_song()), expected)


def test_done_without_a_song_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mureka, "query_song", lambda _id: task_of())
    with pytest.raises(ProviderError) as caught:
        SONG.ask(make_song())
    assert caught.value.verdict == Verdict.LATER
    monkeypatch.setattr(mureka, "query_song", lambda _id: task_of(choice_of(0)))
    assert isinstance(SONG.ask(make_song()), Finished)


def kept(song: Song) -> list[tuple[int, str]]:
    return list(song.choices.order_by("choice_index").values_list("choice_index", "mureka_choice_id"))


@pytest.mark.parametrize("ids", [("c0", "c1"), ("", "")])
def test_the_same_answer_a_second_time_changes_nothing(ids: tuple[str, str]) -> None:
    song = make_song()
    answer = task_of(*(choice_of(number, id=name) for number, name in enumerate(ids)))
    SONG.keep(song, answer)
    first = set(SongChoice.objects.values_list("pk", "choice_index"))
    SONG.keep(song, answer)
    assert set(SongChoice.objects.values_list("pk", "choice_index")) == first
    assert SongFile.objects.count() == 2


def test_a_song_that_was_submitted_again_keeps_the_choices_it_had() -> None:
    song = make_song()
    SONG.keep(song, task_of(choice_of(0), choice_of(1)))
    SONG.keep(song, task_of(choice_of(0, id="n0", mp3_url=""), choice_of(1, id="n1", mp3_url="")))
    assert kept(song) == [(0, "c0"), (1, "c1"), (2, "n0"), (3, "n1")]


def test_a_number_that_no_column_holds_does_not_lose_the_song() -> None:
    song = make_song()
    SONG.keep(song, task_of(choice_of(0, index=2**52), choice_of(1, index=1)))
    assert kept(song) == [(0, "c0"), (1, "c1")]


def test_a_file_that_is_home_is_not_fetched_again_and_one_that_is_missing_is() -> None:
    song = make_song()
    SONG.keep(song, task_of(choice_of(0, flac_url="https://cdn.mureka.ai/0.flac")))
    SongFile.objects.filter(kind="mp3").update(state=FileState.HOME, name="songs/00/x.mp3", next_try_at=None)
    SongFile.objects.filter(kind="flac").update(state=FileState.MISSING, attempts=9, error="404", next_try_at=None)
    SONG.keep(song, task_of(choice_of(0, flac_url="https://cdn.mureka.ai/new.flac")))
    mp3, flac = (SongFile.objects.get(kind=kind) for kind in ("mp3", "flac"))
    assert (mp3.state, mp3.next_try_at) == (FileState.HOME, None)
    assert (flac.state, flac.attempts, flac.error, flac.url[-8:]) == (FileState.WAITING, 0, "", "new.flac")


def test_the_database_itself_refuses_a_running_job_without_an_id() -> None:
    with pytest.raises(IntegrityError):
        make_song(status=Status.PROGRESS, job_id="")
