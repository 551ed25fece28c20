"""A text reaches a client as it grows, in the form the client asks for, and holds no database connection meanwhile."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import RequestFactory

from prompts import wire, writing
from prompts.events import Ended
from prompts.tests.writers import FINISH, Notebook, Pen, wait_until, writers
from prompts.writing import write
from providers.ollama_types import Piece


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(writing, "SAVE_SECONDS", 0.01)
    yield
    wait_until(lambda: not writers())


def last(ended: Ended) -> dict[str, Any]:
    return {"state": ended.outcome}


def form_for(accept: str) -> str | None:
    return wire.form_asked(RequestFactory().get("/", headers={"accept": accept}))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/event-stream", "sse"),
        ("application/x-ndjson", "ndjson"),
        ("Application/X-NDJSON; q=0.9, text/event-stream", "ndjson"),
        ("text/event-stream, application/x-ndjson", "sse"),
        ("application/json", None),
        ("*/*", None),
        ("", None),
    ],
)
def test_the_accept_header_decides_the_form(accept: str, form: str | None) -> None:
    assert form_for(accept) == form


def test_ndjson_is_one_object_a_line() -> None:
    pen = Pen(Piece(thinking="Hm."), "Good\nmorning, “Ada”", FINISH)

    answer = wire.stream(write(pen, Notebook()), form="ndjson", first={"run": 1}, last=last)
    lines = [json.loads(line) for line in b"".join(answer).decode().splitlines()]

    assert lines[0] == {"run": 1}
    assert lines[-1] == {"state": "done"}
    assert "".join(line.get("text", "") for line in lines) == "Good\nmorning, “Ada”"
    assert "".join(line.get("thinking", "") for line in lines) == "Hm."


def test_server_sent_events_are_one_line_of_data_each() -> None:
    answer = wire.stream(write(Pen("Good\r\nmorning", FINISH), Notebook()), form="sse", first={"run": 1}, last=last)
    events = b"".join(answer).decode().split("\n\n")

    assert events[0] == 'data: {"run":1}'
    assert events[-2:] == ['data: {"state":"done"}', ""]
    assert all(event.startswith("data: ") and "\n" not in event for event in events[:-1])
    assert json.loads(events[1].removeprefix("data: ")) == {"text": "Good\r\nmorning"}


@pytest.mark.parametrize(("form", "beat"), [("sse", b": still waiting\n\n"), ("ndjson", b'{"silence":true}\n')])
def test_a_silent_line_is_kept_alive(form: wire.Form, beat: bytes) -> None:
    pen = Pen()
    chunks = iter(wire.stream(write(pen, Notebook()), form=form, first={}, last=last, heartbeat=0.01))
    next(chunks)

    assert next(chunks) == beat
    pen.put(FINISH)
    assert b'"state":"done"' in b"".join(chunks)


def test_a_stream_is_neither_stored_nor_held_back_by_a_proxy() -> None:
    answer = wire.stream(write(Pen(FINISH), Notebook()), form="sse", first={}, last=last)
    b"".join(answer)

    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Accel-Buffering"] == "no"


@pytest.mark.django_db
def test_a_client_that_hangs_up_leaves_the_text_to_be_finished() -> None:
    book, pen = Notebook(), Pen("Good ")
    answer = wire.stream(write(pen, book), form="ndjson", first={}, last=last)
    chunks = iter(answer)
    next(chunks)
    assert next(chunks) == b'{"text":"Good "}\n'

    answer.close()
    pen.put("morning", FINISH)

    wait_until(lambda: book.outcome)
    assert book.text == "Good morning"


@pytest.mark.django_db(transaction=True)
def test_the_thread_that_streams_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    connection = connections["default"]
    connection.ensure_connection()
    monkeypatch.setattr(connection, "close", lambda: closed.append("closed"))
    pen = Pen()
    chunks = iter(wire.stream(write(pen, Notebook()), form="ndjson", first={}, last=last))

    assert closed == []  # the middleware may still need it until the first byte
    next(chunks)
    assert closed == ["closed"]
    pen.put(FINISH)
    list(chunks)
