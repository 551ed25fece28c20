"""Files come in whole, of the right kind, or not at all."""

import errno
import hashlib
import io
import os
import shutil
import stat
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage, default_storage

from library import kinds, storage
from library.storage import DamagedFileError, StorageFullError, Stored, delete, list_zip, remove_stale_parts, store

FLAC = b"fLaC" + b"\x00" * 500
MP3 = b"\xff\xfb\x90\x64" + b"\x00" * 400
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 40


def make_zip(entries: int = 2) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.mkdir("stems")
        for number in range(entries):
            archive.writestr(f"stems/{number}.wav", b"x" * number)
    return content.getvalue()


def take_in(content: bytes = FLAC, **overrides: Any) -> Stored:
    chunks = [content[start : start + 100] for start in range(0, len(content), 100)]
    options: dict[str, Any] = {"folder": "songs", "suffix": "flac", "kind": "flac", "max_bytes": 100_000} | overrides
    return store(options.pop("chunks", chunks), **options)


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(FLAC, "flac"), (MP3, "mp3"), (b"ID3\x04" + b"\x00" * 50, "mp3"), (WAV, "wav"), (make_zip(), "zip")],
)
def test_a_file_is_kept_whole_under_a_name_of_its_own(media: Path, content: bytes, kind: str) -> None:
    progress: list[int] = []
    stored = take_in(
        content, kind=kind, suffix=kind, folder="songs/files", expected_length=len(content), on_progress=progress.append
    )
    assert (stored.size, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    path = media / stored.name
    assert path.read_bytes() == content
    assert path.parent.parent == media / "songs/files"
    assert (len(path.parent.name), path.stem[:2], path.suffix) == (2, path.parent.name, f".{kind}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert files(media) == [path]
    assert progress[-1] == len(content)
    assert take_in(content, kind=kind).name != stored.name


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"<html>Not found</html>", {}),
        (b"<html>Not found</html>", {"kind": "mp3"}),
        (b"", {}),
        (FLAC, {"kind": "mp3"}),
        (FLAC, {"kind": "wav"}),
        (FLAC, {"kind": "zip"}),
        (MP3, {}),
        (b"\xff\xff\xff\xff" * 10, {"kind": "mp3"}),
        (b"\xff\xfb\x00\x00" * 10, {"kind": "mp3"}),
        (b"\xff\xfb", {"kind": "mp3"}),
        (b"RIFF\x24\x00\x00\x00AVI " + b"\x00" * 40, {"kind": "wav"}),
        (b"PK\x03\x04" + b"\x00" * 40, {"kind": "zip"}),
        (make_zip()[:-30], {"kind": "zip"}),
        (FLAC, {"expected_length": len(FLAC) + 1}),
        (FLAC, {"expected_length": len(FLAC) - 1}),
        (FLAC, {"max_bytes": len(FLAC) - 1}),
    ],
)
def test_a_damaged_file_leaves_nothing_behind(media: Path, content: bytes, options: dict[str, Any]) -> None:
    with pytest.raises(DamagedFileError) as caught:
        take_in(content, **options)
    assert caught.value.message.endswith(".")
    assert files(media) == []


def test_too_long_a_file_is_given_up_at_once(media: Path) -> None:
    def endless() -> Iterator[bytes]:
        yield FLAC
        for _ in range(10):
            yield b"\x00" * 1000
        raise AssertionError("read on")

    with pytest.raises(DamagedFileError):
        take_in(chunks=endless(), max_bytes=5000)


def test_a_broken_source_leaves_nothing_behind(media: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield FLAC
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        take_in(chunks=broken())
    assert files(media) == []


@pytest.mark.parametrize("place", ["os.fsync", "pathlib.Path.mkdir", "pathlib.Path.rename", "pathlib.Path.open"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_leaves_nothing_behind(
    media: Path, monkeypatch: pytest.MonkeyPatch, place: str, code: int
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(place, full)
    with pytest.raises(StorageFullError) as caught:
        take_in()
    assert caught.value.message == "The disk is full: there is no room for the file."
    assert files(media) == []


def test_another_disk_error_is_not_called_full(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        take_in()
    assert files(media) == []


def test_a_file_that_cannot_fit_is_not_even_begun(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = storage.RESERVE_BYTES + len(FLAC)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: shutil._ntuple_diskusage(free, 0, free))
    assert take_in(expected_length=len(FLAC)).size == len(FLAC)

    def unasked() -> Iterator[bytes]:
        yield pytest.fail("read")

    with pytest.raises(StorageFullError):
        take_in(chunks=unasked(), expected_length=len(FLAC) + 1)


@pytest.mark.parametrize("folder", ["..", "/etc", "a/../b", "", "A b", "a\x00"])
def test_a_hostile_folder_is_refused(media: Path, folder: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        take_in(folder=folder)
    with pytest.raises(ValueError, match="plain"):
        take_in(suffix=f"{folder}/")
    assert list(media.iterdir()) == []


def test_another_storage_gets_the_file_only_when_it_is_whole(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = InMemoryStorage()
    monkeypatch.setattr(storage, "default_storage", elsewhere)
    stored = take_in()
    with elsewhere.open(stored.name) as file:
        assert file.read() == FLAC
    with pytest.raises(DamagedFileError):
        take_in(MP3)
    assert elsewhere.listdir("songs")[0] == [stored.name.split("/")[1]]
    assert files(media) == []


def test_deleting_what_is_gone_is_no_error(media: Path) -> None:
    stored = take_in()
    delete([stored.name, stored.name, "", "songs/aa/never-there.flac"])
    assert files(media) == []


def test_only_parts_that_nobody_writes_to_are_removed(media: Path) -> None:
    assert remove_stale_parts(timedelta(hours=1)) == 0
    incoming = media / storage.INCOMING
    incoming.mkdir()
    for name, age in (("old.part", 7200), ("new.part", 60), ("old.txt", 7200)):
        (incoming / name).write_bytes(b"x")
        os.utime(incoming / name, (time.time() - age,) * 2)
    assert remove_stale_parts(timedelta(hours=1)) == 1
    assert {path.name for path in incoming.iterdir()} == {"new.part", "old.txt"}


def test_an_archive_is_listed_without_folders(media: Path) -> None:
    stored = take_in(make_zip(3), kind="zip", suffix="zip")
    assert list_zip(stored.name) == [("stems/0.wav", 0), ("stems/1.wav", 1), ("stems/2.wav", 2)]


def test_the_list_of_an_archive_is_bounded(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = take_in(make_zip(300), kind="zip", suffix="zip")
    assert len(list_zip(stored.name)) == 200
    monkeypatch.setattr(kinds, "ZIP_DIRECTORY_BYTES", 1000)
    monkeypatch.setattr("zipfile.ZipFile", None)  # the directory is not even read
    with pytest.raises(DamagedFileError):
        list_zip(stored.name)


def test_what_is_no_archive_is_not_listed(media: Path) -> None:
    stored = take_in()
    with pytest.raises(DamagedFileError):
        list_zip(stored.name)
    with pytest.raises(FileNotFoundError):
        list_zip("songs/aa/gone.zip")
    assert default_storage.exists(stored.name)
