"""The files of the library as a backup lists them: a line each, in the order of their folders, never all in memory."""

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from backups.errors import DamagedBackupError
from backups.manifest import SHA256, matching

NAME_BYTES = 1000  # at most
DIGEST_BYTES = 32  # of SHA-256


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the library, and how its content lies in the store. Sizes in bytes."""

    name: str
    size: int
    modified_ns: int
    sha256: str
    stored_size: int
    stored_sha256: str

    @property
    def key(self) -> list[str]:
        """Return what entries are ordered by."""
        return self.name.split("/")

    def line(self) -> bytes:
        """Return the entry as a line."""
        values = [self.name, self.size, self.modified_ns, self.sha256, self.stored_size, self.stored_sha256]
        return json.dumps(values).encode("ascii") + b"\n"


def is_safe(name: Any) -> bool:
    """Tell whether a name in storage is one below the media, whoever wrote it."""
    if not isinstance(name, str) or not name.isprintable() or len(name.encode("utf-8", "replace")) > NAME_BYTES:
        return False
    if "\\" in name or re.match(r"[A-Za-z]:", name):
        return False
    return all(part not in {"", ".", ".."} for part in name.split("/"))


def read_lines(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Read entries, and believe none of them that could lead out of the media.

    Raises:
        DamagedBackupError: a line is no entry.
    """
    for line in lines:
        try:
            name, size, modified_ns, sha256, stored_size, stored_sha256 = json.loads(line)
            entry = Entry(
                name, int(size), int(modified_ns), matching(SHA256, sha256),
                int(stored_size), matching(SHA256, stored_sha256),
            )  # fmt: skip
        except (ValueError, TypeError, RecursionError) as error:
            raise DamagedBackupError(_("The list of files in the backup cannot be understood.")) from error
        if not is_safe(name):
            raise DamagedBackupError(_("The backup names a file outside of the library: %(name)r.") % {"name": name})
        yield entry


def read_entries(path: Path) -> Iterator[Entry]:
    """Read the entries of a packed list; none if there is no such file.

    Raises:
        DamagedBackupError: the list is damaged.
    """
    try:
        with gzip.open(path, "rb") as file:
            yield from read_lines(file)
    except FileNotFoundError:
        return
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise DamagedBackupError(_("The list of files in the backup is damaged.")) from error


@contextmanager
def packed(path: Path) -> Iterator[IO[bytes]]:
    """Write a packed file, the same for the same content."""
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as file:
        yield file  # type: ignore[misc]  # a GzipFile is as good as an IO


def read_objects(path: Path) -> Iterator[tuple[str, int, str]]:
    """Read which contents a backup needs: the content's SHA-256, and the size and SHA-256 of what lies in the store.

    Raises:
        DamagedBackupError: the list is damaged.
    """
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            for line in file:
                sha256, size, stored = line.split()
                yield matching(SHA256, sha256), int(size), matching(SHA256, stored)
    except (EOFError, OSError, ValueError) as error:
        raise DamagedBackupError(_("The list of contents in the backup is damaged.")) from error


def pair_of(sha256: str, stored_sha256: str) -> bytes:
    """Return a content and how it lies in the store as few bytes, of which memory can hold very many."""
    return bytes.fromhex(sha256) + bytes.fromhex(stored_sha256)
