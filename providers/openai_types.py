"""What the images API is asked and what it answers, as frozen types, and the careful reading of its answers."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

CALL_SECONDS = 600.0  # after this a call for pictures is broken off, whatever it waits for
BIGGEST = 2**53
URL_LENGTH = 2000
NAME_LENGTH = 100
PROMPT_LENGTH = 32_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture to work from: a file name, the whole file, and its type such as "image/png"."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A picture wanted. What stands at its default is not sent; `output_compression` (0 to 100) is for webp and jpeg.

    With `references` (at most 16) they are edited; `mask` is a PNG whose transparent parts of the first are repainted.
    """

    prompt: str
    model: str
    n: int = 1
    size: str = "auto"
    quality: str = "auto"
    background: str = "auto"
    output_format: str = "png"
    output_compression: int | None = None
    moderation: str = "auto"
    partial_images: int = 0
    references: tuple[Reference, ...] = ()
    mask: bytes | None = None

    @property
    def is_gpt(self) -> bool:
        """Whether the model is one of OpenAI's GPT image models, which take more parameters and never answer a URL."""
        return self.model.startswith(("gpt-image", "chatgpt-image"))


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that came back: its file, or else the address from which it must be fetched soon."""

    content: bytes | None
    url: str
    revised_prompt: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What was counted, in tokens; prices differ for text, pictures sent in and pictures that came out."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    text_in: int
    image_in: int
    text_out: int
    image_out: int


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """The pictures, and what was really made: "" where the answer does not say. `created` in Unix seconds.

    `raw` is the complete answer but for the pictures themselves.
    """

    pictures: tuple[Picture, ...]
    created: int | None
    size: str
    quality: str
    background: str
    output_format: str
    usage: Usage | None
    request_id: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A model that exists, and the day from which it will not, if that is known."""

    id: str
    shutdown_date: date | None


def take_pictures(items: Iterable[Any]) -> tuple[Picture, ...]:
    """Read the pictures of `data[]` and remove them from it. One that cannot be read costs only itself."""
    pictures = []
    for item in items:
        if isinstance(item, dict):
            content = decode(item.pop("b64_json", None))
            url = _address(item.get("url"))
            if content or url:
                pictures.append(Picture(content, "" if content else url, _text(item.get("revised_prompt"))))
    return tuple(pictures)


def decode(value: Any) -> bytes | None:
    """Read base64; None if it is none, or empty."""
    try:
        return base64.b64decode(value, validate=True) or None if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


def parse_answer(raw: dict[str, Any], pictures: tuple[Picture, ...], request_id: str) -> ImageAnswer:
    """Read the rest of an answer, or of the event that completes a stream."""
    created = raw.get("created")
    return ImageAnswer(
        pictures=pictures,
        created=_number(created if created is not None else raw.get("created_at")),
        size=_text(raw.get("size"), NAME_LENGTH),
        quality=_text(raw.get("quality"), NAME_LENGTH),
        background=_text(raw.get("background"), NAME_LENGTH),
        output_format=_text(raw.get("output_format"), NAME_LENGTH),
        usage=_usage(raw.get("usage")),
        request_id=request_id[:NAME_LENGTH],
        raw=raw,
    )


def parse_models(answer: dict[str, Any]) -> tuple[Model, ...] | None:
    """Read the answer of GET /v1/models; None if it is no list of models."""
    data = answer.get("data")
    if not isinstance(data, list):
        return None
    found = [(_text(item.get("id"), 255), item.get("shutdown_date")) for item in data if isinstance(item, dict)]
    return tuple(Model(name, _day(shutdown)) for name, shutdown in found if name)


def _usage(value: Any) -> Usage | None:
    """Tokens by kind. Where the details are missing, what goes in is text and what comes out is a picture."""
    if not isinstance(value, dict) or _number(value.get("output_tokens")) is None:
        return None
    incoming, outgoing = _count(value, "input_tokens"), _count(value, "output_tokens")
    details_in, details_out = value.get("input_tokens_details"), value.get("output_tokens_details")
    image_in, text_out = _count(details_in, "image_tokens"), _count(details_out, "text_tokens")
    return Usage(
        input_tokens=incoming,
        output_tokens=outgoing,
        total_tokens=_count(value, "total_tokens") or incoming + outgoing,
        text_in=_count(details_in, "text_tokens") or max(incoming - image_in, 0),
        image_in=image_in,
        text_out=text_out,
        image_out=_count(details_out, "image_tokens") or max(outgoing - text_out, 0),
    )


def _count(value: Any, name: str) -> int:
    return max(_number(value.get(name)) or 0, 0) if isinstance(value, dict) else 0


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -BIGGEST < value < BIGGEST:
        return None
    return int(value)


def _text(value: Any, length: int = PROMPT_LENGTH) -> str:
    return value[:length] if isinstance(value, str) else ""


def _address(value: Any) -> str:
    text = _text(value, URL_LENGTH + 1).strip()
    return text if text.startswith(("https://", "http://")) and len(text) <= URL_LENGTH else ""


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
