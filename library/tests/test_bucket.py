"""Media in a bucket: what goes in, comes out whole and in part; and what goes wrong is told as by a disk."""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404
from django.test import RequestFactory
from pytest_django import Settings

from library import storage
from library.serving import serve_file
from library.storage import DamagedFileError, StorageAwayError, StorageFullError
from library.tests.buckets import Bucket, use

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media", "bucket")]

SONG = b"ID3" + bytes(range(256)) * 4096 * 8  # 8 MB
MEGABYTE = 1024 * 1024


def take_in(content: bytes = SONG) -> storage.Stored:
    return storage.store([content], folder="songs", suffix="mp3", kind="mp3", max_bytes=len(content))


def ask(name: str, method: str = "GET", **headers: str) -> Any:
    request = RequestFactory().generic(method, "/", headers={key.replace("_", "-"): it for key, it in headers.items()})
    return serve_file(request, name, content_type="audio/mpeg", etag="ab" * 32, filename="song.mp3")


def body(response: Any) -> bytes:
    content = b"".join(cast("Iterable[bytes]", response))
    response.close()
    return content


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_a_file_is_kept_in_the_bucket_alone_and_for_the_studio_alone(bucket: Bucket, media: Path) -> None:
    stored = take_in()
    assert (stored.size, stored.sha256) == (len(SONG), hashlib.sha256(SONG).hexdigest())
    assert bucket.keys == [f"media/{stored.name}"]
    assert files(media) == []
    put = bucket.verbs("PUT")[0]
    assert base64.b64decode(put.headers["HTTP_CONTENT_MD5"]) == hashlib.md5(SONG).digest()  # the bucket compares it
    assert not [name for name in put.headers if "ACL" in name or "GRANT" in name]
    grants = bucket.client().get_object_acl(Bucket=bucket.name, Key=f"media/{stored.name}")["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]
    with default_storage.open(stored.name) as file:
        assert hashlib.sha256(file.read()).hexdigest() == stored.sha256


def test_a_damaged_file_is_not_sent_to_the_bucket(bucket: Bucket) -> None:
    with pytest.raises(DamagedFileError):
        take_in(b"<html>")
    assert bucket.asked == []


def test_a_name_that_is_taken_is_not_overwritten() -> None:
    names = [default_storage.save("songs/aa/x.mp3", ContentFile(content)) for content in (b"1", b"2")]
    assert names[0] != names[1]
    assert [default_storage.open(name).read() for name in names] == [b"1", b"2"]


def test_a_whole_file_is_one_request_for_its_bytes(bucket: Bucket) -> None:
    name = take_in().name
    bucket.forget()
    response = ask(name)
    assert (response.status_code, response["Content-Length"]) == (200, str(len(SONG)))
    assert max(map(len, chunks := list(response))) == 64 * 1024
    assert b"".join(chunks) == SONG
    response.close()
    assert [each.method for each in bucket.asked] == ["HEAD", "GET"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 0), ("bytes=-1", len(SONG) - 1, len(SONG) - 1), ("bytes=5000000-5000999", 5_000_000, 5_000_999)],
)
def test_of_a_range_the_bucket_is_asked_for_that_range_alone(bucket: Bucket, asked: str, start: int, end: int) -> None:
    name = take_in().name
    bucket.forget()
    response = ask(name, Range=asked)
    assert (response.status_code, body(response)) == (206, SONG[start : end + 1])
    assert response["Content-Range"] == f"bytes {start}-{end}/{len(SONG)}"
    assert [each.range for each in bucket.verbs("GET")] == [f"bytes={start}-{end}"]
    assert bucket.sent == end - start + 1


def test_a_player_that_jumps_away_leaves_the_rest_in_the_bucket(bucket: Bucket) -> None:
    song = SONG * 5
    name = take_in(song).name
    bucket.forget()
    response = ask(name, Range="bytes=0-")
    assert next(iter(response)) == song[: 64 * 1024]
    response.close()
    assert bucket.sent < len(song) / 2  # what lies in the sockets' buffers is gone, the rest never left


def test_what_the_browser_has_or_cannot_get_is_not_read(bucket: Bucket) -> None:
    name = take_in().name
    bucket.forget()
    head = ask(name, method="HEAD")
    assert (head.status_code, head["Content-Length"], body(head)) == (200, str(len(SONG)), b"")
    assert ask(name, If_None_Match=f'"{"ab" * 32}"').status_code == 304
    outside = ask(name, Range=f"bytes={len(SONG)}-")
    assert (outside.status_code, outside["Content-Range"]) == (416, f"bytes */{len(SONG)}")
    assert bucket.verbs("GET") == []


