"""Real processes: the studio under gunicorn, the imitated Ollama behind a real connection, and a client that leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.tests.serving import PROJECT, environment_of, free_port, manage, wait_for

pytestmark = pytest.mark.own_database

MAKE_SESSION = """
from importlib import import_module
from django.conf import settings
from accounts.models import User
from django.test import Client
from accounts.services import issue_token
client = Client()
user = User.objects.create_user(username="ada", password="x")
client.force_login(user)
print("session=" + client.cookies["sessionid"].value)
print("token=" + issue_token(user=user, name="tests")[1])
"""


@dataclass
class Studio:
    """A studio that serves itself the imitated Ollama, at `speed` words a second."""

    environment: dict[str, str]
    port: int
    session: str
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:macai.web", "macai.wsgi"]
        with subprocess.Popen(command, cwd=PROJECT, env=self.environment) as server:
            try:
                wait_for(self.port)
                yield server
            finally:
                server.terminate()
                server.wait(40)

    def ask(self, text: str) -> tuple[requests.Response, Iterator[bytes]]:
        token = "a" * 32
        answer = requests.post(
            f"{self.url}/magic/",
            {"category": "images", "action": "translate", "text": text, "csrfmiddlewaretoken": token},
            cookies={"sessionid": self.session, "csrftoken": token},
            timeout=30,
            stream=True,
        )
        assert answer.status_code == 200, answer.text
        return answer, answer.iter_lines()

    def run(self, pk: str) -> dict[str, Any]:
        told: dict[str, Any] = requests.get(
            f"{self.url}/magic/{pk}/", cookies={"sessionid": self.session}, timeout=30
        ).json()
        return told

    def wait_for(self, pk: str, state: str) -> dict[str, Any]:
        for _try in range(300):
            told = self.run(pk)
            if told["state"] == state:
                return told
            time.sleep(0.1)
        raise AssertionError(told)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    port = free_port()
    environment = environment_of(
        tmp_path_factory.mktemp("studio"), port, MOCKAPI_ONLY="false", WEB_PROCESSES="1", WEB_STOP_SECONDS="4",
        WEB_THREADS="8",
    )  # fmt: skip
    manage(environment, "migrate", "-v0", "--skip-checks")
    printed = manage(environment, "shell", "-v0", "-c", MAKE_SESSION).split()
    session, token = (line.partition("=")[2] for line in printed if line.startswith(("session=", "token=")))
    return Studio(environment, port, session, token)


def test_a_text_streams_and_is_kept_when_its_reader_leaves_and_stops_when_asked(studio: Studio) -> None:
    with studio.running():
        answer, lines = studio.ask("a quiet lake in the morning")
        read = [json.loads(line) for line in lines]
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert read[-1]["state"] == "done", read[-1]
        text = "".join(line.get("text", "") for line in read)
        assert studio.run(read[0]["run"])["text"] == text.strip() != ""

        answer, lines = studio.ask("20 words/s a boat and a house and a tree and a bird and a fish and a cloud")
        run = json.loads(next(lines))["run"]
        answer.close()
        told = studio.wait_for(run, "done")
        assert len(told["text"].split()) > 5

        answer, lines = studio.ask("1 words/s a boat and a house and a tree and a bird and a fish and a cloud")
        run = json.loads(next(lines))["run"]
        stopped = requests.post(
            f"{studio.url}/magic/{run}/stop/", headers={"X-CSRFToken": "b" * 32}, timeout=30,
            cookies={"sessionid": studio.session, "csrftoken": "b" * 32},
        )  # fmt: skip
        assert stopped.status_code == 200
        assert json.loads(list(lines)[-1])["state"] == "stopped"
        assert studio.run(run)["state"] == "stopped"


def test_a_text_that_a_program_asked_for_is_kept_when_the_program_hangs_up(studio: Studio) -> None:
    headers = {"Authorization": f"Token {studio.token}"}
    with studio.running():
        with pytest.raises(requests.Timeout):
            requests.post(
                f"{studio.url}/api/v1/chat/generate/", json={"prompt": "20 words/s a boat and a house and a tree"},
                headers=headers, timeout=(10, 0.5),
            )  # fmt: skip
        for _try in range(100):  # the studio has only just begun: its first request takes a while
            runs = requests.get(f"{studio.url}/api/v1/magic-runs/?category=chat", headers=headers, timeout=30).json()
            if runs["results"]:
                break
            time.sleep(0.1)
        told = studio.wait_for(runs["results"][0]["id"], "done")
    assert told["text"]


def test_a_studio_that_stops_leaves_texts_as_broken_off_not_as_being_written(studio: Studio) -> None:
    with studio.running() as server:
        left, lines = studio.ask("1 words/s a boat and a house and a tree and a bird and a fish and a cloud")
        first = json.loads(next(lines))["run"]
        assert json.loads(next(lines))["text"]  # it is on its way: a studio that stops answers no new request
        left.close()
        _heard, lines = studio.ask("1 words/s a bird and a fish and a tree and a boat and a house and a cloud")
        second = json.loads(next(lines))["run"]
        assert json.loads(next(lines))["text"]
        server.send_signal(signal.SIGTERM)
        last = json.loads(list(lines)[-1])
        assert server.wait(40) == 0

    assert last["state"] == "failed"
    assert "The studio was stopped" in last["error"]
    with studio.running():
        for run in (first, second):
            told = studio.run(run)
            assert (told["state"], "The studio was stopped" in told["error"]) == ("failed", True)


def test_a_studio_that_is_killed_leaves_what_was_saved(studio: Studio, tmp_path: Path) -> None:
    with studio.running() as server:
        _answer, lines = studio.ask("5 words/s a boat and a house and a tree and a bird and a fish and a cloud")
        run = json.loads(next(lines))["run"]
        for _try in range(300):
            if studio.run(run)["text"]:
                break
            time.sleep(0.1)
        children = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True).stdout
        for pid in [str(server.pid), *children.split()]:
            os.kill(int(pid), signal.SIGKILL)
        server.wait(40)
    long_ago = (
        "from prompts.models import *; from datetime import timedelta; "
        "MagicRun.objects.filter(state='writing').update(saved_at=timezone.now() - timedelta(seconds=61))"
    )
    manage(studio.environment, "shell", "-v0", "-c", f"from django.utils import timezone; {long_ago}")
    with studio.running():
        told = studio.run(run)
    assert told["state"] == "failed"
    assert told["text"]
