"""Where files live: they come in under a temporary name, are checked, and get their own name only when whole."""

import errno
import hashlib
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.translation import gettext as _

from library.kinds import is_of_kind, read_zip_directory

logger = logging.getLogger(__name__)

Kind = Literal["mp3", "flac", "wav", "zip", "png", "jpeg", "webp"]

INCOMING = "incoming"
# Kept free for the database and the logs, which share the disk of a small server.
RESERVE_BYTES = 32 * 1024 * 1024


class StorageFullError(Exception):
    """There is no room for the file. `message` is one plain sentence."""

    def __init__(self) -> None:
        self.message = _("The disk is full: there is no room for the file.")
        super().__init__(self.message)


class StorageAwayError(OSError):
    """The files cannot be had or kept now, wherever they lie; none of them is lost. Its text is no sentence yet."""

    @property
    def message(self) -> str:
        """Return one plain sentence."""
        return _("The files are away: %(why)s.") % {"why": self.strerror}


class DamagedFileError(Exception):
    """What came is not what was announced. `message` is one plain sentence."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is safely there: its name in the storage, its size in bytes, its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


def store(
    chunks: Iterable[bytes],
    *,
    folder: str,
    suffix: str,
    kind: Kind,
    expected_length: int | None = None,
    max_bytes: int,
    on_progress: Callable[[int], None] | None = None,
) -> Stored:
    """Take a file in and put it at `<folder>/<2 hex>/<uuid>.<suffix>`; lengths in bytes.

    `on_progress` is told the number of bytes so far, after every chunk. Raises StorageFullError, StorageAwayError or
    DamagedFileError; what `chunks` or `on_progress` raise passes through. On any error nothing is left behind.
    """
    if not re.fullmatch(r"[a-z0-9_-]+(/[a-z0-9_-]+)*", folder) or not re.fullmatch(r"[a-z0-9]+", suffix):
        raise ValueError("folder and suffix are plain lower-case names")
    with full_disk_named():
        part = _incoming() / f"{uuid.uuid4().hex}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        if expected_length is not None and shutil.disk_usage(part.parent).free < expected_length + RESERVE_BYTES:
            raise StorageFullError
        try:
            size, sha256 = _receive(chunks, part, min(max_bytes, expected_length or max_bytes), on_progress)
            _check(part, size, kind, expected_length)
            identifier = uuid.uuid4().hex
            name = _place(part, f"{folder}/{identifier[:2]}/{identifier}.{suffix}")
        finally:
            part.unlink(missing_ok=True)
    return Stored(name=name, size=size, sha256=sha256)


def has_room(size: int) -> bool:
    """Tell whether the disk has room for that many bytes beside its reserve."""
    folder = _incoming()
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free >= size + RESERVE_BYTES


def check_reachable() -> None:
    """Look whether files can be had, for who must not begin what it could not end. Raises StorageAwayError."""
    default_storage.exists(INCOMING)


def delete(names: Iterable[str]) -> None:
    """Delete files from the storage. Those that are gone already, and empty names, are passed over.

    What cannot be deleted now stays and belongs to no row: who deletes is done with it, and check_library finds it.
    """
    for name in names:
        if name:
            try:
                default_storage.delete(name)
            except StorageAwayError as error:
                logger.warning("%s was not deleted: %s", name, error)


def remove_stale_parts(older_than: timedelta) -> int:
    """Remove what killed processes left half received, if nobody has written to it for `older_than`; say how many."""
    limit = time.time() - older_than.total_seconds()
    removed = 0
    for part in _incoming().glob("*.part"):
        try:
            if part.stat().st_mtime < limit:
                part.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed


def list_zip(name: str) -> list[tuple[str, int]]:
    """List the files in a stored archive, at most 200, as (name, size in bytes). Names are for display only.

    Raises DamagedFileError, and FileNotFoundError if the archive is gone.
    """
    with default_storage.open(name, "rb") as file:
        entries = read_zip_directory(file)
    if entries is None:
        raise DamagedFileError(_("The archive cannot be read."))
    return entries


@contextmanager
def full_disk_named() -> Iterator[None]:
    """Turn the system's word for a full disk into StorageFullError."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFullError from error
        raise


def _incoming() -> Path:
    """Give the folder for half files: on the media's own disk, so that the last step is a rename."""
    if isinstance(default_storage, FileSystemStorage):
        return Path(default_storage.path(INCOMING))
    return Path(settings.MEDIA_ROOT) / INCOMING


def _receive(
    chunks: Iterable[bytes], part: Path, most: int, on_progress: Callable[[int], None] | None
) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with part.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise DamagedFileError(_("The file is longer than announced or allowed."))
            file.write(chunk)
            digest.update(chunk)
            if on_progress is not None:
                on_progress(size)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _check(part: Path, size: int, kind: Kind, expected_length: int | None) -> None:
    if size == 0:
        raise DamagedFileError(_("The file is empty."))
    if expected_length is not None and size != expected_length:
        raise DamagedFileError(_("The file is shorter than announced."))
    with part.open("rb") as file:
        if not is_of_kind(file, kind):
            raise DamagedFileError(_("The file is not the %(kind)s file it should be.") % {"kind": kind})


def _place(part: Path, name: str) -> str:
    if not isinstance(default_storage, FileSystemStorage):
        with part.open("rb") as file:
            return default_storage.save(name, File(file))
    final = Path(default_storage.path(name))
    final.parent.mkdir(parents=True, exist_ok=True)
    if default_storage.file_permissions_mode is not None:
        part.chmod(default_storage.file_permissions_mode)
    part.rename(final)
    # A rename survives a power cut only when the folders that lead to it are written too.
    root = Path(default_storage.location)
    for folder in final.parents:
        _fsync_folder(folder)
        if folder == root:
            break
    return name


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
