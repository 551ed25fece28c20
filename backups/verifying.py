"""A backup that was never restored is a hope: here it is restored into a scratch database, compared, and dropped."""

import gzip
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, connections
from django.utils import timezone
from django.utils.translation import gettext as _

from backups import postgres
from backups.aliases import alias, sqlite_file
from backups.checking import (
    Opened,
    check_content,
    check_sealed,
    contents_damaged,
    open_manifest,
    opened,
    set_aside,
)
from backups.entries import Entry
from backups.errors import BackupError, DamagedBackupError
from backups.making import seal_in_use, store_in_use
from backups.models import Backup, State
from backups.rows import write_rows
from backups.sealing import CHUNK
from backups.sources import FolderSource, Source
from library import holdings

SCRATCH = "scratch"
PREFIX = "macai_verify_"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """What a verification found; `message` is for a person."""

    name: str
    message: str
    rows: int = 0
    files: int = 0


def verify(source: Source, *, is_signed: bool = True, identity: str = "", tell: Tell = lambda _text: None) -> Verified:
    """Restore a backup into a scratch database and compare rows and files with what was written down. Then forget it.

    Raises:
        DamagedBackupError: the backup is damaged. It is not counted as a good one any more.
        BackupError: it could not be verified.
    """
    with store_in_use().lock(shared=True):
        try:
            found = look_at(source, is_signed=is_signed, identity=identity, tell=tell)
        except DamagedBackupError as error:
            judge(source, is_good=False)
            note_failure(source, error.message, state=State.FAILED, message=error.message)
            raise
        except BackupError as error:
            note_failure(source, error.message)
            raise
        except OSError as error:
            message = _("The backup could not be verified: %(why)s.") % {"why": error.strerror or error}
            note_failure(source, message)
            raise BackupError(message) from error
        except Exception as error:
            note_failure(source, _("The verification broke: %(what)s.") % {"what": type(error).__name__})
            raise
        judge(source, is_good=True)
    note(source, state=State.DONE, verified_at=timezone.now(), verify_failed_at=None, verify_message=found.message)
    return found


def judge(source: Source, *, is_good: bool) -> None:
    """Leave what was found beside the backup, for whoever deletes old ones. An archive is only a copy."""
    if isinstance(source, FolderSource):
        source.store.judge(source.name, is_good=is_good)


def note(source: Source, **fields: object) -> None:
    """Write down what was found. Of an archive, nothing: it is only a copy."""
    if isinstance(source, FolderSource):
        Backup.objects.filter(name=source.name).update(**fields)


def note_failure(source: Source, sentence: str, **fields: object) -> None:
    """Write down that it was not found good, when and why, so that somebody is told (macai/health.py)."""
    note(source, verify_failed_at=timezone.now(), verify_message=sentence, **fields)


def look_at(source: Source, *, is_signed: bool, identity: str, tell: Tell) -> Verified:
    """Verify a backup as far as the keys allow."""
    seal = seal_in_use(identity)
    manifest = open_manifest(source, is_signed=is_signed)
    if not seal.can_open(manifest.seal):
        tell(_("Checking the backup ..."))
        check_sealed(source, is_signed=is_signed)
        message = _("What is stored is what was stored. It was not opened, for there is no key: BACKUP_AGE_IDENTITY.")
        return Verified(source.name, message)
    with opened(source, seal, is_signed=is_signed, checks_contents=False, tell=tell) as backup:
        tell(_("Files ..."))
        check_files(backup)
        tell(_("Database ..."))
        with scratch_database(backup) as using:
            if using is None:
                message = _("Rows and files are whole. There was no PostgreSQL to restore its dump into.")
                return Verified(source.name, message, manifest.rows, manifest.files)
            compare_rows(backup, using)
            compare_files(backup, using)
    return Verified(source.name, _("Restored and compared: all is there."), manifest.rows, manifest.files)


def check_files(backup: Opened) -> None:
    """Read every content. A damaged one is set aside, so that the next backup puts it there again."""
    seen: set[bytes] = set()
    damaged = 0
    for entry in backup.entries():
        digest = bytes.fromhex(entry.sha256)
        if digest in seen:
            continue
        seen.add(digest)
        try:
            check_content(backup.source, backup.seal, backup.manifest.seal, entry.sha256)
        except DamagedBackupError:
            damaged += 1
            set_aside(backup.source, entry.sha256, backup.manifest.seal)
    if damaged:
        raise contents_damaged(damaged)


