"""The one way out: JSON calls and downloads, with a verdict on every way in which they can fail."""

import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from urllib.parse import urljoin

import requests
from django.utils.translation import gettext as _
from urllib3.util import parse_url

from providers.addresses import PrivateAddressError
from providers.answers import load_json, parse_retry_after
from providers.calls import operation_of, told
from providers.connections import (
    NETWORK_ERRORS,
    TIMEOUTS,
    Limit,
    forget_connections,
    new_session,
    session_of_thread,
)
from providers.errors import DownloadError, Verdict
from providers.failures import Call, Classify, TooLongError, broken_answer, verdict_for_status

ANSWER_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
REDIRECTS = 3
CONNECTS = 3  # times the connect timeout, for the name, more than one address and TLS

# --- JSON calls -----------------------------------------------------------------------------------------------------


def request_json(
    method: str,
    url: str,
    *,
    provider: str,
    key: str,
    body: dict[str, Any] | None = None,
    timeout: tuple[float, float],
    paid: bool,
    max_bytes: int = ANSWER_BYTES,
    classify: Classify = verdict_for_status,
) -> dict[str, Any]:
    """Send one request and return its JSON object, which any database can store. Raises ProviderError.

    `timeout` is (connect, read) in seconds; an answer that has begun must end within the read timeout, and a paid call
    within `longest_call`. Nothing is ever repeated and no redirect followed. A paid request is LATER only if no byte of
    it was sent or the provider said so.
    """
    call = Call(provider, key, paid, classify)
    if not re.fullmatch(r"[\x21-\x7e]*", key):
        raise call.error(
            Verdict.BAD_KEY, _("The API key of %(name)s has a character in it that no key has.") % {"name": provider}
        )
    with told(provider, operation_of(method, url), is_paid=paid) as line:
        arrived, problem = _exchange(method, url, key, body, timeout, max_bytes, is_paid=paid)
        line.status = arrived.status
        # Raised outside the except block: the original error holds the request, and with it the key.
        if arrived.status is not None and not 200 <= arrived.status < 300:
            raise call.status_failure(arrived.status, arrived.text(), arrived.retry_after)
        if problem is not None:
            raise call.network_failure(problem, arrived.status)
        return _parsed(call, arrived)


