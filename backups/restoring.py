"""The way back: checked whole, then the files, and last the database in one step, so that a restore is there or not."""

import gzip
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.models import OrmQ

from backups import postgres, records, targets
from backups.aliases import alias, sqlite_file
from backups.checking import Opened, opened
from backups.errors import BackupError, DamagedBackupError
from backups.making import seal_in_use, store_in_use
from backups.manifest import Manifest
from backups.models import Backup
from backups.placing import move, place
from backups.rows import load_rows
from backups.sealing import CHUNK, hash_of
from backups.sources import Source
from jobs import restored
from library.storage import StorageAwayError, StorageFullError, full_disk_named

SCRATCH = "scratch"
SESSIONS = "django_session"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    """What became of a restore."""

    name: str
    manifest: Manifest
    held: int  # jobs that are held, because they may have been paid for after the backup
    replaced_texts: int  # texts with characters that PostgreSQL does not store


def restore(
    source: Source,
    *,
    force: bool = False,
    is_signed: bool = True,
    portable: bool = False,
    release_waiting: bool = False,
    identity: str = "",
    tell: Tell = lambda _text: None,
) -> Restored:
    """Put a backup in place of an empty studio; with `force`, of whatever is there.

    `portable` reads the rows instead of the database's own dump; it is what happens anyway where the backup comes from
    the other kind of database. `release_waiting` lets jobs go on that waited: nothing was submitted after the backup.

    Raises:
        BackupError: it was refused, and nothing was touched; or it failed, and says what to do.
    """
    store = store_in_use()
    with (
        store.lock(shared=True),
        trouble_in_a_sentence(),
        opened(source, seal_in_use(identity), is_signed=is_signed, tell=tell) as backup,
        targets.studio_stopped(tell),
    ):
        native = not portable and backup.manifest.engine == connections["default"].vendor
        targets.must_fit(backup.manifest, exactly=not native)
        if native and postgres.is_used():
            for name in ("pg_restore", "psql"):
                postgres.program(name)  # better missing now than later
        if not force:
            targets.must_be_empty()
        tell(_("Files ..."))
        restore_files(backup)
        tell(_("Database ..."))
        replaced = restore_database(backup, native=native, release_waiting=release_waiting)
    ContentType.objects.clear_cache()
    Backup.objects.running().delete()  # itself, as it was when the database was frozen
    records.reconcile(store)
    return Restored(source.name, backup.manifest, restored.count_held(), replaced)


@contextmanager
def trouble_in_a_sentence() -> Iterator[None]:
    """Say that the disk is full or the files are away, and what that means."""
    try:
        with full_disk_named():
            yield
    except StorageFullError as error:
        message = _(
            "The disk is full, so the restore was given up. Make room and start it again with --force: it goes on."
        )
        raise BackupError(message) from error
    except StorageAwayError as error:
        message = _("%(problem)s The restore was given up. Start it again with --force: it goes on.")
        raise BackupError(message % {"problem": error.message}) from error


# --- Files ---


def restore_files(backup: Opened) -> None:
    """Put every file in its place. One that is there already stays if it is the same, else it is moved aside."""
    aside = f"quarantine/before-restore-{timezone.now():%Y%m%dT%H%M%S}"
    for entry in backup.entries():
        if default_storage.exists(entry.name):
            with default_storage.open(entry.name, "rb") as file:
                if hash_of(file) == entry.sha256:
                    continue
            move(entry.name, f"{aside}/{entry.name}")
        place(backup.source, backup.seal, backup.manifest.seal, entry)
    if hasattr(os, "sync"):
        os.sync()


# --- Database ---


def restore_database(backup: Opened, *, native: bool, release_waiting: bool) -> int:
    """Put the database in place. Return how many texts lost characters that PostgreSQL does not store."""
    now = timezone.now()
    if not native:
        return load_portable(backup, now, release_waiting=release_waiting)
    if postgres.is_used():
        load_postgres(backup, now, release_waiting=release_waiting)
    else:
        load_sqlite(backup, now, release_waiting=release_waiting)
    call_command("migrate", interactive=False, verbosity=0)
    return 0


