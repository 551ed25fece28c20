"""What both trials share: a studio and a mock in processes of their own, and a small client for them."""

import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests
from psycopg.rows import dict_row

ROOT = Path(__file__).resolve().parent.parent
OWNER = {"username": "owner", "password": secrets.token_urlsafe(16)}
SECRET_KEY = secrets.token_urlsafe(50)
POSTGRES = "postgres://postgres@127.0.0.1:5432"
REDIS = "redis://127.0.0.1:6379/8"
START_SECONDS = 120.0


def say(text: str = "") -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201  the trials are programs for a terminal


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Return our environment without the studio's own settings: a trial must not meet a real key or real data."""
    settings = re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in settings}
    return kept | {"ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1", "API_RATE_USER": "off"}


@dataclass(frozen=True)
class Profile:
    """Where one studio keeps its rows, its queue and its files."""

    name: str
    data_dir: Path
    environment: Mapping[str, str]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Read rows beside the studio, not through it."""
        url = self.environment.get("DATABASE_URL", "")
        if url:
            with psycopg.connect(url, row_factory=dict_row) as postgres:
                return postgres.execute(sql.encode()).fetchall()
        path = self.data_dir / "macai.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as sqlite:
            sqlite.row_factory = sqlite3.Row
            return [dict(row) for row in sqlite.execute(sql)]

    def count(self, sql: str) -> int:
        """Return the one number that a query gives."""
        return int(next(iter(self.rows(sql)[0].values())))


def fresh_profile(name: str, data_dir: Path, *, postgres: str, redis_url: str, database: str) -> Profile:
    """Make an empty `sqlite` (the embedded default) or `postgres` (production, with Redis) profile.

    The PostgreSQL database named `database` is dropped and made anew, the Redis database is flushed.
    """
    data_dir.mkdir(parents=True)
    if name == "sqlite":
        return Profile(name, data_dir, {})
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
        server.execute(f"CREATE DATABASE {database}".encode())
    redis.Redis.from_url(redis_url).flushdb()
    production = {"DEBUG": "false", "HTTPS": "false", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": SECRET_KEY}
    return Profile(name, data_dir, production | {"DATABASE_URL": f"{postgres}/{database}", "REDIS_URL": redis_url})


def seconds_of(value: Any) -> float:
    """Return a time from a row as seconds since 1970; SQLite keeps text in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def key_of(value: Any) -> uuid.UUID:
    """Return a primary key from a row; SQLite keeps 32 hexadecimal digits."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


@dataclass(frozen=True)
class Process:
    """A living process, as /proc tells."""

    pid: int
    parent: int
    group: int
    command: str


def processes_on(data_dir: Path) -> list[Process]:
    """Return every process, orphans too, that was started with this DATA_DIR: the environment outlives the parents."""
    marker = f"DATA_DIR={data_dir}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended, or is not ours to look at
            if marker not in (path / "environ").read_bytes().split(b"\0"):
                continue
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state, parent, group = (path / "stat").read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX" and "trials.inside" not in command:
                found.append(Process(int(path.name), int(parent), int(group), command))
    return found


@dataclass
class Program:
    """`manage.py up` with settings of its own, and all the processes that come of it."""

    name: str
    profile: Profile
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    cwd: Path = ROOT  # the version of the code

    @property
    def url(self) -> str:
        """Return where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Return where everything it says is kept."""
        return self.profile.data_dir.parent / f"{self.name}.log"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of its processes."""
        own = {"PORT": str(self.port), "DATA_DIR": str(self.profile.data_dir)}
        return {**clean_environment(), **self.profile.environment, **self.settings, **own}

    def start(self, *command: str) -> None:
        """Start it, in a session of its own so that Ctrl-C here leaves the stopping to us."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  the command is ours
                command or (sys.executable, "manage.py", "up"),
                cwd=self.cwd,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_healthy(self, path: str, seconds: float = START_SECONDS) -> float:
        """Wait until `path` answers 200. Return how many seconds that took.

        Raises:
            RuntimeError: it did not, with the end of what it said.
        """
        started = time.monotonic()
        while (waited := time.monotonic() - started) < seconds:
            with suppress(requests.RequestException):
                if requests.get(self.url + path, timeout=2).status_code == 200:
                    return waited
            if not self.is_running:
                break
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not answer on {path}:\n{self.log.read_text(errors='replace')[-3000:]}")

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds: float = 180.0) -> float:
        """Ask it to stop, as Ctrl-C would, and wait. Return how many seconds it took, infinite if it was killed."""
        started = time.monotonic()
        if self.process is None:
            return 0.0
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return float("inf")
        return time.monotonic() - started

    def kill_all(self) -> list[Process]:
        """Kill what is left of it. Return what that was: after a stop there should be nothing."""
        left = processes_on(self.profile.data_dir)
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        return left


def mock_program(folder: Path, **settings: str) -> Program:
    """Return the mock alone, outside the studio that is killed or measured: it keeps its own ledger."""
    folder.joinpath("mock").mkdir(parents=True)
    quiet = {"MOCKAPI_ENABLED": "true", "MOCKAPI_ONLY": "true", "MOCKAPI_BALANCE": "10000000"}
    return Program("mock", Profile("sqlite", folder / "mock", {}), quiet | settings)


def ledger_of(mock: Program, provider: str = "mureka") -> list[dict[str, Any]]:
    """Return every song, or every request for pictures, that the mock has accepted."""
    answer = requests.get(f"{mock.url}/mock/{provider}/ledger", headers={"Authorization": "Bearer trial"}, timeout=60)
    answer.raise_for_status()
    return [entry for entry in answer.json()["submissions"] if entry["kind"] in {"song", "instrumental", "image"}]


class Client:
    """A client of the studio's API."""

    def __init__(self, url: str) -> None:
        self.url = url + "/api/v1"
        self.headers: dict[str, str] = {}

    def sign_in(self) -> None:
        """Exchange the owner's name and password for a token."""
        answer = requests.post(f"{self.url}/auth/token/", json=OWNER | {"name": "trial"}, timeout=30)
        answer.raise_for_status()
        self.headers = {"Authorization": f"Token {answer.json()['token']}"}

    def request_song(self, key: str, *, timeout: float = 30.0, **wish: Any) -> requests.Response:
        """Ask for a song, once. The same key asks for the same song."""
        headers = self.headers | {"Idempotency-Key": key}
        return requests.post(f"{self.url}/songs/", json=wish, headers=headers, timeout=timeout)

    def request_pictures(self, key: str, *, timeout: float = 120.0, prefer: str = "", **wish: Any) -> requests.Response:
        """Ask for pictures, once, and wait for them unless `prefer` is "respond-async"."""
        headers = self.headers | {"Idempotency-Key": key} | ({"Prefer": prefer} if prefer else {})
        return requests.post(f"{self.url}/images/", json=wish, headers=headers, timeout=timeout)

    def upload(self, file: bytes) -> str:
        """Keep a picture to work from. Return its id."""
        answer = requests.post(f"{self.url}/images/uploads/", files={"file": file}, headers=self.headers, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def get(self, path: str, session: requests.Session) -> requests.Response:
        """Read something over a connection that is kept."""
        return session.get(self.url + path, headers=self.headers, timeout=60)


def owner_settings() -> dict[str, str]:
    """Return the settings that make the owner's account at the first start."""
    return {f"DJANGO_SUPERUSER_{name.upper()}": value for name, value in OWNER.items()} | {
        "DJANGO_SUPERUSER_EMAIL": "owner@example.com"
    }
