"""Pictures come home: checked, stored and made small before any row speaks of them. No database here."""

import contextlib
import io
import logging
import time
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

logger = logging.getLogger(__name__)

BYTES_LIMIT = 128 * 1024 * 1024
TIMEOUT = (5.0, 60.0)  # seconds to connect, seconds without a byte
FETCH_PAUSES = (2.0, 5.0, 15.0)  # seconds before a file that is not there yet is asked for again
SIDES = (320, 640)  # pixels
FIRST_PAUSE = 1.0  # seconds until a picture that could not be stored is tried again; twice as long each time
LONGEST_PAUSE = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture that is safely stored, with those of its small versions that could be made."""

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
            "thumb_320": self.thumbs.get(320, ""),
            "thumb_640": self.thumbs.get(640, ""),
        }


def keep(picture: openai.Picture, *, until: float = 0.0) -> Kept:
    """Store one picture. One that is paid for is tried until `until` (of `time.monotonic`) if the disk refuses it.

    What is only convenient, the small versions, comes after the picture is safe.

    Raises:
        NotAPictureError: what came is no picture that we keep.
        DownloadError: the answer gave an address, and the picture could not be fetched from there.
        storage.StorageFullError: the disk is still full. Whatever else a storage says passes through, too.
    """
    content = picture.content if picture.content is not None else fetch(picture.url, until)
    found = pictures.inspect(io.BytesIO(content))
    stored = store_patiently(content, found, until)
    return Kept(stored, found, make_small(content), picture.revised_prompt)


def store_patiently(content: bytes, found: Inspected, until: float) -> storage.Stored:
    """Store a picture; what it is refused for may pass, so it is held in memory and tried again until `until`."""
    pause = FIRST_PAUSE
    while True:
        try:
            return storage.store(
                [content], folder="images", suffix=found.format, kind=found.format, max_bytes=BYTES_LIMIT
            )
        except storage.DamagedFileError:
            raise  # nor will it be whole the next time
        except Exception:
            if time.monotonic() + pause > until:
                raise
            logger.warning("A picture could not be stored, and is tried again.", exc_info=True)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def make_small(content: bytes) -> dict[int, str]:
    """Make and store the small versions. One that cannot be had is left out, and can be made later."""
    names: dict[int, str] = {}
    try:
        small = pictures.thumbnails(io.BytesIO(content), SIDES)
        for side, thumb in small.items():
            made = storage.store([thumb], folder="thumbs", suffix="webp", kind="webp", max_bytes=BYTES_LIMIT)
            names[side] = made.name
    except Exception:  # no memory, no room, a picture that only browsers can read: the picture itself is safe
        logger.warning("A small version of a picture could not be made.", exc_info=True)
    return names


@contextlib.contextmanager
def removed_on_error(names: list[str]) -> Iterator[None]:
    """Leave nothing behind of a picture whose row could not be written, where it can be had again."""
    try:
        yield
    except BaseException:
        storage.delete(names)
        raise


def fetch(url: str, until: float) -> bytes:
    """Fetch a picture from the address that a compatible server gave; only from that server, or where the owner allows.

    Raises:
        DownloadError: it is not to be had, or not before `until`.
    """
    pauses = iter(FETCH_PAUSES)
    while True:
        try:
            with open_download(url, hosts=openai.file_hosts(), max_bytes=BYTES_LIMIT, timeout=TIMEOUT) as source:
                return b"".join(in_time(source.chunks(), until))
        except DownloadError as error:
            pause = next(pauses, None)
            if error.kind != "later" or pause is None or time.monotonic() + pause > until:
                raise
        time.sleep(pause)


def in_time(chunks: Iterator[bytes], until: float) -> Iterator[bytes]:
    """Give the pieces of a file for as long as there is time: one that trickles in never ends by itself."""
    for chunk in chunks:
        if time.monotonic() > until:
            raise DownloadError("later", _("The file did not come in time."))
        yield chunk


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
