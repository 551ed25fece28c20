"""What every way of failing means for a text: nothing is paid, nothing repeated, and what came before is kept."""

import json
import socket

import pytest
from pytest_django import Settings

from providers import ollama, streams
from providers.errors import ProviderError, Verdict
from providers.ollama import Piece
from providers.tests.stub import Behaviour, Stub, answer, drip, hang, reset, then_close

LATER, REFUSED = Verdict.LATER, Verdict.REFUSED
FIRST = json.dumps({"response": "The"}) + "\n"
LAST = json.dumps({"done": True, "done_reason": "stop", "model": "m"}) + "\n"
HEAD = b"HTTP/1.1 200 OK\r\n"
CRASH = "model runner has unexpectedly stopped"


@pytest.fixture(autouse=True)
def ollama_stub(stub: Stub, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Stub:
    settings.OLLAMA_BASE_URL = stub.url
    for name, seconds in (("CONNECT", 0.4), ("FIRST", 0.4), ("BETWEEN", 0.4), ("LONGEST", 1.0)):
        monkeypatch.setattr(ollama, f"{name}_SECONDS", seconds)
    monkeypatch.setattr(ollama, "ASK_TIMEOUT", (0.4, 0.4))
    return stub


def failure() -> tuple[str, ProviderError]:
    """Return what of a text came, and how it failed."""
    texts: list[str] = []

    def read() -> None:
        for piece in ollama.generate("x", model="m"):
            assert isinstance(piece, Piece)
            texts.append(piece.text)

    with pytest.raises(ProviderError) as caught:
        read()
    assert caught.value.provider == "Ollama"
    return "".join(texts), caught.value


NOT_FOUND = "Ollama has no model “m”. Get it with “ollama pull m”, or choose another one."
REFUSAL = 'Ollama refused the request: "%s"'
TABLE = [
    (400, '{"error": "\\"m\\" does not support thinking"}', REFUSED, REFUSAL % '"m" does not support thinking'),
    (400, '{"error": "model is required"}', REFUSED, REFUSAL % "model is required"),
    (401, '{"error": "unauthorized", "signin_url": "x"}', REFUSED, "Ollama wants you to sign in for this model: "),
    (403, '{"error": "cloud is disabled"}', REFUSED, REFUSAL % "cloud is disabled"),
    (404, '{"error": "model \'m\' not found"}', REFUSED, NOT_FOUND),
    (404, '{"error": "model \\"m\\" not found, try pulling it first"}', REFUSED, NOT_FOUND),
    (404, "404 page not found", REFUSED, REFUSAL % "404 page not found"),
    (405, "405 method not allowed", REFUSED, REFUSAL % "405 method not allowed"),
    (429, '{"error": "too many requests"}', LATER, "Ollama asks to wait: too many requests at the moment."),
    (499, '{"error": "request canceled"}', REFUSED, REFUSAL % "request canceled"),
    (500, json.dumps({"error": CRASH}), LATER, f'Ollama has a problem of its own: "{CRASH}"'),
    (500, "", LATER, "Ollama has a problem of its own (HTTP 500)."),
    (502, "<html>Bad gateway</html>", LATER, "Ollama has a problem of its own (HTTP 502)."),
    (503, '{"error": "server busy, please try again."}', LATER, "Ollama is busy with other texts."),
    (302, "", LATER, "Ollama has a problem of its own (HTTP 302)."),
]


@pytest.mark.parametrize(("status", "body", "verdict", "message"), TABLE)
def test_a_status_means_what_the_documentation_says(
    stub: Stub, status: int, body: str, verdict: Verdict, message: str
) -> None:
    stub.behaviour = answer(status, body, Location="http://127.0.0.1:1/")
    text, error = failure()
    assert (text, error.verdict, error.status) == ("", verdict, status)
    assert error.message.startswith(message)
    with pytest.raises(ProviderError) as asked:
        ollama.show("m")
    assert (asked.value.verdict, asked.value.message) == (verdict, error.message)
    assert len(stub.requests) == 2  # nothing was repeated, no redirect followed


BROKE = "The connection to Ollama broke before its answer was complete."
SILENT = "Ollama did not answer in time."
UNREADABLE = "Ollama gave an answer that cannot be read."
ENDLESS = "Ollama stopped in the middle of the text, without saying why."
LENGTH = b"Content-Length: 100\r\n\r\n"


def say_one_word(connection: socket.socket) -> None:
    """Begin, and then say nothing until the client goes away."""
    connection.sendall(HEAD + LENGTH + FIRST.encode())
    hang(connection)


BROKEN: list[tuple[str, Behaviour, str, str]] = [
    ("reset before any answer", reset, "", BROKE),
    ("no answer", hang, "", SILENT),
    ("closed before any answer", then_close(b""), "", BROKE),
    ("closed within the head", then_close(HEAD + b"Content-"), "", ENDLESS),
    ("no HTTP at all", then_close(b"hello\r\n\r\n"), "", BROKE),
    ("an error line in the middle", answer(200, FIRST + '{"error": "out of memory"}\n'), "The", "Ollama broke off: "),
    ("an error line at once", answer(200, '{"error": "out of memory"}'), "", 'Ollama broke off: "out of memory"'),
    ("an end without done", answer(200, FIRST), "The", ENDLESS),
    ("done that is not true", answer(200, FIRST + '{"done": "true"}\n'), "The", ENDLESS),
    ("nothing", answer(200, ""), "", ENDLESS),
    ("empty lines", answer(200, "\n\n \n"), "", ENDLESS),
    ("a cut connection", then_close(HEAD + LENGTH + FIRST.encode()), "The", BROKE),
    ("a cut chunk", then_close(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + FIRST.encode()), "The", BROKE),
    ("half a line", answer(200, FIRST + '{"response": "Th'), "The", UNREADABLE),
    ("a page", answer(200, "<html>\nmaintenance</html>"), "", UNREADABLE),
    ("a list", answer(200, FIRST + "[1]\n" + LAST), "The", UNREADABLE),
    ("nesting without end", answer(200, '{"a":' * 3000 + "1" + "}" * 3000), "", UNREADABLE),
    ("no gzip after all", answer(200, FIRST, Content_Encoding="gzip"), "", BROKE),
    ("a line without end", drip, "", SILENT),
    ("silence after the first word", say_one_word, "The", SILENT),
]


@pytest.mark.parametrize(
    ("behaviour", "text", "message"), [row[1:] for row in BROKEN], ids=[name for name, *_rest in BROKEN]
)
def test_a_broken_stream_fails_in_plain_words_and_keeps_what_came(
    stub: Stub, behaviour: Behaviour, text: str, message: str
) -> None:
    stub.behaviour = behaviour
    came, error = failure()
    assert (came, error.verdict) == (text, LATER)
    assert error.message.startswith(message)
    assert len(stub.requests) == 1


def test_an_ollama_that_is_not_there_is_named_with_its_address(settings: Settings) -> None:
    for address in ("http://127.0.0.1:1", "http://ollama.invalid:11434"):
        settings.OLLAMA_BASE_URL = address
        assert failure()[1].message == f"Ollama does not answer at {address}."
        with pytest.raises(ProviderError, match="does not answer at"):
            ollama.list_models()


def test_an_enormous_line_is_refused_and_a_long_one_is_not(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.behaviour = answer(200, json.dumps({"done": True, "context": list(range(300_000))}) + "\n")
    assert len([piece for piece in ollama.generate("x", model="m") if piece != Piece()]) == 1
    monkeypatch.setattr(streams, "LINE_BYTES", 100_000)
    stub.behaviour = answer(200, FIRST + "x" * 200_000)
    assert failure()[1].message == "Ollama gave an answer that is too long."
    monkeypatch.setattr(streams, "ANSWER_BYTES", 100_000)
    stub.behaviour = answer(200, FIRST * 10_000)
    text, error = failure()
    assert error.message == "Ollama gave an answer that is too long."
    assert text.startswith("TheThe")


def test_what_the_server_said_is_in_the_detail(stub: Stub) -> None:
    stub.behaviour = answer(200, FIRST + '{"error": "out of memory"}\n')
    assert failure()[1].detail == '{"error": "out of memory"}'
    stub.behaviour = answer(503, '{"error": "server busy"}', Retry_After="7")
    error = failure()[1]
    assert (error.detail, error.retry_after) == ('{"error": "server busy"}', 7.0)
