"""One text being written by Ollama, independent of the request that asked for it: whoever hangs up loses nothing.

A thread per text reads what the provider sends. One keeper thread per process saves all of them, with one database
connection, so that many texts need few connections and a slow database slows no text down.
"""

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from django.db import connection
from django.utils.translation import gettext as _

from prompts.events import Ended, Event, Silence, Sink, Text, Thinking, failed, merged
from providers.errors import ProviderError
from providers.ollama_types import Finish, Piece

__all__ = ["Ended", "Event", "Silence", "Sink", "Text", "Thinking", "Writing", "wind_up", "write"]

SAVE_SECONDS = 0.5  # how often a text that grows is saved
TICK_SECONDS = 1.0  # how often one that does not grow is: its row shows that somebody still waits for it
TRY_AGAIN_SECONDS = 1.0  # until an ending that could not be saved is tried again ...
GIVE_UP_SECONDS = 60.0  # ... and for how long
EXIT_SECONDS = 5.0  # how long a process that ends waits for what is being written
TEXTS_LIMIT = 200  # written at once by one process
OUTPUT_LIMIT = 1_000_000  # characters of one text

UNSAFE = dict.fromkeys([0, *range(0xD800, 0xE000)], "\ufffd")  # no database keeps NUL or half a character

Pieces = Callable[[], Iterator[Piece | Finish]]

logger = logging.getLogger(__name__)


class Writing:
    """A text that is being written. Any thread may listen to it or stop it."""

    def __init__(self, pieces: Pieces, sink: Sink, *, wake: Callable[[], None]) -> None:
        self.sink = sink
        self._pieces = pieces
        self._wake = wake  # the keeper
        self._changed = threading.Condition()
        self._news: list[Text | Thinking] = []
        self._length = 0
        self._verdict: Ended | None = None  # how it ends: from here on nothing is added
        self._ended: Ended | None = None  # the same, once it is saved

    def events(self, timeout: float = 15.0) -> Iterator[Event]:
        """Yield what came and what comes, from the start; Silence after `timeout` seconds of it; Ended at last."""
        seen = 0
        while True:
            with self._changed:
                if len(self._news) == seen and self._ended is None:
                    self._changed.wait(timeout)
                news, ended = self._news[seen:], self._ended
            seen += len(news)
            yield from merged(news)
            if ended is not None and not news:
                yield ended
                return
            if not news:
                yield Silence()

    def stop(self) -> None:
        """End it now. What came so far is kept."""
        self.end(Ended("stopped"))

    def end(self, verdict: Ended) -> None:
        """Decide how it ends, once: who comes later changes nothing. The keeper saves it and tells the listeners."""
        with self._changed:
            if self._verdict is not None:
                return
            self._verdict = verdict
        self._wake()

    def read(self) -> None:
        """Take in what the provider sends, until it ends or nobody wants it any more."""
        try:
            verdict = self._take_in()
        except ProviderError as error:
            verdict = Ended("failed", error=error)
        except Exception:  # a defect of ours must not leave a text unfinished for ever
            logger.exception("Reading a text of Ollama broke.")
            verdict = failed(_("Something went wrong in the studio while this was written. It is noted in the log."))
        self.end(verdict)

    def _take_in(self) -> Ended:
        pieces = self._pieces()
        try:
            for piece in pieces:
                if isinstance(piece, Finish):
                    return Ended("done", finish=piece)
                if not self._add(piece):
                    return Ended("stopped")
            return failed(_("Ollama broke off in the middle. What it wrote so far is kept."))
        finally:
            close = getattr(pieces, "close", None)  # which closes the connection, and so stops Ollama
            if close is not None:
                with suppress(ProviderError):
                    close()

    def _add(self, piece: Piece) -> bool:
        """Add a piece and tell the listeners. Return False if nothing more is wanted."""
        thought, text = piece.thinking.translate(UNSAFE), piece.text.translate(UNSAFE)
        with self._changed:
            if self._verdict is not None:
                return False
            if thought:
                self._news.append(Thinking(thought))
            if text:
                self._news.append(Text(text))
            self._length += len(thought) + len(text)
            if thought or text:
                self._changed.notify_all()
        if self._length > OUTPUT_LIMIT:
            self.end(failed(_("The text grew without end and was cut off. Set “most tokens” to a smaller number.")))
            return False
        return True

    # --- For the keeper ---

    def so_far(self) -> tuple[Ended | None, str, str]:
        """Return how it ends, if that is decided, its text and its thoughts."""
        with self._changed:
            news, verdict = list(self._news), self._verdict
        text = "".join(event.text for event in news if isinstance(event, Text))
        thinking = "".join(event.text for event in news if isinstance(event, Thinking))
        return verdict, text, thinking

    def tell_end(self, ended: Ended) -> None:
        """Tell the listeners that nothing more will come."""
        with self._changed:
            self._ended = ended
            self._changed.notify_all()


