"""Keeps the studio's processes running: starts them, starts again what died, and stops them in order.

Nothing but the standard library: `manage.py up` turns into this program, which gives Django's memory back.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

FIRST_PAUSE = 0.5  # seconds before a dead child is started again, doubled each time ...
LONGEST_PAUSE = 30.0  # ... up to this ...
HEALTHY_AFTER = 60.0  # ... and forgotten after a life this long
LIFELINE = "MACAI_LIFELINE"  # the end of a pipe that closes when the supervisor is gone, however it went


def say(sentence: str) -> None:
    """Tell the person at the terminal, if there still is one."""
    with suppress(OSError):
        print(sentence, flush=True)  # noqa: T201


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to all of a process group, if anything of it is left."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says "permission" of a group of zombies
        os.killpg(group, number)


@dataclass(kw_only=True)
class Child:
    """One process of the studio, leader of its own group so that Ctrl-C reaches only the supervisor."""

    name: str
    command: list[str]
    grace: float  # seconds that a stop waits for it
    patience: str  # what a person reads while waiting
    process: subprocess.Popen[bytes] | None = None
    group: int = 0
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE

    def start(self, lifeline: int) -> None:
        """Start the process, after the last remains of the one before it."""
        if self.group:
            signal_group(self.group, signal.SIGKILL)
        # Without it, macOS ends a forked process that touches the system's network settings.
        environment = os.environ | {LIFELINE: str(lifeline), "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"}
        self.process = subprocess.Popen(  # noqa: S603  the command is ours
            self.command, start_new_session=True, pass_fds=[lifeline], env=environment
        )
        self.group, self.started_at = self.process.pid, time.monotonic()

    def plan_next_start_if_dead(self) -> None:
        """See whether the process ended, and if so plan its next start, after a pause that grows."""
        if self.process is None or self.process.poll() is None:
            return
        signal_group(self.group, signal.SIGTERM)
        now = time.monotonic()
        if now - self.started_at >= HEALTHY_AFTER:
            self.pause = FIRST_PAUSE
        say(f"{self.name} ended with status {self.process.returncode}; starting it again in {self.pause:g} s.")
        self.process = None
        self.start_at, self.pause = now + self.pause, min(self.pause * 2, LONGEST_PAUSE)


class Supervisor:
    """Runs the children until it is told to stop."""

    def __init__(self, children: Iterable[Child], run_dir: Path, *, host: str = "", port: int = 0) -> None:
        self.children = list(children)
        self.record = run_dir / "children.json"
        self.host, self.port = host, port
        self.announced = not port
        self.stop_asked_at = 0.0
        self.kill_asked = False
        # The writing end is ours alone: when we are gone, every child reads the end of the file.
        self.lifeline, self._our_end = os.pipe()
        self._wakeup, wakeup_end = socket.socketpair()
        self._wakeup.setblocking(False)
        wakeup_end.setblocking(False)
        self._wakeup_end = wakeup_end

    def run(self) -> int:
        """Keep the children running. Return 0 if, told to stop, all of them ended by themselves."""
        signal.set_wakeup_fd(self._wakeup_end.fileno())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self.on_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        while not self.stop_asked_at:
            self.start_due()
            self.announce()
            self.sleep(self.seconds_to_next_start())
            for child in self.children:
                child.plan_next_start_if_dead()
        return self.stop()

    def on_stop(self, number: int, _frame: FrameType | None) -> None:
        """Ask for the stop. A second Ctrl-C asks for an immediate one; a second SIGTERM may just be a relayed one."""
        now = time.monotonic()
        if self.stop_asked_at and number == signal.SIGINT and now - self.stop_asked_at > 0.5:
            self.kill_asked = True
        self.stop_asked_at = self.stop_asked_at or now

    def start_due(self) -> None:
        """Start each child that is not running and whose time has come."""
        for child in self.children:
            if child.process is None and child.start_at <= time.monotonic():
                child.start(self.lifeline)
                self.write_record()

    def announce(self) -> None:
        """Say once where the studio is, as soon as it takes connections."""
        if self.announced:
            return
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        with suppress(OSError), socket.create_connection((host, self.port), timeout=1):
            self.announced = True
            shown = f"[{host}]" if ":" in host else host
            say(f"Macai is at http://{shown}:{self.port}/ (Ctrl-C stops it)")

    def seconds_to_next_start(self) -> float:
        """Return how long nothing has to be done, unless a signal comes."""
        if not self.announced:
            return 0.1
        starts = [child.start_at for child in self.children if child.process is None]
        return max(0.0, min(starts) - time.monotonic()) if starts else 3600.0

    def sleep(self, seconds: float) -> None:
        """Wait for the time or a signal, whichever is first."""
        select.select([self._wakeup], [], [], seconds)
        with suppress(BlockingIOError):
            self._wakeup.recv(4096)

    def stop(self) -> int:
        """Ask each child's main process to end, wait for it, and kill what is left. Return the exit status."""
        say("Stopping ...")
        running = [child for child in self.children if child.process is not None and child.process.poll() is None]
        for child in running:
            with suppress(ProcessLookupError):
                os.kill(child.group, signal.SIGTERM)  # its main process only: that one knows how to end the rest
        clean = True
        told: set[str] = set()
        while running:
            waited = time.monotonic() - self.stop_asked_at
            for child in running:
                if self.kill_asked or waited > child.grace:
                    clean = False
                    signal_group(child.group, signal.SIGKILL)
                elif waited > 3 and child.name not in told:
                    told.add(child.name)
                    say(child.patience)
            self.sleep(0.2)
            running = [child for child in running if child.process is not None and child.process.poll() is None]
        for child in self.children:
            if child.group:
                signal_group(child.group, signal.SIGKILL)
        self.record.unlink(missing_ok=True)
        return 0 if clean else 1

    def write_record(self) -> None:
        """Note which process groups are ours, for the next start in case this one is killed."""
        record = [
            {"name": child.name, "group": child.group, "command": " ".join(child.command[1:]), "grace": child.grace}
            for child in self.children
            if child.group
        ]
        temporary = self.record.with_suffix(".new")
        temporary.write_text(json.dumps(record), encoding="utf-8")
        temporary.replace(self.record)


