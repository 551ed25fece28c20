"""Files are served whole or in part, exactly as RFC 9110 says."""

import gc
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.files.storage import default_storage
from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from pytest_django import Settings

from library.serving import serve_file

pytestmark = pytest.mark.django_db  # closing a response tells Django to look after its connections

CONTENT = bytes(range(256)) * 1000  # longer than one chunk
SIZE = len(CONTENT)
ETAG = "ab" * 32


@pytest.fixture
def song(media: Path) -> Path:
    path = media / "songs" / "song.mp3"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def ask(
    name: str = "songs/song.mp3",
    method: str = "GET",
    *,
    filename: str = "song.mp3",
    download: bool = False,
    **headers: str,
) -> HttpResponseBase:
    sent = {header.replace("_", "-"): value for header, value in headers.items()}
    request = RequestFactory().generic(method, "/", headers=sent)
    return serve_file(request, name, content_type="audio/mpeg", etag=ETAG, filename=filename, download=download)


def body(response: HttpResponseBase) -> bytes:
    content = b"".join(cast("Iterable[bytes]", response))
    response.close()
    return content


def test_a_whole_file_with_its_headers(song: Path) -> None:
    response = ask()
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert dict(response.headers) == {
        "Content-Type": "audio/mpeg",
        "Content-Length": str(SIZE),
        "Accept-Ranges": "bytes",
        "ETag": f'"{ETAG}"',
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": 'inline; filename="song.mp3"',
    }


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes=5-{SIZE * 2}", 5, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("Bytes= 1-2 ", 1, 2),
        ("bytes=65530-65550", 65530, 65550),
    ],
)
def test_a_range_is_served_as_asked(song: Path, asked: str, start: int, end: int) -> None:
    response = ask(Range=asked)
    assert (response.status_code, body(response)) == (206, CONTENT[start : end + 1])
    assert response["Content-Range"] == f"bytes {start}-{end}/{SIZE}"
    assert response["Content-Length"] == str(end - start + 1)


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=5-1",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes",
        "items=0-1",
        "bytes=--5",
        "bytes=+1-2",
        "bytes=\u0661-\u0662",
        "bytes=0x1-5",
        "bytes=1-" + "9" * 5000,
        "",
    ],
)
def test_nonsense_and_several_ranges_give_the_whole_file(song: Path, asked: str) -> None:
    response = ask(Range=asked)
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert "Content-Range" not in response


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0"])
def test_a_range_outside_the_file_is_refused_with_its_size(song: Path, asked: str) -> None:
    response = ask(Range=asked)
    assert (response.status_code, body(response)) == (416, b"")
    assert response["Content-Range"] == f"bytes */{SIZE}"


def test_an_empty_file_has_no_range(song: Path) -> None:
    song.write_bytes(b"")
    assert [ask(Range=asked).status_code for asked in ("bytes=0-", "bytes=-5")] == [416, 416]
    whole = ask()
    assert (whole.status_code, whole["Content-Length"], body(whole)) == (200, "0", b"")


@pytest.mark.parametrize(
    ("condition", "status"),
    [(f'"{ETAG}"', 206), ('"other"', 200), (f'W/"{ETAG}"', 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)],
)
def test_a_range_of_another_version_gives_the_whole_file(song: Path, condition: str, status: int) -> None:
    assert ask(Range="bytes=0-1", If_Range=condition).status_code == status


@pytest.mark.parametrize(
    ("known", "status"),
    [
        (f'"{ETAG}"', 304),
        (f'W/"{ETAG}"', 304),
        (f'"x", "{ETAG}"', 304),
        ("*", 304),
        ('"x"', 200),
        (ETAG, 200),
        ("", 200),
    ],
)
def test_a_browser_that_has_the_file_is_told_so(song: Path, known: str, status: int) -> None:
    response = ask(If_None_Match=known)
    assert response.status_code == status
    assert response["ETag"] == f'"{ETAG}"'
    if status == 304:
        assert body(response) == b""
        assert "Content-Type" not in response
        assert ask(If_None_Match=known, Range="bytes=0-1").status_code == 304


def test_head_tells_the_length_and_sends_nothing(song: Path) -> None:
    whole: dict[str, Any] = {}
    for headers in (whole, {"Range": "bytes=0-9"}):
        response = ask(method="HEAD", **headers)
        assert (response.status_code, response["Content-Length"], body(response)) == (200, str(SIZE), b"")


