"""What leaves the studio, told: one line in the log for each call of a provider, and a word to whoever counts them."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from providers.errors import DownloadError, ProviderError

logger = structlog.get_logger(__name__)
# Whether somebody only looks if a provider answers: that is worth a line only if it does not.
is_watching: ContextVar[bool] = ContextVar("is_watching", default=False)

OK = "ok"
ABANDONED = "abandoned"  # whoever listened went away before the end
BROKEN = "broken"  # an error of our own


@dataclass(slots=True)
class Call:
    """One call: who was asked for what, how it ended, and how long it took in seconds.

    `outcome` is ok, a Verdict, the problem of a download, abandoned or broken; `status` the HTTP status if any came.
    """

    provider: str
    operation: str
    is_paid: bool
    outcome: str = OK
    status: int | None = None
    seconds: float = 0.0
    is_complete: bool = False  # of an answer in pieces: the last one was handed on


listeners: list[Callable[[Call], None]] = []
"""Called at the end of each call, in the thread that made it. They must be quick, and do nothing that can fail."""


@contextmanager
def told(provider: str, operation: str, *, is_paid: bool) -> Iterator[Call]:
    """Tell of the call that is made inside. What was sent and what came back is told nowhere."""
    call = Call(provider, operation, is_paid)
    started = time.monotonic()
    try:
        yield call
    except (ProviderError, DownloadError) as error:
        call.outcome = str(error.verdict if isinstance(error, ProviderError) else error.kind)
        call.status = getattr(error, "status", None) or call.status
        raise
    except GeneratorExit:
        call.outcome = OK if call.is_complete else ABANDONED
        raise
    except BaseException:
        call.outcome = BROKEN
        raise
    finally:
        call.seconds = time.monotonic() - started
        with suppress(Exception):  # a paid answer must not be lost over telling of it
            _tell(call)
            for listener in listeners:
                listener(call)


def _tell(call: Call) -> None:
    """Write the line. It names the job, the request and (for a paid call) the cost by what its thread is bound to."""
    is_quiet = is_watching.get() and call.outcome == OK
    logger.log(
        logging.DEBUG if is_quiet else logging.INFO,
        "provider_call",
        provider=call.provider,
        operation=call.operation,
        ms=round(call.seconds * 1000),
        outcome=call.outcome,
        status=call.status,
        paid=call.is_paid,
    )


def operation_of(method: str, url: str) -> str:
    """Name a call by its method and path: "GET /v1/song/query/*". What may be an id is left out."""
    path = urlsplit(url).path
    parts = [part if re.fullmatch(r"v\d|[A-Za-z_.-]{1,40}", part) or not part else "*" for part in path.split("/")]
    return f"{method} {'/'.join(parts)}"
