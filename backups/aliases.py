"""Further database connections for as long as they are needed: a snapshot, a scratch database."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from django.db import connections
from django.db.utils import load_backend


@contextmanager
def alias(name: str, **changes: Any) -> Iterator[str]:
    """Have a connection of this thread under `name` that differs from the studio's own by `changes`."""
    values = deepcopy(connections["default"].settings_dict) | {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False} | changes
    connections[name] = load_backend(values["ENGINE"]).DatabaseWrapper(values, name)
    try:
        yield name
    finally:
        connections[name].close()
        del connections[name]


def sqlite_file(path: str) -> dict[str, Any]:
    """Return the changes that make an alias of a SQLite file that nobody else uses."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA synchronous=OFF;"},
    }
