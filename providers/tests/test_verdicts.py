"""What every way of failing means, for a request that costs money and for one that does not."""

import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.connection import HTTPConnection

from providers import http
from providers.errors import ProviderError, Verdict
from providers.http import longest_call, request_json
from providers.mureka import generate_instrumental, query_song
from providers.tests.stub import Behaviour, Stub, answer, drip, hang, reset, then_close

KEY = "sk-secret-key-1"
QUOTA = "You exceeded your current quota, please check your plan and billing details"
PACE = "Rate limit reached for requests, please pace your requests. See your billing details for more."

LATER, REFUSED, UNCERTAIN = Verdict.LATER, Verdict.REFUSED, Verdict.UNCERTAIN


def call(url: str, *, paid: bool, max_bytes: int = 10_000, read: float = 0.4) -> dict[str, object]:
    method, body = ("POST", {"lyrics": "la"}) if paid else ("GET", None)
    return request_json(
        method, url, provider="Mureka", key=KEY, body=body, timeout=(0.4, read), paid=paid, max_bytes=max_bytes
    )


def failure(url: str, *, paid: bool, max_bytes: int = 10_000) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        call(url, paid=paid, max_bytes=max_bytes)
    return caught.value


# The error table of the documentation, and what else a server may say: status, words, verdict of a paid request, and of
# a question about a task that is paid for, which only one sentence ends.
UNKNOWN_TASK = "Invalid Request, The corresponding task was not found."
TABLE = [
    (400, UNKNOWN_TASK, REFUSED, REFUSED),
    (404, UNKNOWN_TASK, REFUSED, REFUSED),
    (500, UNKNOWN_TASK, UNCERTAIN, LATER),
    (402, "Payment required", REFUSED, LATER),
    (405, "Not allowed", REFUSED, LATER),
    (407, "", REFUSED, LATER),
    (421, "Misdirected", REFUSED, LATER),
    (425, "Too early", REFUSED, LATER),
    (400, "Invalid Request, the lyrics are too long.", REFUSED, LATER),
    (401, "Invalid Authentication", Verdict.BAD_KEY, Verdict.BAD_KEY),
    (403, "Forbidden", REFUSED, LATER),
    (404, "Not found", REFUSED, LATER),
    (408, "Timeout", UNCERTAIN, LATER),
    (409, "Conflict", REFUSED, LATER),
    (413, "Too large", REFUSED, LATER),
    (422, "Unprocessable", REFUSED, LATER),
    (429, PACE, LATER, LATER),
    (429, "You are sending requests too quickly.", LATER, LATER),
    (429, "something nobody has seen yet", LATER, LATER),
    (429, QUOTA, Verdict.OUT_OF_MONEY, Verdict.OUT_OF_MONEY),
    (451, "Unavailable For Legal Reasons", REFUSED, LATER),
    (500, "The server had an error while processing your request", UNCERTAIN, LATER),
    (502, "Bad gateway", UNCERTAIN, LATER),
    (503, "The engine is currently overloaded", UNCERTAIN, LATER),
    (504, "Gateway timeout", UNCERTAIN, LATER),
    (302, "Moved", UNCERTAIN, LATER),
    (304, "", UNCERTAIN, LATER),
]


@pytest.mark.parametrize(("status", "words", "paid", "asking"), TABLE)
def test_a_status_means_what_the_error_table_says(
    mureka_stub: Stub, status: int, words: str, paid: Verdict, asking: Verdict
) -> None:
    mureka_stub.behaviour = answer(status, {"error": {"message": words}, "trace_id": "1"} if words else "")
    with pytest.raises(ProviderError) as submitted:
        generate_instrumental(prompt="jazz", model="auto", n=2)
    with pytest.raises(ProviderError) as queried:
        query_song("1")
    assert (submitted.value.verdict, queried.value.verdict) == (paid, asking)
    assert (submitted.value.status, submitted.value.provider) == (status, "Mureka")
    assert words in submitted.value.detail
    assert len(mureka_stub.requests) == 2  # nothing was repeated, no redirect followed


