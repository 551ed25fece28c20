"""What is damaged, cut off, changed or made by somebody else is refused before anything is touched."""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from backups import restoring
from backups.archive import write_archive
from backups.checking import opened
from backups.entries import Entry, is_safe
from backups.errors import BackupError, DamagedBackupError
from backups.making import make_backup, seal_in_use
from backups.manifest import DATABASE, FILES, MANIFEST, OBJECTS, ROWS, SIGNATURE
from backups.models import Backup, State, verification
from backups.restoring import restore
from backups.sealing import Seal
from backups.sources import ArchiveSource, FolderSource, Source, find_source
from backups.store import Store
from backups.tests.looking import contents_of
from backups.verifying import verify
from songs.tests.factories import make_finished_song, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backup(store: Store) -> Backup:
    make_user(username="me")
    make_finished_song(title="Rain", content=b"ID3" + bytes(range(256)) * 300)
    return make_backup()


@pytest.fixture
def untouched(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a restore gets as far as the files."""

    def touched(*_args: Any) -> None:
        pytest.fail("the studio was touched")

    monkeypatch.setattr(restoring, "restore_files", touched)
    monkeypatch.setattr(restoring, "restore_database", touched)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def contents(store: Store) -> list[Path]:
    return sorted(path for path in store.objects.rglob("*") if path.is_file())


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize("part", [MANIFEST, SIGNATURE, DATABASE, ROWS, FILES, OBJECTS])
def test_a_damaged_part_is_refused(store: Store, backup: Backup, part: str, damage: Callable[[Path], None]) -> None:
    damage(store.folder(backup.name) / part)
    with pytest.raises(BackupError):
        restore(FolderSource(store, backup.name), force=True)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_a_damaged_file_of_the_library_is_refused(store: Store, backup: Backup, damage: Callable[[Path], None]) -> None:
    damage(contents(store)[0])
    with pytest.raises(DamagedBackupError):
        restore(FolderSource(store, backup.name), force=True)


@pytest.mark.usefixtures("untouched")
def test_an_archive_that_was_cut_off_anywhere_is_refused(store: Store, backup: Backup, tmp_path: Path) -> None:
    archive = tmp_path / "whole.tar"
    size = write_archive(store, backup.name, archive)
    whole = archive.read_bytes()
    for end in [*range(0, size - 10_240, size // 23), size - 12_000]:
        archive.write_bytes(whole[:end])
        with pytest.raises(BackupError):
            restore(ArchiveSource(archive), force=True)


@pytest.mark.usefixtures("untouched")
def test_a_byte_changed_anywhere_in_an_archive_is_refused_or_changes_nothing(
    store: Store, backup: Backup, tmp_path: Path
) -> None:
    archive = tmp_path / "whole.tar"
    size = write_archive(store, backup.name, archive)
    whole = archive.read_bytes()
    refused = 0
    for place in range(100, size - 10_240, size // 41):
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            with opened(ArchiveSource(archive), seal_in_use()) as found:
                assert [entry.name for entry in found.entries()]
        except BackupError:
            refused += 1
    assert refused >= 30


def forge(store: Store, name: str, change: Callable[[dict[str, Any]], None]) -> str:
    """Change a manifest as somebody would who does not know SECRET_KEY, and give the backup the name that fits."""
    folder = store.folder(name)
    values = json.loads((folder / MANIFEST).read_bytes())
    change(values)
    content = json.dumps(values).encode()
    forged = f"{name.partition('-')[0]}-{hashlib.sha256(content).hexdigest()[:16]}"
    shutil.copytree(folder, store.root / forged)
    (store.root / forged / MANIFEST).write_bytes(content)
    return forged


@pytest.mark.usefixtures("untouched")
def test_files_and_manifest_changed_together_are_refused_for_want_of_the_key(store: Store, backup: Backup) -> None:
    forged = forge(store, backup.name, lambda values: values.update(version="evil"))
    with pytest.raises(DamagedBackupError, match="not signed with this SECRET_KEY"):
        restore(FolderSource(store, forged), force=True)
    with opened(FolderSource(store, forged), seal_in_use(), is_signed=False) as found:
        assert found.manifest.version == "evil"


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "change",
    [
        {"format": 99}, {"parts": {}}, {"engine": "oracle"}, {"files": "many"}, {"files": 1}, {"media_bytes": 5},
        {"tables": {}}, {"created_at": "yesterday"}, {"seal": "../../etc"}, {"tables": {"songs.song": {"rows": 1}}},
    ],
)  # fmt: skip
def test_a_manifest_that_does_not_fit_is_refused(store: Store, backup: Backup, change: dict[str, Any]) -> None:
    forged = forge(store, backup.name, lambda values: values.update(change))
    with pytest.raises(BackupError):
        restore(FolderSource(store, forged), force=True, is_signed=False)


NAMES = [
    "../outside.mp3", "/etc/cron.d/x", "songs/../../x", "songs//x", "a/./b", "", ".", "..", "songs\\x", "C:/x",
    "songs/x\n", "songs/\x00", "x" * 1001, 5, None,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_out_of_the_library_is_not_safe(name: Any) -> None:
    assert not is_safe(name)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", ["../outside.mp3", "/tmp/outside.mp3", "songs/../../outside.mp3"])
def test_a_list_that_leads_out_of_the_library_is_refused(store: Store, backup: Backup, name: str) -> None:
    content = contents(store)[0]
    entry = Entry(name, content.stat().st_size, 0, content.name, content.stat().st_size, content.name)
    packed = gzip.compress(entry.line())

    def change(values: dict[str, Any]) -> None:
        values["parts"][FILES] = {"size": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}
        values |= {"files": 1, "media_bytes": entry.size}

    forged = forge(store, backup.name, change)
    (store.root / forged / FILES).write_bytes(packed)
    with pytest.raises(DamagedBackupError, match="outside of the library"):
        restore(FolderSource(store, forged), force=True, is_signed=False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil", tarfile.REGTYPE), ("/etc/evil", tarfile.REGTYPE), ("evil.py", tarfile.REGTYPE),
        (f"objects/{'a' * 64}", tarfile.SYMTYPE), (f"objects/../{'a' * 64}", tarfile.REGTYPE),
    ],
)  # fmt: skip
def test_an_archive_with_anything_else_in_it_is_refused(
    store: Store, backup: Backup, tmp_path: Path, name: str, kind: bytes
) -> None:
    archive = tmp_path / "evil.tar"
    write_archive(store, backup.name, archive)
    with tarfile.open(archive, "a") as tar:
        info = tarfile.TarInfo(name)
        info.type = kind
        info.linkname = "/etc/passwd"
        tar.addfile(info, io.BytesIO())
    with pytest.raises(DamagedBackupError):
        ArchiveSource(archive)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(600), bytes(10_240)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.tar"
    path.write_bytes(content)
    with pytest.raises(DamagedBackupError):
        ArchiveSource(path)


def test_what_is_not_there_is_said_in_a_sentence(store: Store) -> None:
    with pytest.raises(BackupError, match="There is no backup in"):
        find_source(store)
    with pytest.raises(BackupError, match="There is no file"):
        find_source(store, "/nowhere/at-all.tar")
    with pytest.raises(BackupError, match="There is no backup 2"):
        find_source(store, "20200101T000000.000000Z-0123456789abcdef")


# --- Verification ---


def check(source: Source, **options: Any) -> str:
    return verify(source, **options).message


def test_a_good_backup_is_restored_and_compared(store: Store, backup: Backup, media: Path) -> None:
    before = contents_of(media)
    assert check(FolderSource(store, backup.name)) == "Restored and compared: all is there."
    backup.refresh_from_db()
    assert backup.verified_at is not None
    assert contents_of(media) == before


def test_a_damaged_backup_is_found_is_no_good_one_any_more_and_the_next_one_heals_it(
    store: Store, backup: Backup
) -> None:
    flip(contents(store)[0])
    with pytest.raises(DamagedBackupError, match="The next backup puts them there again"):
        check(FolderSource(store, backup.name))
    backup.refresh_from_db()
    assert (backup.state, backup.verified_at) == (State.FAILED, None)
    make_backup()
    assert verification().is_damage_open
    assert check(FolderSource(store, backup.name)) == "Restored and compared: all is there."
    backup.refresh_from_db()
    assert (backup.state, backup.verify_failed_at) == (State.DONE, None)
    assert not verification().is_failure_open


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BackupError("There is no pg_restore."), "There is no pg_restore."),
        (OSError(5, "Input/output error"), "The backup could not be verified: Input/output error."),
        (ValueError("of any kind"), "The verification broke: ValueError."),
    ],
)
def test_a_verification_that_could_not_be_made_is_written_down_and_spoils_no_backup(
    store: Store, backup: Backup, error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_backup: Any) -> None:
        raise error

    monkeypatch.setattr("backups.verifying.check_files", broken)
    with pytest.raises(ValueError if isinstance(error, ValueError) else BackupError):
        check(FolderSource(store, backup.name))
    backup.refresh_from_db()
    assert (backup.state, backup.verify_message) == (State.DONE, told)
    assert verification().is_failure_open
    assert not verification().is_damage_open


def test_a_damaged_archive_says_nothing_of_the_backup_it_is_a_copy_of(
    store: Store, backup: Backup, tmp_path: Path
) -> None:
    archive = tmp_path / "copy.tar"
    write_archive(store, backup.name, archive)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(bytes(range(256)), bytes(256), 1))
    with pytest.raises(DamagedBackupError):
        check(ArchiveSource(archive))
    backup.refresh_from_db()
    assert (backup.state, backup.verify_failed_at) == (State.DONE, None)


def test_a_row_whose_file_is_not_in_the_backup_is_found(
    store: Store, backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.checking.read_entries", lambda _path: iter(()))
    monkeypatch.setattr("backups.verifying.check_files", lambda _backup: None)
    with pytest.raises(DamagedBackupError, match="2 files that rows speak of"):
        check(FolderSource(store, backup.name))


def test_an_encrypted_backup_is_verified_with_the_key_and_looked_at_without(
    store: Store, age: Seal, tmp_path: Path
) -> None:
    make_finished_song(content=b"ID3" + bytes(70_000))
    backup = make_backup()
    archive = tmp_path / "encrypted.tar"
    write_archive(store, backup.name, archive)
    for source in (FolderSource(store, backup.name), ArchiveSource(archive)):
        assert check(source, identity=age.identity_file) == "Restored and compared: all is there."
        assert "It was not opened" in check(source)
    flip(contents(store)[0])
    with pytest.raises(DamagedBackupError):
        check(FolderSource(store, backup.name))


def spoil(path: Path) -> bytes:
    """Change a byte and nothing else that could be noticed. Return what was there."""
    whole, status = path.read_bytes(), path.stat()
    flip(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return whole


def test_without_the_key_damage_is_found_and_the_next_backup_heals_it(store: Store, age: Seal) -> None:
    make_finished_song(content=b"ID3" + bytes(70_000))
    first = make_backup()
    damaged, *whole = contents(store)
    before = [path.read_bytes() for path in whole]
    spoil(damaged)
    with pytest.raises(DamagedBackupError, match=r"1 contents .* The next backup puts them there again"):
        check(FolderSource(store, first.name))
    assert not damaged.exists()
    assert [path.read_bytes() for path in whole] == before
    default_storage.save("songs/again.mp3", io.BytesIO(b"another"))
    second = make_backup()
    for name in (first.name, second.name):
        assert "It was not opened" in check(FolderSource(store, name))
        assert check(FolderSource(store, name), identity=age.identity_file) == "Restored and compared: all is there."


def test_every_damaged_content_is_found_at_once_and_in_an_archive_nothing_is_touched(
    store: Store, age: Seal, tmp_path: Path
) -> None:
    make_finished_song(content=b"ID3" + bytes(70_000))
    make_finished_song(content=b"ID3" + bytes(80_000))
    backup = make_backup()
    for path in contents(store):
        spoil(path)
    archive = tmp_path / "damaged.tar"
    write_archive(store, backup.name, archive)
    with pytest.raises(DamagedBackupError):
        check(ArchiveSource(archive))
    there = contents(store)
    with pytest.raises(DamagedBackupError, match=rf"^{len(there)} contents"):
        check(FolderSource(store, backup.name))
    assert not any(path.exists() for path in there)


def test_a_full_rehash_does_not_take_damage_in_an_encrypted_store_for_what_was_put_there(
    store: Store, age: Seal
) -> None:
    make_finished_song(content=b"ID3" + bytes(70_000))
    default_storage.save("songs/the-same.mp3", io.BytesIO(b"twice"))
    default_storage.save("songs/the-same-again.mp3", io.BytesIO(b"twice"))
    first = make_backup()
    for path in contents(store):
        spoil(path)
    healed = make_backup(rehash=True)
    for name in (healed.name, first.name):
        assert check(FolderSource(store, name), identity=age.identity_file) == "Restored and compared: all is there."
        assert "It was not opened" in check(FolderSource(store, name))
    before = contents_of(store.objects)
    make_backup(rehash=True)
    assert contents_of(store.objects) == before


def test_another_age_key_does_not_open_a_backup(store: Store, age: Seal, tmp_path: Path, settings: Settings) -> None:
    import pyrage  # noqa: PLC0415

    backup = make_backup()
    other = tmp_path / "other.key"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(BackupError, match="the key is another one"):
        check(FolderSource(store, backup.name), identity=str(other))
    with pytest.raises(BackupError, match="Name the file with the age key"):
        restore(FolderSource(store, backup.name), force=True)
    assert not default_storage.exists("songs")
    backup.refresh_from_db()
    assert backup.state == State.DONE  # the key is to blame
