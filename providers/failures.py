"""What went wrong with a call outside: its verdict, and one plain sentence about it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import requests
from django.utils.translation import gettext as _

from providers.answers import error_words
from providers.connections import TIMEOUTS, has_connected
from providers.errors import ProviderError, Verdict

Classify = Callable[[int, str, bool], Verdict]
"""(HTTP status that is not 2xx, the provider's words, paid) -> what it means."""


class TooLongError(ValueError):
    """The answer is longer than allowed."""


def verdict_for_status(status: int, words: str, paid: bool) -> Verdict:
    """Say what an HTTP status other than 2xx means where a provider has no words of its own for it."""
    del words
    if status == 401:
        return Verdict.BAD_KEY
    if status == 429:
        return Verdict.LATER
    if 400 <= status < 500 and status != 408:
        return Verdict.REFUSED
    return _lost(paid=paid)


def _lost(*, paid: bool) -> Verdict:
    """Give the verdict when a request was sent and its answer is no use."""
    return Verdict.UNCERTAIN if paid else Verdict.LATER


@dataclass(frozen=True, slots=True)
class Call:
    """What is needed to say what went wrong with one call."""

    provider: str
    key: str
    paid: bool
    classify: Classify = verdict_for_status

    def error(
        self, verdict: Verdict, message: str, detail: str = "", *, status: int | None = None, wait: float | None = None
    ) -> ProviderError:
        """Make the error, with no secret in its detail."""
        detail = self.without_secrets(detail)
        return ProviderError(verdict, message, provider=self.provider, detail=detail, status=status, retry_after=wait)

    def without_secrets(self, text: str) -> str:
        """Hide the key and whatever looks like one."""
        hidden = text.replace(self.key, "***") if self.key else text
        return re.sub(r"(?i)bearer\s+[^\s\"']+", "Bearer ***", hidden).replace("\x00", "")

    def network_failure(self, problem: Exception, status: int | None) -> ProviderError:
        """Judge what broke on the way, in the thread that made the call. `status` is that of an answer begun."""
        never_sent = self.paid and not has_connected()
        if isinstance(problem, TooLongError):
            message = _("%(name)s gave an answer that is too long.")
        elif never_sent or isinstance(problem, requests.ConnectTimeout):
            message = _("%(name)s cannot be reached.")
        elif isinstance(problem, TIMEOUTS):
            message = _("%(name)s did not answer in time.")
        elif has_connected() or status is not None:
            message = _("The connection to %(name)s broke before its answer was complete.")
        else:
            message = _("%(name)s cannot be reached.")
        verdict = Verdict.LATER if never_sent else _lost(paid=self.paid)
        message %= {"name": self.provider}
        return self.error(verdict, message, f"{type(problem).__name__}: {problem}", status=status)

    def status_failure(self, status: int, text: str, wait: float | None) -> ProviderError:
        """Judge an answer other than 2xx by its status and its text."""
        text = self.without_secrets(text)
        words = error_words(text)
        verdict = self.classify(status, words, self.paid)
        message = sentence_for(verdict, status, words)
        message %= {"name": self.provider, "words": words, "status": status}
        return self.error(verdict, message, text, status=status, wait=wait)


def broken_answer(provider: str, detail: object, *, paid: bool, status: int | None = None) -> ProviderError:
    """Make the error for a 2xx answer that is no use: uncertain if it was paid for, otherwise to be asked for again."""
    message = _("%(name)s gave an answer that cannot be read.") % {"name": provider}
    return ProviderError(_lost(paid=paid), message, provider=provider, detail=str(detail), status=status)


def sentence_for(verdict: Verdict, status: int, words: str) -> str:
    """Return the sentence for an answer other than 2xx, with places for `name`, `words` and `status`."""
    if verdict is Verdict.REFUSED:
        plain = _("%(name)s refused the request (HTTP %(status)s).")
        return _('%(name)s refused the request: "%(words)s"') if words else plain
    if verdict is Verdict.BAD_KEY:
        return _("%(name)s does not accept the API key.")
    if verdict is Verdict.OUT_OF_MONEY:
        return _("The %(name)s account has no money left.")
    if status == 429:
        return _("%(name)s asks to wait: too many requests at the moment.")
    if verdict is Verdict.LATER and 400 <= status < 500:
        return _("%(name)s gives no answer at the moment (HTTP %(status)s).")
    return _("%(name)s has a problem of its own (HTTP %(status)s).")
