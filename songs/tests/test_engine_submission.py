"""What becomes of a paid request: saved at once, refused, put back in line, or uncertain and never sent again."""

from dataclasses import FrozenInstanceError
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from jobs import follower, services, submissions, tasks, turns
from jobs.kinds import Accepted, Finished
from jobs.models import Charge, JobEvent, Phase, ProviderAccount, Status
from jobs.spending import Spending, spent_since
from providers.errors import Verdict
from songs.models import Song
from songs.tests.engine import FakeKind, allow, claimed, error, fresh, install, make_waiting, told
from songs.tests.factories import make_song

pytestmark = pytest.mark.django_db
ACCEPTED = Accepted(job_id="4711", cost=Decimal("0.30"))
NOT_STORABLE = "a\x00b\ud800c"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    install(monkeypatch, kind)
    return kind


def record(fake: FakeKind, job: Any, outcome: Any) -> Song:
    submissions.record_submission(fake, job, outcome)
    row: Song = fresh(job)
    return row


def state(job: Any) -> tuple[str, str, str]:
    row = fresh(job)
    return row.status, row.phase, row.charge


def test_outcomes_cannot_be_changed_on_the_way() -> None:
    with pytest.raises(FrozenInstanceError):
        ACCEPTED.job_id = "other"  # type: ignore[misc]


def test_an_accepted_job_is_saved_with_its_id_and_what_it_costs(fake: FakeKind) -> None:
    job = claimed(fake)
    ProviderAccount.objects.update(strikes=3, backoff_reason="slow down")
    row = record(fake, job, Accepted("4711", Decimal("0.42"), {"mureka_status": "preparing"}))
    assert state(job) == (Status.PROGRESS, Phase.RUNNING, Charge.YES)
    assert (row.job_id, row.cost, row.mureka_status) == ("4711", Decimal("0.42"), "preparing")
    assert row.deadline_at is not None
    assert row.slot_until is not None
    assert row.next_poll_at is not None
    assert told(job) == ["Fake took the job (4711)."]
    assert ProviderAccount.objects.get().strikes == 0


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.OUT_OF_MONEY, Verdict.BAD_KEY])
def test_a_refusal_ends_the_job_without_cost_and_gives_its_turn_back(fake: FakeKind, verdict: Verdict) -> None:
    job = claimed(fake)
    row = record(fake, job, error(verdict, "No such style.", detail="{raw}"))
    assert state(job) == (Status.FAILURE, Phase.ENDED, Charge.NO)
    assert (row.problem, row.error_message, row.error_detail) == (verdict, "No such style. Not charged.", "{raw}")
    assert (row.slot_until, row.next_poll_at) == (None, None)
    assert row.completed_at is not None
    assert told(job) == ["No such style. Not charged."]


def test_what_did_not_arrive_goes_back_in_line_at_its_old_place_without_cost(fake: FakeKind) -> None:
    job = claimed(fake)
    row = record(fake, job, error(Verdict.LATER, "Cannot be reached."))
    assert state(job) == (Status.PENDING, Phase.WAITING, Charge.NO)
    assert row.queued_at == job.queued_at
    assert (row.slot_until, row.submitted_at, row.attempts) == (None, None, 1)
    assert row.error_message == "Cannot be reached. Not charged."
    assert row.next_poll_at == ProviderAccount.objects.get().backoff_until


def test_the_pause_before_the_next_try_grows_and_the_history_does_not(fake: FakeKind) -> None:
    job, pauses = claimed(fake), []
    for _number in range(4):
        row = record(fake, job, error(Verdict.LATER))
        assert row.next_poll_at is not None
        pauses.append(round((row.next_poll_at - timezone.now()).total_seconds()))
        past = timezone.now() - timedelta(seconds=1)
        Song.objects.update(next_poll_at=past)
        ProviderAccount.objects.update(backoff_until=past)
        (job,) = turns.claim_turns("fake", at_most=1)
    assert pauses == [5, 10, 20, 40]
    assert len(told(job)) == 1


def test_a_job_that_the_provider_alone_refuses_again_lets_the_others_try_first(fake: FakeKind) -> None:
    job = claimed(fake, attempts=1)
    other = make_waiting()
    row = record(fake, job, error(Verdict.LATER, "Too many requests.", status=429))
    account = ProviderAccount.objects.get()
    assert account.backoff_until is not None
    assert row.next_poll_at is not None
    assert row.next_poll_at > account.backoff_until
    moment = account.backoff_until
    assert list(Song.objects.due(moment).waiting()) == [other]


def test_a_lost_answer_is_uncertain_and_keeps_its_turn(fake: FakeKind) -> None:
    job = claimed(fake)
    row = record(fake, job, error(Verdict.UNCERTAIN, "No answer in time.", detail="ReadTimeout"))
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)
    assert row.slot_until == job.slot_until
    assert row.next_poll_at is None
    sentence = "No answer in time. It may have been charged, so it was not repeated."
    assert (row.error_message, row.error_detail, told(job)) == (sentence, "ReadTimeout", [sentence])


