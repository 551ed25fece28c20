"""Driving the engine in tests: inline, quickly, on the connection that holds the test's own transaction."""

from datetime import timedelta
from typing import Any

import pytest

from jobs import answers, follower, submissions, turns
from jobs.follower import Follower
from jobs.kinds import KINDS
from jobs.models import Job


def be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine wait for nothing longer than needed, and keep the test's connection."""
    soon = timedelta(milliseconds=20)
    for module, names in (
        (submissions, ("FIRST_ASK",)),
        (answers, ("SHORTEST_ASK", "LONGEST_ASK", "TROUBLE_FIRST", "TROUBLE_LONGEST")),
        (turns, ("FIRST_BACKOFF", "LONGEST_BACKOFF")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, soon)
    monkeypatch.setattr(submissions, "GIVE_WAY", timedelta(0))
    monkeypatch.setattr(follower, "TICK", 0.01)
    monkeypatch.setattr(follower, "IDLE_FOR", 0.0)
    monkeypatch.setattr(follower, "close_old_connections", lambda: None)
    monkeypatch.setattr("jobs.follower.connections.close_all", lambda: None)


def follow() -> None:
    """Follow until nothing is active any more. Files are brought home at once instead of by another task."""
    assert Follower(lambda label, pk: KINDS[label].bring_home(pk)).run() is True


def fresh(job: Job) -> Any:
    """Read the row again."""
    return type(job)._base_manager.get(pk=job.pk)


def told(job: Job) -> list[str]:
    """Return the lines of the job's history."""
    return [event.text for event in job.history()]
