"""The follower: what it holds survives a database that is away, a row that is poison, a provider that hangs."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, close_old_connections, connection
from django.utils import timezone

from jobs import follower, kinds, leases, stopping, submissions, tasks, turns
from jobs.follower import Follower, look_back
from jobs.kinds import Accepted, AccountFigures, Finished, Running
from jobs.models import Lease, Phase, ProviderAccount, Status
from providers.errors import ProviderError, Verdict
from songs.models import Song, StemSeparation
from songs.tests.engine import (
    FakeKind,
    allow,
    drive,
    error,
    fresh,
    install,
    make_running,
    make_submitting,
    make_waiting,
)
from songs.tests.factories import make_stems

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    install(monkeypatch, kind)
    return kind


@pytest.fixture
def engine() -> Any:
    home: list[tuple[str, str]] = []
    running = Follower(lambda label, pk: home.append((label, pk)))
    running.sent_home = home  # type: ignore[attr-defined]
    yield running
    for pool in [*running.submitters.values(), *running.askers.values()]:
        pool.shutdown(wait=True, cancel_futures=True)


def phase(job: Any) -> str:
    return str(fresh(job).phase)


def test_a_job_goes_all_the_way(fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "FIRST_ASK", timedelta(0))
    fake.on_ask = lambda _job: Finished("songs")
    allow(1)
    song = make_waiting()
    drive(engine, lambda: bool(engine.sent_home))  # type: ignore[attr-defined]
    assert engine.sent_home == [("songs.song", str(song.pk))]  # type: ignore[attr-defined]
    assert (fake.submitted, fake.asked, phase(song)) == ([song.pk], [song.pk], Phase.SAVING)


def test_it_leaves_when_nothing_is_left_and_gives_the_lease_back(fake: FakeKind, engine: Follower) -> None:
    make_waiting()
    fake.on_submit = lambda _job: error(Verdict.REFUSED)
    assert engine.run() is True
    assert not leases.is_held(leases.FOLLOW)
    assert Song.objects.get().status == Status.FAILURE


def test_a_second_follower_leaves_at_once(fake: FakeKind, engine: Follower) -> None:
    make_waiting()
    leases.take(leases.FOLLOW, "another", timedelta(seconds=15))
    assert engine.run() is False
    assert fake.submitted == []
    assert leases.is_held(leases.FOLLOW)


def test_one_who_lost_the_lease_claims_nothing_but_writes_down_what_it_holds(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "RENEW_EVERY", 0.0)
    gate = threading.Event()

    def slowly(_job: Any) -> Any:
        gate.wait(5)
        return Accepted("4711", 0)  # type: ignore[arg-type]

    fake.on_submit = slowly
    allow(1)
    first = make_waiting()
    drive(engine, lambda: bool(engine.submissions))
    Lease.objects.update(owner="another", until=timezone.now() + timedelta(minutes=1))
    allow(5)
    second = make_waiting()
    engine._step()
    assert not engine.has_lease
    gate.set()
    drive(engine, lambda: not engine.submissions)
    assert (phase(first), phase(second)) == (Phase.RUNNING, Phase.WAITING)
    assert engine._goes_on() is False


def test_two_followers_at_once_submit_every_job_once(fake: FakeKind, engine: Follower) -> None:
    allow(9)
    songs = [make_waiting() for _number in range(6)]
    other = Follower(lambda _label, _pk: None)
    for _round in range(3):
        engine._submit()
        other._submit()
    drive(other, lambda: not other.submissions)
    drive(engine, lambda: not engine.submissions)
    assert sorted(fake.submitted) == sorted(song.pk for song in songs)
    other.submitters["fake"].shutdown()


def test_an_answer_survives_a_database_that_is_away_for_a_moment(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(1)
    song = make_waiting()
    move_to = Song.move_to
    failures: list[int] = []

    def fails_once(self: Song, status: Status, **fields: Any) -> None:
        if status == Status.PROGRESS and not failures:
            failures.append(1)
            raise OperationalError("gone")
        move_to(self, status, **fields)

    monkeypatch.setattr(Song, "move_to", fails_once)
    drive(engine, lambda: phase(song) == Phase.RUNNING)
    assert failures == [1]
    assert fake.submitted == [song.pk]
    assert fresh(song).job_id == f"id-{song.pk}"


def test_a_database_that_is_away_when_the_follower_looks_for_work_does_not_end_it(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_waiting()
    answers = iter([OperationalError("gone")])
    is_anything_active = kinds.is_anything_active

    def away_once() -> bool:
        if (failure := next(answers, None)) is not None:
            raise failure
        return is_anything_active()

    monkeypatch.setattr(follower, "is_anything_active", away_once)
    assert engine._step() is True
    drive(engine, lambda: bool(fake.submitted))


@pytest.mark.parametrize("failure", [ValueError("poison"), OperationalError("poison")])
def test_an_answer_that_can_never_be_written_does_not_hold_up_the_others(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    allow(9)
    songs = [make_waiting() for _number in range(5)]
    poison = songs[0].pk
    record = submissions.record_submission

    def poisoned(kind: Any, job: Any, outcome: Any) -> None:
        if job.pk == poison:
            raise failure
        record(kind, job, outcome)

    monkeypatch.setattr(submissions, "record_submission", poisoned)
    drive(engine, lambda: Song.objects.in_phase(Phase.RUNNING).count() == 4)
    assert fresh(songs[0]).phase == Phase.SUBMITTING  # found later, and called uncertain
    kept = {job.pk for _kind, job in engine.submissions.values()}
    assert kept == ({poison} if isinstance(failure, OperationalError) else set())
    assert len(fake.submitted) == 5


@pytest.mark.django_db(transaction=True)  # an error would spoil a test's transaction
def test_a_state_that_can_never_be_written_does_not_hold_up_the_others(fake: FakeKind, engine: Follower) -> None:
    songs = [make_running() for _number in range(4)]
    poison = songs[0].pk
    fake.on_ask = lambda job: Running(fields={"mureka_status": "\ud800" if job.pk == poison else "running"})
    drive(engine, lambda: Song.objects.filter(mureka_status="running").count() == 3)
    drive(engine, lambda: fresh(songs[0]).problem == "asking")
    assert fresh(songs[0]).phase == Phase.RUNNING


def test_a_step_that_breaks_does_not_stop_the_other_steps(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = make_running()

    def broken(*_args: Any, **_options: Any) -> Any:
        raise ValueError("broken")

    monkeypatch.setattr(turns, "claim_turns", broken)
    monkeypatch.setattr(follower, "look_back", broken)
    drive(engine, lambda: fake.asked == [song.pk])


def test_a_provider_that_hangs_does_not_stop_another(monkeypatch: pytest.MonkeyPatch, engine: Follower) -> None:
    monkeypatch.setattr(follower, "SUBMIT_THREADS", 1)
    monkeypatch.setattr(follower, "ASK_THREADS", 1)
    hangs, works = FakeKind(Song, "hangs"), FakeKind(StemSeparation, "works")
    install(monkeypatch, hangs, works)
    gate = threading.Event()
    hangs.on_submit = lambda _job: gate.wait(10) and Accepted("1", 0)  # type: ignore[arg-type]
    hangs.on_ask = lambda _job: gate.wait(10) and Running()
    allow(9, "hangs")
    allow(9, "works")
    make_waiting()
    make_waiting()
    for _number in range(4):
        make_running()
    drive(engine, lambda: bool(hangs.submitted) and bool(hangs.asked))
    waiting = make_stems(status=Status.PENDING)
    running = make_stems(status=Status.PROGRESS, next_poll_at=timezone.now())
    drive(engine, lambda: works.submitted == [waiting.pk] and running.pk in works.asked)
    gate.set()


def test_while_a_long_paid_call_keeps_a_run_going_others_are_still_submitted(
    monkeypatch: pytest.MonkeyPatch, engine: Follower
) -> None:
    slow, quick = FakeKind(StemSeparation), FakeKind(Song)
    install(monkeypatch, slow, quick)
    gate = threading.Event()
    slow.on_submit = lambda _job: gate.wait(10) and Finished("zip", job_id="z")
    allow(9)
    stems = make_stems(status=Status.PENDING)
    drive(engine, lambda: bool(slow.submitted))
    engine.started -= follower.RUN_FOR + 1
    song = make_waiting()
    engine._submit()
    assert quick.submitted == []  # nothing holds the run up yet, so it comes to its end
    ((_kind, flying),) = engine.submissions.values()
    flying.submitted_at = timezone.now() - follower.HELD_UP
    drive(engine, lambda: quick.submitted == [song.pk])
    gate.set()
    drive(engine, lambda: not engine.submissions)
    assert phase(stems) == Phase.SAVING
    assert engine._goes_on() is False


def test_a_claim_that_grew_old_before_its_request_left_is_not_sent(fake: FakeKind) -> None:
    song = make_waiting()
    (job,) = turns.claim_turns("fake", at_most=1)
    job.submitted_at = timezone.now() - follower.FRESH - timedelta(seconds=1)  # the process slept
    with pytest.raises(ProviderError) as caught:
        follower.send(fake, job)
    assert caught.value.verdict == Verdict.LATER
    assert fake.submitted == []
    submissions.record_submission(fake, job, caught.value)
    assert phase(song) == Phase.WAITING


def test_the_limit_is_learned_from_the_account_while_somebody_waits(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(kinds.ACCOUNT_READERS, "fake", lambda: AccountFigures(3, 500, 0, 0))
    for _number in range(5):
        make_waiting()
    drive(engine, lambda: len(fake.submitted) == 3)
    assert ProviderAccount.objects.get().balance == 500
    for _round in range(5):
        engine._step()
    assert len(fake.submitted) == 3


def test_a_stop_lets_the_paid_answer_arrive_and_claims_nothing_new(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    fake.on_submit = lambda job: gate.wait(10) and Accepted(f"id-{job.pk}", 0)  # type: ignore[arg-type]
    allow(1)
    song = make_waiting()
    drive(engine, lambda: bool(fake.submitted))
    monkeypatch.setattr(stopping, "is_requested", lambda: True)
    allow(9)
    other = make_waiting()
    threading.Timer(0.05, gate.set).start()
    assert engine.run() is True
    assert (phase(song), phase(other)) == (Phase.RUNNING, Phase.WAITING)


def test_follow_passes_on_to_a_successor_while_anything_is_active(
    fake: FakeKind,
    monkeypatch: pytest.MonkeyPatch,
    enqueued: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(follower, "RUN_FOR", 0.05)
    song = make_running(next_poll_at=timezone.now() + timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.follow()
    assert [task.func for task in enqueued] == [tasks.follow]
    song.delete()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.follow()
    assert len(enqueued) == 1
    assert fake.asked == []


def test_a_killed_follower_is_replaced_once_its_lease_is_over(fake: FakeKind, engine: Follower) -> None:
    """The dead one had claimed a submission, a question and a bringing-home: each comes back at its time."""
    allow(9)
    past = timezone.now() - timedelta(seconds=1)
    leases.take(leases.FOLLOW, "dead", timedelta(seconds=-1))
    lost = make_waiting(phase=Phase.SUBMITTING, next_poll_at=past, submitted_at=past)
    asked = make_running(next_poll_at=past)
    saving = make_running(phase=Phase.SAVING, next_poll_at=past)
    assert leases.take(leases.FOLLOW, engine.owner, follower.LEASE)
    drive(engine, lambda: phase(lost) == Phase.UNCERTAIN and bool(fake.asked))
    assert fake.submitted == []
    assert fake.asked == [asked.pk]
    assert engine.sent_home == [("songs.song", str(saving.pk))]  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connection that could be cut")
def test_a_paid_answer_survives_a_connection_that_the_database_cuts(fake: FakeKind, engine: Follower) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follower, "close_old_connections", close_old_connections)
        patch.setattr("jobs.follower.connections.close_all", connection.close)
        gate = threading.Event()
        fake.on_submit = lambda _job: gate.wait(10) and Accepted("4711", 0)  # type: ignore[arg-type]
        allow(1)
        song = make_waiting()
        drive(engine, lambda: bool(fake.submitted))
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        gate.set()
        for _round in range(20):
            engine._step()
            engine._wait()
    assert (phase(song), fresh(song).job_id) == (Phase.RUNNING, "4711")
    assert fake.submitted == [song.pk]


def test_a_crowd_is_asked_about_no_faster_than_the_pace(
    fake: FakeKind, engine: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = engine.asked_at
    monkeypatch.setattr(follower, "ASKS_PER_SECOND", 10.0)
    monkeypatch.setattr(follower, "time", SimpleNamespace(monotonic=lambda: now))
    for _number in range(30):
        make_running()
    engine._ask()
    now += 1.0
    engine._ask()
    engine._ask()
    assert len(engine.questions) == 10


def test_the_heir_of_a_dead_follower_calls_its_submissions_uncertain_at_once(fake: FakeKind) -> None:
    lost = make_submitting(submitted_at=timezone.now() - timedelta(seconds=20))
    fresh_one = make_submitting(submitted_at=timezone.now())
    look_back()
    assert fresh(lost).phase == Phase.SUBMITTING
    look_back(is_heir=True)
    assert fresh(lost).phase == Phase.UNCERTAIN
    assert fresh(fresh_one).phase == Phase.SUBMITTING


def test_a_follower_knows_whether_the_one_before_it_died(fake: FakeKind, engine: Follower) -> None:
    leases.take(leases.FOLLOW, "dead", timedelta(seconds=-1))
    heirs: list[bool] = []
    engine._step = lambda: bool(heirs.append(engine.is_heir))  # type: ignore[method-assign,func-returns-value]
    engine.run()
    again = Follower(engine.send_home)
    again._step = lambda: bool(heirs.append(again.is_heir))  # type: ignore[method-assign,func-returns-value]
    again.run()
    assert heirs == [True, False]
