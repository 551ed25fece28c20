"""A slow wire between the studio and the mock: a paid answer on its way is what a kill must be able to lose."""

import asyncio
import random
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from trials.studio import free_port

CHUNK = 64 * 1024
ANSWER = (0.01, 0.2)  # seconds, from and to, that the head of an answer travels
PAID_ANSWER = (0.2, 2.0)  # the same for the answer to a POST


class Wire:
    """Passes TCP on to a port of the loopback, each answer late by a random while. Runs in a thread of this process."""

    def __init__(self, to_port: int, seed: int) -> None:
        self.to_port = to_port
        self.port = free_port()
        self.refusals = 0  # answers 429: more than the limit allows was asked for at once
        self._random = random.Random(seed)  # noqa: S311  reproducible, guards nothing
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.close()
            return
        delay = ANSWER

        async def ask() -> None:
            nonlocal delay
            while chunk := await reader.read(CHUNK):
                if chunk.startswith((b"GET ", b"POST ")):
                    delay = PAID_ANSWER if chunk.startswith(b"POST ") else ANSWER
                there_writer.write(chunk)
                await there_writer.drain()

        async def answer() -> None:
            while chunk := await there_reader.read(CHUNK):
                if chunk.startswith(b"HTTP/1.1 "):
                    self.refusals += chunk.startswith(b"HTTP/1.1 429")
                    await asyncio.sleep(self._random.uniform(*delay))
                writer.write(chunk)
                await writer.drain()

        # Either end may be killed at any moment: then the other one is told, as a network would.
        await asyncio.gather(close_after(ask(), there_writer), close_after(answer(), writer))


async def close_after(passing: Coroutine[Any, Any, None], writer: asyncio.StreamWriter) -> None:
    """Close the far end when the near one has closed."""
    with suppress(OSError):
        await passing
    with suppress(OSError):
        writer.close()
