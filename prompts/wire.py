"""A text on its way to a client, piece by piece: server-sent events or lines of JSON, as the client accepts."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse

from prompts.events import Ended, Silence, Text, Thinking
from prompts.writing import Writing

HEARTBEAT_SECONDS = 15.0  # shorter than what proxies wait for the next byte

Form = Literal["sse", "ndjson"]
Line = dict[str, Any]
CONTENT_TYPES: dict[Form, str] = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}


def form_asked(request: HttpRequest) -> Form | None:
    """Return which kind of stream the Accept header asks for; None if it asks for none."""
    accepted = request.headers.get("Accept", "").lower()
    places = [(accepted.find(content_type), form) for form, content_type in CONTENT_TYPES.items()]
    asked = [(place, form) for place, form in places if place >= 0]
    return min(asked)[1] if asked else None


def stream(
    writing: Writing, *, form: Form, first: Line, last: Callable[[Ended], Line], heartbeat: float = HEARTBEAT_SECONDS
) -> StreamingHttpResponse:
    """Answer with what is written: the line `first`, {"text": ...} and {"thinking": ...}, at the end `last(ended)`.

    The text is written and kept whether or not anybody reads on. The thread that streams holds no database connection.
    """
    lines = _lines(writing, first, last, heartbeat)
    response = StreamingHttpResponse(_encoded(lines, form), content_type=CONTENT_TYPES[form])
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx passes each piece on at once
    return response


def _lines(writing: Writing, first: Line, last: Callable[[Ended], Line], heartbeat: float) -> Iterator[Line | Silence]:
    yield first
    for event in writing.events(heartbeat):
        match event:
            case Text(text):
                yield {"text": text}
            case Thinking(thought):
                yield {"thinking": thought}
            case Silence():
                yield event
            case Ended():
                yield last(event)


def _encoded(lines: Iterator[Line | Silence], form: Form) -> Iterator[bytes]:
    """Encode the lines. A silence is a comment in server-sent events, and a line {"silence": true} in NDJSON."""
    release_connections()
    for line in lines:
        if form == "sse":
            yield b": still waiting\n\n" if isinstance(line, Silence) else b"data: " + _json(line) + b"\n\n"
        else:
            yield _json({"silence": True} if isinstance(line, Silence) else line) + b"\n"


def _json(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def release_connections() -> None:
    """Give this thread's database connections back: a text may take minutes, and many may be read at once."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # as in a test
            connection.close()
