"""Files come home: each way in which a download can go wrong ends in the right state, and none is forgotten on disk."""

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from jobs import stopping, submissions, tasks
from jobs.kinds import KINDS, Finished
from jobs.models import Charge, Phase, Status
from library import storage
from providers import mureka
from providers.errors import DownloadError
from songs import fetching, services
from songs.models import FileState, Song, SongChoice, SongFile
from songs.tests.engine import fresh, told
from songs.tests.factories import make_choice, make_file, make_song, make_stems

pytestmark = pytest.mark.django_db
MP3 = b"ID3" + bytes(997)
HOUR = timedelta(hours=1)


class Outside:
    """The server of the files: what it does about each address."""

    def __init__(self) -> None:
        self.behaviour: dict[str, Any] = {}
        self.default: Any = MP3
        self.asked: list[str] = []
        self.before: Any = lambda: None

    @contextmanager
    def open(self, url: str, **_options: Any) -> Iterator[Any]:
        self.asked.append(url)
        answer = self.behaviour.get(url, self.default)
        if isinstance(answer, Exception):
            raise answer
        yield Answer(answer, self.before)


class Answer:
    def __init__(self, content: bytes, before: Any) -> None:
        self.content = content
        self.length = len(content)
        self.before = before

    def chunks(self) -> Iterator[bytes]:
        yield self.content[:10]
        self.before()
        yield self.content[10:]


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Outside:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(fetching, "BEAT_EVERY", 0.05)
    server = Outside()
    monkeypatch.setattr(fetching, "open_download", server.open)
    return server


def make_saving(*kinds: str, **overrides: Any) -> Song:
    """Make a song that the provider has finished, with a choice whose files are to come home."""
    now = timezone.now()
    fields = {"status": Status.PROGRESS, "phase": Phase.SAVING, "next_poll_at": now, "slot_until": None}
    song = make_song(**(fields | overrides))
    choice = make_choice(song)
    for kind in kinds or ("mp3",):
        make_file(choice, kind, state=FileState.WAITING, url=f"http://files/{kind}")
    return song


def bring_home(song: Any) -> Any:
    KINDS[song._meta.label_lower].bring_home(str(song.pk))
    return fresh(song)


def file_of(song: Any, kind: str = "mp3") -> SongFile:
    return SongFile.objects.get(choice__song=song, kind=kind)


def make_due(song: Any) -> None:
    SongFile.objects.filter(choice__song=song).away().update(next_try_at=timezone.now() - timedelta(seconds=1))


def on_disk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def seconds_until(moment: Any) -> int:
    return int(0.5 + (moment - timezone.now()).total_seconds())


def test_a_file_comes_home_and_the_song_is_done(outside: Outside) -> None:
    song = bring_home(make_saving())
    file = file_of(song)
    assert (file.state, file.size, file.next_try_at, file.error) == (FileState.HOME, 1000, None, "")
    assert default_storage.open(file.name).read() == MP3
    assert (song.status, song.phase, song.charge, song.error_message) == (
        Status.SUCCESS, Phase.ENDED, Charge.YES, "",
    )  # fmt: skip
    assert song.completed_at is not None
    assert told(song) == ["Done. 1 file is home."]
    assert outside.asked == ["http://files/mp3"]


def test_a_song_that_is_brought_home_twice_is_fetched_once(outside: Outside) -> None:
    song = make_saving()
    bring_home(song)
    bring_home(song)
    assert len(outside.asked) == 1
    assert told(song) == ["Done. 1 file is home."]


@pytest.mark.parametrize(
    "trouble",
    [
        DownloadError("later", "The server has a problem."),
        storage.StorageFullError(),
        PermissionError(13, "Permission denied"),
        ValueError("surprise"),
    ],
)
def test_trouble_that_may_pass_is_stated_and_the_file_comes_home_later(outside: Outside, trouble: Exception) -> None:
    outside.default = trouble
    song = bring_home(make_saving())
    file = file_of(song)
    assert (song.status, song.phase, song.problem) == (Status.PROGRESS, Phase.SAVING, "saving")
    assert song.error_message.endswith("The files come home later. It was charged.")
    # A full disk is not the link's fault, and is waited for without end.
    assert (file.state, file.attempts) == (FileState.WAITING, 0 if isinstance(trouble, storage.StorageFullError) else 1)
    assert file.error
    assert file.next_try_at is not None
    assert song.next_poll_at == file.next_try_at > timezone.now()
    outside.default = MP3
    make_due(song)
    assert bring_home(song).status == Status.SUCCESS
    assert fresh(song).error_message == ""


