"""The folder of backups: each content of a file once, under its hash; each backup a folder of its own.

objects/ab/<sha256>[.age-<key>]     contents of the library's files, shared by all backups
20261125T033000.123456Z-<hash>/         a backup: manifest, signature and parts; it gets its name only when whole
    verified, damaged                   what its last verification found: an empty file, as old as that
.making-...                         one that is being made, or was interrupted
"""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from django.utils.translation import gettext as _

from backups.entries import pair_of, read_objects
from backups.errors import BackupError, DamagedBackupError
from backups.manifest import MANIFEST, MANIFEST_BYTES, NAME, OBJECTS, SIGNATURE, Manifest, read_manifest
from backups.sealing import Reader, Seal, Written, hash_of
from library.storage import RESERVE_BYTES, StorageFullError

VERIFIED, DAMAGED = "verified", "damaged"
MAKING, INCOMING = ".making-", ".incoming"
OBJECT = re.compile(r"([0-9a-f]{64})(?:\.(age-[0-9a-f]{8}))?")


class Store:
    """A folder of backups."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "objects"

    # --- One at a time ---

    @contextmanager
    def lock(self, *, shared: bool = False, patience: float = 0.0) -> Iterator[None]:
        """Hold the folder: alone to change it, shared to read it. It ends with the process, however that goes.

        Raises:
            BackupError: somebody else holds it, for longer than `patience` seconds; or there is no such folder.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise BackupError(
                _("The folder of backups %(folder)s cannot be used: %(why)s.")
                % {"folder": self.root, "why": error.strerror}
            ) from error
        try:
            give_up_at = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= give_up_at:
                        raise BackupError(_("A backup is being made or checked already. Try again later.")) from None
                    time.sleep(0.5)
            yield
        finally:
            os.close(descriptor)

    # --- Backups ---

    def names(self) -> list[str]:
        """Return the names of the whole backups, the newest first."""
        try:
            found = [path.name for path in self.root.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def folder(self, name: str) -> Path:
        """Return where a backup lies."""
        if not NAME.fullmatch(name):
            raise BackupError(_("%(name)s is not the name of a backup.") % {"name": name})
        return self.root / name

    def manifest(self, name: str, *, is_signed: bool = False) -> Manifest:
        """Return what a backup is.

        Raises:
            DamagedBackupError: it is not there whole.
        """
        folder = self.folder(name)
        try:
            with (folder / MANIFEST).open("rb") as file:
                content = file.read(MANIFEST_BYTES)
            signature = (folder / SIGNATURE).read_bytes() if is_signed else b""
        except OSError as error:
            raise DamagedBackupError(_("The backup %(name)s has no manifest.") % {"name": name}) from error
        return read_manifest(content, name=name, signature=signature, is_signed=is_signed)

    def begin(self) -> Path:
        """Make the folder of a new backup, which is none yet."""
        return Path(tempfile.mkdtemp(prefix=MAKING, dir=self.root))

    def finish(self, folder: Path, name: str) -> None:
        """Make the folder a backup: all of it is on the disk before it gets its name."""
        for path in folder.iterdir():
            fsync(path)
        fsync(folder)
        folder.rename(self.root / name)
        fsync(self.root)

    def judge(self, name: str, *, is_good: bool) -> None:
        """Leave beside a backup what a verification found. A folder that cannot be written stays as it is."""
        found, other = (VERIFIED, DAMAGED) if is_good else (DAMAGED, VERIFIED)
        with suppress(OSError):
            (self.folder(name) / other).unlink(missing_ok=True)
            (self.folder(name) / found).touch()

    def judged_at(self, name: str, verdict: str) -> datetime | None:
        """Return when the last verification found a backup VERIFIED, or DAMAGED; None if it did not."""
        try:
            return datetime.fromtimestamp((self.folder(name) / verdict).stat().st_mtime, UTC)
        except OSError:
            return None

    def clear_unfinished(self) -> None:
        """Remove what interrupted backups have left. Only for who holds the lock."""
        for path in self.root.glob(f"{MAKING}*"):
            shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(self.root / INCOMING, ignore_errors=True)

    # --- Contents ---

    def object_path(self, sha256: str, mark: str) -> Path:
        """Return where a content lies."""
        return self.objects / sha256[:2] / (f"{sha256}.{mark}" if mark else sha256)

    def has(self, sha256: str, mark: str, stored_size: int) -> bool:
        """Tell whether a content is there, as long as it should be. Its bytes are not read."""
        try:
            return self.object_path(sha256, mark).stat().st_size == stored_size
        except OSError:
            return False

    def put(self, source: Reader, seal: Seal, *, size: int) -> tuple[Written, bool]:
        """Take a content in, about `size` bytes long. Return what it is, and whether it was new.

        It is whole and on the disk when it gets its name; one that is there already is not written again.

        Raises:
            StorageFullError: there is no room for it.
        """
        incoming = self.root / INCOMING
        incoming.mkdir(exist_ok=True, mode=0o700)
        if shutil.disk_usage(self.root).free < size + RESERVE_BYTES:
            raise StorageFullError
        with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as file:
            part = Path(file.name)
            try:
                written = seal.write(source, file)
                known = self.known(written, seal.mark)
                if known is None:
                    file.flush()
                    os.fsync(file.fileno())
                    final = self.object_path(written.sha256, seal.mark)
                    final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    part.rename(final)
                    if seal.mark:
                        self.believed.add(pair_of(written.sha256, written.stored_sha256))
            finally:
                part.unlink(missing_ok=True)
        return known or written, known is None

    def known(self, written: Written, mark: str) -> Written | None:
        """Return a content as it lies there already; None if it does not, or is damaged.

        An encrypted one comes out differently each time; the one that is there stays, for older backups name it. What
        they say of it tells whether it is damaged: one that none of them has listed as it is, is not believed.
        """
        try:
            with self.object_path(written.sha256, mark).open("rb") as file:
                stored_sha256 = hash_of(file)
                size = file.tell()
        except FileNotFoundError:
            return None
        is_whole = pair_of(written.sha256, stored_sha256) in self.believed if mark else stored_sha256 == written.sha256
        if not is_whole:
            return None
        return replace(written, stored_size=size, stored_sha256=stored_sha256)

    @cached_property
    def believed(self) -> set[bytes]:
        """Return how contents may lie here: as a backup lists them, or as they were put here since the first look."""
        return self.listed()

    def listed(self) -> set[bytes]:
        """Return which contents the backups list, and how these lie here. A list that cannot be read says nothing."""
        pairs: set[bytes] = set()
        for name in self.names():
            with suppress(DamagedBackupError):
                pairs.update(
                    pair_of(sha256, stored) for sha256, _size, stored in read_objects(self.root / name / OBJECTS)
                )
        return pairs

    def set_aside(self, sha256: str, mark: str) -> None:
        """Give a damaged content another name, so that the next backup puts it there again."""
        path = self.object_path(sha256, mark)
        with suppress(OSError):
            path.rename(path.with_name(f"{path.name}.damaged"))

    # --- Tidying up. Only for who holds the lock alone. ---

    def prune(self, days: int, *, now: datetime | None = None) -> list[str]:
        """Delete backups older than `days`. Return their names.

        The newest one that is whole, and was not found damaged, is never deleted; nor is the newest that a verification
        found good. If all that are whole were found damaged, the newest of these is kept.
        """
        limit = (now or datetime.now(UTC)) - timedelta(days=days)
        names = self.names()
        whole = [name for name in names if self.is_whole(name)]
        good = [name for name in whole if not self.judged_at(name, DAMAGED)]
        verified = [name for name in good if self.judged_at(name, VERIFIED)]
        kept = {*(good or whole)[:1], *verified[:1]}
        old = [name for name in names if name not in kept and began_at(name) < limit]
        for name in old:
            # It loses its name first: half deleted, it must not be taken for a backup.
            doomed = self.root / f"{MAKING}doomed-{name}"
            (self.root / name).rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        return old

    def is_whole(self, name: str) -> bool:
        """Tell whether a backup has its manifest and its parts, by their sizes."""
        try:
            manifest = self.manifest(name)
            return all((self.root / name / part).stat().st_size == said.size for part, said in manifest.parts.items())
        except (OSError, BackupError):
            return False

    def collect_garbage(self) -> int:
        """Delete contents that no backup names. Return how many bytes that freed.

        If any backup's list cannot be read, nothing is deleted: it may name them.
        """
        named: set[bytes] = set()
        for name in self.names():
            named.update(bytes.fromhex(sha256) for sha256, _size, _stored in read_objects(self.root / name / OBJECTS))
        freed = 0
        for path in self.objects.glob("??/*"):
            match = OBJECT.fullmatch(path.name)
            if match and bytes.fromhex(match[1]) not in named:
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
        return freed


def began_at(name: str) -> datetime:
    """Return when a backup was begun, by its name."""
    return datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)


def fsync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
