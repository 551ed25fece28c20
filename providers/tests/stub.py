"""A tiny server on the loopback that answers, hangs, resets or breaks off exactly as a test says."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


class Stub:
    """Answers every request by its `behaviour` and keeps what it was asked, head and body."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = answer(200, "{}")
        self.requests: list[tuple[str, bytes]] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (request := self._read(connection)) is not None:
                    self.requests.append(request)
                    self.behaviour(connection)
            except OSError:
                return

    def _read(self, connection: socket.socket) -> tuple[str, bytes] | None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        text = head.decode("latin-1")
        length = next((int(line[15:]) for line in text.split("\r\n") if line.lower().startswith("content-length:")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        return text, body


@contextmanager
def stub_server() -> Iterator[Stub]:
    stub = Stub()
    try:
        yield stub
    finally:
        stub.close()


def answer(status: int, body: str | bytes | dict[str, object], **headers: str) -> Behaviour:
    """Give a whole answer; header names with _ for -."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    lines = {"Content-Length": str(len(content))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = f"HTTP/1.1 {status} Text\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return lambda connection: connection.sendall(head.encode() + content)


def then_close(raw: bytes) -> Behaviour:
    """Send these bytes and end the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    return behave


def reset(connection: socket.socket) -> None:
    """Break the connection with RST, before any answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang(connection: socket.socket) -> None:
    """Say nothing until the client goes away."""
    connection.settimeout(5)
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    """Answer one byte at a time, never long enough silent for a read timeout."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    pause = threading.Event()
    for _byte in range(1000):
        connection.sendall(b" ")
        pause.wait(0.05)
