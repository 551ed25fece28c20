"""Ollama (https://docs.ollama.com/api): texts written by models at home, piece by piece. Nothing here costs money."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from providers.answers import error_words, load_json
from providers.calls import told
from providers.errors import ProviderError, Verdict
from providers.failures import Call, broken_answer
from providers.http import request_json
from providers.ollama_types import (
    Finish,
    Message,
    Model,
    ModelDetails,
    Options,
    Piece,
    Role,
    Stream,
    Think,
    parse_details,
    parse_line,
    parse_models,
    parse_names,
)
from providers.streams import read_lines

__all__ = [
    "Finish",
    "Message",
    "Model",
    "ModelDetails",
    "Options",
    "Piece",
    "Role",
    "Stream",
    "Think",
    "chat",
    "default_model",
    "generate",
    "is_mock",
    "list_models",
    "show",
    "version",
]

PROVIDER = "Ollama"
DEFAULTS = Options()

# Seconds. A cold model of many gigabytes takes minutes to load before the first word; after it words come steadily.
CONNECT_SECONDS = 5.0
FIRST_SECONDS = 360.0
BETWEEN_SECONDS = 120.0
LONGEST_SECONDS = 3600.0
ASK_TIMEOUT = (3.0, 10.0)
NO_WORDS = "{}"
REMEMBERED_SECONDS = 60.0
_found_first: dict[str, tuple[str, float]] = {}  # by address: the default model, and until when it is believed


def generate(prompt: str, *, model: str, system: str = "", options: Options = DEFAULTS, think: Think = None) -> Stream:
    """POST /api/generate: write one text. Gives pieces and at last exactly one Finish, or raises ProviderError.

    While Ollama is silent (a cold model loads for minutes) an empty Piece comes every half second. Closing the iterator
    closes the connection, which stops Ollama. Pieces that came before an error are what there is of the text.
    """
    body = {"model": model, "prompt": prompt, "system": system, "think": think, "options": options.as_sent()}
    return _write("/api/generate", body, model)


def chat(messages: Sequence[Message], *, model: str, options: Options = DEFAULTS, think: Think = None) -> Stream:
    """POST /api/chat: write the next message of a conversation. As `generate` in all else."""
    sent = [{"role": message.role, "content": message.content} for message in messages]
    return _write("/api/chat", {"model": model, "messages": sent, "think": think, "options": options.as_sent()}, model)


def list_models() -> list[Model]:
    """GET /api/tags and /api/ps: the models that are there, and which of them are in memory. Raises ProviderError."""
    try:
        loaded = parse_names(_ask("GET", "/api/ps"))
    except ProviderError as error:
        if error.status is None:  # nobody is there; asking once more would only take as long again
            raise
        loaded = frozenset()  # an older or imitating server: then none is known to be loaded
    return _installed(loaded=loaded)


def _installed(*, loaded: frozenset[str]) -> list[Model]:
    tags = _ask("GET", "/api/tags")
    models = parse_models(tags, loaded)
    if models is None:
        raise broken_answer(PROVIDER, tags, paid=False, status=200)
    return models


def default_model() -> str:
    """Name the model for what names none: OLLAMA_MODEL, otherwise the first that writes. Raises ProviderError.

    What was found is remembered for a while, so that not every text asks first.
    """
    if settings.OLLAMA_MODEL:
        return str(settings.OLLAMA_MODEL)
    name, until = _found_first.get(settings.OLLAMA_BASE_URL, ("", 0.0))
    if time.monotonic() >= until:
        name = next((model.name for model in _installed(loaded=frozenset()) if model.writes), "")
        if not name:
            words = _("Ollama has no model yet. Get one with “ollama pull llama3.2”.")
            raise ProviderError(Verdict.REFUSED, words, provider=PROVIDER)
        _found_first[settings.OLLAMA_BASE_URL] = (name, time.monotonic() + REMEMBERED_SECONDS)
    return name


def show(name: str) -> ModelDetails:
    """POST /api/show: what Ollama tells of one model. Raises ProviderError."""
    return parse_details(name, _ask("POST", "/api/show", {"model": name}, model=name))


def version() -> str:
    """GET /api/version: the version of the server, such as "0.33.0". Raises ProviderError."""
    answer = _ask("GET", "/api/version")
    told = answer.get("version")
    if not isinstance(told, str):
        raise broken_answer(PROVIDER, answer, paid=False, status=200)
    return told[:100]


def is_mock() -> bool:
    """Tell whether "Ollama" is the imitated one, so that pages can say so."""
    return str(settings.OLLAMA_BASE_URL).endswith("/mock/ollama")


def _ask(method: str, path: str, body: dict[str, Any] | None = None, *, model: str = "") -> dict[str, Any]:
    url = f"{settings.OLLAMA_BASE_URL}{path}"
    try:
        return request_json(method, url, provider=PROVIDER, key="", body=body, timeout=ASK_TIMEOUT, paid=False)
    except ProviderError as error:
        raise _explained(error, model) from None


def _write(path: str, body: dict[str, Any], model: str) -> Stream:
    call = Call(PROVIDER, key="", paid=False)
    sent = {name: value for name, value in body.items() if value not in (None, "", {})} | {"stream": True}
    lines = read_lines(
        call,
        f"{settings.OLLAMA_BASE_URL}{path}",
        sent,
        connect=CONNECT_SECONDS,
        first=FIRST_SECONDS,
        between=BETWEEN_SECONDS,
        longest=LONGEST_SECONDS,
    )
    with told(PROVIDER, f"POST {path}", is_paid=False) as told_of, closing(lines):
        try:
            for piece in _read(lines):
                told_of.is_complete = isinstance(piece, Finish)
                yield piece
        except ProviderError as error:
            raise _explained(error, model) from None


def _read(lines: Iterator[bytes | None]) -> Stream:
    """Read a stream to its one end. An error line on HTTP 200 and an end without `done` are failures."""
    for line in lines:
        if line is None:
            yield Piece()
        elif line.strip():
            piece, finish = parse_line(_object(line))
            if piece != Piece():
                yield piece
            if finish is not None:
                yield finish
                return
    words = _("Ollama stopped in the middle of the text, without saying why.")
    raise ProviderError(Verdict.LATER, words, provider=PROVIDER, status=200)


def _object(line: bytes) -> dict[str, Any]:
    text = line.decode("utf-8-sig", "replace")
    try:
        answer = load_json(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise broken_answer(PROVIDER, text, paid=False, status=200)
    if answer.get("error"):
        words = _('Ollama broke off: "%(words)s"') % {"words": error_words(text)}
        raise ProviderError(Verdict.LATER, words, provider=PROVIDER, detail=text, status=200)
    return answer


def _explained(error: ProviderError, model: str) -> ProviderError:
    """Say what an error means here and what to do: there is no key and no bill, but an address, models and a queue."""
    words = {"address": settings.OLLAMA_BASE_URL, "model": model, "words": error_words(error.detail or NO_WORDS)}
    verdict, message = error.verdict, error.message
    is_away = error.status is None and (not model or message == _("%(name)s cannot be reached.") % {"name": PROVIDER})
    if is_away:
        message = _("Ollama does not answer at %(address)s.")
    elif error.status == 404 and model and re.match(r"model .* not found", words["words"]):
        message = _("Ollama has no model “%(model)s”. Get it with “ollama pull %(model)s”, or choose another one.")
    elif error.status == 401:
        verdict, message = Verdict.REFUSED, _("Ollama wants you to sign in for this model: “ollama signin”.")
    elif error.status == 503:
        message = _("Ollama is busy with other texts. Try again in a moment.")
    elif error.status is not None and error.status >= 500 and words["words"]:
        message = _('Ollama has a problem of its own: "%(words)s"')
    else:
        return error
    return ProviderError(
        verdict,
        message % words,
        provider=PROVIDER,
        detail=error.detail,
        retry_after=error.retry_after,
        status=error.status,
    )
