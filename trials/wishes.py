"""What is asked for in the kill test: songs and pictures, each with a prompt that no other has."""

from dataclasses import dataclass, field
from typing import Any

import requests

from trials.studio import Client

SONG, PICTURE = "song", "picture"
PICTURE_SECONDS = (3, 5, 4)  # that the mock works on a picture, in turns


@dataclass(frozen=True)
class Wish:
    """One wish. By its prompt, which is its key too, the rows and the mock's ledger are compared."""

    kind: str
    number: int
    prompt: str
    body: dict[str, Any] = field(hash=False)

    def send(self, client: Client) -> requests.Response:
        """Ask, once."""
        if self.kind == PICTURE:
            return client.request_pictures(self.prompt, timeout=10, prefer="respond-async", **self.body)
        return client.request_song(self.prompt, timeout=10, **self.body)


def song(number: int, seed: int, seconds: int) -> Wish:
    """Return a wish for a song; every fifth has no words."""
    prompt = f"trial {seed}, song {number}, pop, {seconds}s"
    is_instrumental = number % 5 == 4
    lyrics = "" if is_instrumental else f"This is song {number}\nof the trial {seed}"
    body = {"prompt": prompt, "lyrics": lyrics, "is_instrumental": is_instrumental, "title": f"Song {number}"}
    return Wish(SONG, number, prompt, body)


def picture(number: int, seed: int) -> Wish:
    """Return a wish for a picture; every fifth for two at once, every third as WebP."""
    prompt = f"trial {seed}, picture {number}, a lighthouse, {PICTURE_SECONDS[number % 3]}s"
    body = {"prompt": prompt, "n": 2 if number % 5 == 4 else 1, "output_format": "webp" if number % 3 == 2 else "png"}
    return Wish(PICTURE, number, prompt, body)
