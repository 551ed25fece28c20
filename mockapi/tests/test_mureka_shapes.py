"""The mock answers with Mureka's own shapes, and refuses what Mureka refuses."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from mockapi.tests.driving import Mureka, age, make_instrumental, make_song

NOT_FOUND = "Invalid Request, The corresponding task was not found."


def test_an_accepted_song_is_preparing_and_names_the_resolved_model(mureka: Mureka) -> None:
    answer = mureka.song()
    assert set(answer) == {"id", "created_at", "model", "status", "trace_id"}
    assert answer["id"].isdecimal()
    assert isinstance(answer["created_at"], int)
    assert (answer["model"], answer["status"]) == ("mureka-9.5", "preparing")


def test_a_finished_song_has_the_real_fields_and_no_others(mureka: Mureka) -> None:
    answer = mureka.query(mureka.song()["id"])
    assert set(answer) == {"id", "created_at", "finished_at", "model", "status", "choices", "trace_id"}
    assert answer["status"] == "succeeded"
    first, second = answer["choices"]
    fields = {"id", "url", "flac_url", "wav_url", "duration", "lyrics_sections"}
    assert set(first) == fields  # index is omitted when 0
    assert set(second) == fields | {"index"}
    assert second["index"] == 1
    assert first["id"] != second["id"]


def test_an_instrumental_has_no_lyrics(mureka: Mureka) -> None:
    task_id = mureka.post("instrumental/generate", make_instrumental(n=1))["id"]
    (choice,) = mureka.query(task_id, "instrumental")["choices"]
    assert set(choice) == {"id", "url", "flac_url", "wav_url", "duration"}


def test_a_task_walks_through_the_real_states(mureka: Mureka) -> None:
    task_id = mureka.song(prompt="pop 60s")["id"]
    seen = []
    for share in (0.05, 0.2, 0.5, 0.9, 1):
        age(task_id, share=share)
        answer = mureka.query(task_id)
        seen.append(answer["status"])
        assert ("finished_at" in answer) == ("choices" in answer) == (answer["status"] == "succeeded")
    assert seen == ["preparing", "queued", "running", "running", "succeeded"]


def test_a_stream_shows_its_address_before_the_end(mureka: Mureka) -> None:
    task_id = mureka.song(prompt="pop 60s", stream=True, n=1)["id"]
    age(task_id, share=0.7)
    answer = mureka.query(task_id)
    assert answer["status"] == "streaming"
    assert set(answer["choices"][0]) == {"id", "stream_url"}


def test_the_two_query_paths_are_not_interchangeable(mureka: Mureka) -> None:
    song = mureka.song(n=1)["id"]
    instrumental = mureka.post("instrumental/generate", make_instrumental())["id"]
    assert mureka.query(song, "instrumental", 400)["error"] == {"message": NOT_FOUND}
    assert mureka.query(instrumental, "song", 400)["error"] == {"message": NOT_FOUND}


@pytest.mark.parametrize("task_id", ["1", "abc", "9" * 30, "999999999999999999", "²"])
def test_an_unknown_task_is_an_invalid_request(mureka: Mureka, task_id: str) -> None:
    answer = mureka.query(task_id, status=400)
    assert answer["error"] == {"message": NOT_FOUND}
    assert answer["trace_id"]


def test_ids_are_unique_and_trace_ids_differ_per_answer(mureka: Mureka) -> None:
    tasks = [mureka.song()["id"] for _ in range(5)]
    assert len(set(tasks)) == 5
    assert mureka.query(tasks[0])["trace_id"] != mureka.query(tasks[0])["trace_id"]


def test_following_costs_one_query_and_writes_nothing(
    mureka: Mureka, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    task_id = mureka.song()["id"]
    with django_assert_num_queries(1):
        mureka.query(task_id)


def test_billing_has_the_real_fields(mureka: Mureka) -> None:
    answer = mureka.get("v1/account/billing")
    answer.pop("trace_id")
    assert answer == {
        "account_id": 92945101357057,
        "balance": 3000,
        "total_recharge": 3000,
        "total_spending": 0,
        "concurrent_request_limit": 2,
    }


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"lyrics": None}, "lyrics is required."),
        ({"lyrics": "  "}, "lyrics is required."),
        ({"lyrics": 7}, "lyrics must be a string."),
        ({"lyrics": "x" * 5001}, "lyrics must be at most 5000 characters."),
        ({"prompt": "x" * 1025}, "prompt must be at most 1024 characters."),
        ({"model": None}, "model is required."),
        ({"model": "chirp-v3-5"}, "model chirp-v3-5 is not supported."),
        ({"n": 0}, "n must be between 1 and 3."),
        ({"n": 4}, "n must be between 1 and 3."),
        ({"n": True}, "n must be between 1 and 3."),
        ({"n": "2"}, "n must be between 1 and 3."),
        ({"gender": "robot"}, "gender must be female or male."),
        ({"stream": "yes"}, "stream must be a boolean."),
        ({"stream": True, "model": "mureka-o2"}, "stream is not supported by model mureka-o2."),
        ({"vocal_id": "1", "model": "mureka-o2"}, "vocal_id and melody_id are not supported by model mureka-o2."),
        ({"reference_id": "1"}, "prompt and reference_id cannot be used together."),
        ({"melody_id": "1"}, "melody_id cannot be used with other control options."),
    ],
)
def test_a_song_that_breaks_a_rule_is_refused_and_costs_nothing(
    mureka: Mureka, overrides: dict[str, Any], reason: str
) -> None:
    answer = mureka.post("song/generate", make_song(**overrides), 400)
    assert answer["error"] == {"message": f"Invalid Request, {reason}"}
    assert answer["trace_id"]
    assert mureka.ledger() == []
    assert mureka.get("v1/account/billing")["balance"] == 3000


def test_the_longest_lyrics_and_a_finetuned_model_are_accepted(mureka: Mureka) -> None:
    answer = mureka.song(lyrics="la " * 1666 + "la", prompt="x" * 1024, model="lora:mureka-6:77:my-voice", n=3)
    assert answer["model"] == "lora:mureka-6:77:my-voice"
    assert len(mureka.query(answer["id"])["choices"]) == 3


def test_two_takes_are_made_when_n_is_not_said(mureka: Mureka) -> None:
    body = make_song()
    del body["n"]
    assert len(mureka.query(mureka.post("song/generate", body)["id"])["choices"]) == 2


@pytest.mark.parametrize(
    "overrides", [{"prompt": ""}, {"instrumental_id": "5"}, {"model": "mureka-o2"}, {"model": "lora:mureka-6:1:a"}]
)
def test_an_instrumental_needs_exactly_one_of_prompt_and_reference(mureka: Mureka, overrides: dict[str, Any]) -> None:
    mureka.post("instrumental/generate", make_instrumental(**overrides), 400)


def test_an_instrumental_can_follow_an_uploaded_one(mureka: Mureka) -> None:
    mureka.post("instrumental/generate", {"instrumental_id": "5", "model": "mureka-8"})


@pytest.mark.parametrize("raw", ["{", "[]", '{"n": NaN}', "[" * 100_000, '{"lyrics": "\\u0000"}', '{"a": "\\ud800"}'])
def test_a_body_that_is_no_json_object_is_an_invalid_request(mureka: Mureka, raw: str) -> None:
    answer = mureka.post("song/generate", raw, 400)
    assert answer["error"]["message"].startswith("Invalid Request, ")


@pytest.mark.django_db
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "abc"])
def test_a_missing_key_is_invalid_authentication_without_a_trace_id(header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    for path in ("v1/account/billing", "v1/song/query/1", "ledger"):
        response = Client().get(f"/mock/mureka/{path}", headers=headers)
        assert response.status_code == 401
        assert response.json() == {"error": {"message": "Invalid Authentication"}}


def test_a_configured_key_must_match(mureka: Mureka, settings: Settings) -> None:
    settings.MOCKAPI_KEY = "secret"
    mureka.get("v1/account/billing", 401)
    mureka.client = Client(headers={"authorization": "Bearer secret"})
    mureka.get("v1/account/billing")


def test_other_paths_and_methods_answer_in_the_error_shape(mureka: Mureka) -> None:
    assert mureka.get("v1/instrumental/123", 404)["error"] == {"message": "Not Found"}
    assert mureka.get("v1/song/generate", 405)["error"] == {"message": "Method Not Allowed"}


def test_health_needs_no_key() -> None:
    response = Client().get("/mock/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_lyrics_are_written_and_continued(mureka: Mureka) -> None:
    written = mureka.post("lyrics/generate", {"prompt": "a lighthouse in the rain"})
    assert written["title"]
    assert "[Verse]" in written["lyrics"]
    assert "[Chorus]" in written["lyrics"]
    continued = mureka.post("lyrics/extend", {"lyrics": written["lyrics"]})
    assert "[Verse]" in continued["lyrics"]
    assert "title" not in continued
    assert mureka.get("v1/account/billing")["total_spending"] == 2
    mureka.post("lyrics/generate", {}, 400)
