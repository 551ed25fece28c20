"""`manage.py worker`: a Django-Q cluster with a watchdog, which ends with it rather than leave it wedged."""

import logging
import os
import select
import signal
import threading
import time
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connections
from django_q.brokers import get_broker
from django_q.cluster import Cluster

from jobs import heartbeat, schedule, stopping, tasks
from jobs.watchdog import Watchdog, beat_age, look_at

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
START_SECONDS = 60  # a start that takes longer hangs


def kill(reason: str) -> NoReturn:
    """Kill the cluster with all of its processes. Whoever supervises the worker starts it again."""
    logger.error("The worker is killed: %s.", reason)
    os.killpg(0, signal.SIGKILL)
    os._exit(3)  # only the first process of a container outlives its own SIGKILL


def on_signal(number: int, _frame: FrameType | None) -> None:
    """Ask for the stop; a second Ctrl-C is an impatient one. No locks here, unlike in Django-Q's own handler."""
    if stopping.is_requested() and number == signal.SIGINT:
        os.killpg(0, signal.SIGKILL)
    stopping.request()


def supervisor_is_gone(seconds: float) -> bool:
    """Wait, and tell whether the pipe that our supervisor keeps open was closed meanwhile."""
    lifeline = os.environ.get("MACAI_LIFELINE")
    ready, _, _ = select.select([int(lifeline)] if lifeline else [], [], [], seconds)
    return bool(ready)


def stop(cluster: Cluster) -> None:
    """Let the cluster finish what is in work, within STOP_SECONDS and as long as it shows life."""
    # Django-Q waits without end, and for ever if a process died with a lock: so it waits in a thread of its own.
    waiting = threading.Thread(target=cluster.stop, daemon=True)
    waiting.start()
    asked_at = time.monotonic()
    while waiting.is_alive():
        waiting.join(0.2)
        heartbeat.show()
        waited = time.monotonic() - asked_at
        if waited > settings.STOP_SECONDS:
            kill(f"it did not stop within {settings.STOP_SECONDS} s")
        if waited > settings.WATCHDOG_SECONDS and is_silent():
            kill("it does not stop, and nothing works in it")


def is_silent() -> bool:
    """Tell whether surely no task has shown life for WATCHDOG_SECONDS."""
    try:
        age = beat_age()
    except DatabaseError:
        return False
    return age is None or age > settings.WATCHDOG_SECONDS


class Command(BaseCommand):
    """Run the cluster until it is told to stop, or must be killed."""

    help = "Runs the worker: a Django-Q cluster that a watchdog keeps honest."

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, watch, stop."""
        if os.getpgrp() != os.getpid():
            os.setpgid(0, 0)  # killed by its group, so it must not share that of whoever started it
        schedule.install()
        tasks.nudge_if_nobody_follows()  # what was asked for while no worker ran need not wait for the schedule
        connections.close_all()  # the cluster is forked, and a connection must not be
        cluster = Cluster()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
        signal.alarm(START_SECONDS)
        try:
            cluster.start()
        except RuntimeError as error:
            kill(str(error))
        signal.alarm(0)
        self.watch(cluster)
        stop(cluster)

    def watch(self, cluster: Cluster) -> None:
        """Look at the cluster every second until a stop is asked for."""
        watchdog, broker = Watchdog(settings.WATCHDOG_SECONDS), get_broker()
        while not stopping.is_requested():
            heartbeat.show()
            if not cluster.sentinel.is_alive():
                kill("its sentinel died")
            look = look_at(cluster, broker)
            reason = watchdog.verdict(look, time.monotonic()) if look else ""
            if reason:
                kill(reason)
            if supervisor_is_gone(LOOK_EVERY):
                logger.warning("The supervisor is gone: the worker stops.")
                stopping.request()
