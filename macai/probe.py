"""The health check of a container: `python -m macai.probe app`, or worker. Loads nothing of Django.

Docker only marks a container as unhealthy. What has not shown life for three checks in a row is ended here, with a line
in its log, and the restart policy starts it again. Whether the studio is well as a whole is not asked: a database that
is away does not come back by restarting the app.
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
BEAT_SECONDS = 60.0  # the worker shows life every second, and may hang at a database that is away
PATIENCE = 4.0  # seconds; compose waits for 5
STATE = Path(tempfile.gettempdir())
IN_CONTAINER = Path("/.dockerenv")  # elsewhere the first process is the machine's own


def worker_is_alive() -> bool:
    """Tell whether the worker has shown life of late."""
    with suppress(OSError):
        return time.time() - heartbeat.FILE.stat().st_mtime < BEAT_SECONDS
    return False


def app_is_alive() -> bool:
    """Tell whether the web server answers at all."""
    address = f"http://127.0.0.1:{os.environ.get('PORT') or 5050}/api/v1/health/live/"
    # A name that ALLOWED_HOSTS is sure to have, but not a pattern such as .local.
    names = [name for name in os.environ.get("ALLOWED_HOSTS", "").split(",") if name.strip(" *.")]
    host = names[0].strip().lstrip(".") if names else "127.0.0.1"
    request = urllib.request.Request(address, headers={"Host": host})
    with suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False


def failures_in_a_row(role: str, *, is_alive: bool) -> int:
    """Remember how often in a row the check has failed, and return that."""
    record = STATE / f"macai-probe-{role}"
    if is_alive:
        record.unlink(missing_ok=True)
        return 0
    record.write_bytes(record.read_bytes() + b"." if record.exists() else b".")
    return record.stat().st_size


def end_container(sentence: str) -> None:
    """Say why in the container's log, and kill what its first process has started: that one then ends, too."""
    with suppress(OSError), Path("/proc/1/fd/2").open("w", encoding="utf-8") as log:
        log.write(f"macai: {sentence}\n")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if parent == "1":
                os.kill(int(stat.parent.name), signal.SIGKILL)


def main(role: str) -> int:
    """Return 0 if the container is alive, 1 if it is not."""
    is_alive = app_is_alive() if role == "app" else worker_is_alive()
    failures = failures_in_a_row(role, is_alive=is_alive)
    if failures >= FAILURES and IN_CONTAINER.exists():
        end_container(f"the {role} has shown no life in {failures} checks; its container is started again.")
    return 0 if is_alive else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
