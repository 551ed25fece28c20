"""A backup is read whole, every byte of it, before anything is touched."""

import gzip
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from backups.entries import DIGEST_BYTES, Entry, pair_of, read_entries, read_objects
from backups.errors import BackupError, DamagedBackupError
from backups.manifest import DATABASE, FILES, MANIFEST, OBJECTS, ROWS, SIGNATURE, Manifest, read_manifest
from backups.rows import checksums
from backups.sealing import CHUNK, HashingReader, Seal, pour
from backups.sources import FolderSource, Source

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    """A backup whose every byte was found to be what was put there; its parts lie unpacked in `work`."""

    source: Source
    seal: Seal
    manifest: Manifest
    work: Path

    @property
    def database(self) -> Path:
        """Return the database's own dump."""
        return self.work / DATABASE

    def entries(self) -> Iterator[Entry]:
        """Return the files of the library."""
        return read_entries(self.work / FILES)

    @contextmanager
    def rows(self) -> Iterator[Iterator[bytes]]:
        """Return the rows as lines."""
        with gzip.open(self.work / ROWS, "rb") as lines:
            yield iter(lines)


def open_manifest(source: Source, *, is_signed: bool) -> Manifest:
    """Return the manifest of a backup if it is the one that was written."""
    signature = source.read_small(SIGNATURE) if is_signed else b""
    return read_manifest(source.read_small(MANIFEST), name=source.name, signature=signature, is_signed=is_signed)


@contextmanager
def opened(
    source: Source,
    seal: Seal,
    *,
    is_signed: bool = True,
    checks_contents: bool = True,
    tell: Tell = lambda _text: None,
) -> Iterator[Opened]:
    """Check a whole backup, and unpack its parts for as long as this lasts.

    Raises:
        DamagedBackupError: anything in it is not what was put there.
        BackupError: it is encrypted and there is no key, or the key is another one.
    """
    manifest = open_manifest(source, is_signed=is_signed)
    work = Path(tempfile.mkdtemp(prefix="restoring-", dir=settings.DATA_DIR))
    try:
        tell(_("Checking the backup ..."))
        for name in manifest.parts:
            unpack(source, seal, manifest, name, work / name)
        found = Opened(source, seal, manifest, work)
        check_rows(found)
        if checks_contents:
            check_contents(found)
        yield found
    finally:
        shutil.rmtree(work, ignore_errors=True)


def unpack(source: Source, seal: Seal, manifest: Manifest, name: str, target: Path) -> None:
    """Unpack one part, if it is as long and has the hash that the manifest says."""
    check_part(source, manifest, name)
    mark = "" if name == OBJECTS else manifest.seal
    with source.open(name) as stored, target.open("xb") as file:
        try:
            seal.read(stored, file, mark)
        except DamagedBackupError as error:  # what is stored is what was stored, so it is not to blame
            raise BackupError(_("It cannot be decrypted: the key is another one.")) from error


def check_part(source: Source, manifest: Manifest, name: str) -> None:
    """Raise DamagedBackupError if a part, as it is stored, is not the one of the manifest."""
    said = manifest.parts[name]
    with source.open(name) as stored:
        reader = HashingReader(stored)
        while reader.read(CHUNK):
            pass
    if (reader.size, reader.digest.hexdigest()) != (said.size, said.sha256):
        raise DamagedBackupError(_("The backup is damaged, or was changed: %(part)s.") % {"part": name})


def check_rows(found: Opened) -> None:
    """Raise DamagedBackupError if the rows are not those that the manifest counts."""
    try:
        with found.rows() as lines:
            tables = checksums(lines)
    except (OSError, EOFError, ValueError) as error:
        raise DamagedBackupError(_("The rows in the backup are damaged.")) from error
    if tables != dict(found.manifest.tables):
        raise DamagedBackupError(_("The rows in the backup are not those that its manifest counts."))


def check_contents(found: Opened) -> None:
    """Raise DamagedBackupError if a file of the library is not there, or is not what was put there."""
    files = size = 0
    seen: set[bytes] = set()
    for entry in found.entries():
        files, size = files + 1, size + entry.size
        digest = bytes.fromhex(entry.sha256)
        if digest not in seen:
            seen.add(digest)
            check_content(found.source, found.seal, found.manifest.seal, entry.sha256)
    if (files, size) != (found.manifest.files, found.manifest.media_bytes):
        raise DamagedBackupError(_("The files in the backup are not those that its manifest counts."))


def check_content(source: Source, seal: Seal, mark: str, sha256: str) -> None:
    """Raise DamagedBackupError if a content is not what was put there."""
    with source.open_content(sha256, mark) as stored:
        written = seal.read(stored, None, mark)
    if written.sha256 != sha256:
        raise DamagedBackupError(_("The backup is damaged, or was changed: content %(sha256)s.") % {"sha256": sha256})


def check_sealed(source: Source, *, is_signed: bool = True) -> Manifest:
    """Check as much of an encrypted backup as can be checked without the key: what is stored is what was stored.

    A content that was damaged has been put there again, encrypted anew, for a newer backup: what any backup of the
    folder says of it counts. One that is damaged is set aside, so that the next backup puts it there again.

    Raises:
        DamagedBackupError: it is not.
    """
    manifest = open_manifest(source, is_signed=is_signed)
    for name in manifest.parts:
        check_part(source, manifest, name)
    with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR) as copy:
        with source.open(OBJECTS) as stored:
            pour(stored, copy)
        copy.flush()
        listed = {pair_of(sha256, stored_sha256) for sha256, _size, stored_sha256 in read_objects(Path(copy.name))}
    suspects: dict[str, bytes] = {}
    for digest in {pair[:DIGEST_BYTES] for pair in listed}:
        sha256 = digest.hex()
        found = pair_in(source, manifest.seal, sha256)
        if found not in listed:
            suspects[sha256] = found
    if suspects and isinstance(source, FolderSource):
        elsewhere = source.store.listed()
        suspects = {sha256: found for sha256, found in suspects.items() if found not in elsewhere}
    for sha256 in suspects:
        set_aside(source, sha256, manifest.seal)
    if suspects:
        raise contents_damaged(len(suspects))
    return manifest


def pair_in(source: Source, mark: str, sha256: str) -> bytes:
    """Return a content and how it lies there, read whole; nothing if it is missing."""
    try:
        with source.open_content(sha256, mark) as stored:
            reader = HashingReader(stored)
            while reader.read(CHUNK):
                pass
    except DamagedBackupError:
        return b""
    return pair_of(sha256, reader.digest.hexdigest())


def set_aside(source: Source, sha256: str, mark: str) -> None:
    """Give a damaged content another name, so that the next backup puts it there again. In an archive it stays."""
    if isinstance(source, FolderSource):
        source.store.set_aside(sha256, mark)


def contents_damaged(count: int) -> DamagedBackupError:
    """Return the error for contents that are not what was put there."""
    return DamagedBackupError(
        _("%(count)d contents are damaged or missing. The next backup puts them there again.") % {"count": count}
    )
