"""What a file really is, by its first bytes; and the directory of an archive, read with care."""

import os
import struct
import zipfile
from collections.abc import Callable
from typing import IO, Any

PICTURES: dict[str, Callable[[bytes], bool]] = {
    "png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "webp": lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP",
}
ZIP_ENTRIES = 200
ZIP_DIRECTORY_BYTES = 1024 * 1024
# The end record of an archive: 22 bytes and a comment of at most 65535.
ZIP_END_BYTES = 22 + 65535


def is_of_kind(file: IO[bytes], kind: str) -> bool:
    """Tell whether an open file is an "mp3", "flac", "wav", "zip", "png", "jpeg" or "webp" by its content."""
    head = file.read(12)
    if kind in PICTURES:
        return PICTURES[kind](head)
    if kind == "mp3":
        return head.startswith(b"ID3") or _is_mpeg_frame(head)
    if kind == "flac":
        return head.startswith(b"fLaC")
    if kind == "wav":
        return head.startswith(b"RIFF") and head[8:12] == b"WAVE"
    if kind == "zip":
        return head.startswith(b"PK\x03\x04") and read_zip_directory(file) is not None
    raise ValueError(kind)


def _is_mpeg_frame(head: bytes) -> bool:
    """ISO 11172-3, 2.4.1.3: eleven sync bits, then a version, layer III, bit rate and sampling rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bit_rate, sampling_rate = (head[1] >> 3) & 3, (head[1] >> 1) & 3, head[2] >> 4, (head[2] >> 2) & 3
    return version != 1 and layer == 1 and bit_rate not in {0, 15} and sampling_rate != 3


def read_zip_directory(file: IO[bytes] | Any) -> list[tuple[str, int]] | None:
    """List the files of an archive (at most 200) as (name, size in bytes); None if its directory cannot be read."""
    try:
        if _zip_directory_bytes(file) > ZIP_DIRECTORY_BYTES:
            return None
        with zipfile.ZipFile(file) as archive:
            entries = [(entry.filename, entry.file_size) for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, struct.error, ValueError, OverflowError, EOFError, NotImplementedError):
        return None
    return entries[:ZIP_ENTRIES]


def _zip_directory_bytes(file: IO[bytes]) -> int:
    """Read the announced size of the directory (APPNOTE 4.3.16), because zipfile takes all of it into memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - ZIP_END_BYTES, 0))
    tail = file.read()
    position = tail.rfind(b"PK\x05\x06")
    if position < 0 or len(tail) < position + 22:
        raise zipfile.BadZipFile
    announced: int = struct.unpack_from("<L", tail, position + 12)[0]
    return announced
