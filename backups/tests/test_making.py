"""Backups are made while the studio runs, cost only what is new, and are whole or none."""

import gzip
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from pytest_django import Settings

from backups import making, records
from backups.dumping import frozen
from backups.errors import BackupError, DamagedBackupError
from backups.making import make_backup
from backups.manifest import DATABASE, MANIFEST, ROWS
from backups.models import Backup, State, newest_backup_at
from backups.rows import sections, write_rows
from backups.sealing import HashingWriter, Seal
from backups.sources import FolderSource
from backups.store import Store
from backups.tests.looking import contents_of, files_in
from backups.verifying import verify
from library import storage
from songs.models import SongFile
from songs.tests.factories import make_file, make_finished_song, make_song

pytestmark = pytest.mark.django_db(transaction=True)


def put(name: str, content: bytes) -> Path:
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@contextmanager
def counting_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note every file of the library that is opened to be read."""
    opened: list[str] = []
    actual = FileSystemStorage._open  # type: ignore[attr-defined]

    def note(self: Any, name: str, mode: str = "rb") -> Any:
        opened.append(name)
        return actual(self, name, mode)

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "_open", note)
        yield opened


def test_a_backup_holds_every_file_and_every_row(media: Path, store: Store) -> None:
    make_finished_song(title="Rain")
    put("images/aa/picture.png", b"picture")
    put("incoming/half.part", b"half received")
    backup = make_backup()
    files = files_in(store, backup.name)
    assert files == {name: content for name, content in contents_of(media).items() if not name.startswith("incoming/")}
    assert (backup.state, backup.files, backup.missing) == (State.DONE, 3, 0)
    assert newest_backup_at() == backup.started_at
    manifest = store.manifest(backup.name, is_signed=True)
    assert manifest.tables["songs.song"].rows == 1
    assert manifest.tables["songs.songfile"].rows == 2
    assert manifest.tables["songs.song"] == write_rows("default")["songs.song"]


def test_unchanged_files_are_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put("songs/aa/one.mp3", b"one")
    changed = put("songs/aa/two.mp3", b"two")
    make_backup()
    changed.write_bytes(b"another two")
    put("songs/bb/three.mp3", b"three")
    with counting_reads(monkeypatch) as opened:
        second = make_backup()
    assert sorted(opened) == ["songs/aa/two.mp3", "songs/bb/three.mp3"]
    assert files_in(store, second.name) == {
        "songs/aa/one.mp3": b"one",
        "songs/aa/two.mp3": b"another two",
        "songs/bb/three.mp3": b"three",
    }


def test_a_full_rehash_reads_every_file_and_finds_one_that_changed_in_secret(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("songs/aa/one.mp3", b"one")
    make_backup()
    status = path.stat()
    path.write_bytes(b"eno")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert files_in(store, make_backup().name) == {"songs/aa/one.mp3": b"one"}
    with counting_reads(monkeypatch) as opened:
        backup = make_backup(rehash=True)
    assert opened == ["songs/aa/one.mp3"]
    assert files_in(store, backup.name) == {"songs/aa/one.mp3": b"eno"}


def test_the_same_content_is_kept_once(store: Store) -> None:
    put("songs/aa/one.mp3", b"the same")
    put("songs/bb/two.mp3", b"the same")
    put("songs-2/aa/one.mp3", b"another")
    make_backup()
    assert len([path for path in store.objects.rglob("*") if path.is_file()]) == 2


def test_a_content_that_was_lost_from_the_folder_is_put_back(store: Store) -> None:
    put("songs/aa/one.mp3", b"one")
    make_backup()
    for path in [path for path in store.objects.rglob("*") if path.is_file()]:
        path.unlink()
    assert files_in(store, make_backup().name) == {"songs/aa/one.mp3": b"one"}


def held_names(store: Store, name: str) -> set[str]:
    """Return the names that the rows of a backup speak of."""
    with gzip.open(store.folder(name) / ROWS) as lines:
        for label, columns, rows in sections(lines):
            if label == "songs.songfile":
                return {json.loads(row)[columns.index("name")] for row in rows}
    return set()


def test_a_file_that_is_purged_between_the_two_rounds_is_in_the_backup(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(content=b"ID3 soon gone")
    freeze = frozen

    @contextmanager
    def and_purge(work: Path) -> Iterator[Any]:
        with freeze(work) as snapshot:
            SongFile.objects.all().delete()
            storage.delete([file.name])
            yield snapshot

    monkeypatch.setattr(making, "frozen", and_purge)
    backup = make_backup()
    assert held_names(store, backup.name) == {file.name}
    assert files_in(store, backup.name) == {file.name: b"ID3 soon gone"}


def test_a_file_that_comes_home_between_the_two_rounds_is_in_the_backup(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze = frozen
    names: list[str] = []

    @contextmanager
    def after_another(work: Path) -> Iterator[Any]:
        names.append(make_file(content=b"ID3 just home").name)
        with freeze(work) as snapshot:
            yield snapshot

    monkeypatch.setattr(making, "frozen", after_another)
    backup = make_backup()
    assert held_names(store, backup.name) == set(names) == set(files_in(store, backup.name))


def test_a_row_whose_file_the_library_does_not_have_is_counted(store: Store) -> None:
    make_file()
    backup = make_backup()
    assert backup.missing == 1
    assert "check_library" in backup.message


def test_a_backup_that_breaks_leaves_nothing_behind_and_the_older_ones_untouched(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("songs/aa/one.mp3", b"one")
    first = make_backup()
    before = contents_of(store.root)

    def killed(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "write_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        make_backup()
    assert contents_of(store.root) == before
    assert store.names() == [first.name]
    assert Backup.objects.filter(state=State.FAILED, message__contains="interrupted").count() == 1


def test_what_a_killed_backup_left_is_never_taken_for_a_backup_and_is_cleared_by_the_next(store: Store) -> None:
    put("songs/aa/one.mp3", b"one")
    Backup.objects.create()
    left = store.root / ".making-abc"
    left.mkdir(parents=True)
    (left / MANIFEST).write_text("{}")
    assert store.names() == []
    backup = make_backup()
    assert not left.exists()
    assert store.names() == [backup.name]
    assert Backup.objects.filter(state=State.FAILED, message__contains="interrupted").count() == 1


def test_two_backups_are_not_made_at_once(store: Store) -> None:
    with store.lock(), pytest.raises(BackupError, match="already"):
        make_backup()
    assert not Backup.objects.exists()


def test_a_full_disk_is_a_sentence_and_leaves_the_older_backups_untouched(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("songs/aa/one.mp3", b"one")
    first = make_backup()
    before = contents_of(store.root)
    put("songs/bb/two.mp3", b"two")
    put("songs/cc/three.mp3", b"three")
    write = Seal.write

    def full(self: Seal, source: Any, target: Any) -> Any:
        if source.read(5) == b"three":
            raise OSError(28, "No space left on device")
        source.seek(0)
        return write(self, source, target)

    monkeypatch.setattr(Seal, "write", full)
    with pytest.raises(BackupError, match=r"is full .* Older backups are untouched"):
        make_backup()
    assert contents_of(store.root) == before
    assert files_in(store, first.name) == {"songs/aa/one.mp3": b"one"}
    assert "is full" in Backup.objects.get(state=State.FAILED).message


def test_the_last_bytes_of_the_disk_are_left_to_the_database(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put("songs/aa/one.mp3", b"one")
    monkeypatch.setattr("backups.store.RESERVE_BYTES", 2**60)
    with pytest.raises(BackupError, match="is full"):
        make_backup()


def test_backups_older_than_the_days_kept_are_deleted_but_never_the_newest(store: Store, settings: Settings) -> None:
    path = put("songs/aa/one.mp3", b"old")
    old = make_backup()
    path.write_bytes(b"newer")
    newer = make_backup()
    later = datetime.now(UTC) + timedelta(days=8)
    assert store.prune(7, now=later) == [old.name]
    assert store.prune(7, now=later + timedelta(days=100)) == []
    assert store.names() == [newer.name]
    assert store.collect_garbage() == len(b"old")
    assert files_in(store, newer.name) == {"songs/aa/one.mp3": b"newer"}


def test_a_damaged_newest_backup_does_not_cost_the_last_whole_one(store: Store) -> None:
    whole = make_backup()
    make_song()
    damaged = make_backup()
    (store.folder(damaged.name) / DATABASE).write_bytes(b"")
    store.prune(7, now=datetime.now(UTC) + timedelta(days=8))
    assert store.names() == [whole.name]


def test_a_backup_that_was_found_damaged_does_not_cost_the_last_good_one(store: Store) -> None:
    put("songs/aa/one.mp3", b"one")
    good = make_backup()
    verify(FolderSource(store, good.name))
    newer = put("songs/bb/two.mp3", b"two")
    damaged = make_backup()
    content = store.object_path(hashlib.sha256(newer.read_bytes()).hexdigest(), "")
    content.write_bytes(b"owt")
    with pytest.raises(DamagedBackupError):
        verify(FolderSource(store, damaged.name))
    later = datetime.now(UTC) + timedelta(days=8)
    assert store.prune(7, now=later) == [damaged.name]
    assert store.names() == [good.name]


def test_if_all_were_found_damaged_the_newest_is_kept_and_one_that_was_healed_counts_again(store: Store) -> None:
    later = datetime.now(UTC) + timedelta(days=8)
    first, second, third = (make_backup() for _number in range(3))
    for backup in (first, second, third):
        store.judge(backup.name, is_good=False)
    assert store.prune(7, now=later) == [second.name, first.name]
    fourth = make_backup()
    store.judge(third.name, is_good=True)
    store.judge(fourth.name, is_good=False)
    assert store.prune(7, now=later) == [fourth.name]


def test_the_newest_backup_that_was_verified_is_kept_until_another_one_is(store: Store) -> None:
    later = datetime.now(UTC) + timedelta(days=8)
    verified, other, newest = (make_backup() for _number in range(3))
    verify(FolderSource(store, verified.name))
    assert store.prune(7, now=later) == [other.name]
    verify(FolderSource(store, newest.name))
    assert store.prune(7, now=later) == [verified.name]


def test_nothing_is_deleted_before_a_new_backup_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise BackupError("The disk does not answer.")

    names = [make_backup().name for _number in range(2)]
    monkeypatch.setattr("backups.store.timedelta", lambda **_days: timedelta(days=-1))  # all of them are too old
    with monkeypatch.context() as patch:
        patch.setattr(making, "walk", broken)
        with pytest.raises(BackupError, match="does not answer"):
            make_backup()
    assert sorted(store.names()) == sorted(names)
    newest = make_backup()
    assert store.names() == [newest.name]


def test_nothing_is_collected_while_a_list_cannot_be_read(store: Store) -> None:
    put("songs/aa/one.mp3", b"one")
    backup = make_backup()
    (store.folder(backup.name) / "objects.txt.gz").write_bytes(b"damaged")
    with pytest.raises(BackupError):
        store.collect_garbage()
    assert [path for path in store.objects.rglob("*") if path.is_file()]


def test_the_rows_about_backups_say_what_the_folder_says(store: Store) -> None:
    first = make_backup()
    make_song()
    second = make_backup()
    Backup.objects.filter(pk=first.pk).delete()
    Backup.objects.create(name="20200101T000000.000000Z-0123456789abcdef", state=State.DONE)
    make_song()
    third = make_backup()
    names = set(Backup.objects.good().values_list("name", flat=True))
    assert names == {first.name, second.name, third.name}


def test_the_rows_about_backups_say_what_was_found(store: Store) -> None:
    good, damaged, forgotten = (make_backup() for _number in range(3))
    store.judge(good.name, is_good=True)
    store.judge(damaged.name, is_good=False)
    store.judge(forgotten.name, is_good=False)
    Backup.objects.filter(pk__in=[good.pk, forgotten.pk]).delete()
    long_ago = Backup.objects.filter(pk=damaged.pk)
    long_ago.update(started_at=damaged.started_at - timedelta(days=31))
    records.reconcile(store)
    assert dict(Backup.objects.values_list("name", "state")) == {
        good.name: State.DONE,
        damaged.name: State.FAILED,
        forgotten.name: State.FAILED,
    }
    records.reconcile(store)
    assert Backup.objects.get(name=good.name).verified_at is not None
    assert long_ago.exists()


def test_an_encrypted_backup_shows_nothing_and_costs_no_more_the_second_time(
    store: Store, age: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("songs/aa/one.mp3", b"a melody that nobody else may hear")
    make_song(title="A secret title")
    make_backup()
    with counting_reads(monkeypatch) as opened:
        backup = make_backup()
    assert opened == []
    everything = b"".join(contents_of(store.root).values())
    assert b"a melody" not in everything
    assert b"secret title" not in everything
    assert b"one.mp3" not in everything
    (content,) = [path for path in store.objects.rglob("*") if path.is_file()]
    opened_up = HashingWriterKeeping()
    with content.open("rb") as file:
        age.read(file, opened_up, store.manifest(backup.name).seal)
    assert bytes(opened_up.kept) == b"a melody that nobody else may hear"


class HashingWriterKeeping(HashingWriter):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = bytearray()

    def write(self, data: bytes, /) -> int:
        self.kept += data
        return len(data)


def test_a_public_key_that_is_none_is_refused_before_anything_is_read(store: Store, settings: Settings) -> None:
    settings.BACKUP_AGE_RECIPIENT = "age1nonsense"
    with pytest.raises(BackupError, match="BACKUP_AGE_RECIPIENT"):
        make_backup()


def test_a_folder_of_backups_inside_of_the_media_is_refused(media: Path) -> None:
    with pytest.raises(BackupError, match="must not lie in the media"):
        make_backup(store=Store(media / "backups"))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_without_the_programs_of_postgresql_a_sentence_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.postgres.shutil.which", lambda _name: None)
    with pytest.raises(BackupError, match=r"pg_dump is missing: install .* PostgreSQL \d+"):
        make_backup()
    monkeypatch.undo()
    monkeypatch.setattr(
        "backups.postgres.subprocess.run",
        lambda *_args, **_options: subprocess.CompletedProcess([], 0, stdout="pg_dump (PostgreSQL) 9.6"),
    )
    with pytest.raises(BackupError, match="too old"):
        make_backup()


def test_a_link_in_the_library_is_not_followed(media: Path, store: Store) -> None:
    put("songs/aa/one.mp3", b"one")
    (media / "songs" / "passwd").symlink_to("/etc/passwd")
    assert list(files_in(store, make_backup().name)) == ["songs/aa/one.mp3"]


def test_files_are_listed_in_one_order_whatever_they_are_called(store: Store) -> None:
    names = ["a/b.mp3", "a-b/c.mp3", "a.b/d.mp3", "a/b/c.mp3", "ä/ö.mp3", "b.mp3"]
    for number, name in enumerate(names):
        put(name, str(number).encode())
    make_backup()
    with pytest.MonkeyPatch.context() as patch, counting_reads(patch) as opened:
        backup = make_backup()
    assert opened == []
    assert sorted(files_in(store, backup.name)) == sorted(names)