def test_a_stream_that_breaks_is_taken_up_where_it_broke(bucket: Bucket) -> None:
    name = take_in().name
    bucket.forget()
    bucket.break_after = 3 * MEGABYTE
    assert body(ask(name)) == SONG
    first, second = bucket.verbs("GET")
    assert first.range == f"bytes=0-{len(SONG) - 1}"
    assert 0 < int(second.range.removeprefix("bytes=").partition("-")[0]) <= 3 * MEGABYTE


@pytest.mark.parametrize("name", ["songs/gone.mp3", "songs", "../secret", "/etc/passwd", "songs/../../x"])
def test_a_missing_or_hostile_name_is_not_found(bucket: Bucket, name: str) -> None:
    take_in()
    bucket.client().put_object(Bucket=bucket.name, Key="secret", Body=b"x")
    with pytest.raises(Http404):
        ask(name)


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(bucket: Bucket) -> None:
    name = take_in().name
    storage.delete([name, name, "", "songs/aa/never-there.mp3"])
    assert bucket.keys == []
    assert not default_storage.exists(name)
    with pytest.raises(FileNotFoundError):
        default_storage.open(name)


TROUBLE = {
    "its server has a problem": ((500, "InternalError"), "the bucket has a problem (HTTP 500)"),
    "it is told to slow down": ((503, "SlowDown"), "the bucket has a problem (HTTP 503)"),
    "the key is refused": ((403, "AccessDenied"), "the bucket does not let us in"),
    "there is none": ((404, "NoSuchBucket"), "there is no such bucket"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_bucket_in_trouble_is_no_missing_file(bucket: Bucket, media: Path, trouble: str) -> None:
    name = take_in().name
    bucket.refuse, why = TROUBLE[trouble]
    for attempt in (
        take_in,
        storage.check_reachable,
        lambda: ask(name),
        lambda: default_storage.exists(name),
        lambda: default_storage.delete(name),
        lambda: default_storage.listdir("songs"),
    ):
        with pytest.raises(StorageAwayError) as caught:
            attempt()
        assert caught.value.message == f"The files are away: {why}."
    storage.delete([name])  # is passed over, and told to the log
    bucket.refuse = None
    assert bucket.keys == [f"media/{name}"]
    assert files(media) == []


def test_a_server_that_is_not_there_is_told_at_once(bucket: Bucket, settings: Settings) -> None:
    use(bucket, settings, endpoint_url="http://127.0.0.1:9")
    with pytest.raises(StorageAwayError, match="does not answer"):
        take_in()
    with pytest.raises(StorageAwayError, match="does not answer"):
        ask("songs/aa/x.mp3")


def test_a_bucket_that_is_really_missing_is_told_from_a_missing_file(bucket: Bucket, settings: Settings) -> None:
    use(bucket, settings, bucket_name="never-made")
    with pytest.raises(StorageAwayError, match="no such bucket"):
        ask("songs/aa/x.mp3")


@pytest.mark.parametrize("said", [(507, "InsufficientStorage"), (400, "XMinioStorageFull"), (403, "QuotaExceeded")])
def test_a_full_bucket_is_named_and_leaves_nothing_behind(bucket: Bucket, media: Path, said: tuple[int, str]) -> None:
    bucket.refuse, bucket.refused_methods = said, "PUT"
    with pytest.raises(StorageFullError):
        take_in()
    bucket.refuse = None
    assert (bucket.keys, files(media)) == ([], [])


def test_an_upload_whose_answer_was_lost_is_taken_back(
    bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(bucket, settings, seconds=(1, 1))
    real = bucket.app

    def arrives_and_says_nothing(environ: dict[str, Any], start_response: Any) -> Any:
        answer = real(environ, start_response)
        if environ["REQUEST_METHOD"] == "PUT":
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(bucket, "app", arrives_and_says_nothing)
    with pytest.raises(StorageAwayError):
        take_in()
    assert bucket.keys == []


def test_a_folder_is_listed_with_sizes_and_times(bucket: Bucket) -> None:
    for name in ("songs/aa/1.mp3", "songs/2.mp3", "images/bb/3.png"):
        default_storage.save(name, ContentFile(b"12345"))
    assert default_storage.listdir("") == (["images", "songs"], [])
    folders, found = default_storage.scan("songs")  # type: ignore[attr-defined]
    assert (folders, [(name, size) for name, size, _modified in found]) == (["aa"], [("2.mp3", 5)])
    assert found[0][2] == default_storage.get_modified_time("songs/2.mp3")
