"""Gunicorn's configuration: `gunicorn -c python:macai.web macai.wsgi`."""

import os
import signal
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "macai.settings")

bind = [f"[{settings.HOST}]:{settings.PORT}" if ":" in settings.HOST else f"{settings.HOST}:{settings.PORT}"]
worker_class = "macai.draining.DrainingWorker"  # threads
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
preload_app = True  # loaded once and shared by the processes: quicker, and a third of the memory
timeout = 120
graceful_timeout = settings.WEB_STOP_SECONDS
keepalive = 5
loglevel = "warning"
control_socket_disable = True
logconfig_dict = settings.LOGGING
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s bytes %(M)s ms'  # no query: it may hold private words
# Heartbeats are file times: on a disk they would wait for it.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) and Path("/dev/shm").is_dir() else None  # noqa: S108


def when_ready(server: Any) -> None:
    """Load the pages before the processes are forked, so that the first visitor does not wait for it."""
    from django.db import connections  # noqa: PLC0415  only after the application is loaded

    import_module(settings.ROOT_URLCONF)
    connections.close_all()  # a connection must not be shared by a fork


def post_fork(server: Any, worker: Any) -> None:
    """Stop the web server when its supervisor is gone; keep watch, and add up what is counted."""
    lifeline = os.environ.get("MACAI_LIFELINE")
    if lifeline:
        threading.Thread(target=stop_at_end_of, args=(int(lifeline), os.getppid()), daemon=True).start()
    if not settings.MOCKAPI_ONLY:
        from macai import watchman  # noqa: PLC0415  only after the application is loaded
        from watch import counting  # noqa: PLC0415

        counting.start()
        watchman.start()


def worker_exit(server: Any, worker: Any) -> None:
    """Add up what was counted last."""
    from watch import counting  # noqa: PLC0415  only after the application is loaded

    with suppress(Exception):  # the database may be gone already, and nothing depends on it
        counting.flush()


def post_worker_init(worker: Any) -> None:
    """Let a stop reach the texts that are being written: they get most of the time that open requests get."""
    from prompts.writing import EXIT_SECONDS, wind_up  # noqa: PLC0415  only after the application is loaded

    def winding_up(number: int, seconds: float) -> None:
        before: Any = signal.getsignal(number)

        def handle(received: int, frame: Any) -> None:
            wind_up(seconds)
            before(received, frame)

        signal.signal(number, handle)

    winding_up(signal.SIGTERM, max(settings.WEB_STOP_SECONDS - EXIT_SECONDS, settings.WEB_STOP_SECONDS / 2))
    winding_up(signal.SIGQUIT, 0)
    winding_up(signal.SIGINT, 0)


def stop_at_end_of(lifeline: int, master: int) -> None:
    """Wait until the other end of the pipe is closed, then ask gunicorn's main process to stop."""
    os.read(lifeline, 1)
    if os.getppid() == master:
        os.kill(master, signal.SIGTERM)