@pytest.mark.parametrize(
    "name", ["songs/gone.mp3", "songs", "songs/song.mp3/x", "../secret", "/etc/passwd", "a\x00b", "", "songs/../../x"]
)
def test_a_missing_or_hostile_name_is_not_found(song: Path, name: str) -> None:
    (song.parents[1].parent / "secret").write_bytes(b"secret")
    with pytest.raises(Http404):
        ask(name)


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("Mein Lied.mp3", 'attachment; filename="Mein Lied.mp3"'),
        ("Frühling.mp3", "attachment; filename*=utf-8''Fr%C3%BChling.mp3"),
        ("歌.mp3", "attachment; filename*=utf-8''%E6%AD%8C.mp3"),
        ('a"b\\c/d.mp3', 'attachment; filename="a_b_c_d.mp3"'),
        ("a\r\nSet-Cookie: x.mp3", 'attachment; filename="a__Set-Cookie_ x.mp3"'),
        ("\ud800.mp3", 'attachment; filename="_.mp3"'),
        ("", 'attachment; filename="file"'),
    ],
)
def test_a_saved_copy_gets_a_harmless_name(song: Path, filename: str, header: str) -> None:
    assert ask(filename=filename, download=True)["Content-Disposition"] == header


@pytest.mark.parametrize(
    "headers",
    [{}, {"Range": "bytes=0-9"}, {"Range": f"bytes={SIZE}-"}, {"If_None_Match": "*"}, {"method": "HEAD"}],
)
def test_the_file_is_closed_even_if_nobody_reads_it(
    song: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, Any]
) -> None:
    opened: list[Any] = []
    real_open = default_storage.open

    def noting_open(name: str, mode: str = "rb") -> Any:
        opened.append(real_open(name, mode))
        return opened[-1]

    monkeypatch.setattr(default_storage, "open", noting_open)
    response = ask(**headers)
    assert [file.closed for file in opened] == [not response.streaming]
    response.close()
    assert [file.closed for file in opened] == [True]


def test_a_file_is_never_read_into_memory(song: Path) -> None:
    response = ask()
    assert isinstance(response, StreamingHttpResponse)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        sizes = [len(chunk) for chunk in cast("Iterable[bytes]", response)]
        response.close()
        gc.collect()
    assert max(sizes) == 64 * 1024
    assert sum(sizes) == SIZE


@pytest.fixture
def nginx(settings: Settings) -> None:
    settings.MEDIA_ACCEL = "/protected-media/"


@pytest.mark.usefixtures("song", "nginx")
@pytest.mark.parametrize("asked_range", ["", "bytes=0-9"])
def test_nginx_sends_the_file_if_it_is_there(asked_range: str) -> None:
    response = ask(Range=asked_range)
    assert (response.status_code, body(response)) == (200, b"")
    assert response["X-Accel-Redirect"] == "/protected-media/songs/song.mp3"
    assert response["ETag"] == f'"{ETAG}"'
    assert response["Cache-Control"] == "private, max-age=3600"
    assert response["Content-Type"] == "audio/mpeg"
    assert not {"Content-Length", "Accept-Ranges"} & set(response.headers)  # nginx says these itself


@pytest.mark.usefixtures("song", "nginx")
def test_nginx_is_not_asked_for_what_the_browser_has() -> None:
    response = ask(If_None_Match=f'"{ETAG}"')
    assert response.status_code == 304
    assert "X-Accel-Redirect" not in response


@pytest.mark.usefixtures("media", "nginx")
def test_nginx_is_not_asked_for_what_is_gone() -> None:
    with pytest.raises(Http404):
        ask("songs/none.mp3")


@pytest.mark.usefixtures("nginx")
def test_a_name_cannot_lead_nginx_out_of_the_media(media: Path) -> None:
    (media / "a %2e").mkdir()
    (media / "a %2e" / "b?c.mp3").write_bytes(b"x")
    assert ask("a %2e/b?c.mp3")["X-Accel-Redirect"] == "/protected-media/a%20%252e/b%3Fc.mp3"
    with pytest.raises(Http404):
        ask("../secret_key")
