"""The mock account: a balance that falls, a limit that holds, and a ledger that remembers."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from mockapi.models import MurekaAccount, MurekaTask
from mockapi.tests.driving import LYRICS, Mureka, age, make_instrumental, make_song

QUOTA = "You exceeded your current quota, please check your billing details"
RATE = "Rate limit reached for requests"


@pytest.mark.parametrize(
    ("model", "n", "cents"),
    [("auto", 2, 30), ("mureka-9.5", 1, 15), ("mureka-7.6", 3, 9), ("mureka-8", 2, 9), ("mureka-o2", 1, 5)],
)
def test_the_balance_falls_by_the_price_of_the_model(mureka: Mureka, model: str, n: int, cents: int) -> None:
    mureka.song(model=model, n=n)
    billing = mureka.get("v1/account/billing")
    assert (billing["balance"], billing["total_spending"]) == (3000 - cents, cents)


def test_an_empty_account_refuses_and_a_top_up_helps(mureka: Mureka, settings: Settings) -> None:
    settings.MOCKAPI_BALANCE = 44
    mureka.song()
    assert mureka.post("song/generate", make_song(), 429)["error"] == {"message": QUOTA}
    assert mureka.get("v1/account/billing")["balance"] == 14
    settings.MOCKAPI_BALANCE = 74
    mureka.song()
    assert mureka.get("v1/account/billing")["balance"] == 14


def test_more_tasks_than_the_limit_are_refused_without_cost(mureka: Mureka) -> None:
    first = mureka.song(prompt="30s")["id"]
    mureka.post("instrumental/generate", make_instrumental(prompt="30s"))
    assert mureka.post("song/generate", make_song(), 429)["error"] == {"message": RATE}
    assert mureka.get("v1/account/billing")["total_spending"] == 60
    assert len(mureka.ledger()) == 2
    age(first, share=1)
    mureka.song()


def test_the_limit_is_read_live(mureka: Mureka, settings: Settings) -> None:
    for _ in range(2):
        mureka.song(prompt="30s")
    settings.MOCKAPI_CONCURRENT_LIMIT = 3
    mureka.song(prompt="30s")
    mureka.post("song/generate", make_song(), 429)
    assert mureka.get("v1/account/billing")["concurrent_request_limit"] == 3


def test_stems_and_lyrics_do_not_count_against_the_limit(mureka: Mureka) -> None:
    for _ in range(2):
        mureka.song(prompt="30s")
    mureka.post("lyrics/generate", {"prompt": "rain"})
    mureka.post("song/stem", {"url": "https://example.com/a.mp3"})


def test_the_ledger_lists_every_accepted_submission(mureka: Mureka) -> None:
    song = mureka.song(prompt="soft pop, 20s")["id"]
    mureka.post("song/generate", make_song(n=9), 400)
    instrumental = mureka.post("instrumental/generate", make_instrumental(prompt="0003 jazz"))["id"]
    first, second = mureka.ledger()
    assert first.pop("finished_at") - first.pop("created_at") == pytest.approx(20)
    assert first == {
        "id": song,
        "kind": "song",
        "model": "mureka-9.5",
        "n": 2,
        "scenario": "0001",
        "lyrics": LYRICS,
        "prompt": "soft pop, 20s",
        "url": "",
        "cents": 30,
    }
    assert (second["id"], second["kind"], second["prompt"]) == (instrumental, "instrumental", "0003 jazz")


def test_jobs_are_in_the_database_and_nowhere_else(mureka: Mureka, settings: Settings) -> None:
    """What a restart changes is configuration; what was announced stays as it was."""
    task_id = mureka.song()["id"]
    before = mureka.query(task_id)
    settings.MOCKAPI_AUDIO_SECONDS = 5
    settings.MOCKAPI_SECONDS = 100
    after = Mureka().query(task_id)
    assert before | {"trace_id": ""} == after | {"trace_id": ""}


@pytest.mark.django_db(transaction=True)
def test_neither_limit_nor_balance_is_exceeded_by_many_at_once(settings: Settings) -> None:
    if "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("threads share one in-memory connection; the mock-only server test covers processes")
    settings.MOCKAPI_CONCURRENT_LIMIT = 5
    settings.MOCKAPI_BALANCE = 10_000
    statuses: list[int] = []

    def submit(number: int) -> None:
        headers: dict[str, Any] = {"authorization": "Bearer x"}
        body = make_song(lyrics=f"song {number}", prompt="60s")
        statuses.append(
            Client().post("/mock/mureka/v1/song/generate", body, "application/json", headers=headers).status_code
        )
        connection.close()

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), statuses.count(429)) == (5, 11)
    assert MurekaTask.objects.count() == 5
    assert MurekaAccount.current().spending == 5 * 30
