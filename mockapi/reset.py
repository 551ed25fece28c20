"""Breaking a connection under the client's hands: the answer is lost, though the work was taken (scenario 0009)."""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

NEVER_REACHED = 1000


def lost_answer(environ: dict[str, Any]) -> StreamingHttpResponse:
    """Return a response that resets its TCP connection as soon as the server starts to send it."""
    response = StreamingHttpResponse(_break(environ), content_type="application/json")
    # Where no socket is found the body ends long before this: an incomplete answer, never a whole one.
    response["Content-Length"] = str(NEVER_REACHED)
    return response


def _break(environ: dict[str, Any]) -> Iterator[bytes]:
    connection = client_socket(environ)
    if connection is None:
        yield b"{"
    else:
        reset(connection)
    # Servers pass over this error in silence: it is what they see when a client goes away.
    raise ConnectionResetError(errno.ECONNRESET, "Scenario 0009: connection reset by the mock")


def client_socket(environ: dict[str, Any]) -> socket.socket | None:
    """Return the client's socket: gunicorn hands it over, Django's own server hides it beneath wsgi.input."""
    connection = environ.get("gunicorn.socket")
    if connection is None:
        stream = getattr(getattr(environ.get("wsgi.input"), "_read", None), "__self__", None)
        connection = getattr(getattr(stream, "raw", None), "_sock", None)
    return connection if isinstance(connection, socket.socket) else None


def reset(connection: socket.socket) -> None:
    """Close the connection with RST. Its descriptor stays valid (a dead pipe), so the server can clean up as ever."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    dead, peer = socket.socketpair()
    peer.close()
    os.dup2(dead.fileno(), connection.fileno(), inheritable=False)
    dead.close()