def test_an_unexpected_exception_is_uncertain(fake: FakeKind) -> None:
    job = claimed(fake)
    row = record(fake, job, KeyError("surprise"))
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)
    assert "surprise" in row.error_detail


def test_a_submission_that_nobody_came_back_for_is_uncertain_once_it_is_overdue(fake: FakeKind) -> None:
    job = claimed(fake)
    follower.look_back()
    assert fresh(job).phase == Phase.SUBMITTING
    Song.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    follower.look_back()
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)


def test_what_is_uncertain_is_not_submitted_again_by_any_path_of_the_program(
    fake: FakeKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(fake)
    record(fake, job, error(Verdict.UNCERTAIN))
    Song.objects.update(slot_until=timezone.now() - timedelta(days=1))
    allow(5)
    monkeypatch.setattr(follower, "RUN_FOR", 0.1)
    tasks.sweep()
    tasks.nudge()
    tasks.nudge_if_nobody_follows()
    tasks.follow()
    tasks.follow()
    follower.look_back()
    assert turns.claim_turns("fake", at_most=5) == []
    assert fake.submitted == []
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)


# --- Late answers ---


def test_an_answer_that_comes_late_is_accepted_by_its_token(fake: FakeKind) -> None:
    job = claimed(fake)
    submissions.mark_uncertain(fake, fresh(job))
    row = record(fake, job, ACCEPTED)
    assert state(job) == (Status.PROGRESS, Phase.RUNNING, Charge.YES)
    assert (row.job_id, row.error_message, row.completed_at) == ("4711", "", None)


def test_a_refusal_that_comes_late_settles_what_was_uncertain(fake: FakeKind) -> None:
    job = claimed(fake)
    submissions.mark_uncertain(fake, fresh(job))
    row = record(fake, job, error(Verdict.REFUSED, "No."))
    assert state(job) == (Status.FAILURE, Phase.ENDED, Charge.NO)
    assert (row.slot_until, row.error_message) == (None, "No. Not charged.")


def test_word_that_it_never_arrived_settles_what_was_uncertain_but_does_not_submit_it_again(fake: FakeKind) -> None:
    job = claimed(fake)
    submissions.mark_uncertain(fake, fresh(job))
    record(fake, job, error(Verdict.LATER, "Cannot be reached."))
    assert state(job) == (Status.FAILURE, Phase.ENDED, Charge.NO)


TOOK_EARLIER = "Fake took an earlier submission after all, as job 4711. It was charged."


def submitted_twice(fake: FakeKind, **overrides: Any) -> tuple[Any, Any]:
    """Return a song as it was submitted first, and as it is being submitted now, for the first answer was lost."""
    earlier = claimed(fake, **overrides)
    submissions.mark_uncertain(fake, fresh(earlier))
    services.submit_again(fresh(earlier))
    (later,) = turns.claim_turns("fake", at_most=5)
    return earlier, later


def test_a_job_that_was_taken_for_an_earlier_submission_is_followed_in_a_row_of_its_own(fake: FakeKind) -> None:
    earlier, later = submitted_twice(fake, lyrics="Rain", prompt="folk", variants=1, gender="female", title="Wet")
    row = record(fake, earlier, ACCEPTED)
    assert (row.phase, row.job_id) == (Phase.SUBMITTING, "")
    assert row.task_id == later.task_id != earlier.task_id
    sibling = Song.objects.get(job_id="4711")
    assert sibling.pk != row.pk
    assert state(sibling) == (Status.PROGRESS, Phase.RUNNING, Charge.YES)
    assert (sibling.cost, row.spent_before) == (Decimal(0), Decimal("0.30"))
    assert sibling.submitted_at == earlier.submitted_at
    assert [getattr(sibling, name) for name in fake.wish] == [getattr(row, name) for name in fake.wish]
    assert told(row)[-1] == TOOK_EARLIER
    day_ago = timezone.now() - timedelta(days=1)
    assert spent_since(day_ago) == Spending(charged=Decimal("0.30")), "no doubt is left"
    assert row.history().reverse()[0].get_absolute_url() == sibling.get_absolute_url()
    assert sibling.history().get().get_absolute_url() == row.get_absolute_url()
    assert follower.claim_due(fake, Phase.RUNNING, follower.ASK_CLAIM, at_most=9) == [sibling]
    assert record(fake, later, Accepted("4712", Decimal(1))).job_id == "4712"


def test_the_same_late_answer_twice_makes_one_row(fake: FakeKind) -> None:
    earlier, _later = submitted_twice(fake)
    record(fake, earlier, ACCEPTED)
    row = record(fake, earlier, ACCEPTED)
    assert Song.objects.filter(job_id="4711").count() == 1
    assert told(row).count(TOOK_EARLIER) == 1


