"""Rows in a form that belongs to no database: what goes from SQLite into PostgreSQL and back, and what is compared.

A line for each model, then a line for each of its rows: a list of the columns' values. JSON is written with its keys
in order, times in UTC, decimals as they are kept, so that equal rows are equal lines, whatever database they come from.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.db.models.expressions import Value
from django.db.models.sql import InsertQuery
from django.utils.duration import duration_string
from django.utils.translation import gettext as _

from backups.errors import DamagedBackupError
from backups.manifest import Table
from backups.sealing import Writer

BATCH = 500  # rows
LEFT_OUT = frozenset({"django_q", "sessions"})  # what waits in the queue, and who is signed in, is of the moment
WHOLE_FROM = 1e16  # floats from here on are written as whole numbers: PostgreSQL keeps them so inside JSON

Model = type[models.Model]


def kept_models() -> list[Model]:
    """Return the models whose rows are kept, by label."""
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
        if model._meta.app_label not in LEFT_OUT
    ]
    return sorted(found, key=lambda model: model._meta.label_lower)


def columns_of(model: Model) -> list[Any]:
    """Return the fields that have a column of their own to write."""
    return [field for field in model._meta.concrete_fields if not field.generated]


def plain(value: Any) -> Any:
    """Return a column's value as JSON can hold it, the same whatever database it comes from."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if abs(value) >= WHOLE_FROM and value.is_integer() else value
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return as_text(value)


def as_text(value: Any) -> str:
    """Return what JSON has no form for as a text that `Field.to_python` understands."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"no form for {type(value).__name__}")


def line_of(values: Iterable[Any]) -> bytes:
    """Return a row as its line."""
    return json.dumps([plain(value) for value in values], sort_keys=True, separators=(",", ":")).encode("ascii")


class Checksum:
    """A checksum of lines that does not depend on their order: databases sort texts differently."""

    def __init__(self) -> None:
        self.rows = 0
        self.sum = 0

    def add(self, line: bytes) -> None:
        """Count a line."""
        self.rows += 1
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(line).digest())) % 2**256

    @property
    def table(self) -> Table:
        """Return the result so far."""
        return Table(self.rows, f"{self.sum:064x}")


def lines_of(model: Model, using: str) -> Iterator[bytes]:
    """Return a line for each row of a model, a few rows in memory at a time."""
    names = [field.attname for field in columns_of(model)]
    rows = model._base_manager.using(using).order_by("pk").values_list(*names)
    for values in rows.iterator(chunk_size=BATCH):
        yield line_of(values)


def write_rows(using: str, target: Writer | None = None) -> dict[str, Table]:
    """Write all rows of a database to `target`, or only count them and add up their checksums."""
    tables: dict[str, Table] = {}
    for model in kept_models():
        checksum = Checksum()
        head = {"model": model._meta.label_lower, "columns": [field.attname for field in columns_of(model)]}
        if target is not None:
            target.write(json.dumps(head).encode("ascii") + b"\n")
        for line in lines_of(model, using):
            checksum.add(line)
            if target is not None:
                target.write(line + b"\n")
        tables[model._meta.label_lower] = checksum.table
    return tables


def sections(lines: Iterable[bytes]) -> Iterator[tuple[str, list[str], Iterator[bytes]]]:
    """Split lines into models: label, columns and the lines of its rows. Each is used up before the next is asked for.

    Raises:
        DamagedBackupError: they are not what `write_rows` wrote.
    """
    source = iter(lines)
    head = next(source, None)

    def rows() -> Iterator[bytes]:
        nonlocal head
        for line in source:
            if line.startswith(b"{"):
                head = line
                return
            yield line.rstrip(b"\n")
        head = None

    while head is not None:
        try:
            values = json.loads(head)
            label, columns = str(values["model"]), [str(column) for column in values["columns"]]
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedBackupError(_("The rows in the backup cannot be understood.")) from error
        body = rows()
        yield label, columns, body
        for _line in body:
            pass


def checksums(lines: Iterable[bytes]) -> dict[str, Table]:
    """Count rows and add up their checksums, without a database."""
    tables: dict[str, Table] = {}
    for label, _columns, body in sections(lines):
        checksum = Checksum()
        for line in body:
            checksum.add(line)
        tables[label] = checksum.table
    return tables


def load_rows(lines: Iterable[bytes], using: str) -> int:
    """Put rows in place of all that a database holds, inside the caller's transaction.

    Returns:
        How many texts held characters that PostgreSQL does not store (NUL, half characters) and lost them.

    Raises:
        DamagedBackupError: the rows do not fit the tables.
    """
    connection = connections[using]
    known = {model._meta.label_lower: model for model in kept_models()}
    cleanser = Cleanser(is_needed=connection.vendor == "postgresql")
    with connection.cursor() as cursor:
        for model in known.values():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  # our names
    for label, columns, body in sections(lines):
        found = known.get(label)
        if found is None or [field.attname for field in columns_of(found)] != columns:
            raise DamagedBackupError(_("The rows of %(model)s do not fit this version of Macai.") % {"model": label})
        batch: list[models.Model] = []
        for line in body:
            batch.append(instance_of(found, cleanser.cleanse(json.loads(line))))
            if len(batch) == BATCH:
                insert(found, batch, using)
                batch = []
        insert(found, batch, using)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(known.values())):
            cursor.execute(statement)
    return cleanser.changed


class Cleanser:
    """Replaces what PostgreSQL does not store by the sign for "unknown character", and counts the texts."""

    def __init__(self, *, is_needed: bool) -> None:
        self.is_needed = is_needed
        self.changed = 0

    def cleanse(self, value: Any) -> Any:
        """Return the value without such characters, however deep they lie."""
        if not self.is_needed:
            return value
        if isinstance(value, str):
            clean = value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            self.changed += clean != value
            return clean
        if isinstance(value, list):
            return [self.cleanse(each) for each in value]
        if isinstance(value, dict):
            return {self.cleanse(key): self.cleanse(each) for key, each in value.items()}
        return value


def instance_of(model: Model, values: list[Any]) -> models.Model:
    """Return a row as an object that has not been saved."""
    fields = columns_of(model)
    if len(fields) != len(values):
        raise DamagedBackupError(_("The rows in the backup cannot be understood."))
    row = model()
    for field, value in zip(fields, values, strict=True):
        if isinstance(field, models.JSONField):
            # In a column that is never empty, nothing is JSON's null.
            read = Value(None, models.JSONField()) if value is None and not field.null else value
        else:
            read = field.to_python(value)
        setattr(row, field.attname, read)
    return row


def insert(model: Model, rows: list[models.Model], using: str) -> None:
    """Write rows as they are: nothing is set to now, no signal is sent."""
    if not rows:
        return
    fields = columns_of(model)
    connection = connections[using]
    size = max(connection.ops.bulk_batch_size(fields, rows), 1)
    with transaction.atomic(using=using, savepoint=False):
        for start in range(0, len(rows), size):
            query = InsertQuery(model)
            query.insert_values(fields, rows[start : start + size], raw=True)
            query.get_compiler(using=using).execute_sql()
