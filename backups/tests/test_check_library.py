"""The library looked through: what is missing, damaged or belongs to nobody is found, and repaired where it can be."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from backups.library_check import Report, check_library
from backups.making import make_backup
from backups.sealing import Seal
from backups.store import Store
from images.tests.factories import make_image
from jobs import tasks as job_tasks
from songs.models import FileState
from songs.tests.factories import make_file

pytestmark = pytest.mark.django_db(transaction=True)

SONG = b"ID3" + bytes(range(200))


def look(**options: Any) -> tuple[Report, list[str]]:
    lines: list[str] = []
    return check_library(tell=lines.append, **options), lines


def make_old(path: Path) -> None:
    """Date a file back by two days."""
    then = time.time() - 2 * 86_400
    os.utime(path, (then, then))


def quarantined(media: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((media / "quarantine").rglob("*")) if path.is_file()]


def test_a_library_in_order_is_said_to_be_so() -> None:
    make_file(content=SONG)
    make_image()
    make_file(state=FileState.MISSING)
    report, lines = look()
    assert report == Report(files=4, missing=0, damaged=0, orphans=0, repaired=0, coming=0, left=0)
    assert report.is_well
    assert lines == []


def test_every_kind_of_trouble_is_found_and_nothing_is_touched_without_being_asked(media: Path) -> None:
    missing, damaged, short = (make_file(content=SONG) for _number in range(3))
    (media / missing.name).unlink()
    (media / damaged.name).write_bytes(SONG[::-1])
    (media / short.name).write_bytes(SONG[:50])
    orphan, young = media / "songs" / "old.mp3", media / "songs" / "young.mp3"
    orphan.write_bytes(SONG)
    young.write_bytes(SONG)
    make_old(orphan)
    report, lines = look()
    assert (report.missing, report.damaged, report.orphans, report.left) == (1, 2, 1, 4)
    assert sorted(lines) == sorted(
        [
            f"{missing.name}: missing", f"{damaged.name}: damaged", f"{short.name}: damaged",
            "songs/old.mp3: belongs to no row",
        ]
    )  # fmt: skip
    assert orphan.exists()
    assert not (media / "quarantine").exists()
    quick, _lines = look(quick=True)
    assert (quick.missing, quick.damaged) == (1, 1)


def test_what_a_backup_has_is_taken_from_there_and_the_damaged_file_is_kept_aside(media: Path, store: Store) -> None:
    missing, damaged = make_file(content=SONG), make_file(content=SONG + b"2")
    make_backup()
    (media / missing.name).unlink()
    (media / damaged.name).write_bytes(b"rotten")
    report, _lines = look(repair=True)
    assert (report.repaired, report.left) == (2, 0)
    assert (media / missing.name).read_bytes() == SONG
    assert (media / damaged.name).read_bytes() == SONG + b"2"
    assert quarantined(media) == [b"rotten"]
    assert look()[0].is_well


def test_an_encrypted_backup_is_used_only_where_its_key_is(media: Path, store: Store, age: Seal, settings: Any) -> None:
    file = make_file(content=SONG, url="")
    make_backup()
    (media / file.name).unlink()
    assert look(repair=True)[0].left == 1
    settings.BACKUP_AGE_IDENTITY = age.identity_file
    assert look(repair=True)[0].repaired == 1
    assert (media / file.name).read_bytes() == SONG


def test_a_backup_with_other_content_under_the_name_is_not_believed(media: Path, store: Store) -> None:
    file = make_file(content=SONG, url="")
    (media / file.name).write_bytes(b"rotten already")
    make_backup()
    report, lines = look(repair=True)
    assert (report.repaired, report.left) == (0, 1)
    assert lines == [f"{file.name}: damaged, cannot be repaired"]
    assert (media / file.name).read_bytes() == b"rotten already"


def test_a_file_whose_link_still_lives_is_fetched_again(
    media: Path, enqueued: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    file = make_file(content=SONG)
    dead = make_file(content=SONG, link_expires_at=timezone.now())
    for each in (file, dead):
        (media / each.name).write_bytes(b"rotten")
    report, _lines = look(repair=True)
    assert (report.coming, report.left) == (1, 1)
    file.refresh_from_db()
    dead.refresh_from_db()
    assert (file.state, file.name, dead.state) == (FileState.WAITING, "", FileState.HOME)
    assert [(task.func, task.args[1]) for task in enqueued] == [(job_tasks.bring_home, str(file.choice.song_id))]
    assert quarantined(media) == [b"rotten"]


def test_small_versions_are_made_again_and_a_picture_that_is_lost_is_said_to_be(media: Path) -> None:
    image, lost = make_image(), make_image()
    (media / image.thumb_320).unlink()
    (media / image.thumb_640).write_bytes(b"")
    (media / lost.file_path).unlink()
    report, lines = look(repair=True)
    assert (report.missing, report.damaged, report.repaired, report.left) == (2, 1, 2, 1)
    assert f"{lost.file_path}: missing, cannot be repaired" in lines
    image.refresh_from_db()
    assert (media / image.thumb_320).read_bytes()[:4] == b"RIFF"
    assert (media / image.thumb_640).read_bytes()[:4] == b"RIFF"


def test_what_belongs_to_no_row_is_moved_aside_and_not_counted_again(media: Path) -> None:
    orphan = media / "images" / "aa" / "stray.png"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"a stray picture")
    make_old(orphan)
    report, _lines = look(repair=True)
    assert (report.orphans, report.repaired, report.is_well) == (1, 1, True)
    assert quarantined(media) == [b"a stray picture"]
    assert look()[0].orphans == 0


def test_the_command_ends_with_status_1_while_something_is_left_to_do(
    media: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "nice", lambda _by: None)
    file = make_file(content=SONG, url="")
    call_command("check_library")
    assert "1 files that rows speak of: 0 missing, 0 damaged." in capsys.readouterr().out
    (media / file.name).unlink()
    with pytest.raises(SystemExit) as ended:
        call_command("check_library", "--repair")
    assert ended.value.code == 1
    assert "cannot be repaired" in capsys.readouterr().out
