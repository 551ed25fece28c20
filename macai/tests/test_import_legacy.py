"""Moving in: everything the earlier system has comes over, once, and its people sign in as they always did."""

import hashlib
import io
import json
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import make_owner
from images.models import GeneratedImage, ImageRequest
from jobs.models import JobEvent, Phase, Status
from library.pictures import inspect
from macai.legacy.pictures import find_file
from prompts.curation import check_wording, wording_of
from prompts.filling import fill
from prompts.models import PromptTemplate
from songs import fetching
from songs.models import FileState, Song, SongChoice, SongFile
from songs.tasks import SongKind
from trials import earlier

pytestmark = pytest.mark.django_db
OURS: tuple[type[models.Model], ...] = (
    User, Song, SongChoice, SongFile, ImageRequest, GeneratedImage, PromptTemplate, JobEvent,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "accounts.hashers.EarlierBCryptHasher",
    ]


def make_earlier(folder: Path, **options: Any) -> earlier.Earlier:
    few = {"songs": 30, "pictures": 4, "users": 2, "rounds": 4} | options
    return earlier.make(f"sqlite:///{folder / 'earlier.sqlite3'}", folder / "images", **few)


def bring(folder: Path, *options: str, status: int = 0) -> str:
    out = io.StringIO()
    arguments = ["--database-url", f"sqlite:///{folder / 'earlier.sqlite3'}", "--images", str(folder / "images")]
    try:
        call_command("import_legacy", *arguments, *options, stdout=out, stderr=out)
        ended = 0
    except SystemExit as error:
        ended = int(error.code or 0)
    assert ended == status, out.getvalue()
    return out.getvalue()


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "earlier.sqlite3")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def everything() -> dict[str, list[Any]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in OURS}


def test_everything_comes_over_with_its_keys_and_its_times(tmp_path: Path) -> None:
    made = make_earlier(tmp_path)
    report = bring(tmp_path)
    for line in ("People: 2 found, 2 brought", "Songs: 30 found, 30 brought", "Variants: 60 found, 60 brought",
                 "Pictures: 4 found, 4 brought", "Templates: 3 found, 3 brought"):  # fmt: skip
        assert line in report
    for row in made.rows["songs"]:
        song = Song.objects.get(pk=row["id"])
        same = ("lyrics", "prompt", "title", "tags", "workflow", "is_instrumental", "task_id")
        assert {name: getattr(song, name) for name in same} == {name: row[name] for name in same}
        assert song.created_at == row["created_at"].replace(tzinfo=UTC)
        assert song.updated_at == row["updated_at"].replace(tzinfo=UTC)
        assert song.mureka_response == json.loads(row["mureka_response"] or "{}")
    for row in made.rows["song_choices"]:
        choice = SongChoice.objects.get(pk=row["id"])
        kept = ("song_id", "choice_index", "mp3_url", "flac_url", "duration", "rating", "title", "mureka_choice_id")
        assert {name: getattr(choice, name) for name in kept} == {name: row[name] for name in kept}
        assert choice.created_at == row["created_at"].replace(tzinfo=UTC)


def test_pictures_come_over_with_files_that_are_the_same_to_the_byte(tmp_path: Path) -> None:
    made = make_earlier(tmp_path)
    bring(tmp_path)
    for row in made.rows["generated_images"]:
        image = GeneratedImage.objects.get(pk=row["id"])
        content = (tmp_path / "images" / row["filename"]).read_bytes()
        with default_storage.open(image.file_path) as file:
            assert file.read() == content
        assert image.sha256 == hashlib.sha256(content).hexdigest()
        assert (image.prompt, image.title, image.model_used) == (row["prompt"], row["title"], row["model_used"])
        assert (image.width, image.height, image.bytes) == (384, 256, len(content))
        assert image.created_at == row["created_at"].replace(tzinfo=UTC)
        for thumb in (image.thumb_320, image.thumb_640):
            with default_storage.open(thumb) as file:
                assert inspect(io.BytesIO(file.read())).format == "webp"


