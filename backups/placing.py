"""Files go out of a backup into the library, or from one place of it to another. None is ever overwritten."""

import os
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.translation import gettext as _

from backups.entries import Entry
from backups.errors import DamagedBackupError
from backups.sealing import Seal
from backups.sources import Source
from library.storage import INCOMING


def place(source: Source, seal: Seal, mark: str, entry: Entry) -> None:
    """Put one file out of a backup in its place, whole or not at all, as old as it was.

    Raises:
        DamagedBackupError: the backup does not have it as it was.
    """
    folder = Path(settings.MEDIA_ROOT) / INCOMING
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"restore-{os.getpid()}.part"
    try:
        with part.open("wb") as file, source.open_content(entry.sha256, mark) as stored:
            written = seal.read(stored, file, mark)
        if written.sha256 != entry.sha256:
            raise DamagedBackupError(_("The backup is damaged, or was changed."))
        if isinstance(default_storage, FileSystemStorage):
            final = Path(default_storage.path(entry.name))
            final.parent.mkdir(parents=True, exist_ok=True)
            part.chmod(default_storage.file_permissions_mode or 0o640)
            os.utime(part, ns=(entry.modified_ns, entry.modified_ns))
            part.rename(final)
        else:
            with part.open("rb") as file:
                default_storage.save(entry.name, File(file))
    finally:
        part.unlink(missing_ok=True)


def move(name: str, target: str) -> None:
    """Move a file of the library to another name in it."""
    if isinstance(default_storage, FileSystemStorage):
        path = Path(default_storage.path(target))
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(default_storage.path(name)).rename(path)
        return
    with default_storage.open(name, "rb") as file:
        default_storage.save(target, file)
    default_storage.delete(name)
