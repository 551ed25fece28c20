"""What can go wrong outside: an error carries the decision what to do next, and one plain sentence for the user."""

from enum import StrEnum
from typing import Literal

DETAIL_LENGTH = 2000

DownloadProblem = Literal["missing", "refused", "later"]


class Verdict(StrEnum):
    """What a failed call means for the one who made it."""

    LATER = "later"
    """Certainly not accepted (nothing was sent, or a pace limit), or a mere read that failed: may be tried again."""
    REFUSED = "refused"
    """Refused for good, in the provider's own words. It was not charged."""
    UNCERTAIN = "uncertain"
    """A paid request was sent and its answer was lost. The provider may be working on it: never send it again."""
    OUT_OF_MONEY = "out_of_money"
    """The account's balance or quota is used up. It was not charged."""
    BAD_KEY = "bad_key"
    """The provider does not accept the key. It was not charged."""


class ProviderError(Exception):
    """A provider did not do what it was asked.

    `message` is one plain sentence that does not say whether it cost money, `detail` the provider's raw answer (at most
    2000 characters, no secrets), `retry_after` seconds if the provider named a time, `status` the HTTP status if any.
    """

    def __init__(
        self,
        verdict: Verdict,
        message: str,
        *,
        provider: str,
        detail: str = "",
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.message = message
        self.provider = provider
        self.detail = detail[:DETAIL_LENGTH]
        self.retry_after = retry_after
        self.status = status


class DownloadError(Exception):
    """A result file could not be fetched.

    `kind`: "missing" (404, 403, 410: the link is dead), "refused" (host, size or redirect not allowed: never tried
    again) or "later" (anything else may pass).
    """

    def __init__(self, kind: DownloadProblem, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
