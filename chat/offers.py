"""Which models there are to choose from, and how much each can read: asked when somebody looks, then remembered."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from providers import ollama
from providers.errors import ProviderError

KEY, SIZES_KEY = "chat-models", "chat-context-sizes"
REMEMBERED_FOR = 24 * 60 * 60  # seconds
ASKING_SECONDS = 5.0  # after which no further model is asked about: somebody waits for the list

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Offer:
    """Names of models that write texts, or a sentence that says why none is known."""

    models: tuple[str, ...] = ()
    problem: str = ""


def remembered() -> Offer:
    """Return what was there when somebody last looked. Asks nobody."""
    return Offer(models=tuple(cache.get(KEY, ())))


def look() -> Offer:
    """Ask Ollama what it has. Takes seconds where it does not answer."""
    try:
        found = [model for model in ollama.list_models() if model.writes]
    except ProviderError as error:
        return Offer(models=remembered().models, problem=error.message)
    models = tuple(model.name for model in found)
    cache.set(KEY, models, REMEMBERED_FOR)
    remember_sizes(found)
    return Offer(models=models)


def remember_sizes(models: Sequence[ollama.Model]) -> None:
    """Remember the context of each model in tokens; where the list does not tell it, the model itself is asked about.

    What is known already stays known for a day after the last that was new: then each is asked about again.
    """
    known: dict[str, int] = cache.get(SIZES_KEY, {})
    until = time.monotonic() + ASKING_SECONDS
    sizes: dict[str, int] = {}
    for model in models:
        size = model.context_tokens or known.get(model.name)
        if size is None and time.monotonic() < until:
            size = asked_size(model.name)
        if size is not None:
            sizes[model.name] = size
    if sizes != known:
        cache.set(SIZES_KEY, sizes, REMEMBERED_FOR)


def asked_size(name: str) -> int | None:
    """Ask Ollama for the context of one model in tokens; None if it does not say."""
    try:
        return ollama.show(name).context_tokens
    except ProviderError:  # the list is there all the same; the next look asks again
        return None


def context_size(name: str) -> int:
    """Return how many tokens a conversation with a model may take: CHAT_CONTEXT_TOKENS, or less if it can read less.

    Asks nobody: what is not known of a model does not keep it from answering. "" is the default model.
    """
    limit = int(settings.CHAT_CONTEXT_TOKENS)
    try:
        sizes: dict[str, int] = cache.get(SIZES_KEY, {})
        name = name or str(settings.OLLAMA_MODEL) or next(iter(remembered().models), "")
    except Exception:  # whatever the cache has
        logger.warning("The cache does not answer, so the context of a model is not known.", exc_info=True)
        return limit
    return min(limit, sizes.get(name) or sizes.get(f"{name}:latest") or limit)
