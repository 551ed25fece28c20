"""A wiped studio comes back to the byte, on SQLite, on PostgreSQL and from one into the other."""

import fcntl
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.tests.looking import contents_of
from backups.tests.studio import Studio, drop_database, make_database, postgres_url

FILL = r"""
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from images.tests.factories import make_image
from jobs.models import Lease
from django.contrib.sessions.models import Session
from songs.models import Song, SongChoice
from songs.tests.factories import *
me = make_user(username="me", is_staff=True)
make_api_client(me)
odd = {"z": [1, 1.0, 1.5, 1e-7, 1e20, -0.0, True, None, "ü\U0001f600", {"b": {}, "a": []}], "": "x" * 5000}
make_finished_song(title="Wörter 🎵 und \"Zeichen\" \\ %s", mureka_response=odd, requested_by=me)
make_song(status="PROGRESS", title="running", requested_by=me)
make_song(status="PENDING", title="waiting")
make_song(status="PENDING", phase="submitting", title="submitting")
make_song(cost=Decimal("0.1"), spent_before=Decimal("123456.7891"), created_at=timezone.now() - timedelta(days=4000))
make_stems(status="PENDING")
make_image(title="picture")
choice = make_choice(rating=1, duration=0.1 + 0.2)
Lease.objects.create(name="follow", owner="a process that is gone", beat=timezone.now() - timedelta(hours=1))
Session.objects.create(session_key="s" * 32, session_data="x", expire_date=timezone.now() + timedelta(days=1))
"""
# Every row that a restore must not change, in the form that belongs to no database.
ROWS = """
from backups.rows import write_rows
import json
tables = write_rows("default")
for label in ("songs.song", "songs.stemseparation", "jobs.jobevent", "jobs.lease", "backups.backup"): tables.pop(label)
print(json.dumps({label: [table.rows, table.checksum] for label, table in tables.items()}))
"""
SONGS = """
import json
from songs.models import Song, StemSeparation
from django.contrib.sessions.models import Session
from jobs.models import Lease
rows = [[s.title, s.status, s.phase, s.charge, s.problem, str(s.cost), str(s.spent_before), s.mureka_response,
         s.created_at.isoformat(), s.requested_by_id, s.pk.hex] for s in Song.objects.order_by("pk")]
stems = [[s.status, s.phase] for s in StemSeparation.objects.all()]
print(json.dumps([rows, stems, Session.objects.count(), Lease.objects.count()]))
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio on SQLite with a bit of everything, and a backup of it in one file."""
    studio = Studio(tmp_path_factory.mktemp("filled") / "studio")
    studio.do("migrate", "-v0")
    studio.python(FILL)
    studio.do("backup", "--archive", str(archive_of(studio)))
    return studio