def test_what_came_over_is_shown(client: Client, tmp_path: Path) -> None:
    make_earlier(tmp_path)
    bring(tmp_path)
    client.force_login(User.objects.get(username="person1"))
    image = GeneratedImage.objects.latest("created_at")
    pages = ["/", "/images/", image.get_absolute_url(), image.request.get_absolute_url(), image.local_url, "/jobs/"]
    pages += [song.get_absolute_url() for song in Song.objects.all()]
    pages += [
        f"/admin/{page}/" for page in ("songs/song", "songs/songchoice", "images/generatedimage", "accounts/user")
    ]
    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_people_sign_in_with_their_old_passwords(tmp_path: Path) -> None:
    made = make_earlier(tmp_path)
    bring(tmp_path)
    for name, password in made.passwords.items():
        wrong = Client().post("/sign-in/", {"username": name, "password": password + "!"})
        right = Client().post("/sign-in/", {"username": name, "password": password})
        assert (wrong.status_code, right.status_code) == (422, 302)
        assert User.objects.get(username=name).password.startswith("md5$")  # the first hasher, here the tests' own
    first = User.objects.get(username="person1")
    assert (first.pk, first.is_staff, first.is_superuser) == (1, True, True)
    assert not User.objects.get(username="person2").is_staff


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    make_earlier(tmp_path)
    bring(tmp_path)
    Song.objects.filter(pk=Song.objects.first().pk).update(title="Edited here")  # type: ignore[union-attr]
    files = sorted(path.name for path in (tmp_path / "media").rglob("*.*"))
    before = everything()
    report = bring(tmp_path)
    assert everything() == before
    assert sorted(path.name for path in (tmp_path / "media").rglob("*.*")) == files
    assert "Songs: 30 found, 0 brought, 30 here already, 0 left behind" in report
    assert "Pictures: 4 found, 0 brought, 4 here already" in report


