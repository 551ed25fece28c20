"""Values of the earlier system, in whatever shape its database gives them, as ours want them."""

import json
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from providers.answers import load_json

Row = Mapping[str, Any]

NAMESPACE = uuid.UUID("6e2b41c2-7d0b-4c7e-9f55-0d1c7a3e5b10")  # for what had no UUID of its own
TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})


def text(row: Row, name: str, limit: int | None = None, default: str = "") -> str:
    """Return a column as text that every database stores, at most `limit` characters of it."""
    value = row.get(name)
    if value is None:
        return default
    raw = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
    return raw.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:limit]


def identity(value: Any, kind: str) -> uuid.UUID:
    """Return a primary key: the UUID it is, or for any other key always the same one of ours."""
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return uuid.uuid5(NAMESPACE, f"{kind}:{value}")


def moment(row: Row, *names: str) -> datetime | None:
    """Return the first of the columns that holds a time. The earlier system wrote UTC without saying so."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.strip())
            except ValueError:
                continue
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


def structure(row: Row, name: str) -> dict[str, Any]:
    """Return a JSON column, which may be text. What is no object stands under "value"."""
    value = row.get(name)
    if value is None or value == "":
        return {}
    try:
        parsed = load_json(value if isinstance(value, str) else json.dumps(value, default=str))
    except (ValueError, RecursionError):
        parsed = text(row, name)
    return parsed if isinstance(parsed, dict) else {"value": parsed}


def number(row: Row, name: str) -> float | None:
    """Return a column as a number, None if it holds none."""
    try:
        value = float(row.get(name))  # type: ignore[arg-type]  # None is a TypeError
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def whole(row: Row, name: str) -> int | None:
    """Return a column as a whole number, None if it holds none."""
    value = number(row, name)
    return None if value is None else int(value)


def truth(row: Row, name: str, *, default: bool = False) -> bool:
    """Return a column as true or false."""
    value = row.get(name)
    return default if value is None else str(value).strip().lower() in TRUE
