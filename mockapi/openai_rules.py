"""OpenAI's rules for requests, its models with their last days, and what it counts, as documented."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from mockapi import openai_errors as errors

Body = dict[str, Any]

LONGEST_PROMPT = 32_000
MOST_PICTURES = 10
MOST_PARTIALS = 3
PARTIAL_TOKENS = 100
# The documentation does not state what a picture sent in counts; this is one square of the older models.
REFERENCE_TOKENS = 323

THREE_SIZES = ("1024x1024", "1536x1024", "1024x1536")
THREE_QUALITIES = ("low", "medium", "high")
FIVE_QUALITIES = (*THREE_QUALITIES, "xhigh", "max")
OLD_TOKENS = {"low": 272, "medium": 1056, "high": 4160}
TOKENS_2 = {"low": 196, "medium": 1756, "high": 7024}
TOKENS_25 = {"low": 196, "medium": 439, "high": 1756, "xhigh": 3122, "max": 7024}


@dataclass(frozen=True)
class Model:
    """One model: since and until when, which sizes and qualities, and what a square picture counts in tokens."""

    created: date
    shutdown: date | None
    tokens: Mapping[str, int]
    any_size: bool = True

    def is_alive(self, today: date) -> bool:
        """Whether it still answers."""
        return self.shutdown is None or today < self.shutdown


_OLD_END = date(2026, 12, 1)
MODELS = {
    "dall-e-2": Model(date(2022, 11, 3), date(2026, 5, 12), {}, any_size=False),
    "dall-e-3": Model(date(2023, 11, 6), date(2026, 5, 12), {}, any_size=False),
    "gpt-image-1": Model(date(2025, 4, 23), date(2026, 10, 23), OLD_TOKENS, any_size=False),
    "gpt-image-1-mini": Model(date(2025, 10, 6), _OLD_END, OLD_TOKENS, any_size=False),
    "gpt-image-1.5": Model(date(2025, 12, 16), _OLD_END, OLD_TOKENS, any_size=False),
    "chatgpt-image-latest": Model(date(2025, 12, 16), _OLD_END, OLD_TOKENS, any_size=False),
    "gpt-image-2": Model(date(2026, 4, 21), None, TOKENS_2),
    "gpt-image-2-2026-04-21": Model(date(2026, 4, 21), None, TOKENS_2),
    "gpt-image-2.5-sunburst": Model(date(2026, 9, 8), None, TOKENS_25),
    "gpt-image-2.5-sunburst-2026-09-08": Model(date(2026, 9, 8), None, TOKENS_25),
    "gpt-image-2.5-flare": Model(date(2026, 9, 8), None, TOKENS_25),
    "gpt-image-2.5-flare-2026-09-08": Model(date(2026, 9, 8), None, TOKENS_25),
    "gpt-image-2.6-sunburst": Model(date(2026, 11, 4), None, TOKENS_25),
    "gpt-image-2.6-flare": Model(date(2026, 11, 4), None, TOKENS_25),
}
# Not OpenAI's: a name that begins so is answered as an older, compatible server would, with addresses.
COMPATIBLE = "compat-"
COMPATIBLE_SIZES = ("1024x1024", "1792x1024", "1024x1792", "512x512", "256x256")

COMMON = {"prompt", "model", "n", "size", "quality", "background", "output_format", "output_compression"}
COMMON |= {"stream", "partial_images", "safety_identifier", "user", "complexity"}
PARAMETERS = {"generations": COMMON | {"moderation"}, "edits": COMMON | {"input_fidelity"}}
COMPATIBLE_PARAMETERS = {"prompt", "model", "n", "size", "quality", "style", "response_format", "user"}
NUMBERS = ("n", "output_compression", "partial_images")


@dataclass(frozen=True)
class Order:
    """A request that keeps every rule. `size` and `quality` are what will be made, never auto."""

    endpoint: str
    model: str
    prompt: str
    n: int
    width: int
    height: int
    quality: str
    transparent: bool
    output_format: str
    compression: int
    stream: bool
    partials: int
    as_url: bool

    @property
    def size(self) -> str:
        """The size as it is written."""
        return f"{self.width}x{self.height}"


def today() -> date:
    """The day by which models live and die."""
    return datetime.now(UTC).date()


def check(endpoint: str, body: Body) -> Order:
    """Read a request for pictures, or refuse it as OpenAI does."""
    name = _text(body, "model", required=True)
    if name.startswith(COMPATIBLE):
        return _compatible_order(endpoint, name, _prompt(body, COMPATIBLE_PARAMETERS), body)
    model = MODELS.get(name)
    if model is None or not model.is_alive(today()):
        raise errors.unknown_model(name)
    prompt = _prompt(body, PARAMETERS[endpoint])
    _check_minor(body, name, model)
    output_format = _choice(body, "output_format", ("png", "webp", "jpeg"))
    quality = _choice(body, "quality", ("auto", *model.tokens))
    width, height = _size(body, model)
    stream = _stream(body)
    return Order(
        endpoint=endpoint,
        model=name,
        prompt=prompt,
        n=_number(body, "n", 1, low=1, high=MOST_PICTURES),
        width=width,
        height=height,
        quality="medium" if quality == "auto" else quality,
        transparent=_transparent(body, output_format),
        output_format=output_format,
        compression=_compression(body, output_format),
        stream=stream,
        partials=_partials(body, stream=stream),
        as_url=False,
    )


def usage(order: Order, references: int) -> dict[str, Any]:
    """Count the tokens of an answer: as documented for 1024x1024, other sizes by area and by how long they are."""
    short, long = sorted((order.width, order.height))
    # 1536x1024 costs 0.78 of a square, by the documented prices.
    share = order.width * order.height / 1024**2 * (short / long) ** 1.6
    picture = round(MODELS[order.model].tokens[order.quality] * share) + PARTIAL_TOKENS * order.partials
    text, image, made = max(1, -(-len(order.prompt) // 4)), REFERENCE_TOKENS * references, picture * order.n
    return {
        "input_tokens": text + image,
        "input_tokens_details": {"image_tokens": image, "text_tokens": text},
        "output_tokens": made,
        "output_tokens_details": {"image_tokens": made, "text_tokens": 0},
        "total_tokens": text + image + made,
    }


def _compatible_order(endpoint: str, model: str, prompt: str, body: Body) -> Order:
    size = _choice(body, "size", COMPATIBLE_SIZES)
    width, height = map(int, size.split("x"))
    quality = _choice(body, "quality", ("standard", "hd"))
    return Order(
        endpoint=endpoint,
        model=model,
        prompt=prompt,
        n=_number(body, "n", 1, low=1, high=MOST_PICTURES),
        width=width,
        height=height,
        quality=quality,
        transparent=False,
        output_format="png",
        compression=100,
        stream=False,
        partials=0,
        as_url=_choice(body, "response_format", ("url", "b64_json")) == "url",
    )


def _prompt(body: Body, known: set[str]) -> str:
    """Return the prompt of a body that has no other than the known parameters."""
    for parameter in body:
        if parameter not in known:
            raise errors.unknown_parameter(parameter)
    prompt = _text(body, "prompt", required=True)
    if len(prompt) > LONGEST_PROMPT:
        words = f"Invalid 'prompt': string too long. Expected a string with maximum length {LONGEST_PROMPT}, "
        raise errors.invalid("prompt", words + f"but got a string with length {len(prompt)} instead.")
    return prompt


def _check_minor(body: Body, name: str, model: Model) -> None:
    """Check what changes nothing about the mock's pictures."""
    _choice(body, "moderation", ("auto", "low"))
    _choice(body, "complexity", ("", "low", "medium", "high"))
    if _choice(body, "input_fidelity", ("", "low", "high")) and model.any_size:
        raise errors.invalid("input_fidelity", f"Parameter 'input_fidelity' is not supported for model '{name}'.")


