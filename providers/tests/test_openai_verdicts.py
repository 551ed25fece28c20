"""What every way of failing means for a picture, which is paid for the moment it is asked for."""

import base64
import contextlib
import gzip
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from pytest_django import Settings

from providers import openai, openai_client
from providers.errors import ProviderError, Verdict
from providers.openai import ImageRequest
from providers.tests.stub import Behaviour, Stub, answer, drip, hang, reset, then_close

KEY = "sk-secret-key-1"
LATER, REFUSED, UNCERTAIN = Verdict.LATER, Verdict.REFUSED, Verdict.UNCERTAIN
PICTURE = base64.b64encode(b"picture").decode()
WHOLE = json.dumps({"data": [{"b64_json": PICTURE}]}).encode()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_client, "TIMEOUT", httpx2.Timeout(connect=0.4, read=0.4, write=0.4, pool=0.4))
    monkeypatch.setattr(openai_client, "CALL_SECONDS", 0.9)


@pytest.fixture
def openai_stub(stub: Stub, settings: Settings) -> Stub:
    settings.OPENAI_BASE_URL = f"{stub.url}/v1"
    settings.OPENAI_API_KEY = KEY
    return stub


def failure(*, streams: bool = False) -> ProviderError:
    request = ImageRequest("a lake", "gpt-image-2.6-flare", partial_images=2 if streams else 0)
    with pytest.raises(ProviderError) as caught:
        openai.generate(request, on_partial=lambda _index, _file: None)
    return caught.value


