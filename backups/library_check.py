"""The library looked through: rows without files, files without rows, damaged files; and what of it can be repaired.

No original is ever deleted: what is damaged or belongs to no row is moved into the folder "quarantine" of the library.
All lists lie in a file, not in memory.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from backups.checking import open_manifest, unpack
from backups.entries import read_entries
from backups.errors import BackupError
from backups.making import seal_in_use, store_in_use
from backups.manifest import FILES
from backups.media import walk
from backups.placing import move, place
from backups.sealing import hash_of
from backups.sources import FolderSource
from library import holdings
from library.holdings import HOLDERS, Held
from library.storage import StorageAwayError

QUARANTINE = "quarantine"
YOUNG = timedelta(days=1)  # a file may be stored before its row is written, and lie in an open form
MISSING, DAMAGED, ORPHAN = "missing", "damaged", "orphan"
REPAIRED, COMING, LOST = "repaired", "coming", "lost"

TABLES = """
PRAGMA synchronous=OFF;
CREATE TABLE found (name TEXT PRIMARY KEY, size INTEGER, modified_ns INTEGER) WITHOUT ROWID;
CREATE TABLE held (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE problems (label TEXT, pk TEXT, col TEXT, name TEXT, sha256 TEXT, what TEXT, outcome TEXT DEFAULT '');
CREATE INDEX problem_names ON problems (name);
"""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What was found, in numbers."""

    files: int  # that rows speak of
    missing: int
    damaged: int
    orphans: int
    repaired: int
    coming: int  # they are fetched again
    left: int  # that nothing was or could be done about

    @property
    def is_well(self) -> bool:
        """Whether nothing is left to do for a person."""
        return self.left == 0


def check_library(*, repair: bool = False, quick: bool = False, tell: Tell = lambda _text: None) -> Report:
    """Look through the library; with `repair`, mend what can be mended. `quick` compares sizes and reads no file."""
    with (
        tempfile.TemporaryDirectory(prefix="check-", dir=settings.DATA_DIR) as folder,
        closing(sqlite3.connect(Path(folder) / "lists.sqlite3", isolation_level=None)) as lists,
    ):
        lists.executescript(TABLES)
        look(lists, quick=quick)
        if repair:
            take_from_backups(lists, Path(folder))
            make_or_fetch_again(lists)
            move_orphans(lists)
        for name, what, outcome in lists.execute("SELECT name, what, outcome FROM problems ORDER BY what, name"):
            tell(line_of(name, what, outcome))
        return count(lists)


def line_of(name: str, what: str, outcome: str) -> str:
    """Return what is told of one file."""
    words = {
        MISSING: _("missing"),
        DAMAGED: _("damaged"),
        ORPHAN: _("belongs to no row"),
    }
    done = {REPAIRED: _("repaired"), COMING: _("is fetched again"), LOST: _("cannot be repaired")}
    return f"{name}: {words[what]}" + (f", {done[outcome]}" if outcome else "")


def look(lists: sqlite3.Connection, *, quick: bool) -> None:
    """Fill the lists: what there is, what rows speak of, and what does not fit."""
    lists.execute("BEGIN")
    lists.executemany("INSERT OR IGNORE INTO found VALUES (?, ?, ?)", ((f.name, f.size, f.modified_ns) for f in walk()))
    for held in holdings.everything_held("default"):
        if not lists.execute("INSERT OR IGNORE INTO held VALUES (?)", [held.name]).rowcount:
            continue
        what = judge(lists, held, quick=quick)
        if what:
            note(lists, held, what)
    limit = int((time.time() - YOUNG.total_seconds()) * 1e9)
    lists.execute(
        "INSERT INTO problems (name, what) SELECT name, ? FROM found WHERE modified_ns < ? AND name NOT LIKE ? "
        "AND name NOT IN (SELECT name FROM held)",
        [ORPHAN, limit, f"{QUARANTINE}/%"],
    )
    lists.execute("COMMIT")


def judge(lists: sqlite3.Connection, held: Held, *, quick: bool) -> str:
    """Return what is wrong with a file that a row speaks of; "" if nothing is."""
    row = lists.execute("SELECT size FROM found WHERE name = ?", [held.name]).fetchone()
    if row is None:
        # It may have come home, or been taken from the row, while we looked.
        return "" if default_storage.exists(held.name) else MISSING
    if row[0] == 0 or (held.size is not None and held.size != row[0]):
        return DAMAGED
    if held.sha256 and not quick:
        try:
            with default_storage.open(held.name, "rb") as file:
                return "" if hash_of(file) == held.sha256 else DAMAGED
        except FileNotFoundError:
            return MISSING
        except StorageAwayError:
            raise
        except OSError:  # the disk itself cannot read it
            return DAMAGED
    return ""


def note(lists: sqlite3.Connection, held: Held, what: str) -> None:
    """Write down what is wrong with a file."""
    lists.execute(
        "INSERT INTO problems (label, pk, col, name, sha256, what) VALUES (?, ?, ?, ?, ?, ?)",
        [held.label, str(held.pk), held.column, held.name, held.sha256, what],
    )


def open_problems(lists: sqlite3.Connection) -> Iterator[tuple[int, Held, str]]:
    """Return what rows lack and nothing has been done about yet."""
    rows = lists.execute(
        "SELECT rowid, label, pk, col, name, sha256, what FROM problems WHERE outcome = '' AND what <> ?", [ORPHAN]
    ).fetchall()
    for number, label, pk, column, name, sha256, what in rows:
        yield number, Held(label, pk, column, name, sha256), what


def settle(lists: sqlite3.Connection, number: int, outcome: str) -> None:
    """Write down what was done about a file."""
    lists.execute("UPDATE problems SET outcome = ? WHERE rowid = ?", [outcome, number])


def take_from_backups(lists: sqlite3.Connection, folder: Path) -> None:
    """Put files back that a backup has, the newest first. Backups that cannot be read are passed over."""
    store, seal = store_in_use(), seal_in_use()
    for name in store.names():
        if next(open_problems(lists), None) is None:
            return
        listing = folder / f"{name}.jsonl.gz"
        try:
            source = FolderSource(store, name)
            manifest = open_manifest(source, is_signed=True)
            if not seal.can_open(manifest.seal):
                continue
            unpack(source, seal, manifest, FILES, listing)
            for entry in read_entries(listing):
                for number, sha256, what in lists.execute(
                    "SELECT rowid, sha256, what FROM problems WHERE name = ? AND outcome = '' AND what <> ?",
                    [entry.name, ORPHAN],
                ).fetchall():
                    if sha256 and sha256 != entry.sha256:
                        continue
                    if what == DAMAGED:
                        set_aside(entry.name, DAMAGED)
                    place(source, seal, manifest.seal, entry)
                    settle(lists, number, REPAIRED)
        except BackupError:
            continue


def make_or_fetch_again(lists: sqlite3.Connection) -> None:
    """Make small versions anew; have files fetched whose link still lives."""
    for number, held, what in open_problems(lists):
        holder = HOLDERS[held.label]
        if holder.make_again(held):
            outcome = REPAIRED
        elif holder.fetch_again(held):
            outcome = COMING
        else:
            outcome = LOST
        if what == DAMAGED and outcome != LOST:
            set_aside(held.name, DAMAGED)  # the row speaks of another file now
        settle(lists, number, outcome)


def move_orphans(lists: sqlite3.Connection) -> None:
    """Move files that belong to no row out of the way."""
    rows = lists.execute("SELECT rowid, name FROM problems WHERE what = ?", [ORPHAN]).fetchall()
    for number, name in rows:
        set_aside(name, ORPHAN)
        settle(lists, number, REPAIRED)


def set_aside(name: str, why: str) -> None:
    """Move a file into the quarantine, under its name and the time."""
    if default_storage.exists(name):
        move(name, f"{QUARANTINE}/{why}-{int(time.time())}/{name}")


def count(lists: sqlite3.Connection) -> Report:
    """Return the numbers."""
    whats = dict(lists.execute("SELECT what, count(*) FROM problems GROUP BY what").fetchall())
    outcomes = dict(lists.execute("SELECT outcome, count(*) FROM problems GROUP BY outcome").fetchall())
    return Report(
        files=lists.execute("SELECT count(*) FROM held").fetchone()[0],
        missing=whats.get(MISSING, 0),
        damaged=whats.get(DAMAGED, 0),
        orphans=whats.get(ORPHAN, 0),
        repaired=outcomes.get(REPAIRED, 0),
        coming=outcomes.get(COMING, 0),
        left=outcomes.get(LOST, 0) + outcomes.get("", 0),
    )
