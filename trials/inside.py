"""What a trial must do inside Django, in a process of its own: `python -m trials.inside roles | fill | queries`."""

import json
import os
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from songs.models import Song

BATCH = 2000
WORDS = ("river", "harbour", "winter", "copper", "lantern", "meadow", "signal", "paper", "thunder", "velvet", "orbit")
GIVEN_UP = timedelta(seconds=30)
LINES = 16  # of the lyrics
RARE = "zanzibar"  # one song in 5000


def roles() -> None:
    """Answer each line of the input with which process is what, by the clusters' own heartbeats; "hurry" hurries."""
    from django_q.status import Stat  # noqa: PLC0415

    for line in sys.stdin:
        if line.strip() == "hurry":
            hurry()
        known: dict[int, str] = {}
        for stat in Stat.get_all():
            known |= dict.fromkeys(stat.workers, "worker")
            known |= {stat.sentinel: "sentinel", stat.monitor: "monitor", stat.pusher: "pusher"}
        sys.stdout.write(json.dumps(known) + "\n")
        sys.stdout.flush()


def hurry() -> None:
    """Shorten the 11 minutes for which an unanswered request for pictures is waited for, and keeps its turn.

    The mock works for seconds. What nobody has come back for after `GIVEN_UP` is due to be called uncertain now.
    """
    from django.utils import timezone  # noqa: PLC0415

    from images.models import ImageRequest  # noqa: PLC0415

    now = timezone.now()
    old = ImageRequest.objects.filter(submitted_at__lt=now - GIVEN_UP)
    old.filter(status="PENDING", phase="submitting", next_poll_at__gt=now).update(next_poll_at=now)
    old.filter(phase="uncertain", slot_until__gt=now).update(slot_until=now)


def fill(count: int) -> None:
    """Write `count` songs, one every seven minutes of the past, each with two choices that have an mp3 at home."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from songs.models import Song, SongChoice, SongFile  # noqa: PLC0415

    now = timezone.now()
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        songs = [ended_song(number, now - timedelta(minutes=7 * number)) for number in numbers]
        choices = [SongChoice(song=song, choice_index=index, title=song.title) for song in songs for index in (0, 1)]
        files = [
            SongFile(
                choice=choice, kind="mp3", url="https://cdn.example/a.mp3", state="home",
                name=f"songs/{choice.pk.hex}.mp3", size=4_000_000, link_expires_at=now, next_try_at=None,
            )
            for choice in choices
        ]  # fmt: skip
        Song.objects.bulk_create(songs)
        SongChoice.objects.bulk_create(choices)
        SongFile.objects.bulk_create(files)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does within a minute


def ended_song(number: int, created_at: datetime) -> "Song":
    """Return a song of a year-long library: nine of ten are done, one of ten failed."""
    from songs.models import Song  # noqa: PLC0415

    words = [WORDS[(number * (place + 3) + place) % len(WORDS)] for place in range(6)]
    is_done = number % 10 != 0
    return Song(
        title=f"{words[0].title()} {words[1]} {number}" + (f" {RARE}" if number % 5000 == 17 else ""),
        lyrics="\n".join(" ".join(words) for _line in range(LINES)),
        prompt="pop, calm",
        tags=f"{words[2]}, {words[3]}",
        job_id=str(10**12 + number) if is_done else "",
        status="SUCCESS" if is_done else "FAILURE",
        phase="ended",
        charge="yes" if is_done else "no",
        mureka_response={"id": str(number), "status": "succeeded", "choices": [{"lyrics": words * LINES}]},
        next_poll_at=None,
        created_at=created_at,
        queued_at=created_at,
        submitted_at=created_at,
        completed_at=created_at + timedelta(minutes=3),
    )


def media(total: int) -> None:
    """Write the files that the rows of `fill` speak of, about `total` bytes of them, and note their hashes."""
    import hashlib  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from django.conf import settings  # noqa: PLC0415

    from songs.models import SongFile  # noqa: PLC0415

    rows = list(SongFile.objects.order_by("pk"))
    size = total // max(len(rows), 1)
    for start in range(0, len(rows), BATCH):
        for row in rows[start : start + BATCH]:
            content = os.urandom(size)
            row.name = f"songs/{row.pk.hex[:2]}/{row.pk.hex}.mp3"
            row.size, row.sha256 = size, hashlib.sha256(content).hexdigest()
            path = Path(settings.MEDIA_ROOT) / row.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        SongFile.objects.bulk_update(rows[start : start + BATCH], ["name", "size", "sha256"])


def queries(path: str) -> None:
    """Write how many database queries an authenticated GET of `path` takes."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415
    from rest_framework.test import APIClient  # noqa: PLC0415

    token = sys.stdin.readline().strip()
    client = APIClient(SERVER_NAME="127.0.0.1", headers={"authorization": token})
    client.get(path)  # what is only done once in the life of a process is not a request's
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(path)
    sys.stdout.write(json.dumps({"status": answer.status_code, "queries": len(captured)}) + "\n")


def main(command: str, *arguments: str) -> None:
    """Do one of the above."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "macai.settings")
    django.setup()
    if command == "roles":
        roles()
    elif command == "fill":
        fill(int(arguments[0]))
    elif command == "media":
        media(int(arguments[0]))
    else:
        queries(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
