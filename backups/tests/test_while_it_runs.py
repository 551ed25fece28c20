"""A backup while rows and files come and go in other processes: every row that is in it has its file in it."""

import gzip
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.entries import read_entries
from backups.manifest import FILES, ROWS
from backups.rows import sections
from backups.tests.studio import Studio, drop_database, make_database, postgres_url

# Until told to stop: songs come home, and songs that have lain in the trash for long enough are purged, files and all.
BUSY = """
import os, sys, threading
from datetime import timedelta
from django.db import connections
from django.utils import timezone
from songs.curation import purge_songs
from songs.tests.factories import make_finished_song
made, purged = [], []
stop = threading.Event()
worn_out = timezone.now() - timedelta(days=31)
old = [make_finished_song(content=b"ID3" + os.urandom(500), deleted_at=worn_out) for _ in range(150)]
def make():
    while not stop.wait(0.05):
        made.append(make_finished_song(content=b"ID3" + os.urandom(500)))
    connections.close_all()
def go():
    while old and not stop.wait(0.02):
        purged.append(purge_songs([old.pop()]))
    connections.close_all()
threads = [threading.Thread(target=work) for work in (make, go)]
for thread in threads: thread.start()
print("busy", flush=True)
sys.stdin.readline()
stop.set()
for thread in threads: thread.join()
print(len(made), sum(purged), flush=True)
"""


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """Use the database that the suite runs on."""
    name = f"macai_backup_{uuid.uuid4().hex[:8]}"
    if not postgres_url(name):
        yield Studio(tmp_path / "studio")
        return
    make_database(name)
    yield Studio(tmp_path / "studio", {"DATABASE_URL": postgres_url(name)})
    drop_database(name)


def names_in(backup: Path) -> tuple[set[str], set[str]]:
    """Return the files that the rows of a backup speak of, and those that it has."""
    held: set[str] = set()
    with gzip.open(backup / ROWS) as lines:
        for label, columns, rows in sections(lines):
            if label == "songs.songfile":
                held = {json.loads(row)[columns.index("name")] for row in rows}
    return held, {entry.name for entry in read_entries(backup / FILES)}


def test_every_row_has_its_file_though_songs_come_and_go(studio: Studio) -> None:
    studio.do("migrate", "-v0")
    busy = studio.start(BUSY)
    assert busy.stdout is not None
    assert busy.stdout.readline() == "busy\n"
    for _round in range(3):
        studio.do("backup")
    told, errors = busy.communicate("stop\n", timeout=60)
    assert busy.returncode == 0, errors
    assert all(int(count) > 5 for count in told.split()), "it was not busy"
    for backup in studio.backups:
        held, kept = names_in(backup)
        assert held <= kept
        assert len(held) > 5
