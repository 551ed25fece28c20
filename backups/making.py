"""How a backup is made while the studio runs.

The files first, then the database, then the files again. A file is stored before a row speaks of it, and is deleted
only after its row is gone, 30 days after it went to the trash. So each file that a row of the frozen database speaks of
was either there in the first round, and is in the store whatever becomes of it, or is younger than that, and is still
there in the second. What the second round finds missing, the library did not have: it is counted.
"""

import logging
import signal
import sqlite3
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from backups import records
from backups.dumping import SNAPSHOT, Snapshot, frozen
from backups.entries import Entry, packed, read_entries
from backups.errors import BackupError
from backups.manifest import DATABASE, FILES, MANIFEST, OBJECTS, ROWS, SIGNATURE, Manifest, Part, Table, name_of, sign
from backups.media import Gathering, walk
from backups.models import Backup, State
from backups.rows import write_rows
from backups.sealing import Seal, hash_of
from backups.store import Store
from library import holdings
from library.storage import StorageFullError, full_disk_named

logger = logging.getLogger(__name__)

KNOWN = "backup-files.jsonl.gz"  # in DATA_DIR: the last list, so that unchanged files are not read again

Tell = Callable[[str], None]


def version() -> str:
    """Return the version of Macai."""
    with suppress(OSError, KeyError, ValueError):
        return str(
            tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        )
    return "unknown"


def store_in_use() -> Store:
    """Return the folder that the settings name."""
    return Store(settings.BACKUP_DIR)


def seal_in_use(identity: str = "") -> Seal:
    """Return the keys that the settings name."""
    return Seal(settings.BACKUP_AGE_RECIPIENT, identity or settings.BACKUP_AGE_IDENTITY)


def make_backup(
    *, store: Store | None = None, rehash: bool = False, patience: float = 0.0, tell: Tell = lambda _text: None
) -> Backup:
    """Make a backup, then delete what is older than BACKUP_DAYS. `rehash` reads every file again, changed or not.

    Raises:
        BackupError: it failed, or another one is being made. Older backups are untouched.
    """
    store = store or store_in_use()
    seal = seal_in_use()
    seal.check()
    if store.root.resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve()):
        raise BackupError(_("BACKUP_DIR must not lie in the media: backups would hold backups."))
    with store.lock(patience=patience):
        records.end_interrupted()
        store.clear_unfinished()
        backup = Backup.objects.create()
        try:
            with stopped_by_signals(), full_disk_named():
                Making(backup, store, seal, rehash=rehash, tell=tell).run()
        except BaseException as error:
            fail(backup, store, error)
            if isinstance(error, StorageFullError):
                raise BackupError(full_disk_sentence(store)) from error
            if isinstance(error, OSError):
                raise BackupError(_("The backup failed: %(why)s.") % {"why": error.strerror or error}) from error
            raise
        tidy_up(store)
    return backup


def fail(backup: Backup, store: Store, error: BaseException) -> None:
    """Leave nothing behind of a backup that failed but a row that says why."""
    store.clear_unfinished()
    if isinstance(error, StorageFullError):
        message = full_disk_sentence(store)
        with suppress(BackupError):
            store.collect_garbage()  # what it added, so that there is room again
    elif isinstance(error, BackupError):
        message = error.message
    elif isinstance(error, OSError):
        message = str(error.strerror or error)
    elif isinstance(error, Exception):
        logger.error("A backup broke.", exc_info=error)
        message = _("It broke: %(what)s. Older backups are untouched.") % {"what": type(error).__name__}
    else:
        message = _("It was interrupted. Older backups are untouched.")
    with suppress(DatabaseError):
        Backup.objects.filter(pk=backup.pk).update(state=State.FAILED, finished_at=timezone.now(), message=message)


def full_disk_sentence(store: Store) -> str:
    """Return what a person is told when there is no room."""
    return _(
        "The disk with the backups is full (%(folder)s). Older backups are untouched. Make room, or set BACKUP_DIR to "
        "another disk."
    ) % {"folder": store.root}


def tidy_up(store: Store) -> None:
    """Delete what has become too old, and what nothing needs any more. The new backup is whole, whatever this does."""
    try:
        store.prune(settings.BACKUP_DAYS)
        records.reconcile(store)
        store.collect_garbage()
    except (BackupError, OSError, DatabaseError):
        logger.warning("The folder of backups could not be tidied up.", exc_info=True)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM end a backup as Ctrl-C does: with everything cleared away."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass
class Counted:
    """What was counted on the way."""

    files: int = 0
    media_bytes: int = 0
    missing: int = 0


