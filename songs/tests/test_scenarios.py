"""Every scenario of the imitated Mureka, end to end: the right row, sentence and charge, and one submission.

The mock runs as a server of its own with its own database, so what it counts is not what the studio believes.
"""

import os
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from jobs import answers, follower, submissions, tasks, turns
from jobs.follower import Follower
from jobs.kinds import KINDS
from jobs.models import Charge, Phase, ProviderAccount, Status
from library.kinds import is_of_kind
from providers.errors import ProviderError
from providers.http import request_json
from songs import fetching, services
from songs.models import FileState, Song, SongFile
from songs.tests.engine import fresh, stay_connected, told

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[2]
MAYBE = "It may have been charged, so it was not repeated."
REVIEW = "The lyrics did not pass the content review. Please change them and try again"
LIMIT = 4

# number: status, phase, problem, charge, sentence, submissions that the mock accepted
ENDS: dict[str, tuple[str, str, str, str, str, int]] = {
    "0001": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", 1),
    "0002": (Status.FAILURE, Phase.ENDED, "bad_key", Charge.NO, "Mureka does not accept the API key. Not charged.", 0),
    "0003": (Status.FAILURE, Phase.ENDED, "failed", Charge.MAYBE,
             f"Mureka could not make the song: “{REVIEW}”. {MAYBE}", 1),
    "0004": (Status.FAILURE, Phase.ENDED, "timeouted", Charge.MAYBE,
             f"Mureka took too long and gave up on the song. {MAYBE}", 1),
    "0005": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", 1),
    "0006": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", 1),
    "0007": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", 1),
    "0008": (Status.FAILURE, Phase.ENDED, "out_of_money", Charge.NO,
             "The Mureka account has no money left. Not charged.", 0),
    "0009": (Status.FAILURE, Phase.UNCERTAIN, "uncertain", Charge.MAYBE,
             f"The connection to Mureka broke before its answer was complete. {MAYBE}", 1),
    "0010": (Status.FAILURE, Phase.ENDED, "files", Charge.YES,
             "It was made, but its files could not be fetched. The file is no longer there (HTTP 404). It was charged.",
             1),
}  # fmt: skip


@pytest.fixture(scope="module")
def mock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the mock by itself; yield what MUREKA_BASE_URL is then."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(tmp_path_factory.mktemp("mock")),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "DEBUG": "true",
        "PORT": port,
        "MOCKAPI_ONLY": "true",
        "MOCKAPI_SECONDS": "0",
        "MOCKAPI_AUDIO_SECONDS": "1",
        "MOCKAPI_CONCURRENT_LIMIT": str(LIMIT),
        "PYTHONWARNINGS": "default",
    }
    migrate = [sys.executable, "manage.py", "migrate", "mockapi", "-v0", "--skip-checks"]
    subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
    serve = [sys.executable, "-m", "gunicorn", "macai.wsgi", "--bind", f"127.0.0.1:{port}"]
    options = ["--worker-class=gthread", "--threads=8", "--workers=1", "--log-level=warning", "--no-control-socket"]
    with subprocess.Popen([*serve, *options], cwd=PROJECT, env=environment) as server:
        try:
            wait_for(int(port))
            yield f"http://127.0.0.1:{port}/mock/mureka"
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    for _try in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The mock did not come up.")


