"""The studio with its media in a bucket: nothing is lost when that is away, and nobody sees where the files lie."""

import io
import time
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backups.library_check import check_library
from backups.making import make_backup
from backups.tests.studio import Studio
from images import keeping, services
from images import tasks as image_tasks
from images.models import GeneratedImage
from images.tests.factories import make_image, make_request, picture_file
from jobs.kinds import KINDS
from jobs.models import Status
from library.tests.buckets import Bucket, use
from library.trash import KEPT_FOR
from macai import checklist, health, pulse
from providers import openai
from providers.errors import ProviderError, Verdict
from songs import curation, fetching
from songs.models import FileState, Song
from songs.tests.factories import make_api_client, make_choice, make_file, make_song, make_stems, make_user
from songs.tests.test_fetching import Outside, bring_home, file_of, make_due, make_saving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bucket", "media")]

SONG = b"ID3" + bytes(range(256)) * 400
AWAY = (503, "ServiceUnavailable")


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return tmp_path / "media"


@pytest.fixture
def client() -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(make_user())
    return browser


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


# --- On the way home ---


def test_a_song_waits_for_a_bucket_that_is_away_and_comes_home_later(
    bucket: Bucket, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "BEAT_EVERY", 0.05)
    monkeypatch.setattr(fetching, "open_download", Outside().open)
    bucket.refuse = AWAY
    song = make_saving()
    bring_home(song)
    song.refresh_from_db()
    assert song.status == Status.PROGRESS
    assert "the bucket has a problem (HTTP 503)" in song.error_message
    assert (file_of(song).state, file_of(song).name) == (FileState.WAITING, "")
    assert [path for path in media.rglob("*") if path.is_file()] == []

    bucket.refuse = None
    make_due(song)
    song = bring_home(song)
    assert (song.status, song.error_message) == (Status.SUCCESS, "")
    assert bucket.keys == [f"media/{file_of(song).name}"]


