"""What a person may ask of a job: cancel it, submit it again, have the provider asked again."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from jobs import follower, services, submissions, tasks, turns
from jobs.kinds import Accepted
from jobs.models import Charge, Job, Phase, Status
from jobs.services import JobError
from providers.errors import Verdict
from songs.models import Song, StemSeparation
from songs.tests.engine import (
    FakeKind,
    allow,
    claimed,
    error,
    fresh,
    install,
    make_running,
    make_submitting,
    make_waiting,
    told,
)
from songs.tests.factories import make_song, make_stems

pytestmark = pytest.mark.django_db
ENDED = [Status.SUCCESS, Status.FAILURE, Status.CANCELLED]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    install(monkeypatch, kind)
    return kind


def make_uncertain(**overrides: Any) -> Song:
    fields = {"phase": Phase.UNCERTAIN, "charge": Charge.MAYBE, "job_id": ""}
    slot = {"slot_until": timezone.now() + timedelta(minutes=5)}
    return make_song(**({"status": Status.FAILURE} | fields | slot | overrides))


# --- Cancel ---


@pytest.mark.usefixtures("fake")
def test_a_waiting_job_is_cancelled_at_once_and_for_free() -> None:
    song = make_waiting()
    assert services.cancel_job(song) is True
    row = fresh(song)
    assert (row.status, row.phase, row.charge, row.next_poll_at) == (Status.CANCELLED, Phase.ENDED, Charge.NO, None)
    assert told(song) == ["Cancelled. Not charged."]


@pytest.mark.parametrize("make", [make_submitting, make_running, lambda: make_running(phase=Phase.SAVING)])
@pytest.mark.usefixtures("fake")
def test_a_job_that_may_be_paid_for_goes_on_and_the_wish_is_noted_once(make: Any) -> None:
    song = make()
    assert services.cancel_job(song) is False
    first = fresh(song).cancel_requested_at
    assert services.cancel_job(fresh(song)) is False
    row = fresh(song)
    assert (row.status, row.phase) == (song.status, song.phase)
    assert row.cancel_requested_at == first is not None
    assert told(song) == ["Cancel asked for. Fake cannot stop a job, so its result is kept."]


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.usefixtures("fake")
def test_what_has_ended_cannot_be_cancelled(status: Status) -> None:
    song = make_song(status=status)
    with pytest.raises(JobError):
        services.cancel_job(song)
    assert (fresh(song).cancel_requested_at, told(song)) == (None, [])


def test_a_cancel_asked_for_while_submitting_is_honoured_if_the_request_did_not_arrive(fake: FakeKind) -> None:
    job = claimed(fake)
    services.cancel_job(fresh(job))
    submissions.record_submission(fake, job, error(Verdict.LATER))
    row = fresh(job)
    assert (row.status, row.charge, row.slot_until) == (Status.CANCELLED, Charge.NO, None)


def test_a_cancel_between_the_answer_and_its_writing_is_honoured_too(
    fake: FakeKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(fake)
    back_off = turns.back_off

    def meanwhile(*args: Any) -> Any:
        services.cancel_job(fresh(job))
        return back_off(*args)

    monkeypatch.setattr(turns, "back_off", meanwhile)
    submissions.record_submission(fake, job, error(Verdict.LATER))
    assert fresh(job).status == Status.CANCELLED


def test_a_cancel_of_a_job_that_comes_back_into_the_line_in_this_moment_cancels_it(
    fake: FakeKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(fake)
    note = services.note_cancel

    def put_back_just_before(song: Job) -> bool:
        monkeypatch.setattr(services, "note_cancel", note)
        submissions.record_submission(fake, job, error(Verdict.LATER))
        return note(song)

    monkeypatch.setattr(services, "note_cancel", put_back_just_before)
    assert services.cancel_job(fresh(job)) is True
    assert fresh(job).status == Status.CANCELLED


def test_a_cancelled_wish_does_not_lose_what_the_provider_took(fake: FakeKind) -> None:
    job = claimed(fake)
    services.cancel_job(fresh(job))
    submissions.record_submission(fake, job, Accepted("4711", Decimal(1)))
    assert (fresh(job).status, fresh(job).job_id) == (Status.PROGRESS, "4711")


# --- Submit again ---


@pytest.mark.parametrize(("charge", "spent"), [(Charge.NO, "1.00"), (Charge.MAYBE, "1.30"), (Charge.YES, "1.30")])
@pytest.mark.usefixtures("fake")
def test_what_it_cost_before_stays_in_the_books(charge: Charge, spent: str) -> None:
    song = make_song(status=Status.FAILURE, charge=charge, cost=Decimal("0.30"), spent_before=Decimal("1.00"))
    services.submit_again(song)
    assert (fresh(song).charge, fresh(song).spent_before) == (Charge.NO, Decimal(spent))


@pytest.mark.parametrize("status", [Status.FAILURE, Status.CANCELLED])
@pytest.mark.usefixtures("fake")
def test_a_job_that_ended_without_a_result_goes_to_the_end_of_the_line(status: Status) -> None:
    song = make_song(status=status, error_message="No.", problem="refused", attempts=7, queued_at=timezone.now())
    other = make_waiting()
    services.submit_again(song)
    row = fresh(song)
    assert (row.status, row.phase, row.job_id, row.error_message, row.attempts) == (
        Status.PENDING, Phase.WAITING, "", "", 0,
    )  # fmt: skip
    assert (row.submitted_at, row.completed_at, row.slot_until, row.cancel_requested_at) == (None, None, None, None)
    assert list(Song.objects.waiting()) == [other, song]
    assert told(song) == ["Submitted again by hand."]


@pytest.mark.usefixtures("fake")
def test_submit_again_wakes_a_follower(enqueued: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.submit_again(make_uncertain())
    assert [task.func for task in enqueued] == [tasks.follow]


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROGRESS, Status.SUCCESS])
@pytest.mark.usefixtures("fake")
def test_what_runs_or_is_done_cannot_be_submitted_again(status: Status) -> None:
    song = make_song(status=status)
    with pytest.raises(JobError):
        services.submit_again(song)
    assert (fresh(song).status, told(song)) == (status, [])


def test_two_people_who_submit_again_send_one_request(fake: FakeKind) -> None:
    song = make_uncertain()
    mine, yours = fresh(song), fresh(song)
    services.submit_again(mine)
    with pytest.raises(JobError):
        services.submit_again(yours)
    allow(9)
    assert len(turns.claim_turns(fake.provider, at_most=9)) == 1
    with pytest.raises(JobError):
        services.submit_again(yours)
    assert fresh(song).spent_before == song.cost


def test_an_old_page_cannot_submit_again_what_was_submitted_and_failed_since(fake: FakeKind) -> None:
    old = make_uncertain()
    services.submit_again(fresh(old))
    allow(9)
    (job,) = turns.claim_turns(fake.provider, at_most=9)
    submissions.record_submission(fake, job, error(Verdict.REFUSED))
    with pytest.raises(JobError):
        services.submit_again(old)
    assert fresh(old).status == Status.FAILURE


@pytest.mark.usefixtures("fake")
def test_the_books_are_not_added_up_from_a_row_that_has_changed_since() -> None:
    song = make_song(status=Status.FAILURE, charge=Charge.NO)
    stale = fresh(song)
    Song.objects.update(charge=Charge.YES)
    with pytest.raises(JobError):
        services.submit_again(stale)
    assert fresh(song).status == Status.FAILURE


# --- Ask again ---


@pytest.mark.usefixtures("fake")
def test_a_job_id_that_was_lost_brings_an_uncertain_job_back_and_says_it_was_charged() -> None:
    song = make_uncertain()
    services.ask_again(song, job_id=" 4711 ")
    row = fresh(song)
    assert (row.status, row.phase, row.job_id, row.charge) == (Status.PROGRESS, Phase.RUNNING, "4711", Charge.YES)
    assert row.deadline_at > timezone.now()
    assert (row.error_message, row.completed_at) == ("", None)
    assert told(song) == ["The provider is asked again (4711)."]


@pytest.mark.usefixtures("fake")
def test_without_a_job_id_there_is_nothing_to_ask() -> None:
    with pytest.raises(JobError, match="job id is not known"):
        services.ask_again(make_uncertain())


@pytest.mark.usefixtures("fake")
def test_a_job_id_of_another_job_is_refused_and_nothing_changes() -> None:
    make_song(job_id="4711")
    song = make_uncertain()
    with pytest.raises(JobError, match="belongs to another job"):
        services.ask_again(song, job_id="4711")
    assert (fresh(song).status, fresh(song).phase, told(song)) == (Status.FAILURE, Phase.UNCERTAIN, [])


@pytest.mark.parametrize("job_id", ["x" * 256, "47\x0011", "\ud800"])
@pytest.mark.usefixtures("fake")
def test_what_cannot_be_a_job_id_is_refused_before_the_database_sees_it(job_id: str) -> None:
    with pytest.raises(JobError, match="not a job id"):
        services.ask_again(make_uncertain(), job_id=job_id)


@pytest.mark.parametrize("status", [Status.PENDING, Status.SUCCESS, Status.CANCELLED])
@pytest.mark.usefixtures("fake")
def test_the_provider_is_not_asked_about_what_it_cannot_know_or_what_is_done(status: Status) -> None:
    song = make_song(status=status, job_id="4711")
    with pytest.raises(JobError):
        services.ask_again(song)
    assert fresh(song).job_id == "4711"


@pytest.mark.parametrize("status", list(Status))
def test_the_job_id_of_an_earlier_submission_is_followed_in_a_row_of_its_own(fake: FakeKind, status: Status) -> None:
    song = make_song(status=status, job_id="4712", spent_before=Decimal("0.30"))
    sibling: Any = services.ask_again(song, job_id=" 4711 ")
    row = fresh(sibling)
    assert row.pk != song.pk
    assert (row.status, row.phase, row.job_id, row.charge, row.cost) == (
        Status.PROGRESS, Phase.RUNNING, "4711", Charge.YES, 0,
    )  # fmt: skip
    assert (row.lyrics, row.prompt) == (song.lyrics, song.prompt)
    assert (fresh(song).status, fresh(song).job_id) == (status, "4712")
    assert told(song) == ["The provider is asked about an earlier submission (4711)."]
    assert told(row) == ["Fake made this for an earlier submission, as job 4711. What it cost is counted there."]
    with pytest.raises(JobError, match="belongs to another job"):
        services.ask_again(song, job_id="4711")
    assert Song.objects.count() == 2
    assert follower.claim_due(fake, Phase.RUNNING, follower.ASK_CLAIM, at_most=9)[-1].pk == row.pk


@pytest.mark.usefixtures("fake")
def test_a_job_id_that_the_provider_does_not_know_gives_way_to_the_right_one() -> None:
    song = make_song(status=Status.FAILURE, job_id="123", problem="lost")
    assert services.ask_again(song, job_id="4711") == song
    assert (fresh(song).status, fresh(song).job_id) == (Status.PROGRESS, "4711")


@pytest.mark.usefixtures("fake")
def test_the_id_that_a_running_job_has_only_cuts_its_waiting_short() -> None:
    song = make_running(job_id="4711", next_poll_at=timezone.now() + timedelta(minutes=1))
    assert services.ask_again(song, job_id="4711") == song
    assert Song.objects.count() == 1


@pytest.mark.usefixtures("fake")
def test_asking_about_a_running_job_only_cuts_its_waiting_short() -> None:
    song = make_running(next_poll_at=timezone.now() + timedelta(minutes=1))
    services.ask_again(song)
    row = fresh(song)
    assert row.next_poll_at <= timezone.now()
    assert (row.phase, row.deadline_at, told(song)) == (Phase.RUNNING, song.deadline_at, [])


@pytest.mark.usefixtures("fake")
def test_of_two_who_ask_again_one_is_told_that_it_has_moved_on() -> None:
    song = make_song(status=Status.FAILURE)
    stale = fresh(song)
    services.ask_again(song)
    with pytest.raises(JobError, match="just been moved on"):
        services.ask_again(stale)


def test_a_kind_that_cannot_be_asked_about_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = FakeKind(StemSeparation)
    kind.is_askable = False
    install(monkeypatch, kind)
    stems = make_stems(status=Status.FAILURE, problem="files")
    assert not stems.can_ask_again
    with pytest.raises(JobError, match="cannot be asked"):
        services.ask_again(stems)
    assert fresh(stems).problem == "files"
