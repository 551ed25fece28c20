"""The mock, or the whole studio, as a server of its own with its own database and its own idea of the world."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def environment_of(data_dir: Path, port: int, **settings: str) -> dict[str, str]:
    """Return the environment of a process that works on this data; the studio's is MOCKAPI_ONLY="false"."""
    return os.environ | {
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "DEBUG": "true",
        "PORT": str(port),
        "MOCKAPI_ONLY": "true",
        "MOCKAPI_SECONDS": "0",
        "MOCKAPI_AUDIO_SECONDS": "1",
        "PYTHONWARNINGS": "default",
        **settings,
    }


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_mock(data_dir: Path, *, threads: int = 8, processes: int = 1, **settings: str) -> Iterator[str]:
    """Serve the mock by itself with these settings; give its address, such as http://127.0.0.1:1234/mock."""
    port = free_port()
    environment = environment_of(data_dir, port, **settings)
    manage(environment, "migrate", "mockapi", "-v0", "--skip-checks")
    with running(environment, port, threads=threads, processes=processes):
        yield f"http://127.0.0.1:{port}/mock"


def manage(environment: dict[str, str], *command: str) -> str:
    """Run a command of manage.py to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@contextmanager
def running(environment: dict[str, str], port: int, *, threads: int = 8, processes: int = 1) -> Iterator[None]:
    """Serve the project in this environment until the end of the block."""
    serve = [sys.executable, "-m", "gunicorn", "macai.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class=gthread"]
    options = [f"--threads={threads}", f"--workers={processes}", "--log-level=warning", "--no-control-socket"]
    with subprocess.Popen([*serve, *options], cwd=PROJECT, env=environment) as server:
        try:
            wait_for(port)
            yield
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _try in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The server did not come up.")