def _transparent(body: Body, output_format: str) -> bool:
    transparent = _choice(body, "background", ("auto", "opaque", "transparent")) == "transparent"
    if transparent and output_format == "jpeg":
        raise errors.invalid("background", "Transparent background is not supported for 'jpeg'. Use 'png' or 'webp'.")
    return transparent


def _stream(body: Body) -> bool:
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise errors.invalid_type("stream", "a boolean")
    return stream


def _text(body: Body, name: str, *, required: bool = False) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise errors.invalid_type(name, "a string")
    if required and not (value or "").strip():
        raise errors.missing(name)
    return value or ""


def _choice(body: Body, name: str, allowed: tuple[str, ...]) -> str:
    """Return one of the allowed values; null and absence are the first of them."""
    value = body.get(name)
    if value is None:
        return allowed[0]
    if not isinstance(value, str) or value not in allowed:
        *most, last = (f"'{option}'" for option in allowed if option)
        supported = f"{', '.join(most)}, and {last}"
        raise errors.invalid(name, f"Invalid value: '{value}'. Supported values are: {supported}.")
    return value


def _number(body: Body, name: str, default: int, *, low: int, high: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.invalid_type(name, "an integer")
    if value > high:
        words = f"Invalid '{name}': integer above maximum value. Expected a value <= {high}, but got {value} instead."
        raise errors.invalid(name, words, code="integer_above_max_value")
    if value < low:
        words = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}, but got {value} instead."
        raise errors.invalid(name, words, code="integer_below_min_value")
    return value


def _compression(body: Body, output_format: str) -> int:
    compression = _number(body, "output_compression", 100, low=0, high=100)
    if output_format == "png" and compression != 100:
        raise errors.invalid("output_compression", "Compression less than 100 is not supported for PNG output format")
    return compression


def _partials(body: Body, *, stream: bool) -> int:
    partials = _number(body, "partial_images", 0, low=0, high=MOST_PARTIALS)
    if partials and not stream:
        raise errors.invalid("partial_images", "Partial images are only supported when 'stream' is true.")
    return partials


def _size(body: Body, model: Model) -> tuple[int, int]:
    value = body.get("size")
    if value is None or value == "auto":
        return 1024, 1024
    found = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", value) if isinstance(value, str) else None
    if found is None or not (model.any_size or value in THREE_SIZES):
        supported = ", ".join(f"'{size}'" for size in THREE_SIZES)
        raise errors.invalid("size", f"Invalid value: '{value}'. Supported values are: {supported}, and 'auto'.")
    width, height = int(found[1]), int(found[2])
    short, long = sorted((width, height))
    if width % 16 or height % 16:
        raise errors.invalid("size", f"Invalid size '{value}'. Width and height must both be divisible by 16.")
    if long > 3 * short:
        raise errors.invalid("size", f"Invalid size '{value}'. The aspect ratio must be between 1:3 and 3:1.")
    if long > 3840 or not 655_360 <= width * height <= 3840 * 2160:
        raise errors.invalid("size", f"Invalid size '{value}'. The total number of pixels is out of range.")
    return width, height
