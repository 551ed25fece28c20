"""A studio, and a mock if one is needed, set up for one measurement and cleared away after it."""

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trials.studio import Client, Program, fresh_profile, ledger_of, mock_program, owner_settings, processes_on

CLIENTS = 8  # requests at once
ACTIVE = "SELECT count(*) AS n FROM songs WHERE status IN ('PENDING', 'PROGRESS')"


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    what: str
    profile: str
    value: str
    load: float  # average of the last minute, of all programs on the machine, when it was measured


@dataclass
class Stage:
    """A studio that runs, beside its mock."""

    studio: Program
    mock: Program | None
    client: Client
    asked: dict[uuid.UUID, float] = field(default_factory=dict)  # when each song was asked for, seconds since 1970
    styles: dict[str, uuid.UUID] = field(default_factory=dict)

    def ask_for(self, style: str, *, variants: int = 2) -> uuid.UUID:
        """Ask for a song. The time noted is from before the request leaves."""
        prompt, now = f"{style}, {uuid.uuid4()}", time.time()
        answer = self.client.request_song(prompt, prompt=prompt, lyrics="One line\nand another", variants=variants)
        answer.raise_for_status()
        song = uuid.UUID(answer.json()["id"])
        self.asked[song], self.styles[prompt] = now, song
        return song

    def ask_for_many(self, styles: Sequence[str], *, variants: int = 2) -> list[uuid.UUID]:
        """Ask for songs, as fast as eight clients can."""
        with ThreadPoolExecutor(CLIENTS) as clients:
            return list(clients.map(lambda style: self.ask_for(style, variants=variants), styles))

    def wait_until_done(self, seconds: float, each_second: Callable[[], None] = lambda: None) -> None:
        """Wait until no song is active.

        Raises:
            RuntimeError: some still are after so many seconds.
        """
        give_up_at = time.monotonic() + seconds
        while (active := self.studio.profile.count(ACTIVE)) > 0:
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"{active} songs are still active after {seconds:.0f} s; see {self.studio.log}.")
            each_second()
            time.sleep(1)

    def warm_up(self) -> None:
        """Make one song, so that the account's limit has been read and every process has done its work once."""
        self.ask_for("pop, 1s")
        self.wait_until_done(180)

    def ledger(self) -> dict[uuid.UUID, dict[str, Any]]:
        """Return the mock's entries by the id of the song."""
        entries = ledger_of(self.mock) if self.mock else []
        return {self.styles[entry["prompt"]]: entry for entry in entries}


@contextmanager
def staged(
    name: str, servers: Mapping[str, str], *, limit: int = 0, threads: int = 8, **settings: str
) -> Iterator[Stage]:
    """Start a studio on the profile `name`; with a limit, beside a mock that takes so many songs at once.

    Without one it serves its own mock, as `make run` does. `servers` is where PostgreSQL and Redis are, `threads` of
    each of the mock's processes hold requests for pictures.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"macai-bench-{name}-"))
    programs: list[Program] = []
    try:
        mock = None
        if limit:
            mock = mock_program(
                folder, MOCKAPI_CONCURRENT_LIMIT=str(limit), MOCKAPI_AUDIO_SECONDS="1", WEB_THREADS=str(threads)
            )
            programs.append(mock)
            mock.start()
            mock.wait_until_healthy("/mock/health")
            settings |= {"MUREKA_BASE_URL": f"{mock.url}/mock/mureka", "MOCKAPI_ENABLED": "false"}
            settings |= {"OPENAI_BASE_URL": f"{mock.url}/mock/openai/v1", "OLLAMA_BASE_URL": f"{mock.url}/mock/ollama"}
        profile = fresh_profile(name, folder / "data", database="macai_bench", **servers)
        studio = Program("studio", profile, owner_settings() | settings)
        programs.append(studio)
        studio.start()
        studio.wait_until_healthy("/api/v1/health/")
        client = Client(studio.url)
        client.sign_in()
        yield Stage(studio, mock, client)
    finally:
        for program in reversed(programs):
            program.stop(60)
            program.kill_all()
    shutil.rmtree(folder)  # kept after an error: the logs are in it


def share(values: Sequence[float], percent: int) -> float:
    """Return the value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def spread(values: Sequence[float], *, unit: str = "s") -> str:
    """Return p50, p95 and the longest of some seconds."""
    factor, digits = (1000, 0) if unit == "ms" else (1, 2)
    p50, p95, most = (f"{factor * value:.{digits}f}" for value in (share(values, 50), share(values, 95), max(values)))
    return f"p50 {p50}, p95 {p95}, longest {most} {unit} ({len(values)})"


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far; nothing if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100  # USER_HZ, 100 on every Linux


def studio_cpu(studio: Program) -> float:
    """Return the CPU time of all processes of a studio so far."""
    return sum(cpu_seconds(process.pid) for process in processes_on(studio.profile.data_dir))