def archive_of(studio: Studio) -> Path:
    return studio.data_dir.parent / "studio.tar"


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database on PostgreSQL."""
    name = f"macai_restore_{uuid.uuid4().hex[:8]}"
    if not postgres_url(name):
        pytest.skip("needs PostgreSQL")
    make_database(name)
    yield postgres_url(name)
    drop_database(name)


def rows_of(studio: Studio) -> dict[str, list[object]]:
    found: dict[str, list[object]] = json.loads(studio.python(ROWS))
    return found


def must_be_equal(restored: Studio, original: Studio) -> None:
    """Compare rows and files, and see that the past is settled."""
    assert contents_of(restored.media) == contents_of(original.media)
    before, after = rows_of(original), rows_of(restored)
    assert {label: after[label] for label in before} == before
    old_songs, _stems, _sessions, _leases = json.loads(original.python(SONGS))
    songs, stems, sessions, leases = json.loads(restored.python(SONGS))
    settled = {"waiting", "submitting"}
    assert [song for song in songs if song[0] not in settled] == [song for song in old_songs if song[0] not in settled]
    assert {tuple(song[1:5]) for song in songs if song[0] in settled} == {("FAILURE", "uncertain", "maybe", "restored")}
    assert stems == [["FAILURE", "uncertain"]]
    assert (sessions, leases) == (0, 0)


def test_a_wiped_studio_on_sqlite_comes_back(filled: Studio, tmp_path: Path) -> None:
    empty = Studio(tmp_path / "empty")
    empty.data_dir.mkdir()
    told = empty.do("restore", str(archive_of(filled)))
    assert "3 jobs are held as uncertain" in told
    must_be_equal(empty, filled)
    assert "is not empty" in empty.manage("restore", str(archive_of(filled))).stderr
    (empty.media / "songs" / "stray.mp3").write_bytes(b"stray")
    changed = next(path for path in sorted(empty.media.rglob("*.png")))
    changed.write_bytes(b"changed")
    empty.do("restore", "--force", str(archive_of(filled)))
    assert (empty.media / "songs" / "stray.mp3").read_bytes() == b"stray"
    aside = [path for path in (empty.media / "quarantine").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in aside] == [b"changed"]
    assert list(empty.data_dir.glob("macai.sqlite3.before-restore-*"))


def test_from_the_folder_of_backups_the_newest_is_restored(filled: Studio, tmp_path: Path) -> None:
    empty = Studio(tmp_path / "empty", {"BACKUP_DIR": str(filled.data_dir / "backups")})
    empty.data_dir.mkdir()
    told = empty.do("restore", "--portable", "--release-waiting")
    assert filled.backups[0].name in told
    songs, *_rest = json.loads(empty.python(SONGS))
    assert {song[0]: song[2] for song in songs if song[0] in {"waiting", "submitting"}} == {
        "waiting": "waiting",
        "submitting": "uncertain",
    }
    assert contents_of(empty.media) == contents_of(filled.media)


def test_from_sqlite_into_postgresql_and_back(filled: Studio, tmp_path: Path, database: str) -> None:
    postgres = Studio(tmp_path / "postgres", {"DATABASE_URL": database})
    postgres.data_dir.mkdir()
    postgres.do("restore", str(archive_of(filled)))
    must_be_equal(postgres, filled)
    assert (
        int(postgres.python("from songs.models import SongModel\nprint(SongModel.objects.create(name='new').pk)")) > 8
    )
    archive = tmp_path / "back.tar"
    postgres.do("backup", "--archive", str(archive))
    back = Studio(tmp_path / "back")
    back.data_dir.mkdir()
    back.do("restore", str(archive))
    before, after = rows_of(postgres), rows_of(back)
    assert after == before
    assert contents_of(back.media) == contents_of(filled.media)


def test_a_wiped_studio_on_postgresql_comes_back_by_its_own_dump(filled: Studio, tmp_path: Path, database: str) -> None:
    studio = Studio(tmp_path / "postgres", {"DATABASE_URL": database})
    studio.do("migrate", "-v0")
    studio.python(FILL)
    before, media = rows_of(studio), contents_of(studio.media)
    studio.do("backup")
    studio.python("from songs.models import Song\nSong.objects.all().delete()")
    shutil.rmtree(studio.media)
    studio.do("restore", "--force")
    after = rows_of(studio)
    assert {label: after[label] for label in before} == before
    assert contents_of(studio.media) == media
    songs, _stems, sessions, leases = json.loads(studio.python(SONGS))
    assert {tuple(song[1:3]) for song in songs if song[0] == "waiting"} == {("FAILURE", "uncertain")}
    assert {song[1] for song in songs if song[0] == "running"} == {"PROGRESS"}
    assert (sessions, leases) == (0, 0)


def test_a_machine_that_was_prepared_with_an_owner_takes_a_backup(filled: Studio, tmp_path: Path) -> None:
    owner = {"DJANGO_SUPERUSER_USERNAME": "owner", "DJANGO_SUPERUSER_PASSWORD": "a long enough pass phrase"}
    prepared = Studio(tmp_path / "prepared", owner)
    prepared.data_dir.mkdir()
    prepared.do("prepare")
    prepared.do("restore", str(archive_of(filled)))
    must_be_equal(prepared, filled)


def test_a_studio_that_runs_is_not_restored_into(filled: Studio, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "running")
    (studio.data_dir / "run").mkdir(parents=True)
    with (studio.data_dir / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "The studio runs. Stop it first." in studio.manage("restore", str(archive_of(filled))).stderr
    assert not studio.media.exists()


def test_a_backup_of_another_studio_needs_a_word(filled: Studio, tmp_path: Path) -> None:
    stranger = Studio(tmp_path / "stranger", {"SECRET_KEY": "the key of a stranger " * 3})
    stranger.data_dir.mkdir()
    refused = stranger.manage("restore", str(archive_of(filled)))
    assert refused.returncode == 1
    assert "not signed with this SECRET_KEY" in refused.stderr
    assert not stranger.media.exists()
    stranger.do("restore", "--unsigned", str(archive_of(filled)))
    assert contents_of(stranger.media) == contents_of(filled.media)
