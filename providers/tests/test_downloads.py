"""Fetching result files: only from allowed hosts, without credentials, never too much, never too little unnoticed."""

import pytest

from providers.errors import DownloadError
from providers.http import open_download
from providers.tests.stub import Behaviour, Stub, answer, hang, reset, stub_server, then_close

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n"


def fetch(url: str, *hosts: str, max_bytes: int = 1000) -> tuple[bytes, int | None, str]:
    with open_download(url, hosts=hosts, max_bytes=max_bytes, timeout=(0.4, 0.4)) as download:
        return b"".join(download.chunks()), download.length, download.content_type


def problem(url: str, *hosts: str) -> str:
    with pytest.raises(DownloadError) as caught:
        fetch(url, *hosts)
    assert caught.value.message
    return caught.value.kind


def test_a_file_comes_whole_and_without_our_credentials(stub: Stub) -> None:
    stub.behaviour = answer(200, b"x" * 1000, Content_Type="audio/mpeg")
    assert fetch(f"{stub.url}/song.mp3?a=b", stub.host) == (b"x" * 1000, 1000, "audio/mpeg")
    head = stub.requests[0][0]
    assert head.startswith("GET /song.mp3?a=b ")
    assert "Authorization" not in head
    assert "Accept-Encoding: identity" in head


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\nabc",
    ],
)
def test_a_file_of_unannounced_length_comes_too(stub: Stub, raw: bytes) -> None:
    stub.behaviour = then_close(raw)
    assert fetch(stub.url, stub.host) == (b"abc", None, "audio/mpeg")


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (answer(404, "gone"), "missing"),
        (answer(403, "expired"), "missing"),
        (answer(410, ""), "missing"),
        (answer(401, ""), "later"),
        (answer(429, ""), "later"),
        (answer(500, ""), "later"),
        (answer(503, ""), "later"),
        (answer(204, ""), "later"),
        (answer(206, "half"), "later"),
        (answer(302, ""), "later"),
        (answer(302, "", Location="http://[broken"), "later"),
        (answer(200, "x", Content_Encoding="gzip"), "later"),
        (reset, "later"),
        (hang, "later"),
        (then_close(b""), "later"),
        (then_close(HEAD + b"Content-Length: 10\r\n\r\nabc"), "later"),
        (then_close(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc"), "later"),
        (then_close(HEAD + b"Content-Length: 1001\r\n\r\n"), "refused"),
        (then_close(HEAD + b"\r\n" + b"x" * 1001), "refused"),
        (answer(302, "", Location="http://127.0.0.1:1/"), "refused"),
        (answer(302, "", Location="//elsewhere.example/x"), "refused"),
        (answer(302, "", Location="file:///etc/passwd"), "refused"),
    ],
)
def test_a_file_that_does_not_come_says_whether_to_try_again(stub: Stub, behaviour: Behaviour, kind: str) -> None:
    stub.behaviour = behaviour
    assert problem(stub.url, stub.host) == kind


def test_nobody_there_may_pass() -> None:
    assert problem("http://127.0.0.1:1/x", "127.0.0.1:1") == "later"
    assert problem("https://files.invalid/x", "files.invalid") == "later"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:{port}/x",
        "http://cdn.mureka.ai/x",  # a host without a port allows https only
        "https://cdn.mureka.ai:8443/x",
        "https://evil.example/cdn.mureka.ai",
        "https://cdn.mureka.ai.evil.example/x",
        "https://xcdn.mureka.ai/x",
        "https://cdn.mureka.ai@127.0.0.1/x",
        "https://me:secret@cdn.mureka.ai/x",
        "https://evil.example\\@cdn.mureka.ai/x",
        "https://evil.example#@cdn.mureka.ai/x",
        "https://cdn.mureka.ai /x",
        "https://cdn.mureka.ai\n/x",
        " https://cdn.mureka.ai/x",
        "https://cdn。mureka。ai/x",
        "ftp://cdn.mureka.ai/x",
        "file:///etc/passwd",
        "//cdn.mureka.ai/x",
        "https:///x",
        "http://[::1",
        "https://cdn.mureka.ai:99999/x",
        "",
    ],
)
def test_an_address_outside_the_list_is_never_asked(stub: Stub, url: str) -> None:
    assert problem(url.format(port=stub.port), "cdn.mureka.ai", f"localhost:{stub.port}") == "refused"
    assert stub.connections == 0


def test_redirects_are_followed_three_times_and_to_allowed_hosts_only(stub: Stub) -> None:
    with stub_server() as other:
        other.behaviour = answer(200, "here")
        stub.behaviour = answer(302, "", Location=f"{other.url}/x")
        assert fetch(stub.url, stub.host, other.host)[0] == b"here"
        assert problem(stub.url, stub.host) == "refused"
        assert len(other.requests) == 1
    stub.requests.clear()
    stub.behaviour = answer(301, "", Location="/again")
    assert problem(stub.url, stub.host) == "refused"
    assert len(stub.requests) == 4
