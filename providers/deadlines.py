"""An end to a call as a whole: the timeouts of a client count for one wait each, and a call is many of them."""

import socket
import threading
from types import TracebackType
from typing import Any, Self

from providers.connections import shut

CONNECTED = (".connect_tcp.complete", ".start_tls.complete")


class Deadline:
    """Hangs up on every connection of a call when its time is over, whatever the call waits for at that moment."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def watch(self, request: Any) -> None:
        """Learn of the connections of a request: to be called by the HTTP client before it is sent."""
        request.extensions["trace"] = self._note

    def _note(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(CONNECTED):
            self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self.is_over:
                self._hang_up()

    def _hang_up(self) -> None:
        self.is_over = True
        for one in list(self._sockets):
            shut(one)
