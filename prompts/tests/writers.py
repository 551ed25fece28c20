"""A pretended provider whose pieces come when a test says so, and a sink that remembers what it was told."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

from prompts.events import Event
from prompts.writing import Charge, Writing
from providers.errors import ProviderError, Verdict
from providers.ollama_types import Finish, Piece

PATIENCE = 20.0  # seconds until a test that waits in vain fails
FINISH = Finish(reason="stop", model="llama3.2:latest", tokens=3, total_seconds=1.5, eval_seconds=1.0)


def broken_off(message: str = "Ollama broke off.") -> ProviderError:
    return ProviderError(Verdict.LATER, message, provider="Ollama")


class Pen:
    """Pieces from a queue. An exception put into it is raised; like the real provider, silence gives empty pieces."""

    def __init__(self, *pieces: Any) -> None:
        self.queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.is_closed = threading.Event()
        self.is_asked = threading.Event()
        self.put(*pieces)

    def put(self, *pieces: Any) -> None:
        for piece in pieces:
            self.queue.put(Piece(piece) if isinstance(piece, str) else piece)

    def __call__(self) -> Generator[Piece | Finish, None, None]:
        self.is_asked.set()
        try:
            while True:
                try:
                    piece = self.queue.get(timeout=0.01)
                except queue.Empty:
                    piece = Piece()
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.is_closed.set()


class Notebook:
    """A sink in memory."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.saved: list[tuple[str, str]] = []
        self.text = ""
        self.thinking = ""
        self.outcome = ""
        self.error: ProviderError | None = None
        self.finished: Finish | None = None
        self.goes_on = True
        self.trouble: Callable[[str], None] = lambda _name: None

    def begin(self) -> None:
        self.note("begin")

    def save(self, text: str, thinking: str) -> bool:
        self.note("save")
        self.saved.append((text, thinking))
        return self.goes_on

    def finish(self, text: str, thinking: str, finish: Finish) -> None:
        self.note("finish")
        self.text, self.thinking, self.outcome, self.finished = text, thinking, "done", finish

    def fail(self, text: str, thinking: str, error: ProviderError) -> None:
        self.note("fail")
        self.text, self.thinking, self.outcome, self.error = text, thinking, "failed", error

    def stopped(self, text: str, thinking: str) -> None:
        self.note("stopped")
        self.text, self.thinking, self.outcome = text, thinking, "stopped"

    def note(self, name: str) -> None:
        self.calls.append(name)
        self.trouble(name)


def listen(writing: Writing, timeout: float = PATIENCE) -> list[Event]:
    """Listen to the end."""
    return list(writing.events(timeout))


def wait_until(is_so: Callable[[], Any]) -> None:
    """Wait until something is so; fail if it never is."""
    tick = threading.Event()
    for _try in range(int(PATIENCE / 0.01)):
        if is_so():
            return
        tick.wait(0.01)
    raise AssertionError("It did not come true.")


def writers() -> list[str]:
    """Name the threads that are still at work for a text."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ollama")]


def first_of(events: Iterator[Event], count: int) -> list[Event]:
    return [next(events) for _number in range(count)]


def write_at_once(pieces: Callable[[], Iterator[Piece | Finish]], sink: Any) -> Writing:
    """Write a whole text in this thread: for tests whose database other threads cannot see."""
    writing = Writing(pieces, sink, wake=lambda: None)
    charge = Charge(writing)
    writing.read()
    charge.save_if_due()
    assert charge.is_settled, "the sink failed; the log says why"
    return writing
