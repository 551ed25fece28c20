"""How often the API may be asked: per person, per address of strangers, and rarely where passwords are tried.

Counted in the cache that all processes share, one small entry per client. Two requests at the very same moment may
count as one: this keeps a runaway program away, and is no book-keeping. The lock-out (accounts/lockout.py) is exact.
"""

import logging
import math
import time
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.proxies import client_network

logger = logging.getLogger(__name__)


class Throttle(BaseThrottle):
    """At most so many requests in a span of time (API_RATES)."""

    scope: ClassVar[str]
    left = 0.0  # seconds until the next span

    def who(self, request: Request) -> str | None:
        """Return who is counted; None for whom this does not concern."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and tell whether it is still within the rate. A cache that is away closes no door."""
        rate, who = settings.API_RATES.get(self.scope), self.who(request)
        if rate is None or who is None:
            return True
        most, span = rate
        key, now = f"throttle:{self.scope}:{who}", time.time()
        try:
            begun, count = cache.get(key) or (now, 0)
            self.left = begun + span - now
            if not 0 < self.left <= span:
                begun, count, self.left = now, 0, span
            if count < most:
                cache.set(key, (begun, count + 1), timeout=math.ceil(self.left))
        except Exception as error:  # noqa: BLE001  # whatever is wrong with the cache
            logger.warning("Requests cannot be counted: %s", type(error).__name__)
            return True
        return bool(count < most)

    def wait(self) -> float:
        """Return after how many seconds it may be tried again (Retry-After)."""
        return max(1.0, self.left)


class UserThrottle(Throttle):
    """Everybody who has signed in, with a session or with any of their tokens."""

    scope = "user"

    def who(self, request: Request) -> str | None:
        """Return the person."""
        return str(request.user.pk) if request.user and request.user.is_authenticated else None


class AnonymousThrottle(Throttle):
    """Strangers, by their address."""

    scope = "anonymous"

    def who(self, request: Request) -> str | None:
        """Return the address."""
        return None if request.user and request.user.is_authenticated else client_network(request)


class TokenThrottle(Throttle):
    """Whoever asks for a token, right or wrong, by address."""

    scope = "token"

    def who(self, request: Request) -> str | None:
        """Return the address."""
        return client_network(request) if request.method == "POST" else None
