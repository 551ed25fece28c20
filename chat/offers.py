"""Which models there are to choose from: asked of Ollama when somebody looks, and remembered for the pages."""

from dataclasses import dataclass

from django.core.cache import cache

from providers import ollama
from providers.errors import ProviderError

KEY = "chat-models"
REMEMBERED_FOR = 24 * 60 * 60  # seconds


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
        models = tuple(model.name for model in ollama.list_models() if model.writes)
    except ProviderError as error:
        return Offer(models=remembered().models, problem=error.message)
    cache.set(KEY, models, REMEMBERED_FOR)
    return Offer(models=models)
