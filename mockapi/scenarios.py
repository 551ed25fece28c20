"""The scenarios: what a number at the start of lyrics or prompt, and a duration in the style, make happen."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mockapi.models import MurekaTask

INVALID_KEY, FAILS, TIMES_OUT, BROKEN_JSON, OVERLOADED = "0002", "0003", "0004", "0005", "0006"
RATE_LIMIT, QUOTA, RESET, MISSING_FILES = "0007", "0008", "0009", "0010"
SUCCESS = "0001"
KNOWN = {SUCCESS, INVALID_KEY, FAILS, TIMES_OUT, BROKEN_JSON, OVERLOADED, RATE_LIMIT, QUOTA, RESET, MISSING_FILES}

# How often 0005 and 0006 disturb the following of one task.
TROUBLES = 2
LONGEST_JOB_SECONDS = 3600
FAILED_REASON = "The lyrics did not pass the content review. Please change them and try again."

NUMBER = re.compile(r"\s*(\d{4})(?!\d)[\s:.,-]*")
DURATION = re.compile(r"\b(?:(\d{1,4})m(?:(\d{1,5})s)?|(\d{1,5})s)\b", re.IGNORECASE)
TERMINAL = {"succeeded", "failed", "timeouted"}


def scenario_of(body: Mapping[str, Any]) -> str:
    """Return the scenario named at the start of the lyrics or else of the prompt; 0001 where none is."""
    for text in (body.get("lyrics"), body.get("prompt")):
        match = NUMBER.match(text) if isinstance(text, str) else None
        if match and match[1] in KNOWN:
            return match[1]
    return SUCCESS


def without_number(text: str) -> str:
    """Return the text without the scenario's number, which nobody sings."""
    match = NUMBER.match(text)
    return text[match.end() :] if match and match[1] in KNOWN else text


def seconds_of(prompt: object, default: int) -> int:
    """Return how long a job takes: the first `30s`, `1m` or `1m30s` in its style prompt, else the default."""
    match = DURATION.search(prompt) if isinstance(prompt, str) else None
    if match is None:
        return default
    minutes, rest, seconds = (int(group or 0) for group in match.groups())
    return min(minutes * 60 + rest + seconds, LONGEST_JOB_SECONDS)


def status_at(task: MurekaTask, now: datetime) -> str:
    """Return the task's status at a moment: preparing, queued, running, (streaming,) and its end."""
    if now >= task.ready_at:
        return {FAILS: "failed", TIMES_OUT: "timeouted"}.get(task.scenario, "succeeded")
    share = (now - task.created_at) / (task.ready_at - task.created_at)
    if share < 0.1:
        return "preparing"
    if share < 0.25:
        return "queued"
    return "streaming" if task.request.get("stream") and share >= 0.6 else "running"
