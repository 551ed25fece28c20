"""What a task's files contain: the piece of each take, and for stems the piece that their address names."""

import re
from pathlib import Path

from django.http import FileResponse

from mockapi import files, rules
from mockapi.errors import invalid
from mockapi.models import Kind, MurekaTask
from mockapi.score import Piece

# A stem task's two files.
STEMS, MIDI = 0, 1
OWN_FILE = re.compile(
    r"https?://[^/\s]+/mock/mureka/files/(song|instrumental)/\d{8}/\d+-([A-Za-z0-9_-]{22})\.(\w+)(?:[?#].*)?"
)


def check(url: str) -> None:
    """Refuse what stems cannot be made of. The mock never fetches: a foreign https address is only looked at."""
    own = OWN_FILE.fullmatch(url)
    if own and (own[3] != "mp3" or files.available(own[1], own[2]) is None):
        raise invalid("The audio file could not be downloaded or is not mp3 or m4a.")
    if url.startswith("data:"):
        rules.check_data_uri(url)
    elif not own and not re.fullmatch(r"https://[^/\s]+\S*", url):
        raise invalid("url must be an https URL or a data URI.")


def take(task: MurekaTask, index: int) -> Piece:
    """Return the piece of one take of a song or instrumental."""
    return Piece(f"{task.kind}/{task.public_id}/{index}", task.kind, task.choice_ms(index))


def source(task: MurekaTask) -> Piece:
    """Return the piece a stem task separates: the mock's own take, or one made up for a foreign address."""
    url = task.request["url"]
    own = OWN_FILE.fullmatch(url)
    found = files.available(own[1], own[2]) if own else None
    return take(*found) if found else Piece(url, Kind.SONG, task.audio_ms)


def response(task: MurekaTask, index: int, extension: str) -> FileResponse:
    """Return a result as a download with its type and length; rendered on first use."""

    def produce(path: Path) -> None:
        from mockapi import audio, stems  # noqa: PLC0415  numpy: a process that plays nothing stays small

        if task.kind != Kind.STEM:
            audio.write(audio.mix(take(task, index)), path, extension)
        elif index == MIDI:
            stems.write_midi(source(task), path)
        else:
            stems.write_stems(source(task), task.model, path)

    name = f"{task.kind}-{task.public_id}-{index}-{task.choice_ms(index)}.{extension}"
    return FileResponse(files.open_cached(name, produce), content_type=files.CONTENT_TYPES[extension])
