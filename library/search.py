"""Searching for any part of a word in 100,000 rows: an index that PostgreSQL needs, and SQLite not."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, migrations, transaction


def words_index(table: str, *columns: str) -> migrations.RunPython:
    """Return the migration's step that makes a trigram index, which `LibraryFilter.search` is found by.

    It needs the extension pg_trgm, which comes with PostgreSQL and which the owner of a database may switch on. Where
    it is missing, the search works all the same, only slower.
    """
    return migrations.RunPython(_maker(table, columns), migrations.RunPython.noop, elidable=False)


def _maker(table: str, columns: tuple[str, ...]) -> Callable[[Any, Any], None]:
    def make(_apps: Any, schema_editor: Any) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        quote = connection.ops.quote_name
        # As Django writes `icontains`: only the very same expression is found in the index.
        expressions = ", ".join(f"UPPER({quote(column)}::text) gin_trgm_ops" for column in columns)
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:  # not there, or not allowed
            return
        schema_editor.execute(f"CREATE INDEX {quote(f'{table}_words')} ON {quote(table)} USING gin ({expressions})")

    return make