@contextmanager
def scratch_database(backup: Opened) -> Iterator[str | None]:
    """Restore the database's own dump where nobody uses it. None where there is no server that could take it."""
    if backup.manifest.engine == "sqlite":
        path = backup.work / "scratch.sqlite3"
        try:
            with gzip.open(backup.database, "rb") as packed, path.open("wb") as file:
                shutil.copyfileobj(packed, file, CHUNK)
            with closing(sqlite3.connect(path)) as check:
                if check.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    raise DamagedBackupError(_("The database in the backup is damaged."))
        except (sqlite3.DatabaseError, EOFError, gzip.BadGzipFile) as error:
            raise DamagedBackupError(_("The database in the backup is damaged.")) from error
        with alias(SCRATCH, **sqlite_file(str(path))) as using:
            yield using
    elif postgres.is_used():
        with scratch_postgres(backup.database) as name, alias(SCRATCH, NAME=name) as using:
            yield using
    else:
        yield None


@contextmanager
def scratch_postgres(dump: Path) -> Iterator[str]:
    """Make a database on the studio's server, restore into it, and drop it in the end, those of killed ones too."""
    pg_restore = postgres.program("pg_restore")
    name = f"{PREFIX}{uuid.uuid4().hex}"
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        row = cursor.fetchone()
        if not (row and row[0]):
            raise BackupError(
                _("The database's user may not make the scratch database: let it, by ALTER ROLE ... CREATEDB.")
            )
        for left in names_left(cursor):
            cursor.execute(f'DROP DATABASE IF EXISTS "{left}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            command = [pg_restore, "--no-owner", "--no-privileges", f"--dbname={name}", str(dump)]
            try:
                postgres.run(command, database=name)
            except BackupError as error:
                raise DamagedBackupError(error.message) from error
            yield name
        finally:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def names_left(cursor: object) -> list[str]:
    """Return the scratch databases that killed verifications have left, and which nobody uses."""
    cursor.execute(  # type: ignore[attr-defined]  # a cursor
        "SELECT datname FROM pg_database WHERE datname LIKE %s AND pg_catalog.pg_has_role(datdba, 'USAGE')"
        " AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)",
        [PREFIX.replace("_", r"\_") + "%"],
    )
    return [row[0] for row in cursor.fetchall()]  # type: ignore[attr-defined]


def compare_rows(backup: Opened, using: str) -> None:
    """Raise DamagedBackupError if the scratch database does not hold the rows that were counted."""
    try:
        tables = write_rows(using)
    except DatabaseError as error:
        raise BackupError(
            _("The backup was made by another version of Macai (%(version)s): only that one can compare its rows.")
            % {"version": backup.manifest.version}
        ) from error
    wrong = [label for label, table in backup.manifest.tables.items() if tables.get(label) != table]
    if wrong:
        raise DamagedBackupError(
            _("Restored, these rows are not what they were: %(models)s.") % {"models": ", ".join(sorted(wrong))}
        )


def compare_files(backup: Opened, using: str) -> None:
    """Raise DamagedBackupError if rows of the scratch database speak of files that the backup should have but has not.

    Files that the library itself did not have were counted when the backup was made.
    """
    with closing(sqlite3.connect(backup.work / "files.sqlite3", isolation_level=None)) as files:
        files.execute("PRAGMA synchronous=OFF")
        files.execute("CREATE TABLE missing (name TEXT PRIMARY KEY) WITHOUT ROWID")
        files.execute("BEGIN")
        rows = ((held.name,) for held in holdings.everything_held(using))
        files.executemany("INSERT OR IGNORE INTO missing VALUES (?)", rows)
        files.executemany("DELETE FROM missing WHERE name = ?", (name_in(entry) for entry in backup.entries()))
        missing = files.execute("SELECT count(*) FROM missing").fetchone()[0]
        files.execute("COMMIT")
    if missing != backup.manifest.missing:
        raise DamagedBackupError(_("%(count)d files that rows speak of are not in the backup.") % {"count": missing})


def name_in(entry: Entry) -> tuple[str]:
    """Return the parameters that name a file."""
    return (entry.name,)
