"""What is done with songs that exist: noted on, rated, moved to the trash, taken back, deleted with their files."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from jobs import tasks
from jobs.kinds import KINDS
from jobs.models import JobEvent, Phase, Status
from jobs.services import JobError
from library.trash import KEPT_FOR
from songs import curation, services
from songs.models import FileState, Song, SongChoice, StemSeparation, Workflow
from songs.tests.engine import fresh, told
from songs.tests.factories import make_choice, make_file, make_finished_song, make_song, make_stems

pytestmark = pytest.mark.django_db
LONG_AGO = KEPT_FOR + timedelta(minutes=1)


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def on_disk(root: Path) -> int:
    return sum(path.is_file() for path in root.rglob("*"))


def throw_away(song: Song, *, ago: timedelta = timedelta()) -> Song:
    song.deleted_at = timezone.now() - ago
    song.save()
    return song


# --- Into the trash ---


def test_a_deleted_song_lies_in_the_trash_with_everything_that_is_its_own(
    media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    song = make_finished_song()
    make_stems(song.choices.first())
    with django_capture_on_commit_callbacks(execute=True):
        deletion = curation.delete_songs([song])
    row = fresh(song)
    assert deletion == curation.Deletion(1)
    assert row.gone_at == row.deleted_at + KEPT_FOR
    assert told(row) == ["Moved to the trash."]
    assert (on_disk(media), SongChoice.objects.count(), StemSeparation.objects.count()) == (2, 2, 1)
    assert (list(Song.objects.live()), list(Song.objects.trashed())) == ([], [song])


def test_a_song_in_the_trash_is_not_deleted_a_second_time() -> None:
    song = throw_away(make_song(), ago=timedelta(days=3))
    assert curation.delete_songs([song]) == curation.Deletion(0)
    assert fresh(song).deleted_at == song.deleted_at


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"workflow": Workflow.IN_USE}, "In use"),
        ({"workflow": Workflow.ON_WORK}, "On work"),
        ({"status": Status.PENDING}, "being made"),
        ({"status": Status.PENDING, "phase": Phase.SUBMITTING}, "being made"),
        ({"status": Status.PROGRESS}, "being made"),
        ({"status": Status.PROGRESS, "phase": Phase.SAVING}, "being made"),
    ],
)
def test_what_is_protected_or_being_made_stays_and_says_why(fields: dict[str, Any], why: str) -> None:
    song = make_song(title="Rain", **fields)
    ((title, reason),) = curation.delete_songs([song]).kept
    assert title == "Rain"
    assert why in reason
    assert not fresh(song).is_in_trash


def test_a_song_whose_stems_are_being_made_stays() -> None:
    song = make_stems(status=Status.PENDING).choice.song
    assert curation.delete_songs([song]) == curation.Deletion(0, ((song.title, "Its stems are being made."),))


def test_a_song_that_became_protected_since_it_was_read_stays() -> None:
    song = make_song()
    Song.objects.update(workflow=Workflow.IN_USE)
    assert curation.delete_songs([song]).deleted == 0
    Song.objects.all().delete()
    assert curation.delete_songs([song]) == curation.Deletion(0)


def test_two_songs_of_one_title_are_both_told_of() -> None:
    songs = [make_song(title="Rain", workflow=Workflow.IN_USE), make_song(title="Rain", status=Status.PENDING)]
    deletion = curation.delete_songs([*songs, make_song()])
    assert deletion.deleted == 1
    assert [title for title, _why in deletion.kept] == ["Rain", "Rain"]


# --- In the trash ---


def test_nothing_is_paid_for_or_changed_in_the_trash(enqueued: list[Any]) -> None:
    failed = throw_away(make_song(status=Status.FAILURE))
    choice = make_choice(failed)
    stems = make_stems(choice, status=Status.FAILURE)
    other = make_choice(failed)
    verbs: list[Any] = [
        lambda: services.submit_song_again(failed),
        lambda: services.ask_about_song(failed),
        lambda: services.submit_stems_again(stems),
        lambda: services.request_stems(other, user=None),
        lambda: curation.edit_song(failed, title="New", workflow=Workflow.IN_USE),
        lambda: curation.edit_choice(choice, title="New"),
        lambda: curation.rate_choice(choice, 1),
    ]
    for verb in verbs:
        with pytest.raises(JobError, match="It is in the trash"):
            verb()
    row = fresh(failed)
    assert (row.status, row.title, row.workflow) == (Status.FAILURE, failed.title, Workflow.NOT_USED)
    assert (SongChoice.objects.get(pk=choice.pk).rating, StemSeparation.objects.get().status) == (None, Status.FAILURE)
    assert (row.can_submit_again, row.can_ask_again, fresh(stems).can_submit_again) == (False, False, False)
    assert enqueued == []


def test_a_song_that_went_for_good_says_so() -> None:
    song = make_song()
    Song.objects.all().delete()
    with pytest.raises(JobError, match="not there any more"):
        curation.edit_song(song, title="New")


def test_files_of_songs_in_the_trash_are_not_asked_for_until_they_are_taken_back(
    enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    choice = make_choice(throw_away(make_song()))
    make_stems(choice)
    make_file(choice, state=FileState.MISSING)
    make_file(choice, "stems", state=FileState.MISSING)
    for taken_back in (False, True):
        if taken_back:
            curation.restore_songs([choice.song])
        with django_capture_on_commit_callbacks(execute=True):
            KINDS["songs.song"].sweep()
            KINDS["songs.stemseparation"].sweep()
        assert [task.func for task in enqueued] == [tasks.bring_home] * 2 * taken_back


# --- Out of the trash ---


def test_a_song_that_is_taken_back_is_as_it_was(media: Path) -> None:
    song = make_finished_song(workflow=Workflow.NOT_USED)
    curation.delete_songs([song])
    assert curation.restore_songs([song, make_song()]) == 1
    row = fresh(song)
    assert not row.is_in_trash
    assert [choice.audio is not None for choice in row.choices.all()] == [True, True]
    assert on_disk(media) == 2
    assert told(row) == ["Moved to the trash.", "Taken out of the trash."]


# --- For good ---


def test_after_thirty_days_a_song_goes_with_choices_files_stems_and_history(
    media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    song = throw_away(make_finished_song(), ago=LONG_AGO)
    stems = make_stems(song.choices.first())
    song.tell("It was made.")
    stems.tell("They were made.")
    live, recent = make_song(), throw_away(make_finished_song(), ago=KEPT_FOR - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        KINDS["songs.song"].sweep()
        assert on_disk(media) == 4  # not before the commit
    assert on_disk(media) == 2
    assert set(Song.objects.all()) == {live, recent}
    assert (StemSeparation.objects.count(), JobEvent.objects.count()) == (0, 0)


def test_a_song_that_was_taken_back_since_it_was_read_is_not_purged() -> None:
    song = throw_away(make_song(), ago=LONG_AGO)
    song.tell("It was made.")
    curation.restore_songs([song])
    assert curation.purge_songs([song]) == 0
    assert told(song) == ["It was made.", "Taken out of the trash."]


def test_a_song_that_a_late_answer_woke_in_the_trash_is_not_purged_while_it_comes_home() -> None:
    song = throw_away(make_song(status=Status.PROGRESS, phase=Phase.SAVING), ago=LONG_AGO)
    KINDS["songs.song"].sweep()
    assert list(Song.objects.all()) == [song]


def test_a_purge_that_is_rolled_back_keeps_the_files(media: Path, django_capture_on_commit_callbacks: Any) -> None:
    song = throw_away(make_finished_song(), ago=LONG_AGO)
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        assert curation.purge_songs([song]) == 1
        transaction.set_rollback(True)
    assert (Song.objects.count(), on_disk(media)) == (1, 2)


def test_storage_is_asked_to_delete_no_empty_name(
    media: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    song = throw_away(make_finished_song(), ago=LONG_AGO)
    make_file(make_choice(song), state=FileState.MISSING)
    deleted: list[str] = []
    monkeypatch.setattr(default_storage, "delete", deleted.append)
    with django_capture_on_commit_callbacks(execute=True):
        curation.purge_songs([song])
    assert len(deleted) == 2
    assert all(deleted)
    assert on_disk(media) == 2


# --- Notes ---


def test_an_edit_writes_only_its_own_columns() -> None:
    song = make_song(status=Status.PROGRESS)
    stale = fresh(song)
    Song.objects.update(status=Status.SUCCESS, tags="worker")
    curation.edit_song(stale, title="New")
    row = fresh(song)
    assert (row.title, row.status, row.tags) == ("New", Status.SUCCESS, "worker")


def test_choices_that_have_the_songs_title_follow_it_and_others_keep_their_own() -> None:
    song, other = make_song(title="Old"), make_song(title="Old")
    follows, keeps, not_its = make_choice(song, title="Old"), make_choice(song, title="Mine"), make_choice(other)
    SongChoice.objects.filter(pk=not_its.pk).update(title="Old")
    song.title = "New"  # as a form of the admin leaves it
    curation.edit_song(song, title="New")
    assert [SongChoice.objects.get(pk=row.pk).title for row in (follows, keeps, not_its)] == ["New", "Mine", "Old"]
    curation.edit_song(song, tags="calm")
    curation.edit_song(song, title="")
    assert [SongChoice.objects.get(pk=row.pk).title for row in (follows, keeps)] == ["", "Mine"]


def test_a_rating_is_up_down_or_none() -> None:
    choice = make_choice()
    for rating in (1, 0, None):
        curation.rate_choice(choice, rating)
        assert SongChoice.objects.get().rating == rating
    with pytest.raises(ValidationError):
        curation.rate_choice(choice, 2)


def test_a_song_without_a_title_is_called_by_its_style_wherever_it_is_shown() -> None:
    song = make_song(title="", lyrics="Rain on the roof", prompt="folk, " * 20)
    assert fresh(song).display_title == Song.objects.for_list().get().display_title == ("folk, " * 20)[:60]
    assert make_song(title="", prompt="").display_title == "Untitled"
