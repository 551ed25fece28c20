"""What the imitated Ollama accepts, and how it refuses: its words, its statuses, its limits."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from mockapi import ollama_models
from mockapi.ollama_models import Model

Body = dict[str, Any]

FLOATS = ("temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty")
INTEGERS = ("num_predict", "num_ctx", "seed", "top_k", "num_keep", "repeat_last_n", "num_gpu", "num_thread")
EFFORTS = ("high", "medium", "low", "max")
ROLES = ("system", "user", "assistant", "tool")
NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+){0,2}(:[\w.-]+)?")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
FOR_EVER = timedelta(days=365 * 100)


class OllamaRefusalError(Exception):
    """A request that is answered with an error: a status and one string."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": message} | more


@dataclass(frozen=True)
class Wish:
    """A text that is wanted: of which model, from what, and how."""

    model: Model
    asked: str
    """The prompt, or the last message of the user."""
    system: str = ""
    before: tuple[tuple[str, str], ...] = ()
    """The messages before the last one: role and text."""
    is_chat: bool = False
    streams: bool = True
    thinks: bool = False
    is_raw: bool = False
    as_json: bool = False
    most_tokens: int = -1
    stops: tuple[str, ...] = ()
    seed: int = -1
    stay: timedelta = field(default=ollama_models.STAYS)


def read_body(raw: bytes) -> Body:
    """Return the JSON object that was sent."""
    if not raw.strip():
        raise OllamaRefusalError(400, "missing request body")
    try:
        body = json.loads(raw)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        first = raw.strip()[:1].decode("latin-1")
        raise OllamaRefusalError(400, f"invalid character '{first}' looking for beginning of value") from None
    if not isinstance(body, dict):
        kind = "array" if isinstance(body, list) else type(body).__name__
        raise OllamaRefusalError(400, f"json: cannot unmarshal {kind} into Go value of type api.Request")
    return body


def find_model(body: Body, *, may_be_empty: bool = False) -> Model:
    """Return the model that is named."""
    name = body.get("model") or body.get("name") or ""
    if not name and not may_be_empty:
        raise OllamaRefusalError(400, "model is required")
    if name and (not isinstance(name, str) or not NAME.fullmatch(name)):
        raise OllamaRefusalError(400, "invalid model name")
    model = ollama_models.find(name)
    if model is None:
        raise missing(name)
    return model


def missing(name: str) -> OllamaRefusalError:
    """A model that is not installed."""
    return OllamaRefusalError(404, f"model '{name}' not found")


def busy() -> OllamaRefusalError:
    """Too many requests are waiting."""
    return OllamaRefusalError(503, "server busy, please try again.  maximum pending requests exceeded")


def signed_out() -> OllamaRefusalError:
    """A model that runs elsewhere, and nobody is signed in there."""
    return OllamaRefusalError(401, "unauthorized", signin_url="https://ollama.com/connect?name=mock&key=none")


def generate_wish(body: Body) -> Wish:
    """Read a body of /api/generate."""
    model = find_model(body, may_be_empty=True)
    return _wish(body, model, "generate", asked=_string(body, "prompt"), system=_string(body, "system"))


def chat_wish(body: Body) -> Wish:
    """Read a body of /api/chat."""
    model = find_model(body)
    messages = body.get("messages") or []
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise OllamaRefusalError(
            400, "json: cannot unmarshal into Go struct field ChatRequest.messages of type []api.Message"
        )
    told = [(message.get("role"), _string(message, "content")) for message in messages]
    for role, _text in told:
        if role not in ROLES:
            raise OllamaRefusalError(400, f"invalid role: {role}, must be one of [{' '.join(ROLES)}]")
    asked = next((index for index, (role, _text) in reversed(list(enumerate(told))) if role == "user"), None)
    system = "\n".join(text for role, text in told if role == "system")
    before = tuple(told[:asked]) if asked is not None else tuple(told)
    return _wish(
        body,
        model,
        "chat",
        asked=told[asked][1] if asked is not None else "",
        system=system,
        before=before,
        is_chat=True,
    )


def is_empty(body: Body) -> bool:
    """Tell whether nothing is to be written: such a request only loads the model, or unloads it."""
    return not body.get("messages") if "messages" in body or "prompt" not in body else not body.get("prompt")


def stay_of(body: Body) -> timedelta:
    """Return how long the model is to stay in memory: seconds or `10m`; below zero for ever."""
    value = body.get("keep_alive")
    if value is None:
        return ollama_models.STAYS
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise OllamaRefusalError(400, "keep_alive: invalid duration")
    if isinstance(value, str):
        match = re.fullmatch(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)?", value.strip())
        if match is None or (match[2] is None and float(match[1]) != 0):
            raise OllamaRefusalError(400, f'time: invalid duration "{value}"')
        value = float(match[1]) * UNITS.get(match[2], 1.0)
    return FOR_EVER if value < 0 else min(timedelta(seconds=min(value, 1e9)), FOR_EVER)


def _wish(body: Body, model: Model, verb: str, **more: Any) -> Wish:
    options = body.get("options") or {}
    _check_options(options)
    if not model.can("completion"):
        raise OllamaRefusalError(400, f'"{model.name}" does not support {verb}')
    if body.get("tools") and not model.can("tools"):
        raise OllamaRefusalError(400, f"registry.ollama.ai/library/{model.name} does not support tools")
    return Wish(
        model=model,
        streams=body.get("stream") is not False,
        thinks=_thinks(body.get("think"), model),
        is_raw=body.get("raw") is True,
        as_json=bool(body.get("format")),
        most_tokens=_whole(options, "num_predict"),
        stops=tuple(options.get("stop") or ()),
        seed=_whole(options, "seed"),
        stay=stay_of(body),
        **more,
    )


def _thinks(think: Any, model: Model) -> bool:
    """Unset on a model that can think, it does; asked of another one, that is an error."""
    if isinstance(think, str) and think not in EFFORTS:
        known = ", ".join(f'"{effort}"' for effort in EFFORTS)
        raise OllamaRefusalError(400, f'invalid think value: "{think}" (must be {known}, true, or false)')
    can = model.can("thinking")
    if think and not can:
        raise OllamaRefusalError(400, f'"{model.name}" does not support thinking')
    return can and think is not False


def _check_options(options: Any) -> None:
    if not isinstance(options, dict):
        raise OllamaRefusalError(400, "json: cannot unmarshal into Go struct field .options of type map[string]any")
    wanted: dict[str, tuple[str, Callable[[Any], bool]]] = {
        **dict.fromkeys(FLOATS, ("float32", _is_number)),
        **dict.fromkeys(INTEGERS, ("integer", lambda value: _is_number(value) and value == int(value))),
        "stop": ("array", lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value)),
    }
    for name, value in options.items():
        kind, is_right = wanted.get(name, ("", lambda _value: True))
        if value is not None and not is_right(value):
            raise OllamaRefusalError(500, f'option "{name}" must be of type {kind}')


def _whole(options: Body, name: str) -> int:
    value = options.get(name)
    return -1 if value is None else int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e15 < value < 1e15


def _string(body: Body, name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        kind = type(value).__name__
        raise OllamaRefusalError(400, f"json: cannot unmarshal {kind} into Go struct field .{name} of type string")
    return value or ""
