"""One line for each call that leaves the studio: who, what, how long, how it ended; never what was said."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from providers import calls, mureka, ollama, openai
from providers.calls import Call, operation_of
from providers.errors import DownloadError, ProviderError
from providers.http import open_download
from providers.tests.stub import Stub, answer, reset

PROMPT = "a very private prompt"


@pytest.fixture
def told() -> Iterator[list[Call]]:
    heard: list[Call] = []
    calls.listeners.append(heard.append)
    yield heard
    calls.listeners.remove(heard.append)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_a_paid_call_has_one_line_and_nothing_private_in_it(
    mureka_stub: Stub, told: list[Call], caplog: pytest.LogCaptureFixture
) -> None:
    mureka_stub.behaviour = answer(200, {"id": "1", "status": "preparing", "model": "x", "created_at": 1})
    with caplog.at_level("INFO"):
        mureka.generate_song(lyrics=PROMPT, prompt=PROMPT, model="auto", n=2)
    (line,) = lines(caplog)
    assert line["event"] == "provider_call"
    assert line["ms"] >= 0
    expected = {
        "provider": "Mureka",
        "operation": "POST /v1/song/generate",
        "outcome": "ok",
        "status": 200,
        "paid": True,
    }
    assert expected.items() <= line.items()
    assert PROMPT not in str(caplog.records)
    assert "sk-secret-key-1" not in str(line)
    (call,) = told
    assert (call.provider, call.outcome, call.is_paid) == ("Mureka", "ok", True)


@pytest.mark.parametrize(
    ("behaviour", "outcome", "status"),
    [
        (answer(400, {"error": {"message": f"{PROMPT}: The corresponding task was not found."}}), "refused", 400),
        (answer(401, "{}"), "bad_key", 401),
        (answer(500, "{}"), "later", 500),
        (reset, "later", None),
        (answer(200, "no JSON"), "later", 200),
    ],
    ids=["refused", "key", "broken server", "reset", "broken JSON"],
)
def test_a_call_that_fails_tells_how(
    behaviour: Any, outcome: str, status: int | None, mureka_stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    mureka_stub.behaviour = behaviour
    with caplog.at_level("INFO"), pytest.raises(ProviderError):
        mureka.query_song("7000001")
    (line,) = lines(caplog)
    assert (line["operation"], line["outcome"], line["status"]) == ("GET /v1/song/query/*", outcome, status)
    assert PROMPT not in str(line)


def test_a_look_whether_somebody_answers_has_a_line_only_if_nobody_does(
    mureka_stub: Stub, told: list[Call], caplog: pytest.LogCaptureFixture
) -> None:
    token = calls.is_watching.set(True)
    with caplog.at_level("INFO"):
        mureka_stub.behaviour = answer(200, {"id": "1", "status": "running", "model": "x", "created_at": 1})
        mureka.query_song("1")
        assert lines(caplog) == []
        mureka_stub.behaviour = reset
        with pytest.raises(ProviderError):
            mureka.query_song("1")
    calls.is_watching.reset(token)
    assert [line["outcome"] for line in lines(caplog)] == ["later"]
    assert len(told) == 2


def test_a_paid_call_whose_answer_is_lost_is_told_as_uncertain(mureka_stub: Stub, told: list[Call]) -> None:
    mureka_stub.behaviour = reset
    with pytest.raises(ProviderError):
        mureka.generate_instrumental(prompt="x", model="auto", n=1)
    assert [(call.outcome, call.status) for call in told] == [("uncertain", None)]


def test_the_call_for_pictures_is_told_of(stub: Stub, settings: Settings, told: list[Call]) -> None:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = f"{stub.url}/v1", "sk-secret-key-1"
    stub.behaviour = answer(
        400, {"error": {"message": "No.", "code": "moderation_blocked"}}, Content_Type="application/json"
    )
    with pytest.raises(ProviderError):
        openai.generate(openai.ImageRequest(prompt=PROMPT, model="gpt-image-2"))
    assert [(call.operation, call.outcome, call.status) for call in told] == [
        ("POST /v1/images/generations", "refused", 400)
    ]


STREAM = b'{"response": "Rain", "done": false}\n{"response": "", "done": true, "done_reason": "stop"}\n'


def test_a_text_is_complete_or_abandoned(stub: Stub, settings: Settings, told: list[Call]) -> None:
    settings.OLLAMA_BASE_URL = stub.url
    stub.behaviour = answer(200, STREAM)
    for piece in ollama.generate(PROMPT, model="m"):
        if isinstance(piece, ollama.Finish):
            break  # whoever has the end need not ask on
    stream = ollama.generate(PROMPT, model="m")
    next(iter(stream))
    stream.close()
    assert [(call.operation, call.outcome) for call in told] == [
        ("POST /api/generate", "ok"),
        ("POST /api/generate", "abandoned"),
    ]


def test_a_download_is_told_of_whatever_its_address(stub: Stub, told: list[Call]) -> None:
    stub.behaviour = answer(200, b"abc")
    for url in (f"{stub.url}/a.mp3", f"{stub.url}/a.mp3?token=secret", "http://[bad", "ftp://x"):
        try:
            with open_download(url, hosts={stub.host}, max_bytes=10, timeout=(1, 1)) as download:
                list(download.chunks())
        except DownloadError:
            continue
    assert [(call.provider, call.outcome) for call in told] == [("files", "ok")] * 2 + [("files", "refused")] * 2


def test_telling_can_never_cost_an_answer(mureka_stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(_call: Call) -> None:
        raise RuntimeError

    monkeypatch.setattr(calls, "listeners", [break_down])
    mureka_stub.behaviour = answer(200, {"id": "1", "status": "preparing", "model": "x", "created_at": 1})
    assert mureka.generate_song(lyrics="x", prompt="x", model="auto", n=2).id == "1"


def test_operations_are_few_whatever_ids_there_are() -> None:
    assert operation_of("GET", "https://api.mureka.ai/v1/song/query/81234?x=1") == "GET /v1/song/query/*"
    assert operation_of("GET", "https://a/v1/models") == "GET /v1/models"
    assert operation_of("POST", "http://h:1/api/9f1c2c4e-0000/" + "a" * 60) == "POST /api/*/*"
