"""Two web processes on SQLite and the imitated Ollama, over real connections: tabs at once, hanging up, stopping."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from providers.tests.serving import environment_of, free_port, manage, running

pytestmark = pytest.mark.own_database

TABS = 6
STREAM = {"Accept": "application/x-ndjson"}
MAKE_TOKEN = """
from accounts.models import User
from accounts.services import issue_token
print("token=" + issue_token(user=User.objects.create_user(username="ada", password="x"), name="tests")[1])
"""


@dataclass
class Studio:
    """The studio's API."""

    url: str
    token: str

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Token {self.token}"} | options.pop("headers", {})
        return requests.request(
            method, f"{self.url}/api/v1/chat/{path}", json=body, headers=headers, timeout=60, **options
        )

    def begin(self) -> str:
        made: str = self.call("POST", "conversations/", {"model": "llama3.2:latest"}).json()["id"]
        return made

    def wait_for(self, message: str, is_so: Callable[[Any], bool]) -> Any:
        for _try in range(300):
            found = self.call("GET", f"messages/{message}/").json()
            if is_so(found):
                return found
            time.sleep(0.1)
        pytest.fail(f"It did not come true: {found}")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    port = free_port()
    environment = environment_of(
        tmp_path_factory.mktemp("studio"), port, MOCKAPI_ONLY="false", MOCKAPI_OLLAMA_WORDS_PER_SECOND="40"
    )
    manage(environment, "migrate", "-v0", "--skip-checks")
    token = manage(environment, "shell", "-v0", "-c", MAKE_TOKEN).partition("token=")[2].strip()
    with running(environment, port, threads=24, processes=2):
        yield Studio(f"http://127.0.0.1:{port}", token)


def test_tabs_that_send_at_once_keep_an_order_and_lose_nothing(studio: Studio) -> None:
    conversation = studio.begin()

    def send(number: int) -> Any:
        return studio.call("POST", f"conversations/{conversation}/messages/", {"text": f"Say hello to tab {number}"})

    with ThreadPoolExecutor(TABS) as pool:
        answers = list(pool.map(send, range(TABS)))

    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(201, "done")] * TABS
    branch = studio.call("GET", f"conversations/{conversation}/").json()["messages"]
    assert [message["position"] for message in branch] == list(range(1, 2 * TABS + 1))
    assert [message["role"] for message in branch] == ["user", "assistant"] * TABS
    assert {message["text"] for message in branch[::2]} == {f"Say hello to tab {number}" for number in range(TABS)}
    assert all(message["text"] for message in branch)


def test_an_answer_goes_on_when_its_reader_hangs_up(studio: Studio) -> None:
    conversation = studio.begin()
    question = {"text": "Write a song about the sea"}
    answer = studio.call("POST", f"conversations/{conversation}/messages/", question, headers=STREAM, stream=True)
    lines = answer.iter_lines()
    message = json.loads(next(lines))["answer"]
    assert "text" in json.loads(next(lines))
    answer.close()

    whole = studio.wait_for(message, lambda found: found["state"] == "done")

    again = studio.call("POST", f"messages/{message}/regenerate/").json()
    assert len(whole["text"]) > 100
    assert again["parent"] == whole["parent"]


def test_an_answer_is_stopped_by_whichever_process_is_asked(studio: Studio) -> None:
    for _time in range(3):
        conversation = studio.begin()
        question = {"text": "Write a song about the sea"}
        answer = studio.call("POST", f"conversations/{conversation}/messages/", question, headers=STREAM, stream=True)
        lines = answer.iter_lines()
        message = json.loads(next(lines))["answer"]
        studio.wait_for(message, lambda found: bool(found["text"]))

        assert studio.call("POST", f"messages/{message}/stop/").json() == {"stopped": True}

        assert json.loads([*lines][-1])["ended"] == "stopped"
        kept = studio.wait_for(message, lambda found: found["state"] == "stopped")
        assert kept["text"]