def test_a_picture_is_tried_again_until_the_bucket_answers(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        bucket.refuse = AWAY if len(pauses) < 2 else None

    monkeypatch.setattr("images.keeping.time.sleep", wait)
    bucket.refuse = AWAY
    sent = (openai.Picture(content=picture_file(), url="", revised_prompt=""),)
    kept, problems = image_tasks.keep_all(sent, until=time.monotonic() + 60)
    assert (len(kept), problems, len(pauses)) == (1, [], 2)
    assert sorted(bucket.keys) == sorted(f"media/{name}" for name in kept[0].names)


def test_a_picture_that_cannot_be_kept_is_a_stated_failure(bucket: Bucket) -> None:
    bucket.refuse = (403, "AccessDenied")
    sent = (openai.Picture(content=picture_file(), url="", revised_prompt=""),)
    kept, problems = image_tasks.keep_all(sent, until=time.monotonic())
    assert (kept, problems) == ((), ["The files are away: the bucket does not let us in."])


def test_nothing_is_asked_for_while_a_picture_could_not_be_kept(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "generate", lambda *_args, **_options: pytest.fail("it was asked for"))
    bucket.refuse = AWAY
    with pytest.raises(ProviderError) as caught:
        KINDS["images.imagerequest"].submit(make_request(status=Status.PENDING))
    assert caught.value.verdict == Verdict.LATER
    assert caught.value.message.endswith("So nothing was asked for.")


def test_what_is_to_be_sent_along_waits_for_the_bucket(bucket: Bucket) -> None:
    name = make_image().file_path
    stems = make_stems(
        status=Status.PENDING, source_expires_at=timezone.now(), source_name=make_file(content=SONG).name
    )
    assert keeping.load_references([name], "")[0][0].content == picture_file()
    bucket.refuse = AWAY
    for ask in (lambda: keeping.load_references([name], ""), lambda: KINDS["songs.stemseparation"].submit(stems)):
        with pytest.raises(ProviderError) as caught:
            ask()
        assert caught.value.verdict == Verdict.LATER


# --- On the way to people ---


def test_a_song_is_heard_whole_and_in_part_over_the_studio_alone(bucket: Bucket, client: Client) -> None:
    choice = make_choice()
    make_file(choice, content=SONG)
    for address in (f"/songs/choices/{choice.pk}/files/mp3/", f"/api/v1/song-choices/{choice.pk}/files/mp3/"):
        whole = client.get(address)
        assert (whole.status_code, body(whole)) == (200, SONG)
        bucket.forget()
        part = client.get(address, headers={"Range": "bytes=50000-50099"})
        assert (part.status_code, body(part)) == (206, SONG[50_000:50_100])
        assert [each.range for each in bucket.verbs("GET")] == ["bytes=50000-50099"]
        assert bucket.name not in repr(whole.headers) + repr(part.headers)


@pytest.mark.parametrize("missing", [True, False], ids=["a missing file is 404", "a bucket that is away is 503"])
def test_what_is_gone_is_told_from_what_is_away(bucket: Bucket, client: Client, missing: bool) -> None:
    image, choice = make_image(), make_choice()
    file = make_file(choice, content=SONG)
    if missing:
        for name in [*image.names, file.name]:
            bucket.client().delete_object(Bucket=bucket.name, Key=f"media/{name}")
    else:
        bucket.refuse = AWAY
    for address in (
        f"/songs/choices/{choice.pk}/files/mp3/",
        f"/api/v1/song-choices/{choice.pk}/files/mp3/",
        f"/images/files/{image.filename}",
        f"/images/{image.pk}/thumb-320.webp",
    ):
        answer = client.get(address)
        assert answer.status_code == (404 if missing else 503), address
        if not missing:
            assert answer["Retry-After"] == "5"
            assert "The files are away" in answer.content.decode()


def test_an_archive_lacks_what_is_gone_but_is_never_cut_short_in_silence(bucket: Bucket) -> None:
    api = make_api_client()
    images = [make_image(title=title) for title in ("one", "two")]
    bucket.client().delete_object(Bucket=bucket.name, Key=f"media/{images[1].file_path}")
    ids = [str(image.pk) for image in images]

    def fetch() -> bytes:
        return body(api.post("/api/v1/images/zip/", {"ids": ids}))

    assert zipfile.ZipFile(io.BytesIO(fetch())).namelist() == ["one.png"]
    bucket.refuse = AWAY
    with pytest.raises(OSError, match="HTTP 503"):
        fetch()


# --- On the way out ---


def wear_out() -> tuple[Song, GeneratedImage]:
    """Throw a song and a picture away, long ago."""
    song, image = make_song(), make_image()
    make_file(make_choice(song), content=SONG)
    curation.delete_songs([song])
    services.delete_images([image])
    long_ago = timezone.now() - KEPT_FOR - timedelta(seconds=1)
    for model in (Song, GeneratedImage):
        model._default_manager.update(deleted_at=long_ago)
    return song, image


def sweep() -> None:
    for label in ("songs.song", "images.imagerequest"):
        KINDS[label].sweep()


@pytest.mark.django_db(transaction=True)
def test_the_trash_is_emptied_only_while_the_bucket_answers(bucket: Bucket) -> None:
    wear_out()
    bucket.refuse = AWAY
    with pytest.raises(OSError, match="HTTP 503"):
        sweep()
    bucket.refuse = None
    assert (Song.objects.count(), GeneratedImage.objects.count(), len(bucket.keys)) == (1, 1, 4)
    sweep()
    assert (Song.objects.count(), GeneratedImage.objects.count(), bucket.keys) == (0, 0, [])


# --- Health ---


@pytest.mark.django_db(transaction=True)
def test_health_and_the_checklist_tell_of_the_bucket(
    bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 20)

    def storage() -> Any:
        pulse.bucket_probe.forget()
        health.memory.forget()
        return Client().get("/api/v1/health/").json()["checks"]["storage"]

    cache.clear()
    assert storage()["ok"]
    assert bucket.keys == []
    assert f"kept in the bucket {bucket.name}" in checklist.worker_and_storage()[1].advice
    for refused in (AWAY, (403, "AccessDenied"), (507, "InsufficientStorage"), (404, "NoSuchBucket")):
        bucket.refuse = refused
        assert (storage()["ok"], storage()["code"]) == (False, "not_writable")
    assert f"The bucket {bucket.name}, or " in checklist.worker_and_storage()[1].advice
    bucket.refuse = None
    assert storage()["ok"]
    use(bucket, settings, endpoint_url="http://127.0.0.1:9")
    assert not storage()["ok"]


def test_a_bucket_is_not_probed_for_every_page(bucket: Bucket) -> None:
    pulse.bucket_probe.forget()
    assert pulse.storage_is_writable()
    bucket.forget()
    assert pulse.storage_is_writable()
    assert bucket.asked == []


# --- The library and its backups ---


def test_the_library_is_looked_through_and_mended_in_the_bucket(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, damaged, whole = make_image(), make_file(content=SONG), make_file(content=SONG)
    store = bucket.client()
    store.delete_object(Bucket=bucket.name, Key=f"media/{image.thumb_320}")
    store.put_object(Bucket=bucket.name, Key=f"media/{damaged.name}", Body=SONG[::-1])
    store.put_object(Bucket=bucket.name, Key="media/songs/nobodys.mp3", Body=SONG)
    store.put_object(Bucket=bucket.name, Key="elsewhere", Body=b"not ours")
    monkeypatch.setattr("backups.library_check.YOUNG", timedelta(seconds=-60))
    found = check_library()
    assert (found.files, found.missing, found.damaged, found.orphans) == (5, 1, 1, 1)
    mended = check_library(repair=True)
    assert (mended.repaired, mended.coming, mended.left) == (2, 1, 0)
    keys = bucket.keys
    assert "elsewhere" in keys
    assert f"media/{whole.name}" in keys
    assert len([key for key in keys if key.startswith("media/quarantine/")]) == 2


def test_a_library_that_is_away_is_not_called_damaged(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(content=SONG)
    before = bucket.keys
    real = bucket.app

    def lists_only(environ: dict[str, Any], start_response: Any) -> Any:
        bucket.refuse, bucket.refused_methods = AWAY, "HEAD"
        return real(environ, start_response)

    monkeypatch.setattr(bucket, "app", lists_only)
    with pytest.raises(CommandError, match=r"The files are away: the bucket has a problem \(HTTP 503\)."):
        call_command("check_library", repair=True)
    bucket.refuse = None
    assert bucket.keys == before


FILL = """
from images.tests.factories import make_image
from songs.tests.factories import make_finished_song
make_finished_song(title="kept")
make_image(title="kept")
"""


def contents(bucket: Bucket) -> dict[str, bytes]:
    store = bucket.client()
    return {
        key.removeprefix("media/"): store.get_object(Bucket=bucket.name, Key=key)["Body"].read() for key in bucket.keys
    }


@pytest.mark.own_database
def test_media_move_from_a_disk_into_the_bucket_and_come_back_out_of_its_backup(bucket: Bucket, tmp_path: Path) -> None:
    at_home = Studio(tmp_path / "studio")
    at_home.do("migrate", "-v0")
    at_home.python(FILL)
    before = {str(path.relative_to(at_home.media)): path.read_bytes() for path in at_home.media.rglob("*.*")}
    assert len(before) == 5
    at_home.do("backup")
    moved = Studio(at_home.data_dir, bucket.environment)  # as docs/operations.md has it
    assert "5 repaired, 0 are fetched again, 0 are left." in moved.do("check_library", "--repair")
    assert contents(bucket) == before

    archive = str(tmp_path / "studio.tar")
    moved.do("backup", "--archive", archive)
    for key in bucket.keys:
        bucket.client().delete_object(Bucket=bucket.name, Key=key)
    empty = Studio(tmp_path / "empty", bucket.environment)
    bucket.refuse, bucket.refused_methods = AWAY, "PUT"
    failed = empty.manage("restore", archive)
    assert (failed.returncode, bucket.keys) == (1, [])
    assert "The files are away: the bucket has a problem (HTTP 503). The restore was given up." in failed.stderr
    bucket.refuse = None
    empty.do("restore", "--force", archive)
    assert contents(bucket) == before


@pytest.mark.django_db(transaction=True)
def test_a_second_backup_reads_nothing_that_did_not_change(bucket: Bucket, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    make_image()
    assert make_backup().files == 3
    bucket.forget()
    assert make_backup().files == 3
    assert [each for each in bucket.asked if each.path != f"/{bucket.name}"] == []
    assert len(bucket.asked) < 15, "folders are listed, not files asked for"


@pytest.mark.own_database
def test_a_backup_of_a_bucket_that_is_away_says_so_and_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio", bucket.environment)
    studio.do("migrate", "-v0")
    bucket.refuse = (403, "AccessDenied")
    failed = studio.manage("backup")
    assert failed.returncode != 0
    assert "The backup failed: the bucket does not let us in." in failed.stderr
    assert studio.backups == []
