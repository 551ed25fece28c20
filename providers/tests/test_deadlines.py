"""A call as a whole ends in time, whatever it waits for when its time is over."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from providers.deadlines import Deadline
from providers.tests.stub import drip, hang, stub_server

PATIENT = httpx2.Timeout(20.0)  # for each wait


def ends_in_time(url: str, **options: object) -> None:
    begin = time.monotonic()
    with (
        Deadline(0.3) as deadline,
        httpx2.Client(timeout=PATIENT, event_hooks={"request": [deadline.watch]}, verify=False) as client,
    ):
        with pytest.raises(httpx2.TransportError):
            client.post(url, **options)  # type: ignore[arg-type]
        assert deadline.is_over
    assert 0.2 < time.monotonic() - begin < 4


def trickle(connection: socket.socket) -> None:
    """Begin an answer whose head never ends, and is never silent for long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _byte in range(1000):
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize("behaviour", [hang, drip, trickle])
def test_a_call_that_waits_for_its_answer_is_broken_off(behaviour: Callable[[socket.socket], None]) -> None:
    with stub_server() as stub:
        stub.behaviour = behaviour
        ends_in_time(stub.url)


def test_a_call_whose_request_is_not_taken_is_broken_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ends_in_time(f"http://127.0.0.1:{port}/", content=bytes(64 * 1024 * 1024))


@contextmanager
def silent_tls_server(folder: Path) -> Iterator[str]:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "2",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.settimeout(10)
                while secured.recv(65536):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)


def test_a_call_over_tls_is_broken_off(tmp_path: Path) -> None:
    with silent_tls_server(tmp_path) as url:
        ends_in_time(url)


def test_a_call_that_ends_in_time_is_left_alone() -> None:
    with (
        stub_server() as stub,
        Deadline(5) as deadline,
        httpx2.Client(timeout=PATIENT, event_hooks={"request": [deadline.watch]}) as client,
    ):
        assert client.get(stub.url).status_code == 200
        assert not deadline.is_over
    time.sleep(0.05)
    assert not any(isinstance(thread, threading.Timer) and thread.interval == 5 for thread in threading.enumerate())
