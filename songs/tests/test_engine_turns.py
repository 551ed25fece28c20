"""Moves and turns: one conditional write each, never more jobs than the provider allows, first come first served."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs import turns
from jobs.kinds import AccountFigures
from jobs.models import ACTIVE, TRANSITIONS, Phase, ProviderAccount, Status, TransitionError
from providers.errors import Verdict
from songs.models import Song, StemSeparation
from songs.tests.engine import FakeKind, allow, error, fresh, install, make_running, make_submitting, make_waiting, told
from songs.tests.factories import make_song, make_stems

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[2]
FORBIDDEN = [(old, new) for old in Status for new in Status if new not in TRANSITIONS[old]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    install(monkeypatch, kind)
    return kind


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def claim(at_most: int = 100, provider: str = "fake", **options: Any) -> list[Any]:
    return [job.pk for job in turns.claim_turns(provider, at_most=at_most, **options)]


# --- Moves ---


@pytest.mark.parametrize(("old", "new"), FORBIDDEN)
def test_a_move_that_is_not_allowed_changes_nothing_and_raises(old: Status, new: Status) -> None:
    song = make_song(status=old)
    before = Song.objects.filter(pk=song.pk).values().get()
    with pytest.raises(TransitionError):
        song.move_to(new, event="It moved.", error_message="new")
    assert Song.objects.filter(pk=song.pk).values().get() == before
    assert told(song) == []
    assert song.error_message == ""


def test_a_move_whose_condition_does_not_hold_changes_nothing() -> None:
    song = make_waiting()
    with pytest.raises(TransitionError):
        song.move_to(Status.FAILURE, when={"task_id": "another"}, event="It moved.")
    assert (fresh(song).status, told(song)) == (Status.PENDING, [])


def test_a_move_writes_its_fields_and_its_line_together() -> None:
    song = make_waiting()
    song.move_to(Status.CANCELLED, event="Gone.", phase=Phase.ENDED)
    assert (fresh(song).status, fresh(song).phase, told(song)) == (Status.CANCELLED, Phase.ENDED, ["Gone."])
    assert song.status == Status.CANCELLED


def test_of_two_who_read_the_same_row_only_one_moves_it() -> None:
    mine = make_waiting()
    yours = fresh(mine)
    mine.move_to(Status.CANCELLED)
    with pytest.raises(TransitionError):
        yours.move_to(Status.PROGRESS, phase=Phase.RUNNING, job_id="1")
    assert fresh(mine).status == Status.CANCELLED


def test_a_move_of_a_row_that_is_gone_raises() -> None:
    song = make_waiting()
    Song.objects.all().delete()
    with pytest.raises(TransitionError):
        song.move_to(Status.CANCELLED)


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_whatever_is_active_can_fail(status: Status) -> None:
    song = make_song(status=status)
    song.move_to(Status.FAILURE)
    assert fresh(song).status == Status.FAILURE


# --- Claims ---


def test_a_claimed_job_has_a_new_token_a_slot_and_a_time_to_be_missed_at(fake: FakeKind) -> None:
    song = make_waiting()
    allow(1)
    assert claim() == [song.pk]
    row = fresh(song)
    assert (row.status, row.phase) == (Status.PENDING, Phase.SUBMITTING)
    assert row.task_id != song.task_id
    assert row.slot_until - row.submitted_at == fake.slot
    assert row.next_poll_at - row.submitted_at == fake.submit_timeout


@pytest.mark.usefixtures("fake")
def test_an_unknown_account_lets_one_job_run() -> None:
    make_waiting()
    make_waiting()
    assert len(claim()) == 1
    assert claim() == []


@pytest.mark.usefixtures("fake")
def test_the_limit_that_the_account_told_is_kept() -> None:
    turns.record_account("fake", AccountFigures(3, 0, 0, 0))
    for _number in range(5):
        make_waiting()
    assert len(claim()) == 3
    assert claim() == []


@pytest.mark.usefixtures("fake")
def test_no_more_are_claimed_than_there_is_room_for() -> None:
    allow(10)
    for _number in range(5):
        make_waiting()
    assert len(claim(at_most=2)) == 2


@pytest.mark.usefixtures("fake")
def test_first_come_first_served_whatever_was_due_first() -> None:
    allow(2)
    # The oldest was put back in line, so it became due last.
    third, first, second = (
        make_waiting(queued_at=ago(10), next_poll_at=ago(10)),
        make_waiting(queued_at=ago(30), next_poll_at=ago(1)),
        make_waiting(queued_at=ago(20), next_poll_at=ago(20)),
    )
    assert claim() == [first.pk, second.pk]
    assert fresh(third).phase == Phase.WAITING


@pytest.mark.usefixtures("fake")
def test_a_job_that_is_not_due_yet_waits_without_blocking_the_line() -> None:
    allow(1)
    make_waiting(queued_at=ago(30), next_poll_at=timezone.now() + timedelta(minutes=1))
    later = make_waiting(queued_at=ago(10))
    assert claim() == [later.pk]


def test_kinds_of_one_provider_share_its_line_and_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeKind(Song), FakeKind(StemSeparation))
    allow(2)
    choice_song = make_song()
    stems = make_stems(choice_song.choices.create(choice_index=0), status=Status.PENDING, queued_at=ago(30))
    second, third = make_waiting(queued_at=ago(20)), make_waiting(queued_at=ago(10))
    assert claim() == [stems.pk, second.pk]
    assert claim() == []
    assert fresh(third).phase == Phase.WAITING


def test_kinds_of_different_providers_do_not_take_each_others_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeKind(Song, "one"), FakeKind(StemSeparation, "two"))
    allow(1, "one", backoff_until=timezone.now() + timedelta(minutes=1))
    allow(1, "two")
    make_waiting()
    stems = make_stems(status=Status.PENDING)
    assert claim(provider="one") == []
    assert claim(provider="two") == [stems.pk]


def test_a_kind_whose_call_would_outlast_the_run_is_left_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = FakeKind(StemSeparation)
    slow.submit_timeout = timedelta(seconds=900)
    install(monkeypatch, FakeKind(Song), slow)
    allow(5)
    make_stems(status=Status.PENDING, queued_at=ago(30))
    song = make_waiting()
    assert claim(time_left=timedelta(seconds=100)) == [song.pk]


@pytest.mark.usefixtures("fake")
def test_an_uncertain_job_keeps_its_turn_until_its_time_is_over() -> None:
    allow(1)
    lost = make_song(status=Status.FAILURE, phase=Phase.UNCERTAIN, job_id="", slot_until=ago(-60))
    waiting = make_waiting()
    assert claim() == []
    Song.objects.filter(pk=lost.pk).update(slot_until=ago(1))
    assert claim() == [waiting.pk]


@pytest.mark.usefixtures("fake")
def test_jobs_in_every_active_phase_hold_a_turn_and_saving_ones_do_not() -> None:
    allow(2)
    make_submitting()
    make_running()
    make_running(phase=Phase.SAVING, slot_until=None)
    make_waiting()
    assert claim() == []
    allow(3)
    assert len(claim()) == 1


@pytest.mark.usefixtures("fake")
def test_nobody_is_claimed_while_the_provider_is_left_alone() -> None:
    allow(5, backoff_until=timezone.now() + timedelta(seconds=30))
    make_waiting()
    assert claim() == []
    allow(5, backoff_until=ago(1))
    assert len(claim()) == 1


@pytest.mark.usefixtures("fake")
def test_the_pause_grows_with_each_refusal_and_is_forgotten_when_something_is_taken() -> None:
    pauses = []
    for _number in range(6):
        until = turns.back_off("fake", error(Verdict.LATER))
        pauses.append(round((until - timezone.now()).total_seconds()))
        ProviderAccount.objects.update(backoff_until=ago(1))
    assert pauses == [5, 10, 20, 40, 60, 60]
    turns.forgive("fake")
    assert round((turns.back_off("fake", error(Verdict.LATER)) - timezone.now()).total_seconds()) == 5


@pytest.mark.usefixtures("fake")
def test_many_refusals_in_one_moment_are_one_strike() -> None:
    for _number in range(5):
        turns.back_off("fake", error(Verdict.LATER))
    assert ProviderAccount.objects.get().strikes == 1


@pytest.mark.usefixtures("fake")
def test_the_provider_is_left_alone_for_as_long_as_it_says() -> None:
    until = turns.back_off("fake", error(Verdict.LATER, retry_after=200))
    assert round((until - timezone.now()).total_seconds()) == 200
    turns.back_off("fake", error(Verdict.LATER, retry_after=1))
    account = ProviderAccount.objects.get()
    assert account.backoff_until is not None
    assert account.backoff_until >= until  # a shorter word does not undo a longer one


def test_a_job_that_was_cancelled_in_the_same_moment_is_not_claimed(
    fake: FakeKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(2)
    first, second = make_waiting(queued_at=ago(20)), make_waiting(queued_at=ago(10))
    claim_one = turns.claim

    def cancelled_just_before(job: Any, now: Any) -> bool:
        Song.objects.filter(pk=first.pk).update(status=Status.CANCELLED, phase=Phase.ENDED)
        return claim_one(job, now)

    monkeypatch.setattr(turns, "claim", cancelled_just_before)
    assert claim() == [second.pk]
    assert fresh(first).status == Status.CANCELLED
    assert fake.submitted == []


def test_a_claim_that_is_not_committed_has_not_happened(fake: FakeKind) -> None:
    allow(1)
    song = make_waiting()
    with transaction.atomic():
        assert claim() == [song.pk]
        transaction.set_rollback(True)
    assert (fresh(song).phase, fresh(song).task_id) == (Phase.WAITING, song.task_id)
    assert fake.submitted == []


@pytest.mark.usefixtures("fake")
def test_the_place_in_line_counts_those_before() -> None:
    first, second = make_waiting(queued_at=ago(20)), make_waiting(queued_at=ago(10))
    assert (turns.place_in_line(first), turns.place_in_line(second)) == (1, 2)


# --- Many at once ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="threads of one process share SQLite's test database")
@pytest.mark.usefixtures("fake")
def test_threads_never_exceed_the_limit_nor_claim_a_job_twice() -> None:
    assert connection.vendor == "postgresql"
    allow(3)
    for _number in range(12):
        make_waiting()
    barrier = threading.Barrier(8)

    def worker(_number: int) -> list[Any]:
        try:
            barrier.wait()
            return [pk for _round in range(4) for pk in claim(at_most=2)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        claimed = [pk for pks in pool.map(worker, range(8)) for pk in pks]
    assert len(claimed) == len(set(claimed)) == 3
    assert Song.objects.in_phase(Phase.SUBMITTING).count() == 3


MANY_CONNECTIONS = """
import threading
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.core.management import call_command
from django.db import connections
call_command("migrate", verbosity=0)
from jobs import leases, turns
from jobs.models import ProviderAccount
from songs.models import Song
ProviderAccount.objects.create(provider="mureka", concurrent_request_limit=3)
for number in range(12):
    Song.objects.create(prompt="x", lyrics="y")
barrier = threading.Barrier(8)
def worker(number):
    barrier.wait()
    held = leases.take("follow", str(number), leases.timedelta(seconds=60))
    pks = [job.pk for _round in range(4) for job in turns.claim_turns("mureka", at_most=2)]
    connections.close_all()
    return held, pks
with ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(worker, range(8)))
claimed = [pk for _held, pks in answers for pk in pks]
print(sum(held for held, _pks in answers), len(claimed), len(set(claimed)))
"""


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="proves SQLite with a connection for each thread")
def test_connections_to_one_sqlite_file_never_exceed_the_limit_nor_claim_a_job_twice(tmp_path: Path) -> None:
    environment = os.environ | {"DATA_DIR": str(tmp_path), "ENV_FILE": os.devnull, "DATABASE_URL": ""}
    run = subprocess.run(
        [sys.executable, "-c", MANY_CONNECTIONS],
        cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.stdout.split() == ["1", "3", "3"], run.stderr
