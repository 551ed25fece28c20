"""Many pictures as one ZIP, made while it is sent: nothing is held in memory or on the disk."""

import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.files.storage import default_storage

from images.models import GeneratedImage

CHUNK_BYTES = 256 * 1024


class _Pipe:
    """Something a ZIP can be written to; what was written is taken out again at once."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: Any) -> int:
        self._written += content
        return len(content)

    def flush(self) -> None:
        """Do nothing: there is nothing behind the pipe."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def zip_chunks(images: Iterable[GeneratedImage]) -> Iterator[bytes]:
    """Send the originals as a ZIP, piece by piece, not packed again. A file that is gone is left out."""
    pipe = _Pipe()
    names: set[str] = set()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # it only writes
        for image in images:
            try:
                source = default_storage.open(image.file_path, "rb")
            except FileNotFoundError:
                continue
            entry = zipfile.ZipInfo(unused(file_name(image), names), image.created_at.timetuple()[:6])
            with source, archive.open(entry, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    yield pipe.take()
    yield pipe.take()


def file_name(image: GeneratedImage) -> str:
    """Return what a saved copy of a picture is called: its title, without what no system allows in a name."""
    title = "".join(letter if letter.isalnum() or letter in " -_.,()" else "_" for letter in image.display_title)
    return f"{title.strip(' .')[:100] or 'picture'}.{image.format}"


def unused(name: str, names: set[str]) -> str:
    """Return the name, with a number if it is taken, and take it."""
    stem, _dot, suffix = name.rpartition(".")
    number = 1
    while name.casefold() in names:
        number += 1
        name = f"{stem} {number}.{suffix}"
    names.add(name.casefold())
    return name
