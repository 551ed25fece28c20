"""What is logged of a job names the job and the request by which it was asked for, in every thread and process."""

from typing import Any

import pytest
import structlog
from django_q.signals import post_execute_in_worker, pre_execute
from django_q.signing import SignedPackage
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.tests.factories import signed_in
from conftest import Enqueued
from jobs import services, tasks
from jobs.models import Status
from jobs.tests.driving import follow, fresh
from songs.models import Song
from songs.tests.engine import FakeKind, allow, install, make_waiting
from songs.tests.factories import make_api_client, make_song

pytestmark = pytest.mark.django_db
REQUEST = "4f1d0c2b9a8e7f60"


def context() -> dict[str, Any]:
    return dict(structlog.contextvars.get_contextvars())


def test_a_job_remembers_the_request_that_asked_for_it() -> None:
    headers = {"X-Request-ID": REQUEST}
    make_api_client().post("/api/v1/songs/", {"prompt": "folk", "lyrics": "la"}, headers=headers)
    assert Song.objects.get().request_id == REQUEST
    assert make_song().request_id == ""
    assert context() == {}


def test_submitted_again_it_belongs_to_the_new_request() -> None:
    song = make_song(status=Status.FAILURE, request_id="the-old-one")
    with structlog.contextvars.bound_contextvars(request_id=REQUEST):
        services.submit_again(song)
    assert fresh(song).request_id == REQUEST
    other = make_song(status=Status.FAILURE, request_id="the-old-one")
    services.submit_again(other)  # by a command, say
    assert fresh(other).request_id == "the-old-one"


def test_submitting_asking_and_recording_name_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, seen = FakeKind(), {}
    submit, ask = fake.on_submit, fake.on_ask

    def note(name: str, then: Any) -> Any:
        def run(job: Any, *rest: Any) -> Any:
            seen[name] = context()
            return then(job, *rest)

        return run

    fake.on_submit, fake.on_ask = note("submit", submit), note("ask", ask)
    install(monkeypatch, fake)
    allow(1)
    monkeypatch.setattr("jobs.answers.record_answer", note("record", lambda *_args: None))
    monkeypatch.setattr("jobs.submissions.FIRST_ASK", fake.slot * 0)
    monkeypatch.setattr("jobs.follower.RUN_FOR", 0.5)
    song = make_waiting(request_id=REQUEST, cost="0.3")
    follow()
    mine = {"job": str(song.pk), "job_kind": "songs.song", "request_id": REQUEST}
    assert seen["submit"] == mine | {"cost": "0.3000"}
    assert seen["ask"] == mine
    assert context() == {}


def test_a_task_takes_the_request_along_and_the_next_one_does_not_inherit_it(
    enqueued: list[Enqueued], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    packed: list[dict[str, Any]] = []
    loads = SignedPackage.loads

    def keep(pack: str) -> dict[str, Any]:
        packed.append(loads(pack))
        return packed[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SignedPackage, "loads", keep)
        with (
            structlog.contextvars.bound_contextvars(request_id=REQUEST),
            django_capture_on_commit_callbacks(execute=True),
        ):
            tasks.send_home("songs.song", "1")
    (task,) = packed
    assert task["request_id"] == REQUEST

    pre_execute.send(sender="django_q", func=tasks.bring_home, task=task)
    assert context() == {"task": "bring_home", "request_id": REQUEST}
    post_execute_in_worker.send(sender="django_q", func=tasks.bring_home, task=task)
    assert context() == {}
    pre_execute.send(sender="django_q", func=tasks.sweep, task={"func": tasks.sweep})
    assert context() == {"task": "sweep"}
    structlog.contextvars.clear_contextvars()


def test_a_page_leaves_nothing_behind() -> None:
    signed_in().get("/")
    assert context() == {}
