"""Which process of a studio does what: a kill should be able to meet each of them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from types import MappingProxyType

from trials.studio import ROOT, Process, Program, processes_on


class Observer:
    """Tells which process is what; asks the cluster's own heartbeats in a process of its own."""

    def __init__(self, studio: Program) -> None:
        self.studio = studio
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trials.inside", "roles"],
            cwd=ROOT,
            env=studio.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def roles(self) -> dict[str, list[int]]:
        """Return the living processes by what they do."""
        heartbeats = {int(pid): role for pid, role in self._ask().items()}
        leases = self.studio.profile.rows("SELECT owner FROM job_leases WHERE name = 'follow'")
        followers = {int(lease["owner"].split(":")[1]) for lease in leases if lease["owner"]}
        found: dict[str, list[int]] = {}
        for process in processes_on(self.studio.profile.data_dir):
            role = "follower" if process.pid in followers else role_of(process, heartbeats)
            found.setdefault(role, []).append(process.pid)
        return found

    def hurry(self) -> None:
        """Have what nobody will come back for given up now; see trials.inside."""
        self._ask("hurry")

    def _ask(self, line: str = "") -> dict[str, str]:
        if self.process.stdin is None or self.process.stdout is None:
            return {}
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer: dict[str, str] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the helper."""
        self.process.kill()
        self.process.wait()


def role_of(process: Process, heartbeats: Mapping[int, str] = MappingProxyType({})) -> str:
    """Return what a process does, by its command, its place in its group, and the heartbeats."""
    if "macai.supervisor" in process.command or "manage.py up" in process.command:
        return "supervisor"  # first: its plan names all the others
    if "manage.py worker" in process.command:
        return "qcluster" if process.pid == process.group else heartbeats.get(process.pid, "worker")
    if "gunicorn" in process.command:
        return "web master" if process.pid == process.group else "web process"
    return "other"