def settle(connection: BaseDatabaseWrapper, now: datetime, *, release_waiting: bool) -> list[restored.Statement]:
    """Return the SQL without which nobody must see a restored database: nothing is paid twice, nobody is signed in."""
    tables = [OrmQ._meta.db_table, SESSIONS]
    emptied: list[restored.Statement] = [(f"DELETE FROM {connection.ops.quote_name(table)}", []) for table in tables]  # noqa: S608  # our names
    return [*restored.statements(connection, now, release_waiting=release_waiting), *emptied]


def load_sqlite(backup: Opened, now: datetime, *, release_waiting: bool) -> None:
    """Unpack the file beside its place, settle what it holds, and only then give it its name."""
    target = Path(connections["default"].settings_dict["NAME"])
    part = target.with_name(f"{target.name}.restoring")
    try:
        with gzip.open(backup.database, "rb") as packed, part.open("wb") as file:
            shutil.copyfileobj(packed, file, CHUNK)
        with closing(sqlite3.connect(part)) as check:
            if check.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise DamagedBackupError(_("The database in the backup is damaged."))
        with alias(SCRATCH, **sqlite_file(str(part))), transaction.atomic(SCRATCH):
            run_all(connections[SCRATCH], settle(connections[SCRATCH], now, release_waiting=release_waiting))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        set_aside(target, now)
        part.rename(target)
    except (sqlite3.DatabaseError, EOFError, gzip.BadGzipFile) as error:
        raise DamagedBackupError(_("The database in the backup is damaged.")) from error
    finally:
        for path in part.parent.glob(f"{part.name}*"):
            path.unlink()


def set_aside(target: Path, now: datetime) -> Path | None:
    """Give the SQLite database that is there another name, with what belongs to it."""
    connections["default"].close()
    if not target.exists():
        return None
    aside = target.with_name(f"{target.name}.before-restore-{now:%Y%m%dT%H%M%S}")
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            target.with_name(target.name + ending).rename(aside.with_name(aside.name + ending))
    return aside


def load_postgres(backup: Opened, now: datetime, *, release_waiting: bool) -> None:
    """Drop what is there, restore, and settle: one transaction, so that a restore is there or not."""
    connection = connections["default"]
    names = [connection.ops.quote_name(name) for name in connection.introspection.table_names()]
    before, script, after = (backup.work / name for name in ("before.sql", "script.sql", "after.sql"))
    before.write_text("".join(f"DROP TABLE {name} CASCADE;\n" for name in names), encoding="utf-8")
    composed = [
        connection.ops.compose_sql(sql, params)  # type: ignore[attr-defined]  # PostgreSQL's has it
        for sql, params in settle(connection, now, release_waiting=release_waiting)
    ]
    after.write_text("RESET search_path;\n" + "".join(f"{sql};\n" for sql in composed), encoding="utf-8")
    connection.close()
    restore_command = [postgres.program("pg_restore"), "--no-owner", "--no-privileges"]
    psql = postgres.program("psql")
    connection.close()
    postgres.run([*restore_command, f"--file={script}", backup.database])
    postgres.run(
        [
            psql, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
            f"--file={before}", f"--file={script}", f"--file={after}",
        ]
    )  # fmt: skip


def load_portable(backup: Opened, now: datetime, *, release_waiting: bool) -> int:
    """Make the tables, then put the rows into them in one transaction, from whatever database they come."""
    connection = connections["default"]
    aside = set_aside(Path(connection.settings_dict["NAME"]), now) if connection.vendor == "sqlite" else None
    try:
        call_command("migrate", interactive=False, verbosity=0)
        with backup.rows() as lines, transaction.atomic():
            replaced = load_rows(lines, "default")
            run_all(connection, settle(connection, now, release_waiting=release_waiting))
    except BaseException as error:
        if aside is not None:
            connection.close()
            aside.rename(connection.settings_dict["NAME"])
        if isinstance(error, IntegrityError | DatabaseError):
            message = _("The rows of the backup do not fit: %(why)s") % {"why": str(error).splitlines()[0]}
            raise BackupError(message) from error
        raise
    return replaced


def run_all(connection: BaseDatabaseWrapper, statements: list[restored.Statement]) -> None:
    """Run SQL in the caller's transaction."""
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
