"""Pictures come home: checked, stored and made small before any row speaks of them. No database here."""

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils.translation import gettext as _

from library import pictures, storage
from library.pictures import Inspected
from providers import openai
from providers.errors import DownloadError, ProviderError, Verdict
from providers.http import open_download

BYTES_LIMIT = 128 * 1024 * 1024
TIMEOUT = (5.0, 60.0)  # seconds to connect, seconds without a byte
TRIES = 3
SIDES = (320, 640)  # pixels
UNPACKING = threading.BoundedSemaphore(2)  # a large picture unpacked takes 50 MB, and many may arrive at once


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture that is safely stored, with its small versions."""

    stored: storage.Stored
    found: Inspected
    thumbs: dict[int, str]  # by side in pixels: name in storage
    revised_prompt: str

    @property
    def names(self) -> list[str]:
        """Return the names in storage."""
        return [self.stored.name, *self.thumbs.values()]

    @property
    def columns(self) -> dict[str, Any]:
        """Return what the row of a picture says of its files."""
        filename = self.stored.name.rpartition("/")[2]
        return {
            "size": f"{self.found.width}x{self.found.height}",
            "filename": filename,
            "file_path": self.stored.name,
            "local_url": reverse("images:file", args=[filename]),
            "format": self.found.format,
            "width": self.found.width,
            "height": self.found.height,
            "bytes": self.stored.size,
            "sha256": self.stored.sha256,
            "thumb_320": self.thumbs[320],
            "thumb_640": self.thumbs[640],
        }


def keep(picture: openai.Picture) -> Kept:
    """Store one picture of an answer.

    Raises:
        NotAPictureError: what came is no picture that we keep.
        DownloadError: the answer gave an address, and the picture could not be fetched from there.
        storage.StorageFullError: the disk is full.
    """
    content = picture.content if picture.content is not None else fetch(picture.url)
    found = pictures.inspect(io.BytesIO(content))
    with UNPACKING:
        small = pictures.thumbnails(io.BytesIO(content), SIDES)
    names: list[str] = []
    with removed_on_error(names):
        stored = storage.store(
            [content], folder="images", suffix=found.format, kind=found.format, max_bytes=BYTES_LIMIT
        )
        names.append(stored.name)
        thumbs = {}
        for side, thumb in small.items():
            made = storage.store([thumb], folder="thumbs", suffix="webp", kind="webp", max_bytes=BYTES_LIMIT)
            names.append(made.name)
            thumbs[side] = made.name
    return Kept(stored, found, thumbs, picture.revised_prompt)


@contextlib.contextmanager
def removed_on_error(names: list[str]) -> Iterator[None]:
    """Leave nothing behind of a picture that could not be stored whole."""
    try:
        yield
    except BaseException:
        storage.delete(names)
        raise


def fetch(url: str) -> bytes:
    """Fetch a picture from the address that a compatible server gave; only from that server itself.

    Raises:
        DownloadError: it is not to be had.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with open_download(url, hosts=openai.file_hosts(), max_bytes=BYTES_LIMIT, timeout=TIMEOUT) as source:
                return b"".join(source.chunks())
        except DownloadError as error:
            if error.kind != "later" or not tries_left:
                raise
    raise AssertionError("unreachable")


def load_references(names: list[str], mask: str) -> tuple[tuple[openai.Reference, ...], bytes | None]:
    """Read the pictures to work from out of our storage.

    Raises:
        ProviderError: refused, because one is no longer there; later, because the files are away. Nothing is sent then.
    """
    try:
        references = []
        for name in names:
            with default_storage.open(name) as file:
                suffix = name.rpartition(".")[2]
                references.append(openai.Reference(name.rpartition("/")[2], file.read(), f"image/{suffix}"))
        content = None
        if mask:
            with default_storage.open(mask) as file:
                content = file.read()
    except storage.StorageAwayError as error:
        raise ProviderError(Verdict.LATER, error.message, provider="OpenAI") from error
    except OSError as error:
        message = _("A reference picture is no longer there.")
        raise ProviderError(Verdict.REFUSED, message, provider="OpenAI") from error
    return tuple(references), content
