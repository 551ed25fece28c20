"""A kind of job whose provider is a Python function, and what drives the engine in tests."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from jobs import follower, kinds, turns
from jobs.kinds import Accepted, Ended, Finished, Kind, Running
from jobs.models import Job, Phase, ProviderAccount, Status
from providers.errors import ProviderError, Verdict
from songs.models import Song
from songs.tasks import SongKind
from songs.tests.factories import make_song


class FakeKind(Kind[Any]):
    """Real rows, an imagined provider. `on_submit` and `on_ask` return an outcome or raise."""

    provider_name = "Fake"
    submit_timeout = timedelta(seconds=60)
    slot = timedelta(seconds=600)
    deadline = timedelta(seconds=1800)

    def __init__(self, model: type[Job] = Song, provider: str = "fake") -> None:
        self.model = model
        self.wish = SongKind.wish if model is Song else ()
        self.provider = provider
        self.on_submit: Callable[[Any], Any] = lambda job: Accepted(job_id=f"id-{job.pk}", cost=Decimal("0.30"))
        self.on_ask: Callable[[Any], Any] = lambda _job: Running()
        self.on_keep: Callable[[Any, Any], None] = lambda _job, _answer: None
        self.submitted: list[Any] = []
        self.asked: list[Any] = []
        self.swept = 0

    def submit(self, job: Any) -> Accepted | Finished:
        self.submitted.append(job.pk)
        return result(self.on_submit(job))  # type: ignore[no-any-return]

    def ask(self, job: Any) -> Running | Finished | Ended:
        self.asked.append(job.pk)
        return result(self.on_ask(job))  # type: ignore[no-any-return]

    def keep(self, job: Any, answer: Any) -> None:
        self.on_keep(job, answer)

    def bring_home(self, job_pk: str) -> None:
        raise NotImplementedError

    def sweep(self) -> None:
        self.swept += 1


def result(outcome: Any) -> Any:
    """Return an outcome, or raise it."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def install(monkeypatch: pytest.MonkeyPatch, *fakes: FakeKind) -> None:
    """Let the engine know these kinds only, and let it be quick."""
    monkeypatch.setattr(follower, "TICK", 0.005)
    monkeypatch.setattr(follower, "IDLE_FOR", 0.0)
    stay_connected(monkeypatch)
    monkeypatch.setattr("jobs.follower.time.sleep", lambda _seconds: threading.Event().wait(0.005))
    for label in list(kinds.KINDS):
        monkeypatch.delitem(kinds.KINDS, label)
    for provider in list(kinds.ACCOUNT_READERS):
        monkeypatch.delitem(kinds.ACCOUNT_READERS, provider)
    for fake in fakes:
        monkeypatch.setitem(kinds.KINDS, fake.label, fake)


def stay_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the follower from closing the connection that holds the test's own transaction."""
    monkeypatch.setattr(follower, "close_old_connections", lambda: None)
    monkeypatch.setattr("jobs.follower.connections.close_all", lambda: None)


def make_waiting(**overrides: Any) -> Song:
    """Make a song that waits for its turn."""
    return make_song(**({"status": Status.PENDING} | overrides))


def make_running(**overrides: Any) -> Song:
    """Make a song that the provider works on, and which may be asked about now."""
    now = timezone.now()
    times = {"next_poll_at": now, "deadline_at": now + timedelta(minutes=30), "slot_until": now + timedelta(minutes=10)}
    return make_song(**({"status": Status.PROGRESS} | times | overrides))


def make_submitting(**overrides: Any) -> Song:
    """Make a song whose paid request is in the air."""
    now = timezone.now()
    times = {"submitted_at": now, "next_poll_at": now + timedelta(minutes=1), "slot_until": now + timedelta(minutes=10)}
    return make_waiting(**({"phase": Phase.SUBMITTING} | times | overrides))


def allow(limit: int, provider: str = "fake", **fields: Any) -> None:
    """Set how many jobs the provider runs at once."""
    ProviderAccount.objects.update_or_create(
        provider=provider, defaults={"concurrent_request_limit": limit, "check_after": far_away()} | fields
    )


def far_away() -> Any:
    """Return a time that no test reaches."""
    return timezone.now() + timedelta(days=365)


def error(verdict: Verdict, message: str = "It went wrong.", **more: Any) -> ProviderError:
    """Make a provider's error."""
    return ProviderError(verdict, message, provider="Fake", **more)


def claimed(fake: FakeKind, **overrides: Any) -> Any:
    """Make a song and claim its turn, as the follower does before it sends the paid request."""
    song = make_waiting(**overrides)
    allow(100, fake.provider)
    return next(job for job in turns.claim_turns(fake.provider, at_most=100) if job.pk == song.pk)


def fresh(job: Job) -> Any:
    """Read the row again."""
    return type(job)._base_manager.get(pk=job.pk)


def told(job: Job) -> list[str]:
    """Return the lines of the job's history."""
    return [event.text for event in job.history()]


def drive(engine: follower.Follower, until: Callable[[], bool], *, rounds: int = 400) -> None:
    """Let the follower go on until something has come true."""
    for _round in range(rounds):
        if until():
            return
        engine._step()
        engine._wait()
    pytest.fail("It did not come true.")
