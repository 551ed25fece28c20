"""OpenAI (https://developers.openai.com/api/docs/guides/image-generation): pictures, and which models there are."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from providers.errors import ProviderError, Verdict
from providers.failures import broken_answer
from providers.http import name_of_host, request_json
from providers.openai_types import (
    CALL_SECONDS,
    ImageAnswer,
    ImageRequest,
    Model,
    Picture,
    Reference,
    Usage,
    parse_models,
)

__all__ = [
    "CALL_SECONDS",
    "ImageAnswer",
    "ImageRequest",
    "Model",
    "Picture",
    "Reference",
    "Usage",
    "file_hosts",
    "generate",
    "is_mock",
    "list_models",
    "load",
]

PROVIDER = "OpenAI"
MODELS_TIMEOUT = (5.0, 20.0)
# The client wants a key even where a compatible server at home asks for none.
NO_KEY = "none"

# Sent to GPT image models only; each has this default.
GPT_DEFAULTS = {"background": "auto", "output_format": "png", "moderation": "auto"}
COMPRESSED = frozenset({"webp", "jpeg"})
FULL_QUALITY = 100


def load() -> None:
    """Load the client library, which takes a second or two and much memory: only a process that makes pictures does."""
    from providers import openai_client  # noqa: F401, PLC0415


def generate(request: ImageRequest, *, on_partial: Callable[[int, bytes], None] | None = None) -> ImageAnswer:
    """POST /v1/images/generations, or /v1/images/edits where there are references. Paid; raises ProviderError.

    Answers when the pictures are done, after seconds or minutes, at most CALL_SECONDS. `on_partial` is given the number
    (from 0) and the file of each early version if `partial_images` asks for them and one picture is wanted: how several
    would be streamed is not documented. What it raises is logged and changes nothing: the picture is paid for. Of
    several pictures, those that can be read are returned.
    """
    from providers import openai_client  # noqa: PLC0415  # see `load`

    key = _key()
    if not re.fullmatch(r"[\x21-\x7e]*", key):
        words = _("The API key of %(name)s has a character in it that no key has.") % {"name": PROVIDER}
        raise ProviderError(Verdict.BAD_KEY, words, provider=PROVIDER)
    streams = on_partial is not None and request.partial_images > 0 and request.n == 1 and request.is_gpt
    call = openai_client.Call(PROVIDER, settings.OPENAI_BASE_URL, key or NO_KEY)
    return openai_client.send(call, request, parameters(request, streams=streams), on_partial if streams else None)


def parameters(request: ImageRequest, *, streams: bool) -> dict[str, Any]:
    """Say what is sent: documented for the model's family, and nothing that is the default anyway."""
    sent: dict[str, Any] = {"model": request.model, "prompt": request.prompt}
    wanted = {"n": (request.n, 1), "size": (request.size, "auto"), "quality": (request.quality, "auto")}
    if request.is_gpt:
        wanted |= {name: (getattr(request, name), default) for name, default in GPT_DEFAULTS.items()}
        if request.output_format in COMPRESSED and request.output_compression is not None:
            wanted["output_compression"] = (request.output_compression, FULL_QUALITY)
    elif request.model.startswith("dall-e"):
        # A file in the answer need not be fetched, which could fail after it was paid for.
        wanted["response_format"] = ("b64_json", "url")
    if request.references:
        wanted.pop("moderation", None)  # edits do not know it
        sent["image"] = [(item.name, item.content, item.content_type) for item in request.references]
        if request.mask is not None:
            sent["mask"] = ("mask.png", request.mask, "image/png")
    if streams:
        sent |= {"stream": True, "partial_images": request.partial_images}
    return sent | {name: value for name, (value, default) in wanted.items() if value != default}


def list_models() -> tuple[Model, ...]:
    """GET /v1/models: every model of the account, not only those for pictures. Free; raises ProviderError."""
    answer = request_json(
        "GET",
        f"{settings.OPENAI_BASE_URL}/models",
        provider=PROVIDER,
        key=_key() or NO_KEY,
        timeout=MODELS_TIMEOUT,
        paid=False,
    )
    models = parse_models(answer)
    if models is None:
        raise broken_answer(PROVIDER, answer, paid=False, status=200)
    return models


def file_hosts() -> frozenset[str]:
    """Name the hosts ("host" or "host:port") that pictures may be fetched from where an answer gives addresses."""
    named = (name.lower() for name in settings.OPENAI_FILE_HOSTS)
    return frozenset({*named, name_of_host(settings.OPENAI_BASE_URL)})


def is_mock() -> bool:
    """Tell whether "OpenAI" is the imitated one, so that pages can say so."""
    return str(settings.OPENAI_BASE_URL).endswith("/mock/openai/v1")


def _key() -> str:
    key: str = settings.OPENAI_API_KEY
    return key or (settings.MOCKAPI_KEY or "mock" if is_mock() else "")