class Making:
    """One backup in the making."""

    def __init__(self, backup: Backup, store: Store, seal: Seal, *, rehash: bool, tell: Tell) -> None:
        self.backup = backup
        self.store = store
        self.seal = seal
        self.rehash = rehash
        self.tell = tell
        self.gathering = Gathering(store, seal)
        self.counted = Counted()
        self.work = store.begin()
        self.scratch = self.work / "scratch"
        self.scratch.mkdir()

    def run(self) -> None:
        """Make it."""
        self.tell(_("Files ..."))
        first = self.scratch / "first.jsonl.gz"
        known = () if self.rehash else read_known()
        with packed(first) as target:
            for entry in self.gathering.gather(walk(), known):
                target.write(entry.line())
        self.tell(_("Database ..."))
        with frozen(self.scratch) as snapshot:
            moment = timezone.now()
            snapshot.dump(self.scratch / DATABASE)
            with packed(self.scratch / ROWS) as target:
                tables = write_rows(SNAPSHOT, target)
            note_held(self.scratch / "held.sqlite3")
            migrations = snapshot.migrations
        self.finish(first, snapshot, moment, tables, migrations)

    def finish(
        self, first: Path, snapshot: Snapshot, moment: datetime, tables: dict[str, Table], migrations: tuple[str, ...]
    ) -> None:
        """Look for what is new since the first round, write the manifest, and make it a backup."""
        self.tell(_("New files ..."))
        self.list_files(self.gathering.gather(walk(), read_entries(first), keep_vanished=True))
        parts = {name: self.seal_part(name) for name in (DATABASE, ROWS, FILES)} | {OBJECTS: self.keep_objects()}
        manifest = Manifest(
            created_at=moment, version=version(), engine=snapshot.engine, server=snapshot.server,
            migrations=migrations, seal=self.seal.mark, parts=parts, tables=tables,
            files=self.counted.files, media_bytes=self.counted.media_bytes, missing=self.counted.missing,
        )  # fmt: skip
        content = manifest.to_bytes()
        name = name_of(content, moment)
        (self.work / MANIFEST).write_bytes(content)
        (self.work / SIGNATURE).write_bytes(sign(content))
        keep_known(self.scratch / FILES)
        for path in self.scratch.iterdir():
            path.unlink()
        self.scratch.rmdir()
        self.store.finish(self.work, name)
        self.record(name, manifest)

    def list_files(self, entries: Iterator[Entry]) -> None:
        """Write the list of all files, and that of the contents they need; count what rows miss."""
        with (
            packed(self.scratch / FILES) as files,
            packed(self.scratch / OBJECTS) as objects,
            closing(sqlite3.connect(self.scratch / "held.sqlite3")) as held,
        ):
            for entry in entries:
                files.write(entry.line())
                objects.write(f"{entry.sha256} {entry.stored_size} {entry.stored_sha256}\n".encode("ascii"))
                held.execute("DELETE FROM held WHERE name = ?", [entry.name])
                self.counted.files += 1
                self.counted.media_bytes += entry.size
            self.counted.missing = held.execute("SELECT count(*) FROM held").fetchone()[0]

    def seal_part(self, name: str) -> Part:
        """Put a part in its place, encrypted if that is wanted."""
        with (self.scratch / name).open("rb") as source, (self.work / name).open("xb") as target:
            written = self.seal.write(source, target)
        self.gathering.new_bytes += written.stored_size
        return Part(written.stored_size, written.stored_sha256)

    def keep_objects(self) -> Part:
        """Put the list of contents in its place: never encrypted, for it says what may be deleted."""
        path = (self.scratch / OBJECTS).rename(self.work / OBJECTS)
        with path.open("rb") as file:
            return Part(path.stat().st_size, hash_of(file))

    def record(self, name: str, manifest: Manifest) -> None:
        """Write down that it is done."""
        fields: dict[str, Any] = {
            "name": name,
            "state": State.DONE,
            "finished_at": timezone.now(),
            "new_bytes": self.gathering.new_bytes,
            "message": missing_sentence(manifest.missing),
            **records.figures(manifest),
        }
        Backup.objects.filter(pk=self.backup.pk).update(**fields)
        self.backup.refresh_from_db()


def missing_sentence(count: int) -> str:
    """Return what is told of files that the library did not have."""
    if not count:
        return ""
    return _("%(count)d files that the database speaks of are not in the library: see manage.py check_library.") % {
        "count": count
    }


def note_held(path: Path) -> None:
    """Write down, outside of our memory, which files the rows of the frozen database speak of."""
    with closing(sqlite3.connect(path, isolation_level=None)) as held:
        held.execute("PRAGMA synchronous=OFF")
        held.execute("CREATE TABLE held (name TEXT PRIMARY KEY) WITHOUT ROWID")
        held.execute("BEGIN")
        rows = ((each.name,) for each in holdings.everything_held(SNAPSHOT))
        held.executemany("INSERT OR IGNORE INTO held VALUES (?)", rows)
        held.execute("COMMIT")


def read_known() -> Iterator[Entry]:
    """Return the list of the last backup; none if it cannot be read, which costs only time."""
    try:
        yield from read_entries(settings.DATA_DIR / KNOWN)
    except BackupError:
        return


def keep_known(path: Path) -> None:
    """Keep the list for the next backup, here beside the library: in the backup it may be encrypted."""
    target = settings.DATA_DIR / KNOWN
    part = target.with_suffix(".new")
    part.write_bytes(path.read_bytes())
    part.replace(target)