def test_a_move_that_was_broken_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_earlier(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("macai.management.commands.import_legacy.bring_pictures", broken_off)
        with pytest.raises(ConnectionError):
            bring(tmp_path)
    assert Song.objects.count() == 30
    assert "Pictures: 4 found, 4 brought" in bring(tmp_path)


def broken_off(*_args: Any, **_kwargs: Any) -> None:
    raise ConnectionError


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    make_earlier(tmp_path, missing=1, broken=1)
    before = everything()
    said = bring(tmp_path, "--dry-run", status=3)
    assert everything() == before
    assert not (tmp_path / "media").exists() or not list((tmp_path / "media").rglob("*.*"))
    assert "Nothing was written" in said
    done = bring(tmp_path, status=3)
    assert [line.replace("to bring", "brought") for line in said.splitlines()[:-1]] == [
        line for line in done.splitlines() if "was made the owner" not in line
    ]


def test_missing_and_broken_files_are_named_and_come_over_once_they_are_there(tmp_path: Path) -> None:
    made = make_earlier(tmp_path, missing=1, broken=1)
    missing, broken = (row["filename"] for row in made.rows["generated_images"][:2])
    report = bring(tmp_path, status=3)
    assert "Pictures: 4 found, 2 brought, 0 here already, 2 left behind" in report
    assert missing in report.partition("its file is not in the folder")[2]
    assert broken in report.partition("its file is no picture that we keep")[2]
    for name in (missing, broken):
        good = next(path for path in (tmp_path / "images").iterdir() if path.name not in {missing, broken})
        (tmp_path / "images" / name).write_bytes(good.read_bytes())
    assert "Pictures: 4 found, 2 brought, 2 here already, 0 left behind" in bring(tmp_path)


def test_links_that_live_are_on_their_way_home_and_dead_ones_are_a_stated_fact(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=2)
    new, old = (datetime.now(UTC) - timedelta(days=days) for days in (3, 40))
    change(
        tmp_path,
        f"UPDATE song_choices SET created_at = '{new:%Y-%m-%d %H:%M:%S}' WHERE choice_index = 0",
        f"UPDATE song_choices SET created_at = '{old:%Y-%m-%d %H:%M:%S}' WHERE choice_index = 1",
    )
    report = bring(tmp_path)
    assert "Links to fetch home: 8 found, 4 brought" in report
    assert "4 × links were dead already" in report  # noqa: RUF001
    due = SongFile.objects.due(timezone.now())
    assert {file.choice.choice_index for file in due} == {0}
    dead = SongFile.objects.filter(choice__choice_index=1)
    assert {(file.state, file.next_try_at) for file in dead} == {(FileState.EXPIRED, None)}
    claimed = fetching.claim(due)
    assert len(claimed) == 4


def test_the_sweep_fetches_what_still_lives(
    tmp_path: Path, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    make_earlier(tmp_path, songs=1)
    recent = datetime.now(UTC) - timedelta(days=3)
    change(tmp_path, "UPDATE songs SET status = 'SUCCESS'", f"UPDATE song_choices SET created_at = '{recent:%Y-%m-%d}'")
    bring(tmp_path)
    enqueued.clear()
    with django_capture_on_commit_callbacks(execute=True):
        SongKind().sweep()
    assert [task.args[1] for task in enqueued] == [str(Song.objects.get().pk)]


def test_songs_that_were_being_made_are_asked_about_and_old_ones_have_failed(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=3)
    now = datetime.now(UTC)
    ids = [song["id"] for song in earlier_rows(tmp_path, "songs")]
    for pk, status, job, age in ((0, "PROGRESS", "'j1'", 1), (1, "PENDING", "NULL", 1), (2, "PROGRESS", "'j3'", 90)):
        created = now - timedelta(hours=age)
        change(
            tmp_path,
            f"UPDATE songs SET status = '{status}', job_id = {job}, created_at = '{created:%Y-%m-%d %H:%M:%S}' "
            f"WHERE id = '{ids[pk]}'",
        )
    bring(tmp_path)
    running, lost, old = (Song.objects.get(pk=uuid.UUID(pk)) for pk in ids)
    assert (running.status, running.phase, running.job_id) == (Status.PROGRESS, Phase.RUNNING, "j1")
    assert running.next_poll_at is not None
    for song in (lost, old):
        assert (song.status, song.phase, song.charge) == (Status.FAILURE, Phase.ENDED, "maybe")
        assert "may have been charged" in song.error_message


def earlier_rows(folder: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "earlier.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]


def test_unknown_words_and_strange_values_come_over_as_well_as_they_can(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=2)
    change(
        tmp_path,
        "UPDATE songs SET status = 'Exploded', workflow = 'someday', model = 'chirp-v3-5', progress_info = 'not json', "
        "mureka_response = '[1, 2]', created_at = 'yesterday', updated_at = NULL, is_instrumental = 't', "
        "title = 'nul' || char(0) || 'byte', job_id = 'the same'",
        "UPDATE song_choices SET rating = 5, duration = 'long', choice_index = 0, mp3_url = 'x' || hex(zeroblob(600))",
    )
    report = bring(tmp_path)
    assert "with a status that we do not know, now failed: 'Exploded'" in report
    assert "of a model that Mureka does not have: chirp-v3-5" in report
    for song in Song.objects.all():
        assert (song.status, song.workflow, song.model, song.resolved_model) == (
            Status.FAILURE, "notUsed", "auto", "chirp-v3-5",
        )  # fmt: skip
        assert (song.progress_info, song.mureka_response) == ({"value": "not json"}, {"value": [1, 2]})
        assert (song.title, song.is_instrumental) == ("nulbyte", True)
        assert sorted(song.choices.values_list("choice_index", "rating", "duration", "mp3_url")) == [
            (0, None, None, ""), (1, None, None, ""),
        ]  # fmt: skip
    assert sorted(Song.objects.values_list("job_id", flat=True)) == ["", "the same"]


def test_columns_and_tables_that_are_missing_are_tolerated(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=3, pictures=1)
    change(
        tmp_path,
        *(
            f"ALTER TABLE songs DROP COLUMN {name}"
            for name in ("is_instrumental", "progress_info", "updated_at", "tags")
        ),
        *(f"ALTER TABLE song_choices DROP COLUMN {name}" for name in ("flac_url", "rating", "choice_index")),
        *(f"ALTER TABLE generated_images DROP COLUMN {name}" for name in ("file_path", "prompt_hash", "title")),
        "DROP TABLE prompt_templates",
        "INSERT INTO song_choices (id, song_id) VALUES ('7', '00000000000000000000000000000000')",
    )
    report = bring(tmp_path, status=3)
    assert "Songs: 3 found, 3 brought" in report
    assert "Variants: 7 found, 6 brought, 0 here already, 1 left behind" in report
    assert "Pictures: 1 found, 1 brought" in report
    assert "Templates: 0 found" in report


def test_people_are_found_under_other_names(tmp_path: Path) -> None:
    made = make_earlier(tmp_path, songs=1)
    change(
        tmp_path,
        "ALTER TABLE users RENAME TO members",
        "ALTER TABLE members RENAME COLUMN username TO nick",
        "ALTER TABLE members RENAME COLUMN password_hash TO secret",
        "ALTER TABLE members RENAME COLUMN is_admin TO role",
        "UPDATE members SET role = CASE id WHEN 1 THEN 'member' ELSE 'admin' END",
        "INSERT INTO members (id, nick, secret) VALUES (9, 'carl', 'pbkdf2:sha256:1$a$b'), (10, 'no good name!', 'x')",
    )
    assert "No table of people was found" in bring(tmp_path)
    options = ["--users-table", "members", "--user-columns", "username=nick,password=secret"]
    report = bring(tmp_path, *options, status=3)
    assert "People: 4 found, 3 brought, 0 here already, 1 left behind" in report
    assert "'no good name!'" in report
    assert "carl" in report.partition("without a password that we can read")[2]
    assert Client().login(username="person1", password=made.passwords["person1"])
    assert User.objects.get(username="person2").is_superuser
    assert not User.objects.get(username="carl").has_usable_password()


def test_who_is_here_already_keeps_the_password_of_here(tmp_path: Path) -> None:
    owner = make_owner(username="person2")
    made = make_earlier(tmp_path, songs=1)
    assert "People: 2 found, 1 brought, 1 here already" in bring(tmp_path)
    owner.refresh_from_db()
    assert not owner.check_password(made.passwords["person2"])
    new = User.objects.create_user("later")
    assert new.pk > max(User.objects.exclude(pk=new.pk).values_list("pk", flat=True))


def test_the_first_becomes_the_owner_if_nobody_is(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=1)
    change(tmp_path, "UPDATE users SET is_admin = 0")
    assert "was made the owner" in bring(tmp_path)
    assert User.objects.get(is_superuser=True).username == "person1"


def test_templates_become_further_versions_and_what_was_in_use_is(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=1)
    ours = PromptTemplate.objects.filter(category="lyrics", action="enhance").first()
    bring(tmp_path)
    used = PromptTemplate.objects.active().get(category="lyrics", action="enhance")
    assert (used.pre_condition, used.is_latest, used.temperature) == ("Make it sing:", True, 0.8)
    versions = PromptTemplate.objects.versions_of("lyrics", "enhance")
    assert {template.pre_condition for template in versions} >= {"Make it better:", "Make it sing:"}
    assert ours is None or versions.filter(pk=ours.pk, active=False, is_latest=False).exists()
    assert PromptTemplate.objects.active().get(category="harbour").version == "1"


def test_braces_in_templates_come_out_as_they_were(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=1)
    words = 'Answer as {"title": "..."}, and put [Verse {1}] above } or { each.'
    change(tmp_path, f"UPDATE prompt_templates SET pre_condition = '{words}', post_condition = '{{text}}'")
    report = bring(tmp_path)
    assert "cannot be used" not in report
    used = PromptTemplate.objects.active().get(category="lyrics", action="enhance")
    assert fill(used.pre_condition, {}) == words
    assert fill(used.post_condition, {}) == "{text}"
    check_wording(wording_of(used))


def test_templates_that_could_not_be_used_are_told(tmp_path: Path) -> None:
    make_earlier(tmp_path, songs=1)
    change(tmp_path, "UPDATE prompt_templates SET pre_condition = '', post_condition = '' WHERE category = 'harbour'")
    report = bring(tmp_path)
    assert "1 × cannot be used or edited as they are" in report  # noqa: RUF001  a multiplication sign
    assert "harbour/" in report


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://nobody:hunter2@127.0.0.1:1/none", "does not answer"),
        ("postgresql+psycopg2://nobody:hunter2@127.0.0.1:1/none", "does not answer"),
        ("mysql://nobody:hunter2@127.0.0.1/none", "must be postgres://"),
        ("sqlite:////nowhere/at-all.sqlite3", "There is no file"),
    ],
)
def test_a_database_that_cannot_be_read_is_one_sentence_without_its_password(url: str, words: str) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        call_command("import_legacy", "--database-url", url)
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_no_database_and_a_database_of_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear database, " * 100)
    sqlite3.connect(tmp_path / "empty.sqlite3").close()
    for name, words in (("letter.txt", "is no database"), ("empty.sqlite3", "none of its tables is there")):
        with pytest.raises(CommandError, match=words):
            call_command("import_legacy", "--database-url", str(tmp_path / name))


def test_a_picture_is_looked_for_inside_the_folder_only(tmp_path: Path) -> None:
    (tmp_path / "images" / "sub").mkdir(parents=True)
    (tmp_path / "secret.png").touch()
    (tmp_path / "images" / "sub" / "a.png").touch()
    (tmp_path / "images" / "out.png").symlink_to(tmp_path / "secret.png")
    folder = tmp_path / "images"
    assert find_file(folder, "a.png", "/app/static/images/sub/a.png") == folder.resolve() / "sub" / "a.png"
    assert find_file(folder, "a.png", "C:\\images\\sub\\a.png") == folder.resolve() / "sub" / "a.png"
    for filename, path in (
        ("secret.png", "../secret.png"),
        ("../secret.png", ""),
        ("out.png", ""),
        ("", ""),
        ("a", "/"),
    ):
        assert find_file(folder, filename, path) is None