def error(
    code: str | None, message: str = "Words.", kind: str = "invalid_request_error", **more: Any
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


# The documented error table, and what else a server may say.
TABLE = [
    (401, error("invalid_api_key", "Incorrect API key provided: sk-***"), Verdict.BAD_KEY),
    (403, error(None, "Your organization must be verified to use the model"), REFUSED),
    (400, error("moderation_blocked", kind="image_generation_user_error"), REFUSED),
    (400, error("content_policy_violation"), REFUSED),
    (400, error("billing_hard_limit_reached", "Billing hard limit has been reached"), Verdict.OUT_OF_MONEY),
    (400, error("unknown_parameter", "Unknown parameter: 'response_format'."), REFUSED),
    (400, error("invalid_image_file"), REFUSED),
    (404, error("model_not_found"), REFUSED),
    (408, error(None), UNCERTAIN),
    (409, error(None), REFUSED),
    (413, "too large", REFUSED),
    (422, error(None), REFUSED),
    (429, error("rate_limit_exceeded", kind="requests"), LATER),
    (429, "slow", LATER),
    (429, error("insufficient_quota", kind="insufficient_quota"), Verdict.OUT_OF_MONEY),
    (429, error("something_new", kind="insufficient_quota"), Verdict.OUT_OF_MONEY),
    (429, error("credit_balance_exhausted"), Verdict.OUT_OF_MONEY),
    (429, error("organization_spend_limit_exceeded"), Verdict.OUT_OF_MONEY),
    (429, error("project_spend_limit_exceeded"), Verdict.OUT_OF_MONEY),
    (429, error("organization_usage_limit_exceeded"), Verdict.OUT_OF_MONEY),
    (500, error(None, kind="server_error"), UNCERTAIN),
    (502, "<html>Bad gateway</html>", UNCERTAIN),
    (503, error("server_is_overloaded"), LATER),
    (503, error("slow_down"), LATER),
    (503, error(None), UNCERTAIN),
    (503, "<html>maintenance</html>", UNCERTAIN),
    (504, "", UNCERTAIN),
    (302, "", UNCERTAIN),
    (304, "", UNCERTAIN),
]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(("status", "body", "verdict"), TABLE)
def test_a_status_means_what_the_error_table_says(
    openai_stub: Stub, status: int, body: dict[str, object] | str, verdict: Verdict, streams: bool
) -> None:
    openai_stub.behaviour = (
        answer(status, body, Location="http://127.0.0.1:1/") if status == 302 else answer(status, body)
    )
    caught = failure(streams=streams)
    assert caught.verdict is verdict
    assert (caught.status, caught.provider) == (status, "OpenAI")
    assert len(openai_stub.requests) == 1  # nothing was repeated, no redirect followed


def test_the_providers_own_words_are_kept_and_what_moderation_found_is_named(openai_stub: Stub) -> None:
    details = {"moderation_stage": "input", "categories": ["violence", "self-harm"]}
    openai_stub.behaviour = answer(
        400, error("moderation_blocked", "Your request was rejected by the safety system.", moderation_details=details)
    )
    caught = failure()
    assert caught.message == (
        'OpenAI refused the request: "Your request was rejected by the safety system. (violence, self-harm)"'
    )
    assert "self-harm" in caught.detail


def test_what_moderation_has_named_in_its_words_is_not_named_twice(openai_stub: Stub) -> None:
    words = "Rejected by the safety system. safety_violations=[violence]."
    openai_stub.behaviour = answer(
        400, error("moderation_blocked", words, moderation_details={"categories": ["violence"]})
    )
    assert failure().message == f'OpenAI refused the request: "{words}"'


def test_a_pace_limit_says_how_long_to_wait(openai_stub: Stub) -> None:
    openai_stub.behaviour = answer(429, error("rate_limit_exceeded"), Retry_After="7")
    caught = failure()
    assert (caught.verdict, caught.retry_after) == (LATER, 7.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(openai_stub: Stub, status: int) -> None:
    openai_stub.behaviour = answer(status, "", Location="/v1/elsewhere")
    assert failure().verdict is UNCERTAIN
    assert len(openai_stub.requests) == 1


def test_the_clients_own_advice_to_repeat_is_not_followed(openai_stub: Stub) -> None:
    openai_stub.behaviour = answer(500, error(None), x_should_retry="true")
    assert failure().verdict is UNCERTAIN
    assert len(openai_stub.requests) == 1


BROKEN: list[tuple[str, Behaviour]] = [
    ("reset before any answer", reset),
    ("no answer", hang),
    ("closed before any answer", then_close(b"")),
    ("closed within the head", then_close(b"HTTP/1.1 200 OK\r\nContent-")),
    ("no HTTP at all", then_close(b"hello\r\n\r\n")),
    ("half a body", then_close(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"data": [')),
    ("half a body of unknown length", then_close(b'HTTP/1.1 200 OK\r\n\r\n{"data": [')),
    ("a cut chunk", then_close(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"data"')),
    ("an answer without end", drip),
    ("broken JSON", answer(200, '{"data": [{"b64_json": "aaaa')),
    ("empty", answer(200, "")),
    ("a list", answer(200, "[1]")),
    ("null", answer(200, "null")),
    ("a page", answer(200, "<html>maintenance</html>")),
    ("no pictures", answer(200, {"created": 1, "data": []})),
    ("no data", answer(200, {"created": 1})),
    ("data of a wrong type", answer(200, {"data": {"b64_json": PICTURE}})),
    ("no base64", answer(200, {"data": [{"b64_json": "not base64!"}]})),
    ("base64 with noise in it", answer(200, {"data": [{"b64_json": f"%{PICTURE[:4]}%{PICTURE[4:]}"}]})),
    ("half base64", answer(200, {"data": [{"b64_json": PICTURE[:-1]}]})),
    ("an empty picture", answer(200, {"data": [{"b64_json": ""}]})),
    ("an address that is none", answer(200, {"data": [{"url": "file:///etc/passwd"}]})),
    ("nesting without end", answer(200, '{"data":' * 3000 + "1" + "}" * 3000)),
    ("packed unasked", answer(200, gzip.compress(WHOLE), Content_Encoding="gzip")),
    ("a redirect", answer(307, "", Location="http://127.0.0.1:1/")),
]
NAMED = pytest.mark.parametrize("behaviour", [behaviour for _, behaviour in BROKEN], ids=[name for name, _ in BROKEN])


@NAMED
def test_a_lost_answer_is_uncertain_and_not_asked_for_again(openai_stub: Stub, behaviour: Behaviour) -> None:
    openai_stub.behaviour = behaviour
    assert failure().verdict is UNCERTAIN
    assert len(openai_stub.requests) == 1


def events(*items: object, end: str = "\n\n") -> Behaviour:
    text = "\n\n".join(f"data: {item if isinstance(item, str) else json.dumps(item)}" for item in items) + end
    return answer(200, text, Content_Type="text/event-stream")


PARTIAL = {"type": "image_generation.partial_image", "b64_json": PICTURE, "partial_image_index": 0}
LOST_STREAMS: list[tuple[str, Behaviour]] = [
    ("nothing but early versions", events(PARTIAL)),
    ("a last event without its end", events(PARTIAL, '{"type": "image_generation.comp', end="")),
    ("broken JSON", events("{")),
    ("done without a picture", events("[DONE]")),
    ("not an object", events("5")),
    ("a completed event without a picture", events({"type": "image_generation.completed"})),
    ("a failure of theirs", events(PARTIAL, {"type": "error"} | error("server_error"))),
    ("busy after the work had begun", events(PARTIAL, error("rate_limit_exceeded"))),
]


@pytest.mark.parametrize("behaviour", [it for _, it in [*LOST_STREAMS, *BROKEN]], ids=lambda _it: "")
def test_a_stream_that_ends_without_its_picture_is_uncertain(openai_stub: Stub, behaviour: Behaviour) -> None:
    openai_stub.behaviour = behaviour
    assert failure(streams=True).verdict is UNCERTAIN
    assert len(openai_stub.requests) == 1


def test_a_refusal_within_a_stream_is_a_refusal(openai_stub: Stub) -> None:
    openai_stub.behaviour = events(
        PARTIAL,
        {"type": "error"}
        | error("moderation_blocked", "Rejected by the safety system.", moderation_details={"categories": ["sexual"]}),
    )
    caught = failure(streams=True)
    assert caught.verdict is REFUSED
    assert caught.message == 'OpenAI refused the request: "Rejected by the safety system. (sexual)"'


def test_a_billing_limit_within_a_stream_is_out_of_money(openai_stub: Stub) -> None:
    openai_stub.behaviour = events(error("billing_hard_limit_reached"))
    assert failure(streams=True).verdict is Verdict.OUT_OF_MONEY


# --- The size of what may come ---


def test_an_answer_longer_than_any_picture_is_given_up(openai_stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_client, "WORDS_BYTES", 1000)
    monkeypatch.setattr(openai_client, "PICTURE_BYTES", 1000)
    openai_stub.behaviour = answer(200, {"data": [{"b64_json": PICTURE * 400}]})
    for streams in (False, True):
        caught = failure(streams=streams)
        assert (caught.verdict, caught.message) == (UNCERTAIN, "OpenAI gave an answer that is too long.")


def test_an_answer_that_has_begun_must_end_in_time(openai_stub: Stub) -> None:
    openai_stub.behaviour = drip
    begin = time.monotonic()
    caught = failure()
    assert (caught.verdict, caught.message) == (UNCERTAIN, "OpenAI did not answer in time.")
    assert time.monotonic() - begin < 10  # all of it would take 50 s


@pytest.mark.parametrize("behaviour", [drip, hang], ids=["an answer without end", "no answer"])
def test_a_call_ends_in_time_however_long_each_wait_may_be(
    openai_stub: Stub, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    monkeypatch.setattr(openai_client, "TIMEOUT", httpx2.Timeout(30.0))
    openai_stub.behaviour = behaviour
    begin = time.monotonic()
    caught = failure()
    assert (caught.verdict, caught.message) == (UNCERTAIN, "OpenAI did not answer in time.")
    assert time.monotonic() - begin < 4


def test_a_refusal_of_endless_words_is_still_a_refusal(openai_stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_client, "WORDS_BYTES", 1000)
    openai_stub.behaviour = answer(400, error("invalid_value", "x" * 2000))
    caught = failure()
    assert (caught.verdict, caught.message) == (REFUSED, "OpenAI refused the request (HTTP 400).")


# --- Connections that never stood: the facts of the client, found by trying ---


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
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
        yield port
        for connection in waiting:
            connection.close()


def assert_never_sent() -> None:
    for streams in (False, True):
        caught = failure(streams=streams)
        assert (caught.verdict, caught.message) == (LATER, "OpenAI cannot be reached.")


def test_a_refused_connection_may_be_tried_again(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{closed_port()}/v1"
    assert_never_sent()


def test_a_name_nobody_knows_may_be_tried_again(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://nowhere.invalid/v1"
    assert_never_sent()


def test_a_connection_that_never_stands_may_be_tried_again(settings: Settings, full_backlog: int) -> None:
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{full_backlog}/v1"
    assert_never_sent()


@pytest.mark.parametrize("behaviour", [hang, reset, then_close(b""), then_close(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
def test_a_tls_handshake_that_fails_may_be_tried_again(settings: Settings, behaviour: Behaviour) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.OPENAI_BASE_URL = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"

        def serve() -> None:
            for _ in range(2):
                with contextlib.suppress(OSError):  # the client may be gone before us
                    connection, _address = listener.accept()
                    with connection:
                        connection.recv(65536)
                        behaviour(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert_never_sent()
        thread.join(5)


def test_a_proxy_that_opens_no_tunnel_has_passed_nothing_on(
    stub: Stub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", stub.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    settings.OPENAI_BASE_URL = "https://openai.invalid/v1"
    stub.behaviour = answer(502, "")
    assert_never_sent()
    assert all(head.startswith("CONNECT ") for head, _body in stub.requests)


def test_a_certificate_of_somebody_else_is_not_trusted(settings: Settings, tmp_path: Any) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "2",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.OPENAI_BASE_URL = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"

        def serve() -> None:
            for _ in range(2):
                connection, _address = listener.accept()
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert_never_sent()
        thread.join(5)


# --- Secrets, and what it costs to have this provider ---


@pytest.mark.parametrize("behaviour", [answer(400, error(None, f"bad key {KEY}, Bearer {KEY}")), answer(200, KEY)])
def test_the_key_is_in_no_error(openai_stub: Stub, behaviour: Behaviour) -> None:
    openai_stub.behaviour = behaviour
    caught = failure()
    shown = "".join(traceback.format_exception(caught)) + caught.message + caught.detail
    assert KEY not in shown
    assert caught.__cause__ is None
    assert caught.__context__ is None


def test_the_key_is_in_no_error_of_a_stream(openai_stub: Stub) -> None:
    openai_stub.behaviour = events(error("moderation_blocked", f"key {KEY}"))
    caught = failure(streams=True)
    assert KEY not in caught.message + caught.detail


def test_a_key_that_cannot_be_one_is_not_sent(openai_stub: Stub, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-with a space\n"
    assert failure().verdict is Verdict.BAD_KEY
    assert openai_stub.connections == 0


def test_the_client_is_loaded_only_where_pictures_are_made() -> None:
    program = "import sys, providers.openai; assert not {'openai', 'httpx2', 'pydantic'} & set(sys.modules), 'loaded'"
    subprocess.run([sys.executable, "-c", program], check=True)