@pytest.mark.parametrize("fields", [{"no_such_column": 1}, {"variants": 2**70}])
def test_a_late_answer_that_cannot_be_stored_whole_is_followed_too(fake: FakeKind, fields: dict[str, Any]) -> None:
    earlier, _later = submitted_twice(fake)
    record(fake, earlier, Accepted("4711", Decimal(1), fields))
    assert Song.objects.get(job_id="4711").phase == Phase.RUNNING


def test_a_refusal_of_an_earlier_submission_does_not_end_the_later_one(fake: FakeKind) -> None:
    earlier = claimed(fake)
    submissions.mark_uncertain(fake, fresh(earlier))
    services.submit_again(fresh(earlier))
    turns.claim_turns("fake", at_most=5)
    for verdict in Verdict:
        assert record(fake, earlier, error(verdict)).phase == Phase.SUBMITTING


def test_an_answer_written_twice_is_one_answer(fake: FakeKind) -> None:
    job = claimed(fake)
    record(fake, job, ACCEPTED)
    Song.objects.update(next_poll_at=None)
    assert record(fake, job, ACCEPTED).next_poll_at is None
    assert len(told(job)) == 1


def test_the_answer_of_a_deleted_job_harms_nobody(fake: FakeKind) -> None:
    job = claimed(fake)
    Song.objects.all().delete()
    submissions.record_submission(fake, job, ACCEPTED)
    submissions.record_submission(fake, job, error(Verdict.UNCERTAIN))
    assert JobEvent.objects.count() == 0


# --- Answers that cannot be stored ---


def test_a_job_id_that_another_job_has_is_uncertain_and_the_id_is_on_record(fake: FakeKind) -> None:
    make_song(status=Status.SUCCESS, job_id="4711")
    job = claimed(fake)
    row = record(fake, job, ACCEPTED)
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)
    assert "4711" in row.error_detail
    assert row.job_id == ""


def test_a_late_answer_with_a_job_id_that_another_job_has_changes_nothing(fake: FakeKind) -> None:
    make_song(status=Status.SUCCESS, job_id="4711")
    job = claimed(fake)
    submissions.mark_uncertain(fake, fresh(job))
    record(fake, job, ACCEPTED)
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)


def test_an_empty_job_id_is_uncertain(fake: FakeKind) -> None:
    job = claimed(fake)
    record(fake, job, Accepted("", Decimal(1)))
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)


@pytest.mark.parametrize(
    "fields", [{"no_such_column": 1}, {"mureka_status": NOT_STORABLE}, {"variants": 2**70}, {"mureka_response": {1, 2}}]
)
def test_the_job_id_is_saved_even_if_the_rest_of_the_answer_cannot_be(fake: FakeKind, fields: dict[str, Any]) -> None:
    job = claimed(fake)
    assert record(fake, job, Accepted("4711", Decimal(1), fields)).job_id == "4711"
    assert state(job) == (Status.PROGRESS, Phase.RUNNING, Charge.YES)


def test_an_answer_that_cannot_be_kept_at_all_is_uncertain_and_on_record(fake: FakeKind) -> None:
    def full(_job: Any, _answer: Any) -> None:
        raise IntegrityError("no room")

    fake.on_keep = full
    job = claimed(fake)
    row = record(fake, job, Finished(answer="https://example.org/the.zip", job_id="t1"))
    assert state(job) == (Status.FAILURE, Phase.UNCERTAIN, Charge.MAYBE)
    assert "https://example.org/the.zip" in row.error_detail


def test_an_answer_at_once_whose_id_is_known_already_is_kept_under_our_own(fake: FakeKind) -> None:
    make_song(status=Status.SUCCESS, job_id="t1")
    job, kept = claimed(fake), []
    fake.on_keep = lambda _job, answer: kept.append(answer)
    row = record(fake, job, Finished(answer="zip", job_id="t1", cost=Decimal("0.06")))
    assert state(job) == (Status.PROGRESS, Phase.SAVING, Charge.YES)
    assert (row.job_id, row.cost, row.slot_until) == (job.task_id, Decimal("0.06"), None)
    assert kept == ["zip"]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_words_that_no_database_stores_do_not_change_the_verdict(fake: FakeKind, verdict: Verdict) -> None:
    job = claimed(fake)
    row = record(fake, job, error(verdict, NOT_STORABLE, detail=NOT_STORABLE))
    assert row.error_message.startswith("ab?c")
    assert row.error_detail == "ab?c"
    assert row.phase == {Verdict.LATER: Phase.WAITING, Verdict.UNCERTAIN: Phase.UNCERTAIN}.get(verdict, Phase.ENDED)


def test_a_database_that_is_away_is_passed_on_so_that_the_answer_is_kept(
    fake: FakeKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(fake)

    def away(*_args: Any, **_fields: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Song, "move_to", away)
        with pytest.raises(OperationalError):
            submissions.record_submission(fake, job, ACCEPTED)
    assert fresh(job).phase == Phase.SUBMITTING
    assert record(fake, job, ACCEPTED).job_id == "4711"