class Keeper:
    """The thread that saves what is being written. It lives while there is something to save."""

    def __init__(self) -> None:
        self.deadline = float("inf")  # monotonic; what is not written by then has broken off
        self._changed = threading.Condition()
        self._is_woken = False
        self._is_running = False
        self._charges: list[Charge] = []

    def take(self, writing: Writing) -> None:
        """Take care of a writing from now on."""
        with self._changed:
            self._charges.append(Charge(writing))
            if not self._is_running:
                self._is_running = True
                # No daemon: a process that ends waits for it, and it sees to it that this does not take long.
                threading.Thread(target=self._run, name="ollama-keeper").start()
        self.wake()

    def wake(self) -> None:
        """Have it look at once."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def count(self) -> int:
        """Return how many texts are being written."""
        with self._changed:
            return len(self._charges)

    def _run(self) -> None:
        try:
            while charges := self._next_charges():
                self._look_after(charges)
        finally:
            connection.close()

    def _next_charges(self) -> "list[Charge]":
        """Wait for the next look; none means that there is nothing left to do, and that the thread ends."""
        with self._changed:
            if self._charges:
                self._changed.wait_for(lambda: self._is_woken, SAVE_SECONDS)
            self._is_woken = False
            self._is_running = bool(self._charges)
            return list(self._charges)

    def _look_after(self, charges: "list[Charge]") -> None:
        if not threading.main_thread().is_alive():
            wind_up(EXIT_SECONDS)
        for charge in charges:
            if time.monotonic() >= self.deadline:
                charge.writing.end(failed(_("The studio was stopped while this was written. Write it again.")))
            charge.save_if_due()
        with self._changed:
            self._charges = [charge for charge in self._charges if not charge.is_settled]


class Charge:
    """A writing in the keeper's care."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.is_settled = False
        self._is_begun = False
        self._saved_at = 0.0  # monotonic
        self._saved_length = -1
        self._failing_since: float | None = None

    def save_if_due(self) -> None:
        """Save the text if it grew or ended, and now and then in any case. A database that fails is tried again."""
        now = time.monotonic()
        if self._failing_since is not None and now - self._saved_at < TRY_AGAIN_SECONDS:
            return
        verdict, text, thinking = self.writing.so_far()
        length = len(text) + len(thinking)
        pause = SAVE_SECONDS if length > self._saved_length else TICK_SECONDS
        if verdict is None and self._is_begun and now - self._saved_at < pause:
            return
        self._saved_at = now
        try:
            self._save(verdict, text, thinking)
        except Exception:  # a database that is away for a moment must not cost a text
            logger.exception("A text could not be saved.")
            connection.close()
            self._fail_or_try_again(verdict, now)
        else:
            self._saved_length, self._failing_since = length, None

    def _save(self, verdict: Ended | None, text: str, thinking: str) -> None:
        sink = self.writing.sink
        if not self._is_begun:
            sink.begin()
            self._is_begun = True
        if verdict is None:
            if not sink.save(text, thinking):
                self.writing.stop()
            return
        if verdict.finish is not None:
            sink.finish(text, thinking, verdict.finish)
        elif verdict.error is not None:
            sink.fail(text, thinking, verdict.error)
        else:
            sink.stopped(text, thinking)
        self._settle(verdict)

    def _fail_or_try_again(self, verdict: Ended | None, now: float) -> None:
        if self._failing_since is None:
            self._failing_since = now
        elif verdict is not None and now - self._failing_since > GIVE_UP_SECONDS:
            self._settle(failed(_("The text could not be saved. The reason is in the studio's log.")))

    def _settle(self, ended: Ended) -> None:
        self.is_settled = True
        self.writing.tell_end(ended)


_keeper = Keeper()


def write(pieces: Pieces, sink: Sink) -> Writing:
    """Have a text written, in threads of this process. `pieces` is called in one of them, without a database."""
    writing = Writing(pieces, sink, wake=_keeper.wake)
    if _keeper.count() < TEXTS_LIMIT:
        context = contextvars.copy_context()  # the request's id, for the log
        threading.Thread(target=context.run, args=(writing.read,), name="ollama-reader", daemon=True).start()
    else:
        writing.end(failed(_("Too many texts are being written at once. Try again in a minute.")))
    _keeper.take(writing)
    return writing


def wind_up(seconds: float) -> None:
    """Let what is being written go on for so long, then end it as broken off. A signal handler may call it."""
    _keeper.deadline = min(_keeper.deadline, time.monotonic() + seconds)
