"""Finds out when a Django-Q cluster is wedged: alive by its own word, but doing nothing.

A worker process killed while it waits for a task takes the queue's lock with it, and the cluster never works again,
although its heartbeat stays green (django-q2 issue 23). Only from outside can that be seen, by work that does not move.
"""

import logging
from dataclasses import dataclass

import redis
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone
from django_q.brokers import Broker
from django_q.cluster import Cluster
from django_q.status import Stat

from jobs import leases

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look at the cluster showed."""

    present: bool = True  # its heartbeat is there
    queued: int = 0  # tasks inside the cluster that no process has taken
    unsaved: int = 0  # results that its monitor has not taken
    waiting: int = 0  # tasks in the broker
    beat_age: float | None = 0.0  # seconds since any task showed life; None: never


class Watchdog:
    """Remembers for how long something has been wrong. `seconds` is how long a task in work may be silent."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: dict[str, float] = {}

    def verdict(self, look: Look, now: float) -> str:
        """Return why the cluster must be killed, or nothing. `now` is a monotonic time in seconds."""
        absent = self._lasted("absent", look.present is False, now)
        stuck = self._lasted("stuck", look.queued > 0 or look.unsaved > 0, now)
        unsaved = self._lasted("unsaved", look.unsaved > 0, now)
        waiting = self._lasted("waiting", look.waiting > 0, now)
        silent = float("inf") if look.beat_age is None else look.beat_age
        if absent >= 1.5 * self.seconds:
            return f"no heartbeat for {absent:.0f} s"
        if stuck >= self.seconds and silent > self.seconds:
            return f"{look.queued + look.unsaved} tasks inside have not moved for {stuck:.0f} s"
        if unsaved >= self.seconds:
            return f"results have not been saved for {unsaved:.0f} s"
        if waiting >= 1.5 * self.seconds and silent > 1.5 * self.seconds:
            return f"{look.waiting} tasks have waited for {waiting:.0f} s and nothing works"
        return ""

    def _lasted(self, name: str, holds: bool, now: float) -> float:
        """Return for how many seconds in a row something has held; less than nothing if it does not."""
        if not holds:
            self._since.pop(name, None)
            return -1.0
        return now - self._since.setdefault(name, now)


def look_at(cluster: Cluster, broker: Broker) -> Look | None:
    """Look at the cluster. None if database or cache do not answer: that is not the cluster's fault."""
    try:
        close_old_connections()
        stat = Stat.get(pid=cluster.pid, cluster_id=cluster.cluster_id, broker=broker)
        waiting = broker.queue_size()
        return Look(
            present=bool(stat and stat.sentinel),
            queued=stat.task_q_size if stat else 0,
            unsaved=stat.done_q_size if stat else 0,
            waiting=waiting,
            beat_age=beat_age(),
        )
    except (DatabaseError, redis.RedisError, OSError) as error:
        logger.warning("The watchdog sees nothing: %s", error)
        return None


def beat_age() -> float | None:
    """Return how many seconds ago any task last showed life, if ever."""
    beat = leases.newest_beat()
    return (timezone.now() - beat).total_seconds() if beat else None
