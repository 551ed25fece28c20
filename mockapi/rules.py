"""Mureka's rules for request bodies, its models and its prices, as its documentation and clients state them."""

import base64
import binascii
import re
from typing import Any

from mockapi.errors import invalid
from mockapi.models import Kind

NEWEST_MODEL = "mureka-9.5"
# Price per song in tenths of a US cent.
PRICES = {"mureka-7.6": 30, "mureka-o2": 45, "mureka-8": 45, "mureka-9": 45, "mureka-9.5": 150}
FINETUNED = re.compile(r"lora:mureka-[\w.]+:[\w-]+:[a-z0-9-]{1,32}")
FINETUNED_PRICE = 45
LYRICS_CENTS = 1
# The documentation says $0.06 to $0.70 by model; these are points in that range.
STEM_CENTS = {"audio-separation-1": 6, "audio-separation-2": 70, "audio-separation-3": 12}
STEM_MODELS_WITH_MIDI = {"audio-separation-2", "audio-separation-3"}
LARGEST_DATA_URI = 10 * 1024 * 1024
Body = dict[str, Any]


def resolve_model(body: Body, kind: Kind) -> str:
    """Return the model that does the work; `auto` is the newest regular one."""
    model = text(body, "model", required=True)
    if model == "auto":
        return NEWEST_MODEL
    if kind == Kind.SONG and FINETUNED.fullmatch(model):
        return model
    if model not in PRICES or (kind == Kind.INSTRUMENTAL and model == "mureka-o2"):
        raise invalid(f"model {model} is not supported.")
    return model


def price(model: str, n: int) -> int:
    """Return what `n` takes cost, in whole US cents, rounded up."""
    return -(-PRICES.get(model, FINETUNED_PRICE) * n // 10)


def text(body: Body, name: str, *, longest: int = 0, required: bool = False) -> str:
    """Return a string field, empty if absent, or refuse it."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} must be a string.")
    if required and not (value or "").strip():
        raise invalid(f"{name} is required.")
    if longest and len(value or "") > longest:
        raise invalid(f"{name} must be at most {longest} characters.")
    return value or ""


def count(body: Body) -> int:
    """Return `n`, how many takes are wanted: 1 to 3, 2 if not said."""
    n = body.get("n", 2)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 3:
        raise invalid("n must be between 1 and 3.")
    return n


def check_stream(body: Body, model: str) -> None:
    """Refuse a stream that is no boolean, or asked of an o model."""
    stream = body.get("stream", False)
    if not isinstance(stream, bool):
        raise invalid("stream must be a boolean.")
    if stream and model.startswith("mureka-o"):
        raise invalid(f"stream is not supported by model {model}.")


def check_song(body: Body, model: str) -> None:
    """Refuse a song's body that breaks a rule: lengths, gender, and which references go together."""
    text(body, "lyrics", longest=5000, required=True)
    prompt = text(body, "prompt", longest=1024)
    if text(body, "gender") not in {"", "female", "male"}:
        raise invalid("gender must be female or male.")
    reference, vocal, melody = (text(body, name) for name in ("reference_id", "vocal_id", "melody_id"))
    if prompt and reference:
        raise invalid("prompt and reference_id cannot be used together.")
    if melody and (prompt or reference or vocal):
        raise invalid("melody_id cannot be used with other control options.")
    if model == "mureka-o2" and (vocal or melody):
        raise invalid(f"vocal_id and melody_id are not supported by model {model}.")
    check_stream(body, model)


def check_instrumental(body: Body, model: str) -> None:
    """Refuse an instrumental's body that breaks a rule: exactly one of prompt and instrumental_id."""
    prompt, reference = text(body, "prompt", longest=1024), text(body, "instrumental_id")
    if bool(prompt.strip()) == bool(reference):
        raise invalid("exactly one of prompt and instrumental_id is required.")
    check_stream(body, model)


def check_stem_model(body: Body) -> str:
    """Return the separation model; the default is not documented, so it is the plainest."""
    model = text(body, "model") or "audio-separation-1"
    if model not in STEM_CENTS:
        raise invalid(f"model {model} is not supported.")
    return model


def check_data_uri(url: str) -> None:
    """Refuse a data URI that is not base64 audio, or larger than 10 MB."""
    head, comma, payload = url.partition(",")
    if not comma or not re.fullmatch(r"data:audio/[\w.+-]+;base64", head):
        raise invalid("url is not a valid audio data URI.")
    if len(payload) * 3 // 4 > LARGEST_DATA_URI:
        raise invalid("The file size must be at most 10MB.")
    try:
        audio = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("url is not a valid audio data URI.") from None
    if not audio:
        raise invalid("url is not a valid audio data URI.")