BROKEN: list[tuple[str, Behaviour]] = [
    ("reset before any answer", reset),
    ("no answer", hang),
    ("closed before any answer", then_close(b"")),
    ("closed within the head", then_close(b"HTTP/1.1 200 OK\r\nContent-")),
    ("no HTTP at all", then_close(b"hello\r\n\r\n")),
    ("half a body", then_close(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": "1"')),
    ("half a body of unknown length", then_close(b'HTTP/1.1 200 OK\r\n\r\n{"id": "1"')),
    ("a cut chunk", then_close(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"id": "1"')),
    ("no last chunk", then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")),
    ("an answer without end", drip),
    ("broken JSON", answer(200, '{"id": "1", ')),
    ("empty", answer(200, "")),
    ("a list", answer(200, '[{"id": "1"}]')),
    ("null", answer(200, "null")),
    ("a page", answer(200, "<html>maintenance</html>")),
    ("nesting without end", answer(200, '{"a":' * 3000 + "1" + "}" * 3000)),
    ("too long", answer(200, '{"id": "' + "1" * 20_000 + '"}')),
    ("no gzip after all", answer(200, '{"id": "1"}', Content_Encoding="gzip")),
    ("a redirect", answer(307, "", Location="http://127.0.0.1:1/")),
]


@pytest.mark.parametrize("behaviour", [behaviour for _name, behaviour in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_lost_answer_is_uncertain_if_paid_and_asked_for_again_if_not(stub: Stub, behaviour: Behaviour) -> None:
    stub.behaviour = behaviour
    assert failure(stub.url, paid=True).verdict is UNCERTAIN
    assert failure(stub.url, paid=False).verdict is LATER
    assert len(stub.requests) == 2


def trickle(connection: socket.socket) -> None:
    """Answer with header lines without end, never long enough silent for a read timeout."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _line in range(90):
        connection.sendall(b"X-More: 1\r\n")
        time.sleep(0.1)


def test_a_paid_call_ends_in_its_time_however_often_it_waits(stub: Stub) -> None:
    stub.behaviour = trickle
    started = time.monotonic()
    assert failure(stub.url, paid=True).verdict is UNCERTAIN
    assert time.monotonic() - started < longest_call((0.4, 0.4))
    stub.behaviour = answer(200, "{}")
    assert call(stub.url, paid=True) == {}


def test_a_paid_request_whose_connection_stands_too_late_does_not_leave(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = HTTPConnection._new_conn

    def slowly(self: HTTPConnection) -> socket.socket:
        time.sleep(1.3)
        return connect(self)

    monkeypatch.setattr(HTTPConnection, "_new_conn", slowly)
    assert failure(stub.url, paid=True).verdict is LATER
    assert stub.requests == []


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port that never completes a handshake: its queue of waiting connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port: int = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in waiting:
            one.close()


@pytest.mark.parametrize("paid", [True, False])
def test_a_request_that_never_left_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch, full_backlog: int, *, paid: bool
) -> None:
    for url in (
        f"http://127.0.0.1:{closed_port()}",
        f"https://127.0.0.1:{closed_port()}",
        f"http://127.0.0.1:{full_backlog}",
        "http://mureka.invalid",
        "http://mureka..invalid",
        "http://",
        "nonsense",
    ):
        error = failure(url, paid=paid)
        assert (error.verdict, error.message) == (LATER, "Mureka cannot be reached.")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert failure("http://mureka.invalid", paid=paid).verdict is LATER


def test_a_handshake_that_fails_is_no_lost_answer(stub: Stub) -> None:
    """The server speaks no TLS, resets or hangs in the middle of the handshake: nothing of the request was sent."""

    def serve(behaviour: Behaviour, listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(65536)
            behaviour(connection)

    for behaviour in (then_close(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reset, hang, then_close(b"")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=serve, args=(behaviour, listener))
            server.start()
            error = failure(f"https://127.0.0.1:{listener.getsockname()[1]}", paid=True)
            server.join()
        assert error.verdict is LATER, error.detail


def test_a_proxy_that_took_the_request_and_broke_leaves_it_uncertain(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", stub.url)
    monkeypatch.setenv("HTTPS_PROXY", stub.url)
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    stub.behaviour = reset
    assert failure("http://mureka.invalid", paid=True).verdict is UNCERTAIN
    # A refused tunnel is different: the request itself never left.
    stub.behaviour = answer(502, "")
    assert failure("https://mureka.invalid", paid=True).verdict is LATER
    assert stub.requests[-1][0].startswith("CONNECT")


def test_a_tls_error_after_the_handshake_is_uncertain(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_record(*_args: object, **_kwargs: object) -> None:
        raise ssl.SSLError(1, "bad record mac")

    monkeypatch.setattr("urllib3.connection.HTTPConnection.getresponse", broken_record)
    assert failure(stub.url, paid=True).verdict is UNCERTAIN


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_reset_after_a_good_handshake_is_uncertain(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    # Certificates aside: https whose handshake always succeeds.
    monkeypatch.setattr("urllib3.connection.HTTPSConnection.connect", HTTPConnection.connect)
    stub.behaviour = reset
    assert failure(f"https://{stub.host}", paid=True).verdict is UNCERTAIN
    assert len(stub.requests) == 1


def test_a_refusal_counts_even_if_its_words_are_cut_off(stub: Stub) -> None:
    stub.behaviour = then_close(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n{")
    assert failure(stub.url, paid=True).verdict is REFUSED
    stub.behaviour = answer(403, "<html>" + "x" * 50_000)
    assert failure(stub.url, paid=True).verdict is REFUSED


def test_a_paid_request_never_uses_a_connection_that_was_kept_alive(stub: Stub) -> None:
    for paid in (False, False, True, True):
        assert call(stub.url, paid=paid) == {}
    assert stub.connections == 3  # one for both reads, one for each paid request


def test_a_slow_read_over_a_kept_alive_connection_says_what_happened(stub: Stub) -> None:
    call(stub.url, paid=False)
    stub.behaviour = hang
    assert failure(stub.url, paid=False).message == "Mureka did not answer in time."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"message": "Invalid Request, no."}}', 'Mureka refused the request: "Invalid Request, no."'),
        ('{"error": "a string"}', 'Mureka refused the request: "a string"'),
        ('{"message": "flat"}', 'Mureka refused the request: "flat"'),
        ("plain  text\n here", 'Mureka refused the request: "plain text here"'),
        ('{"error": {"message": "a\\u0000b\\u001b[1m"}}', 'Mureka refused the request: "ab [1m"'),
        ('{"error": {"message": "\\ud800"}}', 'Mureka refused the request: "?"'),
        ("", "Mureka refused the request (HTTP 400)."),
        ("<html><h1>Bad</h1></html>", "Mureka refused the request (HTTP 400)."),
        ('{"error": {"message": 5}}', "Mureka refused the request (HTTP 400)."),
        ('{"error": []}', "Mureka refused the request (HTTP 400)."),
        ("[1]", "Mureka refused the request (HTTP 400)."),
        ("\xff\xfe", 'Mureka refused the request: "\xff\xfe"'),
    ],
)
def test_a_refusal_is_told_in_the_providers_own_words(stub: Stub, body: str, message: str) -> None:
    stub.behaviour = answer(400, body)
    assert failure(stub.url, paid=True).message == message


def test_the_key_is_in_no_error_and_no_traceback(stub: Stub) -> None:
    stub.behaviour = answer(401, f"Incorrect key {KEY} in Authorization: Bearer sk-other")
    refused = failure(stub.url, paid=True)
    stub.behaviour = answer(200, f"not JSON {KEY}")
    broken = failure(stub.url, paid=True)
    unreachable = failure(f"http://127.0.0.1:{closed_port()}/?key={KEY}", paid=True)
    for error in (refused, broken, unreachable):
        shown = f"{error.message} {error.detail} {error!r} {''.join(traceback.format_exception(error))}"
        assert KEY not in shown
        assert "sk-other" not in shown
        assert error.__context__ is None  # it would hold the request, and its headers the key
        assert error.detail


@pytest.mark.parametrize("key", ["sk-1\r\nX-Evil: 1", "sk 1", "schlüssel", "sk\x00"])
def test_a_key_that_is_none_is_never_sent(stub: Stub, key: str) -> None:
    with pytest.raises(ProviderError) as caught:
        request_json("POST", stub.url, provider="Mureka", key=key, body={}, timeout=(1, 1), paid=True)
    assert caught.value.verdict is Verdict.BAD_KEY
    assert stub.connections == 0


def test_passwords_of_netrc_and_cookies_are_not_sent(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    stub.behaviour = answer(200, "{}", Set_Cookie="a=b")
    for paid in (False, False, True):
        call(stub.url, paid=paid)
    for head, _body in stub.requests:
        assert f"Authorization: Bearer {KEY}" in head
        assert "Cookie" not in head


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        ("999999", 600.0),
        ("9" * 500, 600.0),
        ("-5", None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2515 07:28:00 -0000", 600.0),
        ("Wed, 99 Oct 2515 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_within_bounds(stub: Stub, header: str, seconds: float | None) -> None:
    stub.behaviour = answer(429, "", Retry_After=header)
    assert failure(stub.url, paid=True).retry_after == seconds


def test_an_answer_is_fit_for_every_database(stub: Stub) -> None:
    stub.behaviour = answer(
        200, '\ufeff{"a\\u0000": "x\\u0000\\ud83d", "b": [NaN, Infinity, 1e999, 1.5], "c": {"d": null}}'
    )
    assert call(stub.url, paid=True) == {"a": "x?", "b": [None, None, None, 1.5], "c": {"d": None}}


def test_detail_is_cut(stub: Stub) -> None:
    stub.behaviour = answer(500, "x" * 9000)
    assert len(failure(stub.url, paid=True).detail) == 2000
    assert http.ANSWER_BYTES == 8 * 1024 * 1024
