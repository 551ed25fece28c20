"""The supervisor: what dies is started again, a stop reaches everyone, a second Ctrl-C does not wait."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from macai.supervisor import Child, members, stop_leftovers

pytestmark = pytest.mark.own_database

ROOT = Path(__file__).parent.parent.parent
# Notes its pid, then waits; on SIGTERM it notes that too and leaves after SLOW seconds.
SCRIPT = """
import os, signal, subprocess, sys, time
out, slow, grandchild = sys.argv[1], float(sys.argv[2]), sys.argv[3:] == ["family"]
def note(word):
    with open(out, "a") as file:
        file.write(f"{word} {os.getpid()}\\n")
def leave(*_):
    note("told"); time.sleep(slow); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, lambda *_: note("interrupted"))
if grandchild:
    pid = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid
    with open(out, "a") as file: file.write(f"grandchild {pid}\\n")
note("started")
while True: time.sleep(0.05)
"""


def make_child(out: Path, *, slow: float = 0.0, grace: float = 10.0, family: bool = False) -> dict[str, object]:
    script = out.with_suffix(".py")
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(out), str(slow)] + ["family"] * family
    return {"name": out.name, "command": command, "grace": grace, "patience": "Waiting."}


def noted(out: Path, word: str) -> list[int]:
    lines = out.read_text().splitlines() if out.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith(f"{word} ")]


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*children: dict[str, object]) -> subprocess.Popen[str]:
        plan = json.dumps({"run_dir": str(tmp_path), "host": "", "port": 0, "children": children})
        process = subprocess.Popen(
            [sys.executable, "-m", "macai.supervisor", plan], cwd=ROOT, stdout=subprocess.DEVNULL, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    stop_leftovers(tmp_path)


def test_a_child_that_is_killed_is_started_again_and_its_own_children_do_not_stay(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    out = tmp_path / "web"
    supervise(make_child(out, family=True))
    eventually(lambda: noted(out, "started"))
    (grandchild,) = noted(out, "grandchild")
    os.kill(noted(out, "started")[0], signal.SIGKILL)
    eventually(lambda: len(noted(out, "started")) == 2)
    assert not is_alive(grandchild)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_tells_every_child_once_and_ends_with_status_0(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    web, worker = tmp_path / "web", tmp_path / "worker"
    process = supervise(make_child(web, family=True), make_child(worker, slow=0.3))
    eventually(lambda: noted(web, "started") and noted(worker, "started"))
    process.send_signal(number)
    assert process.wait(10) == 0
    assert [len(noted(out, "told")) for out in (web, worker)] == [1, 1]
    assert not any(is_alive(pid) for pid in noted(web, "grandchild") + noted(web, "started") + noted(worker, "started"))
    assert not (tmp_path / "children.json").exists()


def test_ctrl_c_reaches_only_the_supervisor(supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    out = tmp_path / "worker"
    process = supervise(make_child(out))
    eventually(lambda: noted(out, "started"))
    assert os.getpgid(noted(out, "started")[0]) != os.getpgid(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert not noted(out, "interrupted")


def test_a_second_ctrl_c_kills_at_once_but_a_second_sigterm_does_not(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    out = tmp_path / "worker"
    process = supervise(make_child(out, slow=60, grace=60))
    eventually(lambda: noted(out, "started"))
    process.send_signal(signal.SIGTERM)
    time.sleep(0.7)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.7)
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 1
    assert not is_alive(noted(out, "started")[0])


def test_a_child_that_does_not_stop_in_its_time_is_killed(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    out = tmp_path / "worker"
    process = supervise(make_child(out, slow=60, grace=0.5))
    eventually(lambda: noted(out, "started"))
    process.terminate()
    assert process.wait(5) == 1


def test_what_a_killed_supervisor_left_is_stopped_at_the_next_start(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    out = tmp_path / "worker"
    process = supervise(make_child(out, family=True))
    eventually(lambda: noted(out, "started"))
    process.kill()
    process.wait()
    (pid,), (grandchild,) = noted(out, "started"), noted(out, "grandchild")
    assert is_alive(pid)
    stop_leftovers(tmp_path)
    eventually(lambda: not is_alive(pid))
    assert noted(out, "told") == [pid]
    os.kill(grandchild, signal.SIGKILL)


def test_a_process_with_a_recorded_number_but_another_command_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        record = [{"name": "worker", "group": stranger.pid, "command": "manage.py worker", "grace": 1}]
        (tmp_path / "children.json").write_text(json.dumps(record))
        stop_leftovers(tmp_path)
        assert stranger.poll() is None
        assert members(stranger.pid, "time.sleep(60)") == [stranger.pid]
    finally:
        stranger.kill()
        stranger.wait()


def test_the_pause_before_a_new_start_grows_and_is_forgotten_after_a_healthy_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("macai.supervisor.time.monotonic", lambda: now)
    child = Child(name="web", command=[sys.executable, "-c", ""], grace=1, patience="")
    pauses = []
    for life in [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 61.0, 1.0]:
        child.process = subprocess.Popen(child.command, start_new_session=True)
        child.group, child.started_at = child.process.pid, now - life
        child.process.wait()
        child.plan_next_start_if_dead()
        pauses.append(child.start_at - now)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 1]
