"""Foreign JSON and foreign words, made harmless."""

import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

ANSWER_DEPTH = 64
RETRY_AFTER_MOST = 600.0
WORDS_LENGTH = 300


def load_json(text: str) -> Any:
    """Parse JSON into what every database can store: no NUL, lone surrogate, NaN or Infinity.

    Raises ValueError, or RecursionError for absurd nesting.
    """
    return _storable(json.loads(text, parse_constant=lambda _name: None, parse_float=_finite), ANSWER_DEPTH)


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _storable(value: Any, depth: int) -> Any:
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {_storable(name, depth - 1): _storable(item, depth - 1) for name, item in value.items()}
    return value


def error_words(text: str) -> str:
    """Find the provider's own words in an error body: `error` may be an object or a string, or the body no JSON."""
    try:
        answer = load_json(text)
    except (ValueError, RecursionError):
        # A page of some proxy says nothing to a user; it stays in the detail.
        return "" if "<" in text[:200] else _one_line(text)
    for _level in range(3):
        if isinstance(answer, dict):
            answer = next((answer[name] for name in ("error", "message", "detail") if answer.get(name)), "")
    return _one_line(answer) if isinstance(answer, str) else ""


def _one_line(text: str) -> str:
    words = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return words if len(words) <= WORDS_LENGTH else words[: WORDS_LENGTH - 1] + "…"


def parse_retry_after(value: str) -> float | None:
    """Read a Retry-After header (seconds or an HTTP date) as seconds between 0 and 600, None if it says nothing."""
    value = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), RETRY_AFTER_MOST)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), RETRY_AFTER_MOST)
