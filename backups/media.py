"""The files of the library on their way into a backup: found in order, read only where they are new."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, Storage, default_storage

from backups.entries import Entry, is_safe
from backups.sealing import Seal
from backups.store import Store
from library.storage import INCOMING

LEFT_OUT = {INCOMING}  # folders


@dataclass(frozen=True, slots=True)
class Found:
    """A file in the library. Size in bytes."""

    name: str
    size: int
    modified_ns: int

    @property
    def key(self) -> list[str]:
        """Return what files are ordered by."""
        return self.name.split("/")


def walk(storage: Storage = default_storage, folder: str = "") -> Iterator[Found]:
    """Find the files of the library, in the order of their folders. Half received ones are left out."""
    # The default storage is a stand-in, which is of no class of its own.
    actual = getattr(storage, "_wrapped", storage)
    if isinstance(actual, FileSystemStorage) or isinstance(storage, FileSystemStorage):
        yield from walk_folder(Path(storage.path("")), folder)
    elif hasattr(storage, "scan"):
        yield from walk_bucket(storage, folder)
    else:
        yield from walk_storage(storage, folder)


def walk_folder(root: Path, folder: str) -> Iterator[Found]:
    """Find the files below a folder of the disk. Links are not followed."""
    try:
        with os.scandir(root / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        try:
            if entry.is_dir(follow_symlinks=False):
                if name not in LEFT_OUT:
                    yield from walk_folder(root, name)
            elif entry.is_file(follow_symlinks=False) and is_safe(name):
                status = entry.stat(follow_symlinks=False)
                yield Found(name, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:  # deleted in this moment
            continue


def walk_bucket(storage: Any, folder: str) -> Iterator[Found]:
    """Find the files below a folder of a bucket, which tells of a thousand at once."""
    folders, files = storage.scan(folder)
    listed = {name: (size, modified) for name, size, modified in files}
    for part in sorted({*folders, *listed}):
        name = f"{folder}/{part}" if folder else part
        if part in listed and is_safe(name):
            size, modified = listed[part]
            yield Found(name, size, round(modified.timestamp() * 1000) * 1_000_000)
        if part in folders and name not in LEFT_OUT:
            yield from walk_bucket(storage, name)


def walk_storage(storage: Storage, folder: str) -> Iterator[Found]:
    """Find the files below a folder of any storage."""
    folders, files = storage.listdir(folder)
    for part in sorted([*folders, *files]):
        name = f"{folder}/{part}" if folder else part
        if part in folders and name not in LEFT_OUT:
            yield from walk_storage(storage, name)
        if part in files and is_safe(name):
            modified = storage.get_modified_time(name).timestamp()
            yield Found(name, storage.size(name), int(modified * 1_000_000) * 1000)


@dataclass
class Gathering:
    """The files of one backup on their way into the store."""

    store: Store
    seal: Seal
    read_files: int = 0
    new_bytes: int = 0

    def gather(self, found: Iterable[Found], known: Iterable[Entry], *, keep_vanished: bool = False) -> Iterator[Entry]:
        """Put what is new into the store, and return an entry for every file.

        A file that is known by name, size and time of its last change, and whose content the store has, is not read.
        Both come in the order of their keys. With `keep_vanished`, what is known stays though its file is gone.
        """
        rest = iter(known)
        next_known = next(rest, None)
        for file in found:
            while next_known is not None and next_known.key < file.key:
                if keep_vanished:
                    yield next_known
                next_known = next(rest, None)
            same = next_known if next_known is not None and next_known.name == file.name else None
            if same is not None:
                next_known = next(rest, None)
            if same is not None and self.is_unchanged(file, same):
                yield same
            elif (entry := self.put(file)) is not None:
                yield entry
            elif same is not None and keep_vanished:
                yield same
        while keep_vanished and next_known is not None:
            yield next_known
            next_known = next(rest, None)

    def is_unchanged(self, file: Found, known: Entry) -> bool:
        """Tell whether the store has the file as it is now, without reading a byte of it."""
        return (file.size, file.modified_ns) == (known.size, known.modified_ns) and self.store.has(
            known.sha256, self.seal.mark, known.stored_size
        )

    def put(self, file: Found) -> Entry | None:
        """Put a file into the store. None if it was deleted meanwhile."""
        try:
            with default_storage.open(file.name, "rb") as source:
                written, is_new = self.store.put(source, self.seal, size=file.size)
        except FileNotFoundError:
            if default_storage.exists(file.name):
                raise
            return None
        self.read_files += 1
        self.new_bytes += written.stored_size if is_new else 0
        return Entry(
            file.name, written.size, file.modified_ns, written.sha256, written.stored_size, written.stored_sha256
        )
