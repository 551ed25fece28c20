"""Long work in a process of its own: a backup may take longer than the queue lets any task."""

import os
import select
import signal
import subprocess
import sys
import threading

from django.conf import settings

LIFELINE = "MACAI_LIFELINE"  # see macai.supervisor: a pipe that closes when the studio is gone
launched: list[subprocess.Popen[bytes]] = []


def launch(*command: str) -> None:
    """Start a management command and do not wait for it. It tells how it ended in the rows about backups."""
    launched[:] = [process for process in launched if process.poll() is None]
    lifeline = os.environ.get(LIFELINE)
    launched.append(
        subprocess.Popen(  # noqa: S603  the command is ours
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *command],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            pass_fds=[int(lifeline)] if lifeline else [],
            start_new_session=True,  # the worker may end meanwhile
        )
    )


def end_with_the_studio() -> None:
    """Have this process told to stop when the supervisor that it descends from is gone; without one, do nothing."""
    lifeline = os.environ.get(LIFELINE)
    if not lifeline:
        return

    def watch() -> None:
        select.select([int(lifeline)], [], [])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
