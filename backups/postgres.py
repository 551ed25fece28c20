"""PostgreSQL's own programs: found, checked for their version, run with the studio's connection."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from django.db import connections
from django.utils.translation import gettext as _

from backups.errors import BackupError

SAID = 500  # characters of what a program said that are told
ENVIRONMENT = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}
OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


def is_used() -> bool:
    """Tell whether the studio's database is PostgreSQL."""
    return connections["default"].vendor == "postgresql"


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, if it is new enough for the server.

    Raises:
        BackupError: it is missing or too old.
    """
    path = shutil.which(name)
    server = int(connections["default"].pg_version) // 10_000  # type: ignore[attr-defined]  # PostgreSQL's has it
    if path is None:
        raise BackupError(
            _("%(name)s is missing: install the client programs of PostgreSQL %(version)d or newer.")
            % {"name": name, "version": server}
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"(\d+)", said)
    if found is None or int(found[1]) < server:
        raise BackupError(
            _("%(name)s is of version %(found)s, too old for the server: install version %(version)d or newer.")
            % {"name": name, "found": found[1] if found else "?", "version": server}
        )
    return path


def environment(database: str = "") -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs use the studio's connection: no password in a command."""
    values: Mapping[str, Any] = connections.settings["default"]
    found = {variable: str(values.get(name) or "") for name, variable in ENVIRONMENT.items()}
    found["PGDATABASE"] = database or str(connections["default"].settings_dict["NAME"])
    found |= {variable: str(values.get("OPTIONS", {}).get(name) or "") for name, variable in OPTIONS.items()}
    return os.environ | {name: value for name, value in found.items() if value} | {"PGCONNECT_TIMEOUT": "10"}


def run(
    command: Sequence[str | Path],
    *,
    database: str = "",
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
) -> None:
    """Run one of PostgreSQL's programs.

    Raises:
        BackupError: it failed, with what it said.
    """
    done = subprocess.run(  # noqa: S603  the programs are PostgreSQL's
        [str(part) for part in command],
        env=environment(database),
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-SAID:]
        raise BackupError(
            _("%(program)s failed: %(said)s") % {"program": Path(str(command[0])).name, "said": said or done.returncode}
        )
