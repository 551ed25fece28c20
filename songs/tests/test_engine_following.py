"""How a running job stands: every answer has its place, only a plain refusal ends what is paid for."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import answers, follower, services
from jobs.kinds import Ended, Finished, Running
from jobs.models import Charge, Phase, Status
from providers.errors import Verdict
from songs.models import Song
from songs.tests.engine import FakeKind, error, fresh, install, make_running, told

pytestmark = pytest.mark.django_db
NOT_STORABLE = "a\x00b\ud800c"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    install(monkeypatch, kind)
    return kind


def asked(fake: FakeKind, **overrides: Any) -> Any:
    """Make a running song and claim the asking."""
    song = make_running(**overrides)
    return next(job for job in follower.claim_due(fake, Phase.RUNNING, follower.ASK_CLAIM, at_most=9) if job == song)


def record(fake: FakeKind, job: Any, outcome: Any) -> Song:
    answers.record_answer(fake, job, outcome)
    row: Song = fresh(job)
    return row


def pause(row: Song) -> float:
    assert row.next_poll_at is not None
    return (row.next_poll_at - timezone.now()).total_seconds()


def test_a_question_is_claimed_by_one_only_and_for_a_while(fake: FakeKind) -> None:
    song = make_running()
    assert follower.claim_due(fake, Phase.RUNNING, follower.ASK_CLAIM, at_most=9) == [song]
    assert follower.claim_due(fake, Phase.RUNNING, follower.ASK_CLAIM, at_most=9) == []
    assert 40 < pause(fresh(song)) < 46


def test_a_claim_is_lost_if_somebody_else_moved_the_row_since_it_was_read(fake: FakeKind) -> None:
    song = make_running()

    class Late(list[Any]):
        pass

    rows = fake.rows.filter(pk=song.pk)
    stale = list(rows)
    Song.objects.update(next_poll_at=timezone.now() - MINUTE)
    mine = Song.objects.filter(pk=song.pk, phase=Phase.RUNNING, next_poll_at=stale[0].next_poll_at)
    assert mine.update(next_poll_at=timezone.now()) == 0


def test_a_running_job_says_so_and_is_asked_again_soon(fake: FakeKind) -> None:
    job = asked(fake, attempts=4, problem="asking", error_message="Trouble.", submitted_at=timezone.now())
    row = record(fake, job, Running({"provider_status": "queued"}, {"mureka_status": "queued"}))
    assert (row.status, row.phase, row.mureka_status) == (Status.PROGRESS, Phase.RUNNING, "queued")
    assert row.progress_info == {"provider_status": "queued"}
    assert (row.attempts, row.problem, row.error_message) == (0, "", "")
    assert 2 < pause(row) < 3
    assert told(job) == []


@pytest.mark.parametrize(("age", "seconds"), [(0, 2.5), (120, 2.5), (300, 2.5), (450, 8.5), (900, 15)])
def test_a_job_is_asked_about_soon_while_it_may_be_done_and_more_rarely_when_it_is_late(
    age: int, seconds: float
) -> None:
    now = timezone.now()
    job = Song(submitted_at=now - timedelta(seconds=age))
    pauses = [answers.ask_interval(job, now).total_seconds() for _number in range(50)]
    assert 0.9 * seconds <= min(pauses) < max(pauses) <= 1.1 * seconds


def test_a_finished_job_is_kept_and_its_turn_given_back_in_one_write(fake: FakeKind) -> None:
    kept: list[Any] = []
    fake.on_keep = lambda job, answer: kept.append((fresh(job).phase, answer))
    job = asked(fake)
    row = record(fake, job, Finished("songs", {"resolved_model": "m9"}))
    assert (row.status, row.phase, row.charge, row.resolved_model) == (
        Status.PROGRESS, Phase.SAVING, Charge.YES, "m9",
    )  # fmt: skip
    assert row.slot_until is None
    assert pause(row) < 1
    assert kept == [(Phase.SAVING, "songs")]
    assert told(job) == ["Fake is done. The files are coming home."]


def test_a_job_that_the_provider_ended_fails_in_its_words(fake: FakeKind) -> None:
    job = asked(fake)
    row = record(fake, job, Ended("Not a nice text.", "failed", Charge.MAYBE, {"mureka_status": "failed"}))
    assert (row.status, row.phase, row.charge) == (Status.FAILURE, Phase.ENDED, Charge.MAYBE)
    assert (row.problem, row.mureka_status, row.slot_until, row.next_poll_at) == ("failed", "failed", None, None)
    assert row.error_message == "Not a nice text. It may have been charged, so it was not repeated."
    assert told(job) == [row.error_message]


@pytest.mark.parametrize("verdict", [Verdict.LATER, Verdict.UNCERTAIN, Verdict.BAD_KEY, Verdict.OUT_OF_MONEY])
def test_trouble_while_asking_never_ends_a_job(fake: FakeKind, verdict: Verdict) -> None:
    job = asked(fake)
    row = record(fake, job, error(verdict, "Overloaded.", detail="503"))
    assert (row.status, row.phase, row.charge) == (Status.PROGRESS, Phase.RUNNING, Charge.YES)
    assert (row.problem, row.error_message, row.error_detail, row.attempts) == ("asking", "Overloaded.", "503", 1)


def test_the_pause_grows_while_asking_fails_and_the_providers_own_word_wins(fake: FakeKind) -> None:
    pauses = [round(pause(record(fake, asked(fake, attempts=tries), error(Verdict.LATER)))) for tries in range(6)]
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert round(pause(record(fake, asked(fake), error(Verdict.LATER, retry_after=120)))) == 120


def test_an_answer_that_breaks_our_code_is_trouble_not_an_end(fake: FakeKind) -> None:
    row = record(fake, asked(fake), KeyError("surprise"))
    assert (row.status, row.phase, row.problem) == (Status.PROGRESS, Phase.RUNNING, "asking")
    assert "surprise" in row.error_detail


def test_a_job_that_the_provider_does_not_know_ends_with_its_id_kept(fake: FakeKind) -> None:
    job = asked(fake, job_id="4711")
    row = record(fake, job, error(Verdict.REFUSED, "Not found.", status=404, detail="raw"))
    assert (row.status, row.phase, row.problem, row.charge) == (Status.FAILURE, Phase.ENDED, "lost", Charge.MAYBE)
    assert (row.job_id, row.error_detail) == ("4711", "raw")
    assert row.can_ask_again


# --- Deadlines ---


def test_a_job_that_runs_beyond_its_deadline_ends_and_can_still_be_asked_for(fake: FakeKind) -> None:
    job = asked(fake, deadline_at=timezone.now() - MINUTE)
    row = record(fake, job, Running())
    assert (row.status, row.phase, row.problem, row.charge) == (Status.FAILURE, Phase.ENDED, "deadline", Charge.YES)
    assert row.error_message == "No result from Fake in 30 minutes. It was charged."
    services.ask_again(row)
    assert (fresh(job).status, fresh(job).phase) == (Status.PROGRESS, Phase.RUNNING)


def test_after_a_night_switched_off_an_overdue_job_is_asked_about_before_it_is_given_up(fake: FakeKind) -> None:
    song = make_running(deadline_at=timezone.now() - timedelta(hours=9), next_poll_at=timezone.now() - MINUTE)
    follower.look_back()
    assert fresh(song).phase == Phase.RUNNING
    (job,) = follower.claim_due(fake, Phase.RUNNING, follower.ASK_CLAIM, at_most=1)
    assert record(fake, job, Finished("songs")).phase == Phase.SAVING


def test_one_failed_asking_does_not_give_up_an_overdue_job_but_many_in_a_row_do(fake: FakeKind) -> None:
    job = asked(fake, deadline_at=timezone.now() - MINUTE)
    assert record(fake, job, error(Verdict.LATER)).phase == Phase.RUNNING
    job = asked(fake, deadline_at=timezone.now() - MINUTE, attempts=answers.LAST_TRIES)
    assert record(fake, job, error(Verdict.LATER)).problem == "deadline"


# --- Answers that come when the row has moved ---


@pytest.mark.parametrize("outcome", [Running({"old": "news"}), error(Verdict.LATER), error(Verdict.REFUSED)])
def test_how_it_stands_is_only_for_the_holder_of_the_claim_to_say(fake: FakeKind, outcome: Any) -> None:
    job = asked(fake)
    services.ask_again(fresh(job))  # the claim is over: somebody wants to know at once
    before = Song.objects.filter(pk=job.pk).values().get()
    answers.record_answer(fake, job, outcome)
    assert Song.objects.filter(pk=job.pk).values().get() == before


def test_a_result_counts_even_if_the_claim_was_lost_meanwhile(fake: FakeKind) -> None:
    job = asked(fake)
    services.ask_again(fresh(job))
    assert record(fake, job, Finished("songs")).phase == Phase.SAVING


def test_of_two_followers_with_the_same_result_one_keeps_it(fake: FakeKind) -> None:
    kept: list[Any] = []
    fake.on_keep = lambda _job, answer: kept.append(answer)
    job = asked(fake)
    record(fake, job, Finished("songs"))
    record(fake, job, Finished("songs"))
    assert kept == ["songs"]
    assert len(told(job)) == 1


def test_a_result_of_another_job_id_is_not_taken(fake: FakeKind) -> None:
    job = asked(fake, job_id="old")
    Song.objects.update(job_id="new")
    assert record(fake, job, Finished("songs")).phase == Phase.RUNNING


def test_an_answer_about_a_deleted_job_harms_nobody(fake: FakeKind) -> None:
    job = asked(fake)
    Song.objects.all().delete()
    for outcome in (Running(), Finished("songs"), Ended("x", "failed", Charge.NO), error(Verdict.LATER)):
        answers.record_answer(fake, job, outcome)


# --- Answers that cannot be stored ---


@pytest.mark.parametrize("fields", [{"no_such_column": 1}, {"mureka_status": NOT_STORABLE}])
def test_a_result_is_kept_even_if_its_columns_cannot_be_stored(fake: FakeKind, fields: dict[str, Any]) -> None:
    assert record(fake, asked(fake), Finished("songs", fields)).phase == Phase.SAVING
    row = record(fake, asked(fake), Ended("No.", "p" * 99, Charge.MAYBE, fields))
    assert (row.status, row.problem) == (Status.FAILURE, "p" * 30)


def test_a_result_that_cannot_be_kept_is_asked_for_again_more_and_more_rarely(fake: FakeKind) -> None:
    def broken(_job: Any, _answer: Any) -> None:
        raise ValueError("what is this")

    fake.on_keep = broken
    row = record(fake, asked(fake, attempts=3), Finished("songs"))
    assert (row.status, row.phase, row.attempts, row.job_id != "") == (Status.PROGRESS, Phase.RUNNING, 4, True)
    assert round(pause(row)) == 40


def test_words_that_no_database_stores_are_trouble_like_any_other(fake: FakeKind) -> None:
    row = record(fake, asked(fake), error(Verdict.LATER, NOT_STORABLE, detail=NOT_STORABLE))
    assert (row.error_message, row.error_detail) == ("ab?c", "ab?c")
    row = record(fake, asked(fake), Ended(NOT_STORABLE, "failed", Charge.MAYBE))
    assert row.error_message.startswith("ab?c ")


def test_a_state_that_cannot_be_stored_is_trouble(fake: FakeKind) -> None:
    row = record(fake, asked(fake), Running(fields={"no_such_column": NOT_STORABLE}))
    assert (row.phase, row.problem) == (Phase.RUNNING, "asking")
