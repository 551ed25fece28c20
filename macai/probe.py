"""The health check of a container: `python -m macai.probe app`, or worker. Loads nothing of Django.

Docker only marks a container as unhealthy. What was alive and then shows no life for three checks in a row is ended
here, with a line in its log, and the restart policy starts it again. Whether the studio is well as a whole is not
asked: a database that is away does not come back by restarting the app.
"""

import os
import signal
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from jobs import heartbeat

FAILURES = 3
APART = 20.0  # seconds; compose asks every 30, but every second while a container starts
BEAT_SECONDS = 60.0  # the worker shows life every second, and may hang at a database that is away
PATIENCE = 4.0  # seconds; compose waits for 5
STATE = Path(tempfile.gettempdir())
IN_CONTAINER = Path("/.dockerenv")  # elsewhere the first process is the machine's own
FIRST_PROCESS = Path("/proc/1/stat")


def started_at() -> float:
    """Return when the container's first process was started, in seconds since the machine's own start.

    A container that is started again keeps its files, so each file that tells of life must be of this start.
    """
    ticks = FIRST_PROCESS.read_text(encoding="utf-8").rpartition(")")[2].split()[19]  # starttime, of proc(5) the 22nd
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def worker_is_alive() -> bool:
    """Tell whether the worker has shown life of late, and since the container was started."""
    with suppress(OSError):
        since_start = time.clock_gettime(time.CLOCK_BOOTTIME) - started_at()
        return time.time() - heartbeat.FILE.stat().st_mtime < min(BEAT_SECONDS, since_start)
    return False


def app_is_alive() -> bool | None:
    """Tell whether the web server answers at all; None if nobody listens.

    Docker asks on while it stops a container: the door is closed then, and those who are inside are served to the end
    (draining.py). A web server that hangs has its door open.
    """
    address = f"http://127.0.0.1:{os.environ.get('PORT') or 5050}/api/v1/health/live/"
    # A name that ALLOWED_HOSTS is sure to have, but not a pattern such as .local.
    names = [name for name in os.environ.get("ALLOWED_HOSTS", "").split(",") if name.strip(" *.")]
    host = names[0].strip().lstrip(".") if names else "127.0.0.1"
    request = urllib.request.Request(address, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError as error:
        return None if isinstance(getattr(error, "reason", None), ConnectionRefusedError) else False


def record_of(role: str) -> Path:
    """Return the file with the start to which it belongs, how often the check failed, and when it last counted."""
    return STATE / f"macai-probe-{role}"


def failures_in_a_row(role: str, *, is_alive: bool) -> int:
    """Remember how often in a row the check has failed since the role was last alive, and return that.

    Before the first sign of life after a start nothing counts: a start takes as long as it takes.
    """
    record, start, now = record_of(role), started_at(), time.monotonic()
    if is_alive:
        with suppress(OSError):  # on a full disk it is alive as well
            record.write_text(f"{start} 0 {now - APART}", encoding="ascii")
        return 0
    try:
        known_start, failures, counted_at = record.read_text(encoding="ascii").split()
        count, age = int(failures), now - float(counted_at)
    except (OSError, ValueError):
        return 0
    if float(known_start) != start:
        return 0
    if age >= APART:
        count += 1
        with suppress(OSError):
            record.write_text(f"{start} {count} {now}", encoding="ascii")
    return count


def end_container(role: str, sentence: str) -> None:
    """Say why in the container's log, and end it. What was counted is forgotten: the files outlive this start."""
    record_of(role).unlink(missing_ok=True)
    with suppress(OSError), Path("/proc/1/fd/2").open("w", encoding="utf-8") as log:
        log.write(f"macai: {sentence}\n")
    kill_children_of_first_process()


def kill_children_of_first_process() -> None:
    """Kill what the first process has started: that one then ends, too."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if parent == "1":
                os.kill(int(stat.parent.name), signal.SIGKILL)


def main(role: str) -> int:
    """Return 0 if the container is alive, 1 if it is not."""
    is_alive = app_is_alive() if role == "app" else worker_is_alive()
    if is_alive is None:
        return 1
    failures = failures_in_a_row(role, is_alive=is_alive)
    if failures >= FAILURES and IN_CONTAINER.exists():
        end_container(role, f"the {role} has shown no life in {failures} checks; its container is started again.")
    return 0 if is_alive else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
