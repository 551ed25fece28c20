"""The watchdog: a wedged cluster is found, a working or an idle one is left alone, and a stop always ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs import stopping
from jobs.watchdog import Look, Watchdog

pytestmark = pytest.mark.own_database

ROOT = Path(__file__).parent.parent.parent


def first_verdict(look: Look, *, within: int, beating: bool = False) -> tuple[int, str]:
    """Show the same look every second; return when the watchdog barked, and what it said."""
    watchdog = Watchdog(20)
    for second in range(within + 1):
        seen = look if beating or look.beat_age is None else Look(**{**vars(look), "beat_age": look.beat_age + second})
        reason = watchdog.verdict(seen, float(second))
        if reason:
            return second, reason
    return -1, ""


@pytest.mark.parametrize(
    ("look", "second"),
    [
        (Look(present=False), 30),
        (Look(queued=2), 21),
        (Look(queued=2, beat_age=None), 20),
        (Look(unsaved=1), 20),
        (Look(waiting=5), 31),
    ],
)
def test_a_wedged_cluster_is_found(look: Look, second: int) -> None:
    when, reason = first_verdict(look, within=60)
    assert when == second
    assert reason


@pytest.mark.parametrize("look", [Look(), Look(queued=3, waiting=50)])
def test_a_cluster_whose_tasks_show_life_is_left_alone(look: Look) -> None:
    assert first_verdict(look, within=600, beating=True) == (-1, "")


def test_an_idle_cluster_is_left_alone_however_long_ago_the_last_task_was() -> None:
    assert first_verdict(Look(beat_age=100_000.0), within=600) == (-1, "")


def test_trouble_that_passes_starts_the_clock_again() -> None:
    watchdog = Watchdog(20)
    for second in range(200):
        look = Look(queued=1, unsaved=1, beat_age=1000.0, present=False) if second % 15 else Look(beat_age=1000.0)
        assert watchdog.verdict(look, float(second)) == ""


def test_a_forked_process_sees_the_wish_to_stop_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import os, time\n"
        "from jobs import stopping\n"
        "assert not stopping.is_requested()\n"
        "if os.fork() == 0:\n"
        "    while not stopping.is_requested(): time.sleep(0.01)\n"
        "    os._exit(7)\n"
        "stopping.request()\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=10)  # noqa: PLW1510
    assert result.stdout == "7\n", result.stderr
    assert not stopping.is_requested()


ALONE = {"DATABASE_URL": "", "REDIS_URL": "", "WATCHDOG_SECONDS": "2"}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with a database of its own."""
    path = tmp_path_factory.mktemp("data")
    migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
    subprocess.run(migrate, cwd=ROOT, env=os.environ | ALONE | {"DATA_DIR": str(path)}, check=True, timeout=60)
    return path


@pytest.fixture
def worker(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker, ready for tasks."""
    environment = os.environ | ALONE | {"DATA_DIR": str(data_dir)}
    command = [sys.executable, "manage.py", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        eventually(lambda: len(family(process.pid)) == 7)  # main, sentinel, three workers, monitor, pusher
        yield process
    finally:
        for pid in family(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def family(group: int) -> list[int]:
    """Return the living processes of a group, the oldest first."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return sorted(int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z"))


def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_worker_whose_sentinel_was_killed_ends_with_all_of_its_processes(worker: subprocess.Popen[bytes]) -> None:
    os.kill(family(worker.pid)[1], signal.SIGKILL)
    assert worker.wait(10) != 0
    eventually(lambda: not family(worker.pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_ends_by_itself(worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    worker.send_signal(number)
    assert worker.wait(10) == 0
    assert not family(worker.pid)


def test_a_stop_ends_even_if_processes_died_with_the_queues_locks(worker: subprocess.Popen[bytes]) -> None:
    for pid in family(worker.pid)[2:]:
        os.kill(pid, signal.SIGKILL)
    worker.terminate()
    worker.wait(15)
    eventually(lambda: not family(worker.pid))
