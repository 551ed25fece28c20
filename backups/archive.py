"""A backup as one file: a tar with everything in it, to be carried away. It is read where it lies, never unpacked."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from backups.entries import read_objects
from backups.errors import BackupError
from backups.manifest import MANIFEST, OBJECTS, SIGNATURE, Manifest
from backups.store import Store, fsync
from library.storage import StorageFullError, full_disk_named


def write_archive(store: Store, name: str, target: Path) -> int:
    """Write a backup of the folder, with all the contents it needs, to one file. Return its size in bytes.

    Raises:
        BackupError: it cannot be written, or something is missing in the folder.
    """
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        with store.lock(shared=True), full_disk_named():
            manifest = store.manifest(name)
            with part.open("xb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                for path, member in members(store, name, manifest):
                    add(tar, path, member)
            fsync(part)
            part.replace(target)
    except StorageFullError as error:
        raise BackupError(_("The disk is full: there is no room for the archive.")) from error
    except OSError as error:
        message = _("The archive cannot be written: %(why)s.") % {"why": error.strerror or error}
        raise BackupError(message) from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def members(store: Store, name: str, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Return every file that belongs to a backup, and its name in the archive; each content once."""
    folder = store.folder(name)
    for part in (MANIFEST, SIGNATURE, *sorted(manifest.parts)):
        yield folder / part, f"{name}/{part}"
    seen: set[bytes] = set()
    for sha256, _size, _stored in read_objects(folder / OBJECTS):
        digest = bytes.fromhex(sha256)
        if digest not in seen:
            seen.add(digest)
            yield store.object_path(sha256, manifest.seal), f"objects/{sha256}"


def add(tar: tarfile.TarFile, path: Path, member: str) -> None:
    """Add one file, without saying whose it was."""
    info = tarfile.TarInfo(member)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        info.size, info.mtime, info.mode = status.st_size, int(status.st_mtime), 0o600
        tar.addfile(info, file)
    tar.members = []  # type: ignore[attr-defined]  # it would keep all of them in memory
