"""Texts of the imitated Ollama on their way: word by word, with the counts at the end, or broken off on purpose."""

import errno
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings

from mockapi import scenarios, waiting
from mockapi.ollama_reading import speed_of
from mockapi.ollama_rules import OllamaRefusalError, Wish
from mockapi.ollama_writing import think, write
from mockapi.reset import client_socket, reset

NANOSECONDS = 1_000_000_000
PROMPT_TOKENS_PER_SECOND = 4000
CRASH = (
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, "
    "check ollama server logs for details"
)
# A model that only thinks goes on until its tokens are used up, or this many where they are not limited.
MOST_THOUGHTS = 200
BREAKS = frozenset({scenarios.FAILS, scenarios.BROKEN_JSON, scenarios.QUOTA, scenarios.RESET})


@dataclass(frozen=True)
class Answer:
    """A text to be given: for what, under which name, how it goes wrong, to whom, after how many seconds of loading."""

    wish: Wish
    name: str
    scenario: str
    environ: dict[str, Any]
    load_seconds: float


class Token(NamedTuple):
    """A word with the space before it."""

    text: str
    is_thought: bool = False


def moment() -> str:
    """Return the time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def stream(answer: Answer) -> Iterator[bytes]:
    """Give the lines of a stream: at first the load, then each word at its time, at last the counts."""
    begun = time.monotonic()
    waiting.wait(answer.environ, answer.load_seconds)
    tokens, reason = tokens_of(answer)
    pace = 1 / speed if (speed := speed_of(answer.wish, settings.MOCKAPI_OLLAMA_WORDS_PER_SECOND)) else 0
    middle = len(tokens) // 2 if answer.scenario in BREAKS else None
    start = time.monotonic()
    for index, token in enumerate(tokens):
        if index == middle:
            yield from broken(answer)
            return
        waiting.wait(answer.environ, start + index * pace - time.monotonic())
        yield line({"model": answer.name, "created_at": moment(), **said(answer.wish, [token]), "done": False})
    yield line(last(answer, tokens, reason, begun) | said(answer.wish, []))


def whole(answer: Answer) -> dict[str, Any]:
    """Return the whole text in one object, once it is there."""
    begun = time.monotonic()
    tokens, reason = tokens_of(answer)
    speed = speed_of(answer.wish, settings.MOCKAPI_OLLAMA_WORDS_PER_SECOND)
    waiting.wait(answer.environ, answer.load_seconds + (len(tokens) / speed if speed else 0))
    if answer.scenario in BREAKS:
        raise OllamaRefusalError(500, CRASH)
    return last(answer, tokens, reason, begun) | said(answer.wish, tokens)


def tokens_of(answer: Answer) -> tuple[list[Token], str]:
    """Return the words of an answer, thoughts first, and why it ends."""
    wish = answer.wish
    text = write(wish)
    ends = [found for stop in wish.stops if stop and (found := text.find(stop)) >= 0]
    thoughts = [Token(word, is_thought=True) for word in words(think(wish))] if wish.thinks else []
    tokens = thoughts + [Token(word) for word in words(text[: min(ends, default=len(text))])]
    if answer.scenario == scenarios.RATE_LIMIT:
        most = wish.most_tokens if wish.most_tokens > 0 else MOST_THOUGHTS
        endless = [Token(word, is_thought=True) for word in words(think(wish))]
        return (endless * (most // len(endless) + 1))[:most], "length"
    if 0 < wish.most_tokens < len(tokens):
        return tokens[: wish.most_tokens], "length"
    return tokens, "stop"


def words(text: str) -> list[str]:
    """Return a text in pieces that give it back when put together: about a word each."""
    return re.findall(r"\s*\S+|\s+$", text)


def said(wish: Wish, tokens: list[Token]) -> dict[str, Any]:
    """Return words as the endpoint gives them; `thinking` is there only where something was thought."""
    text = "".join(token.text for token in tokens if not token.is_thought)
    thought = "".join(token.text for token in tokens if token.is_thought)
    thinking = {"thinking": thought} if thought else {}
    if wish.is_chat:
        return {"message": {"role": "assistant", "content": text} | thinking}
    return {"response": text} | thinking


def last(answer: Answer, tokens: list[Token], reason: str, begun: float) -> dict[str, Any]:
    """Return the end of an answer with its counts. A zero is left out, as by the real one."""
    wish, total = answer.wish, time.monotonic() - begun
    asked = len(words(wish.system + " " + wish.asked)) + sum(len(words(text)) for _role, text in wish.before)
    counts = {
        "total_duration": int(total * NANOSECONDS),
        "load_duration": int((answer.load_seconds or 0.02) * NANOSECONDS),
        "prompt_eval_count": asked,
        "prompt_eval_duration": asked * NANOSECONDS // PROMPT_TOKENS_PER_SECOND,
        "eval_count": len(tokens),
        "eval_duration": int(max(total - answer.load_seconds, 0.001) * NANOSECONDS),
    }
    context = {} if wish.is_chat or wish.is_raw else {"context": list(range(128_000, 128_000 + asked + len(tokens)))}
    head = {"model": answer.name, "created_at": moment(), "done": True, "done_reason": reason}
    return head | context | {name: count for name, count in counts.items() if count}


def broken(answer: Answer) -> Iterator[bytes]:
    """End a stream in its middle, as its scenario says."""
    if answer.scenario == scenarios.FAILS:
        yield line({"error": CRASH})
    elif answer.scenario == scenarios.BROKEN_JSON:
        yield b'{"model":"' + answer.name.encode() + b'","created_at":\n'
    elif answer.scenario == scenarios.RESET:
        connection = client_socket(answer.environ)
        if connection is not None:
            reset(connection)
        # Servers pass over this error in silence: it is what they see when a client goes away.
        raise ConnectionResetError(errno.ECONNRESET, "Scenario 0009: connection reset by the mock")


def line(body: dict[str, Any]) -> bytes:
    """Return one line of a stream."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
