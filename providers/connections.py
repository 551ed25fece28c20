"""Connections that never retry, carry no credentials of their own, and know whether they stood."""

import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from providers.addresses import PrivateAddressError, check_host, check_peer

USER_AGENT = "macai"

# All that requests lets through: its own errors, urllib3's, http.client's, those of sockets, and of bad addresses.
NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)
TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)

_thread = threading.local()

# Whether a paid request may have been accepted depends on one fact: did a connection stand? requests hides it: a TLS
# handshake that times out, for instance, is reported like an answer that did not come. So the connections note it
# themselves: while connect() (name, TCP, proxy tunnel, TLS) has not returned, not one byte of the request has left.


class _Noting(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        # What is behind a proxy that the environment names, only that proxy knows.
        if self.proxy is not None:
            return super()._new_conn()
        port = self.port or 0
        check_host(self.host, port)
        connected = super()._new_conn()
        try:
            check_peer(self.host, port, connected)
        except PrivateAddressError:
            connected.close()
            raise
        return connected

    def connect(self) -> None:
        super().connect()
        if self.sock is not None and (listener := getattr(_thread, "listener", None)) is not None:
            listener(self.sock)  # which may still say no
        _thread.connected = True


def _note_connections(manager: urllib3.PoolManager) -> None:
    """Let every kind of connection that `manager` opens, also through any kind of proxy, note when it stands."""
    known: dict[str, Any] = manager.pool_classes_by_scheme
    pools: dict[str, Any] = {}
    for scheme, pool in known.items():
        connection = type("NotingConnection", (_Noting, pool.ConnectionCls), {})
        pools[scheme] = type("NotingPool", (pool,), {"ConnectionCls": connection})
    manager.pool_classes_by_scheme = pools


class _Adapter(HTTPAdapter):
    """No retries of its own, and connections that note when they stand."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _note_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if is_new:
            _note_connections(manager)
        return manager


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Do nothing: without an auth object requests would replace our header by a password of ~/.netrc."""
    return request


def new_session() -> requests.Session:
    """Make a session without retries, cookies and passwords from files. The environment's proxies are respected."""
    session = requests.Session()
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter())
    session.auth = _no_netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = USER_AGENT
    return session


def session_of_thread() -> requests.Session:
    """Give this thread's own session, which keeps its connections alive. For reads only."""
    session: requests.Session | None = getattr(_thread, "session", None)
    if session is None:
        session = _thread.session = new_session()
    return session


def forget_connections() -> None:
    """Begin a call: from here on `has_connected` speaks of this call alone."""
    _thread.connected = False


def on_connect(listener: Callable[[socket.socket], None] | None) -> None:
    """Have each connection that this thread opens from now on handed to `listener`, before anything is sent on it.

    If it raises an OSError, nothing is sent.
    """
    _thread.listener = listener


def shut(connected: socket.socket) -> None:
    """Break a connection under whoever waits on it in another thread."""
    try:
        # Not the method of a TLS socket, which would go on in plain text. That of urllib3 for TLS in TLS wraps one.
        socket.socket.shutdown(getattr(connected, "socket", connected), socket.SHUT_RDWR)
    except OSError:  # it is closed already, or handed on to TLS
        return


class Limit:
    """Bounds a call of this thread as a whole: seconds until its connection stands, and from then on to its end.

    The timeouts of a socket bound each wait by itself, and a call may wait many times. Without a connection in time
    nothing is sent; when the answer's time is up, `is_over`, and the connection is broken.
    """

    def __init__(self, connecting: float, answering: float) -> None:
        self.is_over = False
        self._connect_until = time.monotonic() + connecting
        self._answering = answering
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        on_connect(self._begin)
        return self

    def __exit__(self, *_error: object) -> None:
        on_connect(None)
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self, connected: socket.socket) -> None:
        if time.monotonic() > self._connect_until:
            raise TimeoutError("the connection did not stand in time")
        self._timer = threading.Timer(self._answering, self._end, [connected])
        self._timer.daemon = True
        self._timer.start()

    def _end(self, connected: socket.socket) -> None:
        self.is_over = True
        shut(connected)


def has_connected() -> bool:
    """Tell whether this thread has opened a connection since `forget_connections`. Says nothing of kept-alive ones."""
    return bool(_thread.connected)