@pytest.fixture(autouse=True)
def mureka_url(mock_server: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the studio use the mock, keep its files here, and wait for nothing longer than needed."""
    settings.MUREKA_BASE_URL = mock_server
    settings.MUREKA_API_KEY = "a-key"
    settings.MEDIA_ROOT = tmp_path
    soon = timedelta(milliseconds=20)
    for module, names in (
        (submissions, ("FIRST_ASK",)),
        (answers, ("SHORTEST_ASK", "LONGEST_ASK", "TROUBLE_FIRST", "TROUBLE_LONGEST")),
        (turns, ("FIRST_BACKOFF", "LONGEST_BACKOFF")),
        (fetching, ("FIRST_PAUSE",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, soon)
    monkeypatch.setattr(submissions, "GIVE_WAY", timedelta(0))
    monkeypatch.setattr(follower, "TICK", 0.01)
    monkeypatch.setattr(follower, "IDLE_FOR", 0.0)
    stay_connected(monkeypatch)
    return mock_server


def follow() -> None:
    """Follow until nothing is active any more. Files are brought home at once instead of by another task."""
    assert Follower(lambda label, pk: KINDS[label].bring_home(pk)).run() is True


def ledger(url: str, mark: str) -> list[dict[str, Any]]:
    """Return what the mock accepted under this mark."""
    answer = request_json("GET", f"{url}/ledger", provider="Mock", key="a-key", timeout=(5.0, 5.0), paid=False)
    return [entry for entry in answer["submissions"] if mark in entry["lyrics"] + entry["prompt"]]


def ask_for(scenario: str, *, is_instrumental: bool) -> tuple[Song, str]:
    mark = uuid.uuid4().hex
    if is_instrumental:
        return services.request_instrumental(user=None, prompt=f"{scenario} calm {mark}"), mark
    return services.request_song(user=None, lyrics=f"{scenario} Rain falls {mark}", prompt="folk"), mark


CASES = [(number, False) for number in ENDS] + [(number, True) for number in ("0001", "0003", "0009")]


@pytest.mark.parametrize(("scenario", "is_instrumental"), CASES)
def test_scenario(scenario: str, is_instrumental: bool, mureka_url: str) -> None:
    song, mark = ask_for(scenario, is_instrumental=is_instrumental)
    follow()
    status, phase, problem, charge, sentence, submissions = ENDS[scenario]
    row = fresh(song)
    assert (row.status, row.phase, row.problem, row.charge) == (status, phase, problem, charge)
    assert row.error_message == sentence
    assert len(ledger(mureka_url, mark)) == submissions
    assert row.cost == song.cost > 0
    assert (row.slot_until is not None) == (phase == Phase.UNCERTAIN)
    assert row.next_poll_at is None
    assert row.completed_at is not None
    if sentence:
        assert told(song)[-1] == sentence


def test_the_files_of_a_song_are_home_whole_and_of_their_kind() -> None:
    song, _mark = ask_for("0001", is_instrumental=False)
    follow()
    files = SongFile.objects.filter(choice__song=song)
    assert sorted(files.values_list("choice__choice_index", "kind", "state")) == sorted(
        (index, kind, FileState.HOME) for index in (0, 1) for kind in ("mp3", "flac", "wav")
    )
    for file in files:
        with default_storage.open(file.name) as content:
            assert is_of_kind(content, file.kind)
        assert default_storage.size(file.name) == file.size > 0
    assert all(choice.lyrics_sections for choice in song.choices.all())
    assert told(song) == [
        "Asked for.",
        f"Mureka took the job ({fresh(song).job_id}).",
        "Mureka is done. The files are coming home.",
        "Done. 6 files are home.",
    ]


@pytest.mark.parametrize("is_instrumental", [False, True])
def test_0009_is_never_submitted_again_whoever_looks_for_work(is_instrumental: bool, mureka_url: str) -> None:
    song, mark = ask_for("0009", is_instrumental=is_instrumental)
    follow()
    Song.objects.update(slot_until=timezone.now())  # its turn is over, and still it is not sent again
    for _time in range(2):
        tasks.sweep()
        tasks.nudge_if_nobody_follows()
        tasks.follow()
        follow()
    assert fresh(song).is_uncertain
    assert len(ledger(mureka_url, mark)) == 1


def test_0009_is_healed_by_the_job_id_that_the_provider_knows(mureka_url: str) -> None:
    song, mark = ask_for("0009", is_instrumental=False)
    follow()
    (entry,) = ledger(mureka_url, mark)
    services.ask_about_song(fresh(song), job_id=entry["id"])
    follow()
    row = fresh(song)
    assert (row.status, row.charge, row.spent_before, row.choices.count()) == (Status.SUCCESS, Charge.YES, 0, 2)
    assert len(ledger(mureka_url, mark)) == 1


def test_0009_submitted_again_by_a_person_is_sent_once_more_and_both_are_in_the_books(mureka_url: str) -> None:
    song, mark = ask_for("0009", is_instrumental=False)
    follow()
    services.submit_song_again(fresh(song))
    follow()
    row = fresh(song)
    assert row.is_uncertain
    assert (row.cost, row.spent_before) == (song.cost, song.cost)
    assert len(ledger(mureka_url, mark)) == 2


def test_0009_submitted_twice_brings_both_home_by_their_job_ids(mureka_url: str) -> None:
    song, mark = ask_for("0009", is_instrumental=False)
    follow()
    services.submit_song_again(fresh(song))
    follow()
    asked = []
    for entry in ledger(mureka_url, mark):
        asked.append(services.ask_about_song(fresh(song), job_id=entry["id"]))
        follow()
    assert asked[0] == song != asked[1]
    for one in asked:
        assert (fresh(one).status, one.choices.count()) == (Status.SUCCESS, 2)
        assert SongFile.objects.filter(choice__song=one).home().count() == 6
    assert sum(fresh(one).cost + fresh(one).spent_before for one in asked) == song.cost * 2
    assert len(ledger(mureka_url, mark)) == 2


def test_a_wrong_job_id_ends_in_the_providers_words() -> None:
    song, _mark = ask_for("0009", is_instrumental=False)
    follow()
    services.ask_about_song(fresh(song), job_id="123")
    follow()
    row = fresh(song)
    assert (row.status, row.phase, row.problem) == (Status.FAILURE, Phase.ENDED, "lost")
    assert "not found" in row.error_message


def test_0007_is_told_once_and_taken_in_the_end() -> None:
    song, _mark = ask_for("0007", is_instrumental=False)
    follow()
    assert told(song)[1] == "Mureka asks to wait: too many requests at the moment. Not charged."
    assert ProviderAccount.objects.get().strikes == 0


def test_0010_comes_home_after_all_once_the_links_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    song, _mark = ask_for("0010", is_instrumental=False)
    follow()
    healthy, _mark = ask_for("0001", is_instrumental=False)
    follow()
    links = dict(SongFile.objects.filter(choice__song=healthy).values_list("kind", "url"))
    for kind, url in links.items():
        SongFile.objects.filter(choice__song=song, kind=kind).update(url=url, next_try_at=timezone.now())
    monkeypatch.setattr("jobs.tasks.send_home", lambda label, pk: KINDS[label].bring_home(pk))
    tasks.sweep()
    row = fresh(song)
    assert (row.status, row.error_message, row.charge) == (Status.SUCCESS, "", Charge.YES)


def test_more_songs_than_the_account_allows_are_all_made_and_none_twice(mureka_url: str) -> None:
    mark = uuid.uuid4().hex
    for number in range(LIMIT * 2):
        services.request_song(user=None, lyrics=f"{number} {mark}", prompt="folk 1s", variants=1)
    follow()
    assert Song.objects.filter(status=Status.SUCCESS).count() == LIMIT * 2
    assert len(ledger(mureka_url, mark)) == LIMIT * 2
    account = ProviderAccount.objects.get()
    assert (account.concurrent_request_limit, account.check_error) == (LIMIT, "")
    assert account.balance is not None


def test_a_song_asked_for_while_mureka_is_down_waits_and_is_made_when_it_is_back(
    settings: Settings, mureka_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.MUREKA_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}/mock/mureka"
        song, mark = ask_for("0001", is_instrumental=False)
        monkeypatch.setattr(follower, "RUN_FOR", 0.3)
        follow()
    row = fresh(song)
    assert (row.status, row.phase, row.charge) == (Status.PENDING, Phase.WAITING, Charge.NO)
    assert row.error_message == "Mureka cannot be reached. Not charged."
    assert row.attempts > 1
    settings.MUREKA_BASE_URL = mureka_url
    monkeypatch.setattr(follower, "RUN_FOR", 45.0)
    follow()
    assert fresh(song).status == Status.SUCCESS
    assert len(ledger(mureka_url, mark)) == 1


def test_stems_come_home_as_an_archive_that_opens() -> None:
    song, _mark = ask_for("0001", is_instrumental=False)
    follow()
    choice = song.choices.get(choice_index=0)
    stems = services.request_stems(choice, user=None, model="audio-separation-2")
    follow()
    row = fresh(stems)
    assert (row.status, row.charge, row.error_message) == (Status.SUCCESS, Charge.YES, "")
    assert row.job_id
    for kind in ("stems", "midi"):
        file = SongFile.objects.get(choice=choice, kind=kind)
        with default_storage.open(file.name) as content, zipfile.ZipFile(content) as archive:
            assert archive.testzip() is None
            assert archive.namelist()
    assert services.request_stems(choice, user=None) == row


def test_stems_of_a_link_that_mureka_does_not_take_are_refused() -> None:
    song, _mark = ask_for("0001", is_instrumental=False)
    follow()
    stems = services.request_stems(song.choices.get(choice_index=0), user=None)
    type(stems).objects.update(source_url="", source_name="")
    follow()
    row = fresh(stems)
    assert (row.status, row.charge) == (Status.FAILURE, Charge.NO)
    assert row.error_message.endswith("Not charged.")


def test_the_ledger_of_the_mock_needs_its_key(mureka_url: str) -> None:
    with pytest.raises(ProviderError):
        request_json("GET", f"{mureka_url}/ledger", provider="Mock", key="", timeout=(5.0, 5.0), paid=False)