def test_a_full_disk_says_so(outside: Outside) -> None:
    outside.default = storage.StorageFullError()
    song = bring_home(make_saving())
    assert song.error_message.startswith("The disk is full")
    assert 55 < seconds_until(song.next_poll_at) <= 60


def test_a_full_disk_is_waited_for_without_end(outside: Outside) -> None:
    outside.default = storage.StorageFullError()
    song = make_saving()
    for _number in range(30):
        assert bring_home(song).phase == Phase.SAVING
        make_due(song)
    outside.default = MP3
    assert bring_home(song).status == Status.SUCCESS


@pytest.mark.parametrize(
    "trouble", [DownloadError("later", "HTTP 503."), PermissionError(13, "Denied"), ValueError("surprise")]
)
def test_one_file_whose_trouble_does_not_pass_does_not_hold_up_a_song_that_plays(
    outside: Outside, trouble: Exception
) -> None:
    outside.behaviour["http://files/wav"] = trouble
    song = make_saving("mp3", "wav")
    for _number in range(9):
        assert bring_home(song).phase == Phase.SAVING
        make_due(song)
    assert bring_home(song).status == Status.SUCCESS
    file = file_of(song, "wav")
    assert (file.state, seconds_until(file.next_try_at)) == (FileState.MISSING, 3600)
    outside.behaviour.clear()
    outside.default = b"RIFF\x00\x00\x00\x00WAVE" + bytes(100)
    make_due(song)
    bring_home(song)
    assert file_of(song, "wav").is_home


def test_the_pause_grows_while_the_server_has_trouble(outside: Outside) -> None:
    outside.default = DownloadError("later", "Trouble.")
    song, pauses = make_saving(), []
    for _number in range(8):
        bring_home(song)
        pauses.append(seconds_until(file_of(song).next_try_at))
        make_due(song)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]


@pytest.mark.parametrize(
    "trouble", [DownloadError("missing", "The file is no longer there (HTTP 404)."), storage.DamagedFileError("Empty.")]
)
def test_a_link_that_does_not_give_the_file_three_times_is_a_failure_that_was_charged(
    outside: Outside, trouble: Exception
) -> None:
    outside.default = trouble
    song = make_saving()
    for _number in range(2):
        assert bring_home(song).phase == Phase.SAVING
        make_due(song)
    song = bring_home(song)
    assert (song.status, song.phase, song.problem, song.charge) == (
        Status.FAILURE, Phase.ENDED, "files", Charge.YES,
    )  # fmt: skip
    assert song.error_message.startswith("It was made, but its files could not be fetched.")
    assert song.error_message.endswith("It was charged.")
    file = file_of(song)
    assert file.state == FileState.MISSING
    assert seconds_until(file.next_try_at) == 3600


def test_what_is_not_audio_is_not_kept(outside: Outside, tmp_path: Path) -> None:
    outside.default = b"<html>Please sign in</html>" * 10
    song = bring_home(make_saving())
    assert "mp3" in file_of(song).error
    assert on_disk(tmp_path) == []


