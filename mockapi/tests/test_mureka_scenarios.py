"""Every scenario of the Mureka mock, for songs and instrumentals."""

import pytest
from django.test import Client
from pytest_django import Settings

from mockapi.models import MurekaTask
from mockapi.scenarios import scenario_of, seconds_of, without_number
from mockapi.tests.driving import LYRICS, Body, Mureka, age, make_instrumental, make_song

QUOTA = "You exceeded your current quota, please check your billing details"
RATE = "Rate limit reached for requests"
KINDS = pytest.mark.parametrize("kind", ["song", "instrumental"])


def body_of(kind: str, scenario: str) -> Body:
    return make_song(lyrics=f"{scenario} {LYRICS}") if kind == "song" else make_instrumental(prompt=f"{scenario} jazz")


@KINDS
def test_0001_and_unknown_numbers_succeed(mureka: Mureka, kind: str) -> None:
    for scenario in ("0001", "1984"):
        task_id = mureka.post(f"{kind}/generate", body_of(kind, scenario))["id"]
        assert mureka.query(task_id, kind)["status"] == "succeeded"


@KINDS
def test_0002_is_invalid_authentication(mureka: Mureka, kind: str) -> None:
    answer = mureka.post(f"{kind}/generate", body_of(kind, "0002"), 401)
    assert answer == {"error": {"message": "Invalid Authentication"}}
    assert mureka.ledger() == []


@KINDS
def test_0003_is_accepted_and_fails_with_a_reason(mureka: Mureka, kind: str) -> None:
    answer = mureka.query(mureka.post(f"{kind}/generate", body_of(kind, "0003"))["id"], kind)
    assert answer["status"] == "failed"
    assert answer["failed_reason"]
    assert answer["finished_at"]
    assert "choices" not in answer


@KINDS
def test_0004_is_accepted_and_times_out(mureka: Mureka, kind: str) -> None:
    answer = mureka.query(mureka.post(f"{kind}/generate", body_of(kind, "0004"))["id"], kind)
    assert answer["status"] == "timeouted"
    assert "choices" not in answer


@KINDS
def test_0005_answers_broken_json_twice_then_succeeds(mureka: Mureka, kind: str) -> None:
    task_id = mureka.post(f"{kind}/generate", body_of(kind, "0005"))["id"]
    for _ in range(2):
        response = mureka.client.get(f"/mock/mureka/v1/{kind}/query/{task_id}")
        assert response.status_code == 200
        with pytest.raises(ValueError, match=r"."):
            response.json()
    assert mureka.query(task_id, kind)["status"] == "succeeded"


@KINDS
def test_0006_answers_503_twice_then_succeeds(mureka: Mureka, kind: str) -> None:
    task_id = mureka.post(f"{kind}/generate", body_of(kind, "0006"))["id"]
    for _ in range(2):
        assert mureka.query(task_id, kind, 503)["error"] == {"message": "The engine is currently overloaded"}
    assert mureka.query(task_id, kind)["status"] == "succeeded"


@KINDS
def test_0007_is_refused_once_without_cost_then_accepted(mureka: Mureka, kind: str) -> None:
    body = body_of(kind, "0007")
    assert mureka.post(f"{kind}/generate", body, 429)["error"] == {"message": RATE}
    assert mureka.get("v1/account/billing")["total_spending"] == 0
    task_id = mureka.post(f"{kind}/generate", body)["id"]
    assert mureka.query(task_id, kind)["status"] == "succeeded"
    assert len(mureka.ledger()) == 1
    mureka.post(f"{kind}/generate", body, 429)  # the same song another time starts anew


def test_0007_refused_by_the_limit_in_between_is_not_refused_anew(mureka: Mureka, settings: Settings) -> None:
    settings.MOCKAPI_CONCURRENT_LIMIT = 1
    body = body_of("song", "0007")
    mureka.post("song/generate", body, 429)
    other = mureka.song(prompt="30s")["id"]
    mureka.post("song/generate", body, 429)
    age(other, share=1)
    mureka.post("song/generate", body)


@KINDS
def test_0008_is_over_quota_every_time(mureka: Mureka, kind: str) -> None:
    for _ in range(2):
        answer = mureka.post(f"{kind}/generate", body_of(kind, "0008"), 429)
        assert answer["error"] == {"message": QUOTA}
    assert mureka.ledger() == []


@KINDS
def test_0009_takes_the_job_and_loses_the_answer(mureka: Mureka, kind: str) -> None:
    response = mureka.client.post(f"/mock/mureka/v1/{kind}/generate", body_of(kind, "0009"), "application/json")
    with pytest.raises(ConnectionResetError):
        response.getvalue()
    (entry,) = mureka.ledger()
    assert mureka.query(entry["id"], kind)["status"] == "succeeded"
    assert mureka.get("v1/account/billing")["total_spending"] == 30


@KINDS
def test_0010_gives_links_that_are_not_found(mureka: Mureka, kind: str) -> None:
    task_id = mureka.post(f"{kind}/generate", body_of(kind, "0010"))["id"]
    for choice in mureka.query(task_id, kind)["choices"]:
        for name in ("url", "flac_url", "wav_url"):
            mureka.download(choice[name], 404)


def test_the_number_may_stand_in_the_style_prompt_of_a_song(mureka: Mureka) -> None:
    assert mureka.query(mureka.song(prompt="0004, pop")["id"])["status"] == "timeouted"


@pytest.mark.parametrize(
    ("lyrics", "prompt", "scenario"),
    [
        ("0003", "0004", "0003"),
        ("\n 0003: la", None, "0003"),
        ("la 0003", "jazz 0004", "0001"),
        ("00031", "", "0001"),
        ("1999 was good", "0006", "0006"),
    ],
)
def test_the_scenario_is_the_number_at_the_start(lyrics: str, prompt: str | None, scenario: str) -> None:
    assert scenario_of({"lyrics": lyrics, "prompt": prompt}) == scenario


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("pop", 8),
        (None, 8),
        ("30s", 30),
        ("pop, 1m, piano", 60),
        ("1m30s jazz", 90),
        ("0s", 0),
        ("120bpm 4ms", 8),
        ("99999s", 3600),
        ("0001 20s", 20),
    ],
)
def test_a_duration_in_the_style_sets_how_long_the_job_takes(prompt: str | None, seconds: int) -> None:
    assert seconds_of(prompt, 8) == seconds


def test_the_duration_is_kept_with_the_task(mureka: Mureka) -> None:
    mureka.song(prompt="soft pop, 1m30s")
    task = MurekaTask.objects.get()
    assert (task.ready_at - task.created_at).total_seconds() == 90


def test_the_number_is_not_sung() -> None:
    assert without_number("0003 [Verse]\nla") == "[Verse]\nla"
    assert without_number("1984 was a year") == "1984 was a year"


def test_the_key_is_checked_before_the_scenario() -> None:
    response = Client().post("/mock/mureka/v1/song/generate", body_of("song", "0008"), "application/json")
    assert response.status_code == 401
