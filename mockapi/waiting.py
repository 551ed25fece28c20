"""Letting time pass for an answer, as long as somebody waits for it."""

import socket
import time
from typing import Any

from mockapi.reset import client_socket

# How often a waiting answer looks whether its client is still there.
GLANCE_SECONDS = 1.0


def wait(environ: dict[str, Any], seconds: float) -> None:
    """Let time pass, as long as the client is there: no thread is held for somebody who has gone."""
    end, client = time.monotonic() + seconds, client_socket(environ)
    while (rest := min(end - time.monotonic(), GLANCE_SECONDS)) > 0:
        if client is not None and _has_gone(client):
            return
        time.sleep(rest)


def _has_gone(client: socket.socket) -> bool:
    """Whether the client has closed its side. What it may have sent already stays where it is."""
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