def test_a_song_that_failed_for_want_of_files_is_done_when_the_sweep_gets_them(
    outside: Outside, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    outside.default = DownloadError("missing", "404.")
    song = make_saving()
    for _number in range(3):
        bring_home(song)
        make_due(song)
    assert fresh(song).status == Status.FAILURE
    outside.default = MP3
    with django_capture_on_commit_callbacks(execute=True):
        KINDS["songs.song"].sweep()
    ((task),) = enqueued
    task.func(*task.args)
    row = fresh(song)
    assert (row.status, row.problem, row.error_message, row.charge) == (Status.SUCCESS, "", "", Charge.YES)


@pytest.mark.usefixtures("outside")
def test_the_sweep_leaves_alone_what_is_not_due_or_not_its_own(
    enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    make_saving()  # the follower's
    make_file(make_choice(), state=FileState.MISSING, next_try_at=timezone.now() + HOUR)
    make_file(make_choice(), state=FileState.EXPIRED, next_try_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        for kind in KINDS.values():
            kind.sweep()
    assert enqueued == []


def test_the_sweep_names_each_song_once(enqueued: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    song = make_song()
    for _number in range(2):
        choice = make_choice(song)
        for kind in ("mp3", "flac", "wav"):
            make_file(choice, kind, state=FileState.MISSING)
    with django_capture_on_commit_callbacks(execute=True):
        KINDS["songs.song"].sweep()
    assert [task.args for task in enqueued] == [("songs.song", str(song.pk))]


def test_an_address_that_is_not_allowed_is_never_tried_again(outside: Outside) -> None:
    outside.default = DownloadError("refused", "Not an address that files may be fetched from.")
    song = bring_home(make_saving())
    assert (song.status, song.problem) == (Status.FAILURE, "files")
    assert (file_of(song).state, file_of(song).next_try_at) == (FileState.MISSING, None)


def test_a_link_that_has_expired_says_so(outside: Outside) -> None:
    outside.default = DownloadError("later", "Trouble.")
    song = make_saving()
    SongFile.objects.update(link_expires_at=timezone.now() - HOUR)
    song = bring_home(song)
    file = file_of(song)
    assert (file.state, file.error, file.next_try_at) == (FileState.EXPIRED, "The link has expired.", None)
    assert song.status == Status.FAILURE


def test_a_song_is_done_if_each_choice_plays_even_if_a_link_does_not_answer(outside: Outside) -> None:
    outside.behaviour["http://files/mp3"] = DownloadError("refused", "No.")
    outside.default = b"fLaC" + bytes(100)
    song = bring_home(make_saving("mp3", "flac"))
    assert song.status == Status.SUCCESS
    assert told(song) == ["Done. 1 file is home. 1 link does not answer."]


def test_one_choice_that_does_not_play_is_a_failure(outside: Outside) -> None:
    song = make_saving()
    make_file(make_choice(song), state=FileState.WAITING, url="http://files/gone")
    outside.behaviour["http://files/gone"] = DownloadError("refused", "No.")
    assert (bring_home(song).status, fresh(song).problem) == (Status.FAILURE, "files")


def test_a_song_without_a_single_link_fails() -> None:
    song = make_saving()
    SongFile.objects.all().delete()
    assert "Mureka sent no links" in bring_home(song).error_message


def test_dead_choices_of_an_earlier_submission_do_not_spoil_a_song(outside: Outside) -> None:
    song = make_saving()
    old = make_choice(song, created_at=timezone.now() - timedelta(days=40))
    make_file(old, state=FileState.EXPIRED, next_try_at=None)
    assert bring_home(song).status == Status.SUCCESS
    assert outside.asked == ["http://files/mp3"]


def test_late_files_of_a_song_that_is_submitted_again_do_not_move_it(outside: Outside) -> None:
    song = make_saving()
    Song.objects.update(phase=Phase.RUNNING)
    assert (bring_home(song).status, fresh(song).phase) == (Status.PROGRESS, Phase.RUNNING)
    assert file_of(song).is_home


def test_late_files_do_not_undo_a_failure_of_another_kind() -> None:
    song = make_saving()
    Song.objects.update(status=Status.FAILURE, phase=Phase.ENDED, problem="refused")
    assert bring_home(song).status == Status.FAILURE
    assert file_of(song).is_home


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("vocals.wav", b"RIFF")
    return content.getvalue()


def test_stems_that_come_after_they_were_submitted_again_are_fetched_too(
    outside: Outside, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    outside.default = archive()
    kind = KINDS["songs.stemseparation"]
    earlier = make_stems(status=Status.FAILURE, phase=Phase.UNCERTAIN, charge=Charge.MAYBE, job_id="")
    services.submit_stems_again(fresh(earlier))
    answer = mureka.Stems(zip_url="http://files/zip", midi_zip_url="", expires_at=None, trace_id="t1", raw={})
    submissions.record_submission(kind, earlier, Finished(answer=answer, job_id="t1"))
    submissions.record_submission(kind, earlier, Finished(answer=answer, job_id="t1"))
    assert "An earlier submission was answered after all, and is kept. It was charged." in told(earlier)
    with django_capture_on_commit_callbacks(execute=True):
        kind.sweep()
    for task in enqueued:
        if task.func == tasks.bring_home:
            task.func(*task.args)
    file = SongFile.objects.get(choice=earlier.choice, kind="stems")
    assert (file.url, file.is_home) == ("http://files/zip", True)
    assert fresh(earlier).status == Status.PENDING


# --- Races ---


def test_the_file_of_a_song_that_is_deleted_meanwhile_is_removed(outside: Outside, tmp_path: Path) -> None:
    song = make_saving()
    keep = fetching.record_home

    def deleted_just_before(file: SongFile, stored: storage.Stored) -> None:
        Song.objects.all().delete()
        assert default_storage.exists(stored.name)
        keep(file, stored)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "record_home", deleted_just_before)
        KINDS["songs.song"].bring_home(str(song.pk))
    assert on_disk(tmp_path) == []
    assert len(outside.asked) == 1


def test_stems_that_are_deleted_meanwhile_harm_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stems = make_stems(status=Status.PROGRESS, phase=Phase.SAVING)
    monkeypatch.setattr(fetching, "fetch", lambda *_args, **_options: Song.objects.all().delete())
    KINDS["songs.stemseparation"].bring_home(str(stems.pk))
    KINDS["songs.stemseparation"].bring_home(str(stems.pk))


def test_of_two_who_bring_the_same_file_one_is_kept(tmp_path: Path) -> None:
    song = make_saving()
    file = file_of(song)
    first, second = (
        storage.store([MP3], folder="songs", suffix="mp3", kind="mp3", max_bytes=9999) for _number in range(2)
    )
    fetching.record_home(file, first)
    fetching.record_home(file, second)
    assert [path.relative_to(tmp_path).as_posix() for path in on_disk(tmp_path)] == [first.name]
    assert file_of(song).name == first.name


def test_a_file_is_claimed_by_one_worker_only() -> None:
    make_saving("mp3", "flac")
    files = SongFile.objects.all()
    assert len(fetching.claim(files)) == 2
    assert fetching.claim(files) == []


def test_a_second_worker_leaves_the_song_to_the_first(outside: Outside) -> None:
    song = make_saving()
    fetching.claim(SongFile.objects.all())
    assert bring_home(song).phase == Phase.SAVING
    assert outside.asked == []
    assert fresh(song).next_poll_at == file_of(song).next_try_at


def test_a_claim_is_kept_while_a_long_download_lives(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "RENEW_EVERY", 0.0)
    song = make_saving()
    renewed = threading.Event()
    outside.before = lambda: renewed.wait(5)
    kept: list[Any] = []

    def keep_claim() -> None:
        kept.append(1)
        if len(kept) > 1:  # the first has run to its end by then
            renewed.set()

    SongFile.objects.update(next_try_at=timezone.now() - HOUR)
    fetching.fetch(SongFile.objects.all(), keep_claim=keep_claim)
    assert len(kept) >= 2
    assert file_of(song).is_home


def test_a_worker_that_stops_puts_the_download_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stopping, "is_requested", lambda: True)
    song = bring_home(make_saving())
    assert (song.phase, file_of(song).state) == (Phase.SAVING, FileState.WAITING)
    assert on_disk(tmp_path) == []


# --- The database away ---


def test_a_file_that_came_home_while_the_database_was_away_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("songs.fetching.connections.close_all", lambda: None)  # this test lives in a transaction
    monkeypatch.setattr("songs.fetching.time.sleep", lambda _seconds: None)
    keep = fetching.record_home
    failures: list[int] = []

    def away_twice(file: SongFile, stored: storage.Stored) -> None:
        if len(failures) < 2:
            failures.append(1)
            raise OperationalError("gone")
        keep(file, stored)

    monkeypatch.setattr(fetching, "record_home", away_twice)
    song = bring_home(make_saving())
    assert song.status == Status.SUCCESS
    assert [path.relative_to(tmp_path).as_posix() for path in on_disk(tmp_path)] == [file_of(song).name]


def test_a_file_whose_row_was_written_though_the_word_of_it_was_lost_stays(tmp_path: Path) -> None:
    song = make_saving()
    stored = storage.store([MP3], folder="songs", suffix="mp3", kind="mp3", max_bytes=9999)
    fetching.record_home(file_of(song), stored)
    fetching.record_home(file_of(song), stored)  # again, because the first answer never came
    assert len(on_disk(tmp_path)) == 1
    assert default_storage.exists(file_of(song).name)


def test_a_database_that_stays_away_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", -1.0)

    def away() -> None:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        fetching.patiently(away)


def test_choices_are_played_from_what_is_at_home() -> None:
    song = bring_home(make_saving())
    choice = SongChoice.objects.get(song=song)
    assert choice.audio == file_of(song)
