"""How often and how long: counted in each process, added up in the database every few seconds.

A process that is killed loses at most the last few seconds of its counts. Nothing that matters is decided by them.
"""

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.models import F

from providers.calls import Call
from watch.models import Tally

logger = logging.getLogger(__name__)

FLUSH_EVERY = 10.0  # seconds
UNBOUNDED = 1e9  # seconds; the last bucket
BUCKETS = {
    "call": (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, UNBOUNDED),
    "request": (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, UNBOUNDED),
}
Key = tuple[str, str, float]


class Counts:
    """What has been counted in this process and not yet added up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Key, list[float]] = defaultdict(lambda: [0, 0.0])

    def add(self, key: Key, times: float, seconds: float) -> None:
        """Count something."""
        with self._lock:
            found = self._found[key]
            found[0] += times
            found[1] += seconds

    def take(self) -> dict[Key, list[float]]:
        """Return all that was counted, and begin anew."""
        with self._lock:
            taken, self._found = self._found, defaultdict(lambda: [0, 0.0])
        return dict(taken)


counts = Counts()


def start_anew() -> None:
    """Forget in a forked process what its parent counts itself, and a lock that another thread may have held."""
    global counts  # noqa: PLW0603  one for each process
    counts = Counts()


os.register_at_fork(after_in_child=start_anew)


def count(metric: str, labels: Sequence[str], seconds: float) -> None:
    """Count something that took so long. The labels must have few values."""
    at_most = next(bound for bound in BUCKETS[metric] if seconds <= bound or bound == UNBOUNDED)
    counts.add((metric, "\t".join(label[:80] for label in labels)[:250], at_most), 1, seconds)


def count_call(call: Call) -> None:
    """Count a call of a provider."""
    count("call", (call.provider, call.operation, call.outcome), call.seconds)


def flush() -> None:
    """Add what was counted to the database's figures. If it is away, nothing is forgotten."""
    taken = counts.take()
    if not taken:
        return
    try:
        with transaction.atomic():
            for key, (times, seconds) in sorted(taken.items()):  # in the same order everywhere: no deadlock
                add_up(key, int(times), seconds)
    except DatabaseError:
        for key, (times, seconds) in taken.items():
            counts.add(key, times, seconds)
        raise


def add_up(key: Key, times: int, seconds: float) -> None:
    """Add to one figure."""
    metric, labels, at_most = key
    row = Tally.objects.filter(metric=metric, labels=labels, at_most=at_most)
    added = {"count": F("count") + times, "seconds": F("seconds") + seconds}
    if not row.update(**added):
        Tally.objects.get_or_create(metric=metric, labels=labels, at_most=at_most)
        row.update(**added)


def keep_flushing() -> None:
    """Flush now and then, for as long as the process lives."""
    while True:
        time.sleep(FLUSH_EVERY)
        try:
            flush()
        except Exception:
            logger.warning("The figures could not be added up; they are kept.", exc_info=True)
        finally:
            connections.close_all()


def start(**_kwargs: object) -> None:
    """Start a thread that flushes."""
    threading.Thread(target=keep_flushing, name="counting", daemon=True).start()
