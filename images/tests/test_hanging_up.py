"""A client of the API that hangs up in the middle loses nothing: shown with real processes and a real connection."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.tests.serving import PROJECT, environment_of, free_port, manage, running

pytestmark = pytest.mark.own_database

MAKE_TOKEN = """
from accounts.models import User
from accounts.services import issue_token
print("token=" + issue_token(user=User.objects.create_user(username="ada", password="x"), name="tests")[1])
"""
FOLLOW = "import django; django.setup(); from jobs.tasks import follow; follow()"


@dataclass
class Studio:
    """The whole studio, without a worker: each test says when one works."""

    environment: dict[str, str]
    port: int
    token: str

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Token {self.token}", **options.pop("headers", {})}
        return requests.request(
            method, f"http://127.0.0.1:{self.port}/api/v1/{path}", headers=headers, timeout=30, **options
        )

    def work(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", FOLLOW], cwd=PROJECT, env=self.environment)

    def hang_up(self, wish: dict[str, str]) -> None:
        """Ask for a picture, and break the connection while the answer is waited for."""
        body = json.dumps(wish)
        head = (
            f"POST /api/v1/images/ HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Token {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(head.encode() + body.encode())
            self.wait_for(lambda row: row["prompt"] == wish["prompt"])

    def wait_for(self, is_there: Any) -> Any:
        for _try in range(300):
            rows = [row for row in self.call("GET", "image-requests/").json()["results"] if is_there(row)]
            if rows:
                return rows[0]
            time.sleep(0.1)
        pytest.fail("It did not come true.")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    port = free_port()
    environment = environment_of(
        tmp_path_factory.mktemp("studio"), port, MOCKAPI_ONLY="false", IMAGES_WAIT_SECONDS="20", WEB_THREADS="8"
    )
    manage(environment, "migrate", "-v0", "--skip-checks")
    token = manage(environment, "shell", "-v0", "-c", MAKE_TOKEN).partition("token=")[2].strip()
    with running(environment, port):
        yield Studio(environment, port, token)


def test_the_picture_is_there_though_its_client_hung_up(studio: Studio) -> None:
    prompt = "a lake whose client went away"
    studio.hang_up({"prompt": prompt})
    with studio.work() as worker:
        row = studio.wait_for(lambda row: row["prompt"] == prompt and row["status"] == "SUCCESS")
        worker.wait(60)
    (image,) = row["images"]
    file = studio.call("GET", image["file_url"].removeprefix("/api/v1/"))
    assert (file.status_code, len(file.content)) == (200, image["bytes"])
    ledger = requests.get(
        f"http://127.0.0.1:{studio.port}/mock/openai/ledger", headers={"Authorization": "Bearer x"}, timeout=5
    ).json()
    assert [entry["prompt"] for entry in ledger["submissions"]].count(prompt) == 1


def test_a_client_that_waits_is_answered_with_the_picture_as_soon_as_it_is_there(studio: Studio) -> None:
    with studio.work() as worker:
        answer = studio.call("POST", "images/", json={"prompt": "a quiet lake 1s", "n": 2, "output_format": "webp"})
        worker.wait(60)
    assert answer.status_code == 201, answer.text
    row = answer.json()
    assert row["status"] == "SUCCESS"
    assert [(image["format"], image["size"]) for image in row["images"]] == [("webp", "1024x1024")] * 2
    assert studio.call("GET", answer.headers["Location"].partition("/api/v1/")[2]).json() == row


def test_half_of_the_threads_wait_and_the_rest_of_the_studio_answers(studio: Studio, tmp_path: Path) -> None:
    for number in range(4):
        studio.hang_up({"prompt": f"waits {number}"})
    began = time.monotonic()
    answer = studio.call("POST", "images/", json={"prompt": "one too many"})
    assert (answer.status_code, answer.json()["phase"]) == (202, "waiting")
    assert time.monotonic() - began < 5
    with studio.work() as worker:
        studio.wait_for(lambda row: row["prompt"] == "one too many" and row["status"] == "SUCCESS")
        worker.wait(60)
