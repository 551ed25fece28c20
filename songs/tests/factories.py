"""Rows for tests: each function makes one that is valid as it stands, and takes whatever should be different."""

import hashlib
import itertools
import uuid
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from jobs.tests.factories import job_fields
from songs.models import LINKS_LIVE, FileState, Song, SongChoice, SongFile, StemSeparation

PASSWORD = "a long and quiet river"
numbers = itertools.count(1)


def make_user(**overrides: Any) -> User:
    """Make a person who may sign in with PASSWORD; `is_staff=True, is_superuser=True` makes an owner."""
    fields: dict[str, Any] = {"username": f"person-{next(numbers)}", "password": PASSWORD} | overrides
    return User.objects.create_user(**fields)


def make_api_client(user: User | None = None) -> APIClient:
    """Make a client of the API with a token of the user's (of a new user's, if none is given)."""
    _token, text = issue_token(user=user or make_user(), name="tests")
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


def make_song(**overrides: Any) -> Song:
    """Make a song without choices: done, unless `status` says otherwise. Its phase follows the status."""
    fields: dict[str, Any] = {
        "title": f"Song {next(numbers)}",
        "lyrics": "[Verse]\nRain on the roof",
        "prompt": "folk, guitar",
        "cost": Decimal("0.30"),
    }
    return Song.objects.create(**(fields | job_fields(overrides) | overrides))


def make_instrumental(**overrides: Any) -> Song:
    """Make an instrumental; see make_song."""
    return make_song(**({"lyrics": "", "is_instrumental": True} | overrides))


def make_choice(song: Song | None = None, **overrides: Any) -> SongChoice:
    """Make a choice of a song (of a new one, if none is given), without files."""
    song = song or make_song()
    fields: dict[str, Any] = {
        "song": song,
        "mureka_choice_id": str(next(numbers)),
        "choice_index": song.choices.count(),
        "duration": 30_000.0,
        "mp3_url": "http://127.0.0.1:9/files/song.mp3",
        "lyrics_sections": [{"section_type": "verse", "start": 0, "end": 4000, "lines": []}],
    }
    return SongChoice.objects.create(**(fields | overrides))


def make_file(
    choice: SongChoice | None = None, kind: str = "mp3", *, content: bytes | None = None, **overrides: Any
) -> SongFile:
    """Make a file that is at home, unless `state` says otherwise. With `content` it really lies in the storage."""
    choice = choice or make_choice()
    suffix = "zip" if kind in {"stems", "midi"} else kind
    name = f"songs/00/{uuid.uuid4().hex}.{suffix}"
    fields: dict[str, Any] = {
        "choice": choice,
        "kind": kind,
        "url": f"http://127.0.0.1:9/files/{kind}",
        "link_expires_at": timezone.now() + LINKS_LIVE,
    }
    if overrides.get("state", FileState.HOME) == FileState.HOME:
        body = content or b""
        fields |= {"state": FileState.HOME, "name": name, "next_try_at": None}
        fields |= {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        if content is not None:
            fields["name"] = default_storage.save(name, ContentFile(content))
    return SongFile.objects.create(**(fields | overrides))


def make_stems(choice: SongChoice | None = None, **overrides: Any) -> StemSeparation:
    """Make a separation of a choice: done, unless `status` says otherwise."""
    choice = choice or make_choice()
    fields: dict[str, Any] = {
        "choice": choice,
        "model": "audio-separation-1",
        "cost": Decimal("0.06"),
        "source_url": choice.mp3_url,
        "source_expires_at": timezone.now() + LINKS_LIVE,
    }
    return StemSeparation.objects.create(**(fields | job_fields(overrides) | overrides))


def make_finished_song(*, content: bytes = b"ID3" + bytes(997), **overrides: Any) -> Song:
    """Make a song with two choices whose mp3 files really lie in the storage (set a MEDIA_ROOT first)."""
    song = make_song(**overrides)
    for _number in range(2):
        make_file(make_choice(song), content=content)
    return song
