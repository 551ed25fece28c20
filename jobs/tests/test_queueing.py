"""The queue only wakes somebody up: it may be dead, and one kind's trouble is not another's."""

from typing import Any

import pytest
from django.db import transaction
from django_q.models import Schedule
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import kinds, leases, schedule, tasks, turns
from jobs.kinds import AccountFigures
from jobs.models import Lease, ProviderAccount

pytestmark = pytest.mark.django_db


class Sweeping:
    """As much of a kind as the sweep needs."""

    provider = "fake"

    def __init__(self, label: str, error: Exception | None = None) -> None:
        self.label = label
        self.error = error
        self.swept = 0

    def sweep(self) -> None:
        self.swept += 1
        if self.error:
            raise self.error


def test_a_dead_broker_does_not_fail_the_one_who_asks(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def dead(*_args: Any, **_options: Any) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks, "async_task", dead)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        tasks.nudge()
    assert len(callbacks) == 1


def test_nothing_is_enqueued_before_the_commit(
    enqueued: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            tasks.nudge()
            assert enqueued == []
        assert enqueued == []
    assert [task.func for task in enqueued] == [tasks.follow]


def test_what_is_rolled_back_is_not_enqueued(
    enqueued: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        tasks.nudge()
        transaction.set_rollback(True)
    assert enqueued == []


def test_one_kind_that_breaks_does_not_stop_the_sweep_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Sweeping("a", OSError("no such folder")), Sweeping("b")
    monkeypatch.setattr(tasks, "KINDS", {"a": first, "b": second})
    monkeypatch.setattr(tasks, "is_anything_active", lambda: False)
    tasks.sweep()
    assert (first.swept, second.swept) == (1, 1)


def test_a_sweep_wakes_a_follower_only_if_there_is_work_that_nobody_follows(
    monkeypatch: pytest.MonkeyPatch,
    enqueued: list[Any],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(tasks, "KINDS", {})
    monkeypatch.setattr(tasks, "is_anything_active", lambda: True)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
        tasks.sweep()  # within the same moment: once is enough
    assert len(enqueued) == 1
    leases.drop(leases.NUDGE, Lease.objects.get(name=leases.NUDGE).owner)
    leases.take(leases.FOLLOW, "somebody", tasks.NUDGE_AT_MOST_EVERY)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert len(enqueued) == 1


def test_the_schedule_can_be_installed_any_number_of_times() -> None:
    schedule.install()
    Schedule.objects.update(minutes=77, repeats=0)
    schedule.install()
    row = Schedule.objects.get(name="jobs.sweep")
    assert (row.func, row.minutes, row.repeats) == ("jobs.tasks.sweep", 1, -1)


def test_figures_of_an_account_are_written_down_even_before_its_row_exists() -> None:
    turns.record_account("fake", AccountFigures(7, 100, 200, 300, "me"))
    account = ProviderAccount.objects.get(provider="fake")
    assert (account.concurrent_request_limit, account.balance, account.account_id) == (7, 100, "me")


def test_figures_that_no_column_holds_are_cut_to_the_nearest() -> None:
    turns.record_account("fake", AccountFigures(2**60, 2**60, -(2**60), 5, "9" * 300))
    account = ProviderAccount.objects.get(provider="fake")
    assert account.concurrent_request_limit == account.balance == 2**31 - 1
    assert len(account.account_id) == 100


def test_a_limit_of_nothing_still_lets_one_job_run() -> None:
    turns.record_account("fake", AccountFigures(0, 1, 1, 1))
    assert ProviderAccount.objects.get().concurrent_request_limit == 1


def test_an_account_that_cannot_be_read_keeps_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    turns.record_account("fake", AccountFigures(7, 100, 200, 300))

    def broken() -> AccountFigures:
        raise ValueError("what is this")

    monkeypatch.setitem(kinds.ACCOUNT_READERS, "fake", broken)
    tasks.read_account("fake")
    account = ProviderAccount.objects.get(provider="fake")
    assert account.balance == 100
    assert account.check_error == "The account could not be read."


def test_an_account_is_read_by_one_caller_at_a_time() -> None:
    assert turns.claim_account_check("fake")
    assert not turns.claim_account_check("fake")
