"""Where a backup is read from: the folder of backups, or one file that was carried away. Nothing is believed yet."""

import re
import tarfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from backups.errors import BackupError, DamagedBackupError
from backups.manifest import MANIFEST, MANIFEST_BYTES, NAME, PARTS, SHA256, SIGNATURE
from backups.store import Store

CONTENT = re.compile(rf"objects/({SHA256.pattern})")


class ContextReader:
    """An open file, or the part of one that is `size` bytes long."""

    def __init__(self, file: IO[bytes], size: int | None = None) -> None:
        self.file = file
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        if self.left is None:
            return self.file.read(size)
        data = self.file.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        return data

    def __enter__(self) -> "ContextReader":
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()


class Source(ABC):
    """A backup to read."""

    name: str

    @abstractmethod
    def open(self, part: str) -> ContextReader:
        """Open the manifest, the signature or a part. Raises DamagedBackupError if it is not there."""

    @abstractmethod
    def open_content(self, sha256: str, mark: str) -> ContextReader:
        """Open the content of a file as it is stored. Raises DamagedBackupError if it is not there."""

    def read_small(self, part: str) -> bytes:
        """Read the manifest or the signature."""
        with self.open(part) as file:
            return file.read(MANIFEST_BYTES)

    def missing(self, what: str) -> DamagedBackupError:
        """Return the error for what is not there."""
        return DamagedBackupError(_("The backup is damaged: %(what)s is missing.") % {"what": what})


class FolderSource(Source):
    """A backup in the folder of backups."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        self.folder = store.folder(name)
        if not self.folder.is_dir():
            raise BackupError(_("There is no backup %(name)s in %(folder)s.") % {"name": name, "folder": store.root})

    def open(self, part: str) -> ContextReader:
        """Open a part."""
        return self._opened(self.folder / part, part)

    def open_content(self, sha256: str, mark: str) -> ContextReader:
        """Open a content."""
        return self._opened(self.store.object_path(sha256, mark), sha256)

    def _opened(self, path: Path, what: str) -> ContextReader:
        try:
            return ContextReader(path.open("rb"))
        except FileNotFoundError as error:
            raise self.missing(what) from error


class ArchiveSource(Source):
    """A backup in one file, which is read where it lies: no name in it ever becomes a name on our disk.

    Raises:
        DamagedBackupError: the file is no archive of ours, or is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[bytes | str, tuple[int, int]] = {}
        self.name = ""
        try:
            with tarfile.open(path, "r:") as tar:
                while (member := tar.next()) is not None:
                    self._note(member)
                    tar.members = []  # type: ignore[attr-defined]  # it would keep all of them in memory
                end = path.stat().st_size
        except FileNotFoundError as error:
            raise BackupError(_("There is no file %(file)s.") % {"file": path}) from error
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise DamagedBackupError(
                _("%(file)s is not an archive of Macai, or is damaged.") % {"file": path}
            ) from error
        if not self.name or any(offset + size > end for offset, size in self.places.values()):
            raise DamagedBackupError(_("The archive %(file)s is cut off.") % {"file": path})

    def _note(self, member: tarfile.TarInfo) -> None:
        folder, _slash, part = member.name.rpartition("/")
        content = CONTENT.fullmatch(member.name)
        if not member.isreg():
            raise ValueError(member.name)
        if content:
            self.places[bytes.fromhex(content[1])] = (member.offset_data, member.size)
        elif NAME.fullmatch(folder) and part in {MANIFEST, SIGNATURE, *PARTS} and self.name in {"", folder}:
            self.name = folder
            self.places[part] = (member.offset_data, member.size)
        else:
            raise ValueError(member.name)

    def open(self, part: str) -> ContextReader:
        """Open a part."""
        return self._opened(part, part)

    def open_content(self, sha256: str, mark: str) -> ContextReader:
        """Open a content."""
        return self._opened(bytes.fromhex(sha256), sha256)

    def _opened(self, key: bytes | str, what: str) -> ContextReader:
        if key not in self.places:
            raise self.missing(what)
        offset, size = self.places[key]
        file = self.path.open("rb")
        file.seek(offset)
        return ContextReader(file, size)


def find_source(store: Store, what: str = "") -> Source:
    """Return a backup by its name or by the path of its archive; without either, the newest in the folder.

    Raises:
        BackupError: there is none.
    """
    if what and not NAME.fullmatch(what):
        return ArchiveSource(Path(what))
    names = [what] if what else store.names()
    if not names:
        raise BackupError(_("There is no backup in %(folder)s.") % {"folder": store.root})
    return FolderSource(store, names[0])
