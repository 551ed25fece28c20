"""The manifest: what a backup consists of, with the hash of everything; and its own protection."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from backups.errors import BackupError, DamagedBackupError

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.signature"
DATABASE, ROWS, FILES, OBJECTS = "database", "rows.jsonl.gz", "files.jsonl.gz", "objects.txt.gz"
PARTS = frozenset({DATABASE, ROWS, FILES, OBJECTS})
NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{16})")
SHA256 = re.compile(r"[0-9a-f]{64}")
MANIFEST_BYTES = 4 * 1024 * 1024  # at most
SALT = "macai.backups.manifest"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup as it lies there: bytes and SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one model: how many, and a checksum that does not depend on their order."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is."""

    created_at: datetime
    version: str  # of Macai
    engine: str  # "sqlite" or "postgresql"
    server: str  # version of the database
    migrations: tuple[str, ...]  # "app.name"
    seal: str  # "" for plain, else see sealing.Seal.mark
    parts: Mapping[str, Part]
    tables: Mapping[str, Table]
    files: int
    media_bytes: int
    missing: int  # files that rows speak of and the library did not have

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        return sum(table.rows for table in self.tables.values())

    def to_bytes(self) -> bytes:
        """Return the manifest as it is written."""
        values = asdict(self) | {"format": FORMAT, "created_at": self.created_at.astimezone(UTC).isoformat()}
        return json.dumps(values, indent=1, sort_keys=True).encode("ascii") + b"\n"


def name_of(content: bytes, created_at: datetime) -> str:
    """Return the name of a backup: its time, and the beginning of its manifest's hash."""
    moment = created_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{moment}-{hashlib.sha256(content).hexdigest()[:16]}"


def sign(content: bytes) -> bytes:
    """Return what only who knows SECRET_KEY can write below a manifest."""
    return salted_hmac(SALT, content, algorithm="sha256").hexdigest().encode("ascii") + b"\n"


def read_manifest(content: bytes, *, name: str, signature: bytes, is_signed: bool = True) -> Manifest:
    """Return the manifest of the backup `name`, if it is the one that was written.

    Raises:
        DamagedBackupError: it is not, or was changed.
    """
    match = NAME.fullmatch(name)
    if match is None or hashlib.sha256(content).hexdigest()[:16] != match[2]:
        raise DamagedBackupError(
            _("The manifest of the backup is damaged, or was changed: its hash is not in its name.")
        )
    if is_signed and not hmac.compare_digest(signature.strip(), sign(content).strip()):
        raise DamagedBackupError(
            _(
                "The backup was not signed with this SECRET_KEY: it was changed, or it was made by another studio. "
                "Set SECRET_KEY to that studio's, or use --unsigned if you are sure where the backup comes from."
            )
        )
    try:
        return parse(json.loads(content))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DamagedBackupError(_("The manifest of the backup cannot be understood.")) from error


def parse(values: dict[str, Any]) -> Manifest:
    """Read the values of a manifest; whatever is not as it should be raises."""
    if values["format"] != FORMAT:
        raise BackupError(_("The backup has a format that this version of Macai does not know."))
    if set(values["parts"]) != PARTS or values["engine"] not in {"sqlite", "postgresql"}:
        raise ValueError(values["engine"])
    return Manifest(
        created_at=datetime.fromisoformat(values["created_at"]),
        version=str(values["version"]),
        engine=values["engine"],
        server=str(values["server"]),
        migrations=tuple(str(migration) for migration in values["migrations"]),
        seal=matching(re.compile(r"(age-[0-9a-f]{8})?"), values["seal"]),
        parts={
            name: Part(int(part["size"]), matching(SHA256, part["sha256"])) for name, part in values["parts"].items()
        },
        tables={
            str(label): Table(int(table["rows"]), matching(SHA256, table["checksum"]))
            for label, table in values["tables"].items()
        },
        files=int(values["files"]),
        media_bytes=int(values["media_bytes"]),
        missing=int(values["missing"]),
    )


def matching(pattern: re.Pattern[str], value: Any) -> str:
    """Return a text that has the form it should have."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(value)
    return value
