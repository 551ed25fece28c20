"""Gunicorn's threaded worker, which leaves nobody standing at the door when it stops.

Gunicorn's own stops taking connections but keeps the socket open until its last request is done: for up to the whole
graceful time, new connections get in, hang unanswered, and are cut in the end. Here what has come in is taken, and the
door is closed at once: a proxy in front then goes to the next app without having sent anything.
"""

from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Takes what stands at the door when asked to stop, then closes it."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Enable or disable accepting; in a stop, close the door after those who are there already."""
        super().set_accept_enabled(enabled)
        if not self.alive and not enabled:
            for listener in self.sockets:
                self.take_all(listener)
                listener.close()

    def take_all(self, listener: Any) -> None:
        """Accept every connection that waits. The socket does not block: it ends with an error when none is left."""
        with suppress(OSError):
            listener.setblocking(False)
            while True:
                before = self.nr_conns
                self.accept(listener)
                if self.nr_conns == before:
                    return
