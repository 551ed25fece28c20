"""An answer that comes line by line, read in a thread of its own so that whoever listens is never stuck in silence."""

import json
import queue
import socket
import threading
import time
from collections.abc import Generator
from typing import Any

import requests
from django.utils.translation import get_language, override

from providers.answers import parse_retry_after
from providers.connections import NETWORK_ERRORS, forget_connections, new_session, on_connect, shut
from providers.errors import ProviderError
from providers.failures import Call, TooLongError

CHUNK_BYTES = 64 * 1024
LINE_BYTES = 8 * 1024 * 1024
ANSWER_BYTES = 64 * 1024 * 1024
WORDS_BYTES = 64 * 1024
SILENCE_SECONDS = 0.5


def read_lines(
    call: Call, url: str, body: dict[str, Any], *, connect: float, first: float, between: float, longest: float
) -> Generator[bytes | None, None, None]:
    """POST `body` and give the lines of the answer as they come; None for each half second of silence.

    Seconds: `connect`, then up to `first` for the first byte, up to `between` from one to the next, `longest` in all.
    Closing the iterator closes the connection at once. Raises ProviderError; nothing is repeated, no redirect followed.
    """
    reader = _Reader(call, url, body, (connect, first), between, longest)
    reader.start()
    try:
        while True:
            try:
                line = reader.lines.get(timeout=SILENCE_SECONDS)
            except queue.Empty:
                yield None
                continue
            if line is None:
                break
            yield line
    finally:
        reader.hang_up()
    if reader.failure is not None:
        raise reader.failure


class _Reader(threading.Thread):
    """Reads one answer into a queue, which ends with None; `failure` then says whether and how it went wrong."""

    def __init__(
        self, call: Call, url: str, body: dict[str, Any], timeout: tuple[float, float], between: float, longest: float
    ) -> None:
        super().__init__(name="reader", daemon=True)
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.failure: ProviderError | None = None
        self._call = call
        self._url = url
        self._body = json.dumps(body).encode()
        self._timeout = timeout
        self._between = between
        self._longest = longest
        self._language = get_language()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_wanted = True

    def hang_up(self) -> None:
        """Break the connection, from another thread. Afterwards nothing is read any more."""
        with self._lock:
            self._is_wanted = False
            if self._socket is not None:
                shut(self._socket)

    def run(self) -> None:
        """Ask, and read to the end."""
        try:
            with override(self._language):
                self.failure = self._ask()
        finally:
            self.lines.put(None)

    def _hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._socket = connected
            if not self._is_wanted:
                shut(connected)

    def _ask(self) -> ProviderError | None:
        status, wait, words = None, None, ""
        forget_connections()
        on_connect(self._hold)
        headers = {"Content-Type": "application/json", "Accept": "application/x-ndjson", "Accept-Encoding": "identity"}
        try:
            with (
                new_session() as session,
                session.post(
                    self._url, self._body, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
                ) as response,
            ):
                status = response.status_code
                wait = parse_retry_after(response.headers.get("Retry-After", ""))
                if 200 <= status < 300:
                    self._read(response)
                    return None
                words = response.raw.read(WORDS_BYTES, decode_content=True).decode("utf-8-sig", "replace")
        except NETWORK_ERRORS as error:
            if status is None or 200 <= status < 300:
                return self._call.network_failure(error, status)
        return self._call.status_failure(status or 0, words, wait)

    def _read(self, response: requests.Response) -> None:
        deadline = time.monotonic() + self._longest
        size, rest = 0, b""
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            if size == 0:
                self._expect_more()
            size += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else (rest + chunk,)
            for line in lines:
                self.lines.put(line)
            if size > ANSWER_BYTES or len(rest) > LINE_BYTES:
                raise TooLongError
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("the answer did not end in time")
        if rest.strip():
            self.lines.put(rest)

    def _expect_more(self) -> None:
        """Wait less for what follows than for the beginning."""
        with self._lock:
            if self._socket is not None and self._socket.fileno() >= 0:
                self._socket.settimeout(self._between)
