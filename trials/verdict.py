"""What must be true after a trial, whatever was killed: read from the rows, the files and the mock's own ledger."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import soundfile

from trials.studio import Profile, key_of

SONGS = "SELECT id, prompt, status, phase, job_id, charge, error_message, variants FROM songs"
FILES = (
    "SELECT c.song_id, c.id AS choice_id, f.kind, f.state, f.name, f.size, f.sha256"
    " FROM song_choices c LEFT JOIN song_files f ON f.choice_id = c.id"
)
KINDS = ("mp3", "flac", "wav")
STARTS = {"mp3": (b"ID3", b"\xff"), "flac": (b"fLaC",), "wav": (b"RIFF",)}


@dataclass
class Verdict:
    """What was found: figures worth showing, and what must not be."""

    figures: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def must(self, holds: bool, sentence: str) -> None:
        """Note a violation unless `holds`."""
        if not holds:
            self.violations.append(sentence)


def judge(profile: Profile, wishes: dict[UUID, str], ledger: list[dict[str, Any]], limit: int) -> Verdict:
    """Compare rows, files and ledger. `wishes` is what was promised: the id of each song and its unique style."""
    verdict = Verdict()
    songs = {key_of(row["id"]): row for row in profile.rows(SONGS)}
    judge_wishes(verdict, songs, wishes, "songs")
    judge_ledger(verdict, songs, ledger, limit)
    judge_files(verdict, songs, profile)
    return verdict


def judge_wishes(verdict: Verdict, rows: Mapping[UUID, dict[str, Any]], wishes: Mapping[UUID, str], what: str) -> None:
    """Every wish is one row, and every row is done or says that its fate is uncertain."""
    for key in wishes.keys() - rows.keys():
        verdict.must(False, f"{wishes[key]}: promised, but there is no row.")
    for prompt, times in Counter(row["prompt"] for row in rows.values()).items():
        verdict.must(times == 1, f"{prompt}: one wish, {times} rows.")
    for key, row in rows.items():
        verdict.must(wishes.get(key) == row["prompt"], f"{row['prompt']}: a row that nobody asked for.")
        is_explained = row["phase"] == "uncertain" and row["charge"] == "maybe" and row["error_message"]
        verdict.must(
            row["status"] == "SUCCESS" or (row["status"] == "FAILURE" and bool(is_explained)),
            f"{row['prompt']}: ended as {row['status']}, {row['phase']}: {row['error_message']!r}.",
        )
    verdict.figures[what] = len(rows)
    verdict.figures[f"{what}: done"] = sum(row["status"] == "SUCCESS" for row in rows.values())
    verdict.figures[f"{what}: uncertain"] = sum(row["phase"] == "uncertain" for row in rows.values())


def judge_ledger(verdict: Verdict, songs: dict[UUID, dict[str, Any]], ledger: list[dict[str, Any]], limit: int) -> None:
    """No song was submitted twice, a done one was submitted once, and never more at once than the limit."""
    taken = Counter(entry["prompt"] for entry in ledger)
    jobs = {entry["prompt"]: entry["id"] for entry in ledger}
    known = {song["prompt"] for song in songs.values()}
    for prompt, times in taken.items():
        verdict.must(times == 1, f"{prompt}: submitted {times} times.")
        verdict.must(prompt in known, f"{prompt}: submitted, but there is no row.")
    for song in songs.values():
        if song["status"] == "SUCCESS":
            right = jobs.get(song["prompt"]) == song["job_id"]
            verdict.must(right, f"{song['prompt']}: done as job {song['job_id']}, which the ledger does not know.")
    most = most_at_once(ledger)
    verdict.must(most <= limit, f"{most} songs at once at the provider, with a limit of {limit}.")
    lost = [song for song in songs.values() if song["phase"] == "uncertain" and song["prompt"] in taken]
    verdict.figures["songs: uncertain, taken by the mock"] = len(lost)
    verdict.figures["songs: submissions in the ledger"] = len(ledger)
    verdict.figures["songs: submitted twice"] = sum(times > 1 for times in taken.values())
    verdict.figures["songs: most at once"] = f"{most} of {limit}"


def most_at_once(ledger: Sequence[dict[str, Any]]) -> int:
    """Return how many songs the provider had in work at most. At the same moment an end comes before a start."""
    ends = [(entry["finished_at"], -1) for entry in ledger]
    starts = [(entry["created_at"], 1) for entry in ledger]
    now = most = 0
    for _moment, change in sorted(ends + starts):
        now += change
        most = max(most, now)
    return most


def judge_files(verdict: Verdict, songs: dict[UUID, dict[str, Any]], profile: Profile) -> None:
    """Every file of every done song is there, is what the row says, and is audio from end to end."""
    media = profile.data_dir / "media"
    files = [row | {"song": songs[key_of(row["song_id"])]} for row in profile.rows(FILES)]
    done = [row for row in files if row["song"]["status"] == "SUCCESS"]
    per_song = Counter(row["song"]["prompt"] for row in done if row["state"] == "home" and row["kind"] in KINDS)
    for song in songs.values():
        if song["status"] == "SUCCESS":
            expected, found = song["variants"] * len(KINDS), per_song[song["prompt"]]
            verdict.must(found == expected, f"{song['prompt']}: {found} files at home instead of {expected}.")
    for row in done:
        if row["state"] == "home":
            why = damage(media / row["name"], row)
            verdict.must(not why, f"{row['song']['prompt']}: {row['name']} {why}.")
    names = {row["name"] for row in files if row["name"]}
    stored = [path for path in (media / "songs").rglob("*") if path.is_file()]
    parts = list((media / "incoming").glob("*.part"))
    verdict.figures["songs: files checked"] = sum(per_song.values())
    verdict.figures["songs: files without a row"] = sum(str(path.relative_to(media)) not in names for path in stored)
    verdict.figures["half downloads left (swept after 6 h)"] = len(parts)


def damage(path: Path, row: dict[str, Any]) -> str:
    """Return what is wrong with a file, if anything."""
    if not path.is_file():
        return "is not there"
    content = path.read_bytes()
    if len(content) != row["size"]:
        return f"has {len(content)} bytes instead of {row['size']}"
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        return "has another sha256"
    if not content.startswith(STARTS[row["kind"]]):
        return f"is no {row['kind']}"
    try:
        samples, rate = soundfile.read(path)
    except soundfile.LibsndfileError as error:
        return f"cannot be decoded ({error})"
    return "" if len(samples) > rate // 2 else "is silence"
