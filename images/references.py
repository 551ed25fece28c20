"""Pictures to work from, as a form carries them: names in our storage, signed, so that no other file can be named."""

import re
from collections.abc import Iterable

from django.core import signing
from django.urls import reverse

from images.models import GeneratedImage

SALT = "images.reference"
NAME = re.compile(r"(uploads|images)/[0-9a-f]{2}/[0-9a-f]{32}\.(png|jpeg|webp)")


class Reference:
    """A picture to work from: its name in storage, and its token in forms and addresses."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = signing.dumps(name, salt=SALT)

    @property
    def url(self) -> str:
        """Where a small version is."""
        return reverse("images:reference", args=[self.token])


def of_image(image: GeneratedImage) -> Reference:
    """Return a picture of the gallery as a reference."""
    return Reference(image.file_path)


def read_token(token: str) -> Reference | None:
    """Return the reference that a token stands for; None for one that we have not signed."""
    try:
        name = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return Reference(name) if isinstance(name, str) and NAME.fullmatch(name) else None


def read_tokens(tokens: Iterable[str]) -> list[Reference]:
    """Return the references of a form, each once; what is no token of ours is passed over."""
    found = {reference.name: reference for token in tokens if (reference := read_token(token))}
    return list(found.values())
