"""Whether the services outside answer: asked now and then by whoever keeps watch, remembered in the cache, free."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from macai import pulse
from macai.findings import NEVER, UNKNOWN, Finding, State, warning, well
from providers import mureka, ollama, openai
from providers.calls import is_watching
from providers.errors import ProviderError, Verdict

logger = logging.getLogger(__name__)

# Each is a free question that answers at once.
QUESTIONS: dict[str, Callable[[], object]] = {
    "Mureka": mureka.get_billing,
    "OpenAI": openai.list_models,
    "Ollama": ollama.version,
}
TROUBLES = {
    "down": gettext_lazy("%(name)s does not answer. What is asked of it waits."),
    NEVER: gettext_lazy("%(name)s has never answered. All else works without it."),
    "bad_key": gettext_lazy("%(name)s does not accept the API key."),
    "no_money": gettext_lazy("The %(name)s account has no money left."),
}
KEY = "health:providers"
BELIEVED = timedelta(minutes=10)  # after this, what was last seen says nothing


def is_free_of_charge() -> bool:
    """Tell whether all of them are imitated or at home: then they may be asked more often."""
    return all(provider.is_mock or not provider.is_paid for provider in pulse.providers())


def ask_all() -> None:
    """Ask each provider once, one after the other, and remember what came of it. Takes as long as they take."""
    seen = {provider.name: ask(provider.name) for provider in pulse.providers() if provider.name in QUESTIONS}
    # One that has never answered, such as an Ollama that is not there, is no news.
    known = (cache.get(KEY) or {}).get("known", set()) | {name for name, (word, _ms) in seen.items() if word != "down"}
    cache.set(KEY, {"at": timezone.now(), "seen": seen, "known": known}, timeout=None)


def ask(name: str) -> tuple[str, int]:
    """Ask one provider. Return a word for what came of it, and how many milliseconds it took."""
    started = time.monotonic()
    is_watching.set(True)
    try:
        QUESTIONS[name]()
        word = "ok"
    except ProviderError as error:
        word = word_for(error)
    except Exception:
        logger.exception("Asking whether %s answers broke.", name)
        word = "down"
    finally:
        is_watching.set(False)
    return word, round((time.monotonic() - started) * 1000)


def word_for(error: ProviderError) -> str:
    """Say what an error means for whether the provider is there. One that refuses this question is there, too."""
    if error.verdict == Verdict.BAD_KEY:
        return "bad_key"
    if error.verdict == Verdict.OUT_OF_MONEY:
        return "no_money"
    is_there = error.verdict == Verdict.REFUSED or error.status == 429
    return "ok" if is_there else "down"


def last_known() -> dict[str, Finding]:
    """Return how each provider was when it was last asked. Quick, and nothing goes out."""
    try:
        remembered: dict[str, Any] = cache.get(KEY) or {}
    except Exception:  # noqa: BLE001  whatever the cache has, another check tells of it
        remembered = {}
    at: datetime | None = remembered.get("at")
    is_believable = at is not None and timezone.now() - at < BELIEVED
    seen: dict[str, tuple[str, int]] = remembered.get("seen", {}) if is_believable else {}
    found = {}
    for provider in pulse.providers():
        word, milliseconds = seen.get(provider.name, ("", 0))
        is_new = word == "down" and provider.name not in remembered.get("known", set())
        found[provider.name.lower()] = finding(provider, NEVER if is_new else word, milliseconds)
    return found


def finding(provider: pulse.Provider, word: str, milliseconds: int) -> Finding:
    """Put a word into a sentence."""
    name = {"name": provider.name}
    if word == "ok":
        told = _("%(name)s is imitated, and answers.") if provider.is_mock else _("%(name)s answers.")
        return well(told % name, milliseconds, "ms")
    if word in TROUBLES:
        return warning(word, str(TROUBLES[word]) % name)
    return Finding(State.OK, UNKNOWN, _("%(name)s has not been asked yet.") % name)
