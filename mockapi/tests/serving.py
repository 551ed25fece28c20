"""The mock as a server of its own with its own database, so what it counts is not what the studio believes."""

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


@contextmanager
def running_mock(data_dir: Path, *, threads: int = 8, processes: int = 1, **settings: str) -> Iterator[str]:
    """Serve the mock by itself with these settings; give its address, such as http://127.0.0.1:1234/mock."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
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
    migrate = [sys.executable, "manage.py", "migrate", "mockapi", "-v0", "--skip-checks"]
    subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
    serve = [sys.executable, "-m", "gunicorn", "macai.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class=gthread"]
    options = [f"--threads={threads}", f"--workers={processes}", "--log-level=warning", "--no-control-socket"]
    with subprocess.Popen([*serve, *options], cwd=PROJECT, env=environment) as server:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}/mock"
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
    pytest.fail("The mock did not come up.")
