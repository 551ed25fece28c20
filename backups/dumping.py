"""The database at one moment: frozen, dumped by its own means, and read row by row, while the studio goes on."""

import gzip
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from backups import postgres
from backups.aliases import alias, sqlite_file
from backups.sealing import CHUNK

SNAPSHOT = "snapshot"


class Snapshot(ABC):
    """The database as it was at one moment. Its rows can be read by the connection `SNAPSHOT`."""

    engine: str
    server: str

    @abstractmethod
    def dump(self, target: Path) -> None:
        """Write what the database itself can take in again."""

    @property
    def migrations(self) -> tuple[str, ...]:
        """Return which migrations have been applied."""
        return applied_migrations(SNAPSHOT)


class SQLiteSnapshot(Snapshot):
    """A copy of the whole file."""

    engine = "sqlite"
    server = sqlite3.sqlite_version

    def __init__(self, copy: Path) -> None:
        self.copy = copy

    def dump(self, target: Path) -> None:
        """Pack the copy."""
        with self.copy.open("rb") as source, gzip.open(target, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(source, packed, CHUNK)


class PostgresSnapshot(Snapshot):
    """A transaction that sees nothing of what happens after it began; `pg_dump` is let into it."""

    engine = "postgresql"

    def __init__(self, snapshot_id: str, server: str, pg_dump: str) -> None:
        self.snapshot_id = snapshot_id
        self.server = server
        self.pg_dump = pg_dump

    def dump(self, target: Path) -> None:
        """Have `pg_dump` write its own format, which is packed."""
        postgres.run(
            [
                self.pg_dump, "--format=custom", "--no-owner", "--no-privileges",
                f"--snapshot={self.snapshot_id}", f"--file={target}",
            ]
        )  # fmt: skip


@contextmanager
def frozen(work: Path) -> Iterator[Snapshot]:
    """Freeze the database for as long as this lasts. Nobody waits for it: readers do not hold up writers.

    Raises:
        BackupError: PostgreSQL's programs are missing or too old.
    """
    if postgres.is_used():
        pg_dump = postgres.program("pg_dump")
        with alias(SNAPSHOT), transaction.atomic(SNAPSHOT), connections[SNAPSHOT].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
            snapshot_id, server = cursor.fetchone()
            yield PostgresSnapshot(snapshot_id, server, pg_dump)
        return
    copy = work / "database.sqlite3"
    try:
        copy_sqlite(copy)
        with alias(SNAPSHOT, **sqlite_file(str(copy))):
            yield SQLiteSnapshot(copy)
    finally:
        for path in work.glob(f"{copy.name}*"):
            path.unlink()


def copy_sqlite(target: Path) -> None:
    """Copy the studio's SQLite database in one go, inside one reading transaction: writers go on meanwhile."""
    name = str(connections["default"].settings_dict["NAME"])
    with (
        closing(sqlite3.connect(name, uri=name.startswith("file:"), timeout=20)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def applied_migrations(using: str) -> tuple[str, ...]:
    """Return which migrations a database has, as "app.name"."""
    return tuple(sorted(f"{app}.{name}" for app, name in MigrationRecorder(connections[using]).applied_migrations()))
