"""How bytes go into a backup and come out again: hashed on their way, and encrypted for an age key if there is one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol

import pyrage
from django.utils.translation import gettext as _

from backups.errors import BackupError, DamagedBackupError

CHUNK = 1024 * 1024  # bytes


class Reader(Protocol):
    """Something to read bytes from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return some bytes; none at the end."""
        ...


class Writer(Protocol):
    """Something to write bytes to."""

    def write(self, data: bytes, /) -> Any:
        """Take all of the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the content's size in bytes and SHA-256, and those of what lies in the backup."""

    size: int
    sha256: str
    stored_size: int
    stored_sha256: str


class HashingReader:
    """Counts and hashes what is read through it; remembers an error, which pyrage would turn into a text."""

    def __init__(self, source: Reader) -> None:
        self.source = source
        self.digest = hashlib.sha256()
        self.size = 0
        self.error: Exception | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        try:
            data = self.source.read(size)
        except Exception as error:
            self.error = error
            raise
        self.digest.update(data)
        self.size += len(data)
        return data


class HashingWriter:
    """Counts and hashes what is written through it; remembers an error. Without a target, nothing more."""

    def __init__(self, target: Writer | None = None) -> None:
        self.target = target
        self.digest = hashlib.sha256()
        self.size = 0
        self.error: Exception | None = None

    def write(self, data: bytes, /) -> int:
        """Write on."""
        try:
            if self.target is not None:
                self.target.write(data)
        except Exception as error:
            self.error = error
            raise
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: who opened the target closes it."""


def pour(source: Reader, target: Writer) -> None:
    """Copy everything."""
    while data := source.read(CHUNK):
        target.write(data)


@dataclass(frozen=True)
class Seal:
    """The key that a backup is encrypted for, and the one that opens it; either may be missing."""

    recipient: str = ""
    identity_file: str = ""

    @property
    def mark(self) -> str:
        """Return what tells the stored form apart: nothing for plain, else "age-" and a fingerprint of the key."""
        return f"age-{hashlib.sha256(self.recipient.encode()).hexdigest()[:8]}" if self.recipient else ""

    @cached_property
    def _recipients(self) -> list[Any]:
        try:
            return [pyrage.x25519.Recipient.from_str(self.recipient)]
        except pyrage.RecipientError as error:
            raise BackupError(_("BACKUP_AGE_RECIPIENT is not a public key of age (age1...).")) from error

    @cached_property
    def _identities(self) -> list[Any]:
        if not self.identity_file:
            raise BackupError(
                _("The backup is encrypted. Name the file with the age key: BACKUP_AGE_IDENTITY or --identity.")
            )
        try:
            lines = Path(self.identity_file).expanduser().read_text(encoding="ascii").split("\n")
            keys = [
                pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.startswith("AGE-SECRET-KEY")
            ]
        except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
            raise BackupError(_("The age key in %(file)s cannot be read.") % {"file": self.identity_file}) from error
        if not keys:
            raise BackupError(_("There is no age key in %(file)s.") % {"file": self.identity_file})
        return keys

    def check(self) -> None:
        """Raise BackupError if the public key is none: better now than after an hour."""
        if self.recipient:
            self._recipients  # noqa: B018  # making it is the check

    def can_open(self, mark: str) -> bool:
        """Tell whether something stored in that form can be looked into."""
        return not mark or bool(self.identity_file)

    def write(self, source: Reader, target: Writer) -> Written:
        """Copy everything from `source` to `target`, encrypted if there is a recipient."""
        reader, writer = HashingReader(source), HashingWriter(target)
        if self.recipient:
            passing_errors(lambda: pyrage.encrypt_io(reader, writer, self._recipients), reader, writer)
        else:
            pour(reader, writer)
        return Written(reader.size, reader.digest.hexdigest(), writer.size, writer.digest.hexdigest())

    def read(self, source: Reader, target: Writer | None, mark: str) -> Written:
        """Copy the content of something stored to `target`, or only hash it.

        Raises:
            DamagedBackupError: it cannot be decrypted.
        """
        reader, writer = HashingReader(source), HashingWriter(target)
        if mark:
            identities = self._identities
            passing_errors(lambda: pyrage.decrypt_io(reader, writer, identities), reader, writer)
            pour(reader, HashingWriter())
        else:
            pour(reader, writer)
        return Written(writer.size, writer.digest.hexdigest(), reader.size, reader.digest.hexdigest())


def passing_errors(act: Callable[[], None], reader: HashingReader, writer: HashingWriter) -> None:
    """Encrypt or decrypt; what went wrong with the reader or the writer is raised as it was."""
    try:
        act()
    except (pyrage.EncryptError, pyrage.DecryptError, OSError) as error:
        cause = reader.error or writer.error
        if cause is not None:
            raise cause from error
        raise DamagedBackupError(_("It cannot be decrypted: it is damaged, or the key is another one.")) from error


def hash_of(file: IO[bytes]) -> str:
    """Return the SHA-256 of the rest of a file, in hexadecimal."""
    writer = HashingWriter()
    pour(file, writer)
    return writer.digest.hexdigest()
