"""The earlier system's database, only read: PostgreSQL, or a file of SQLite."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from macai.legacy.values import Row

AT_ONCE = 200  # rows
CONNECT_SECONDS = 10


class SourceError(Exception):
    """The earlier database cannot be read. The message names no password."""


class Source:
    """Tables, their columns, and their rows one after the other: no table is ever in memory as a whole."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        raise NotImplementedError

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns; none if there is no such table."""
        raise NotImplementedError

    def rows(self, table: str, order_by: list[str]) -> Iterator[Row]:
        """Give the rows of a table in an order, by those of the columns that exist."""
        raise NotImplementedError

    def batches(self, table: str, *order_by: str) -> Iterator[list[Row]]:
        """Give the rows of a table in bundles; none if there is no such table."""
        known = self.columns(table)
        if not known:
            return
        batch: list[Row] = []
        for row in self.rows(table, [name for name in order_by if name in known]):
            batch.append(row)
            if len(batch) == AT_ONCE:
                yield batch
                batch = []
        if batch:
            yield batch


class SQLiteSource(Source):
    """A file."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SourceError(f"There is no file {path}.")
        self.connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        self.connection.row_factory = sqlite3.Row
        try:
            self.connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.DatabaseError as error:
            self.connection.close()
            raise SourceError(f"{path} is no database: {error}.") from None

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def columns(self, table: str) -> list[str]:
        """Ask SQLite."""
        with closing(self.connection.execute("SELECT name FROM pragma_table_info(?)", [table])) as cursor:
            return [str(row["name"]) for row in cursor]

    def rows(self, table: str, order_by: list[str]) -> Iterator[Row]:
        """Read row by row."""
        order = f" ORDER BY {', '.join(quoted(name) for name in order_by)}" if order_by else ""
        with closing(self.connection.execute(f"SELECT * FROM {quoted(table)}{order}")) as cursor:  # noqa: S608  quoted
            for row in cursor:
                yield dict(row)


class PostgresSource(Source):
    """A database of PostgreSQL, in one read-only snapshot."""

    def __init__(self, url: str) -> None:
        try:
            self.connection: psycopg.Connection[dict[str, Any]] = psycopg.connect(
                url, row_factory=dict_row, connect_timeout=CONNECT_SECONDS
            )
            self.connection.read_only = True
            self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        except psycopg.Error as error:
            words = str(error).strip().splitlines()
            raise SourceError(f"The earlier database does not answer: {words[0] if words else 'no reason'}.") from None

    def close(self) -> None:
        """Let go of the database."""
        self.connection.close()

    def columns(self, table: str) -> list[str]:
        """Ask PostgreSQL for what `SELECT * FROM table` would find."""
        found = self.connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum",
            [table],
        )
        return [row["attname"] for row in found]

    def rows(self, table: str, order_by: list[str]) -> Iterator[Row]:
        """Read through a cursor on the server."""
        order = (
            sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(map(sql.Identifier, order_by)))
            if order_by
            else sql.SQL("")
        )
        with self.connection.cursor(name="legacy") as cursor:
            cursor.itersize = AT_ONCE
            cursor.execute(sql.SQL("SELECT * FROM {}{}").format(sql.Identifier(table), order))
            yield from cursor


def open_source(url: str) -> Source:
    """Open what the address names: `postgres://...` (also as SQLAlchemy writes it), `sqlite:///file`, or a file."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    if scheme in {"postgres", "postgresql"}:
        return PostgresSource(re.sub(r"^[a-z+0-9]+://", "postgresql://", url))
    if scheme == "sqlite":
        return SQLiteSource(Path(url.partition(":///")[2]))
    if "://" in url:
        raise SourceError("--database-url must be postgres://user:password@host/name, or a file of SQLite.")
    return SQLiteSource(Path(url))


def quoted(name: str) -> str:
    """Return a name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'