def _exchange(
    method: str,
    url: str,
    key: str,
    body: dict[str, Any] | None,
    timeout: tuple[float, float],
    max_bytes: int,
    *,
    is_paid: bool,
) -> tuple["_Arrived", Exception | None]:
    """Send the request once. Return what has arrived, and what broke on the way."""
    # Paid requests use a fresh connection: a kept-alive one that the server just closed would look like a lost answer.
    session = new_session() if is_paid else session_of_thread()
    arrived = _Arrived()
    problem: Exception | None = None
    limit = Limit(connecting=timeout[0] * CONNECTS, answering=timeout[1])
    forget_connections()
    try:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        with (
            limit if is_paid else nullcontext(),
            session.request(
                method, url, json=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response,
        ):
            arrived.read(response, max_bytes, timeout[1])
    except NETWORK_ERRORS as error:
        problem = requests.ReadTimeout("the answer did not end in time") if limit.is_over else error
    finally:
        if is_paid:
            session.close()
    return arrived, problem


def longest_call(timeout: tuple[float, float]) -> float:
    """Return the seconds after which a paid call with this timeout has ended, whatever it waits for."""
    return timeout[0] * CONNECTS + timeout[1]


class _Arrived:
    """What has arrived of an answer. A status counts even if the body after it is cut off."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: float | None = None
        self.content = bytearray()

    def read(self, response: requests.Response, max_bytes: int, seconds: float) -> None:
        self.status = response.status_code
        self.retry_after = parse_retry_after(response.headers.get("Retry-After", ""))
        deadline = time.monotonic() + seconds
        # read1 gives what is there; iter_content would wait for a whole chunk and never see the deadline.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            self.content += chunk
            if len(self.content) > max_bytes:
                response.raw.close()
                raise TooLongError
            if time.monotonic() > deadline:
                response.raw.close()
                raise requests.ReadTimeout("the answer did not end in time")

    def text(self) -> str:
        return self.content.decode("utf-8-sig", "replace")


def _parsed(call: Call, arrived: _Arrived) -> dict[str, Any]:
    try:
        answer = load_json(arrived.text())
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        detail = call.without_secrets(arrived.text())
        raise broken_answer(call.provider, detail, paid=call.paid, status=arrived.status)
    return answer


# --- Downloads ------------------------------------------------------------------------------------------------------


class Download:
    """A file on its way. `length` in bytes if announced; `content_type` as announced, "" if not."""

    def __init__(self, response: requests.Response, max_bytes: int) -> None:
        announced = response.headers.get("Content-Length", "")
        self.length = int(announced) if re.fullmatch(r"[0-9]{1,18}", announced) else None
        self.content_type = response.headers.get("Content-Type", "")[:200]
        self._response = response
        self._max_bytes = max_bytes
        if self.length is not None and self.length > max_bytes:
            raise _too_big()

    def chunks(self) -> Iterator[bytes]:
        """Give the content piece by piece. Raises DownloadError when it is too big or ends too early."""
        size = 0
        while True:
            try:
                chunk = self._response.raw.read1(CHUNK_BYTES, decode_content=False)
            except NETWORK_ERRORS:  # also when fewer bytes come than were announced
                chunk = None
            if chunk is None:
                raise DownloadError("later", _("The connection broke while the file was coming."))
            if not chunk:
                break
            size += len(chunk)
            if size > self._max_bytes:
                raise _too_big()
            yield chunk


@contextmanager
def open_download(
    url: str, *, hosts: Collection[str], max_bytes: int, timeout: tuple[float, float]
) -> Iterator[Download]:
    """Begin to fetch a result file without any credentials. Raises DownloadError.

    `hosts` are the only ones asked, each "host" (https on its own port) or "host:port" (which also allows http). At
    most three redirects are followed, to such hosts only. `timeout` is (connect, read) in seconds, read for each wait.
    """
    with told("files", "download", is_paid=False) as line, new_session() as session:
        response = None
        for _hop in range(REDIRECTS + 1):
            _check_address(url, hosts)
            response = _get(session, url, timeout)
            line.status = response.status_code
            if response.status_code not in {301, 302, 303, 307, 308}:
                break
            response.close()
            url = _next_address(url, response)
        else:
            raise DownloadError("refused", _("The file's address leads from one place to the next without end."))
        with response:
            _check_status(response)
            yield Download(response, max_bytes)


def _get(session: requests.Session, url: str, timeout: tuple[float, float]) -> requests.Response:
    try:
        # A compressed transfer would make the announced length useless.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        return session.get(url, headers=headers, timeout=timeout, allow_redirects=False, stream=True)
    except PrivateAddressError:
        raise DownloadError("refused", _("The file's address leads into a private network.")) from None
    except TIMEOUTS:
        raise DownloadError("later", _("The file's server did not answer in time.")) from None
    except NETWORK_ERRORS:
        raise DownloadError("later", _("The file's server cannot be reached.")) from None


def _next_address(url: str, response: requests.Response) -> str:
    try:
        return urljoin(url, response.headers["Location"])
    except (KeyError, ValueError):
        raise DownloadError("later", _("The file's server leads to nowhere.")) from None


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in {403, 404, 410}:
        raise DownloadError("missing", _("The file is no longer there (HTTP %(status)s).") % {"status": status})
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if status != 200 or encoding not in {"", "identity"}:
        raise DownloadError("later", _("The file's server has a problem (HTTP %(status)s).") % {"status": status})


def name_of_host(base_url: str) -> str:
    """Name the host of an address as `open_download` wants it: with its port, where plain http or a port is used."""
    base = parse_url(base_url)
    # Plain http is only allowed for a host with its port, so the port is always named there.
    port = base.port or (80 if base.scheme == "http" else None)
    host = (base.host or "").lower()
    return f"{host}:{port}" if port else host


def _check_address(url: str, hosts: Collection[str]) -> None:
    # The same parser as the connection's, and nothing that two parsers could read in two ways.
    try:
        parsed = parse_url(url) if re.fullmatch(r"[\x21-\x7e]+", url) and "\\" not in url else None
    except ValueError:
        parsed = None
    if parsed is not None and parsed.host and parsed.auth is None:
        host = parsed.host.lower()
        port = parsed.port or {"https": 443, "http": 80}.get(parsed.scheme or "", 0)
        plain = parsed.scheme == "https" and port == 443 and host in hosts
        if plain or (parsed.scheme in {"https", "http"} and f"{host}:{port}" in hosts):
            return
    raise DownloadError("refused", _("The file's address is not one that files may be fetched from."))


def _too_big() -> DownloadError:
    return DownloadError("refused", _("The file is bigger than allowed."))
