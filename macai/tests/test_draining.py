"""A web server that stops finishes what it has, takes who stands at the door, and lets nobody else in to wait."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from macai.tests.test_setup import free_port

pytestmark = pytest.mark.own_database

APP = """
import time

def app(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A gunicorn with one process of two threads."""
    (tmp_path / "slow.py").write_text(APP)
    port = free_port()
    root = Path(__file__).parent.parent.parent
    options = ["--worker-class", "macai.draining.DrainingWorker", "--threads", "2", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    process = subprocess.Popen([*command, "--pythonpath", f"{tmp_path},{root}", "slow:app"], cwd=root)
    deadline = time.monotonic() + 30
    while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
        assert time.monotonic() < deadline, "gunicorn does not start"
        time.sleep(0.05)
    yield process, port
    process.kill()
    process.wait()


def ask(port: int, seconds: float) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", port), timeout=20)
    caller.sendall(f"GET /?{seconds} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return caller


def answer(caller: socket.socket) -> bytes:
    with closing(caller):
        found = b""
        while chunk := caller.recv(4096):
            found += chunk
        return found


def test_a_stop_closes_the_door_and_finishes_what_is_inside(server: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = server
    assert answer(ask(port, 0)).startswith(b"HTTP/1.1 200")
    inside = [ask(port, 4) for _ in range(3)]  # two at work, one behind them
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 3
    while socket.socket().connect_ex(("127.0.0.1", port)) == 0:
        assert time.monotonic() < deadline, "a stopping server still lets people in, and leaves them standing"
        time.sleep(0.05)
    assert [answer(caller)[:12] for caller in inside] == [b"HTTP/1.1 200"] * 3
    assert process.wait(20) == 0