def members(group: int, command: str) -> list[int]:
    """Return the processes of a group that run the command: a number alone may by now be somebody else's."""
    try:
        listing = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,pgid=,command="],  # noqa: S607
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        ).stdout
    except FileNotFoundError:  # a small container, which ends with its first process anyway
        return []
    rows = [line.split(None, 2) for line in listing.splitlines()]
    return [int(row[0]) for row in rows if len(row) == 3 and row[1] == str(group) and command in row[2]]


def stop_leftovers(run_dir: Path) -> None:
    """Stop what a supervisor that was killed has left running. Only for the one that holds the lock on `run_dir`."""
    try:
        record: list[dict[str, Any]] = json.loads((run_dir / "children.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    for child in record:
        group, command = int(child["group"]), str(child["command"])
        alive = members(group, command)
        if not alive:
            continue
        say(f"Stopping what an earlier start has left running: {child['name']} ...")
        if group in alive:
            os.kill(group, signal.SIGTERM)
            deadline = time.monotonic() + float(child["grace"])
            while group in members(group, command) and time.monotonic() < deadline:
                time.sleep(0.2)
        if members(group, command):
            signal_group(group, signal.SIGKILL)
    (run_dir / "children.json").unlink(missing_ok=True)


def main(plan: str) -> int:
    """Supervise what `manage.py up` has planned."""
    values = json.loads(plan)
    children = [Child(**child) for child in values["children"]]
    return Supervisor(children, Path(values["run_dir"]), host=values["host"], port=values["port"]).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
