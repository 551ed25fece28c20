"""Files on their way to a browser: whole or in part (RFC 9110, section 14), so that a player can jump."""

import re
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, parse_etags

CHUNK_BYTES = 64 * 1024


class UnsatisfiableRangeError(Exception):
    """The asked range lies outside the file."""


class _Piece:
    """A part of an open file as an iterator that closes it, even if it was never begun."""

    def __init__(self, file: IO[bytes] | Any, start: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(start)
        if hasattr(file, "stop_at"):  # in a bucket, which is asked for this piece alone
            file.stop_at(start + length)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes = self._file.read(min(CHUNK_BYTES, self._left))
        if not chunk:
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()


def serve_file(
    request: HttpRequest, name: str, *, content_type: str, etag: str, filename: str, download: bool = False
) -> HttpResponseBase:
    """Answer with a stored file: 200, 206 for a range, 304 if the browser has it, 416 for a range outside of it.

    `etag` is the file's SHA-256, `filename` what a saved copy is to be called. Raises Http404 if the file is gone, and
    StorageAwayError if that cannot be known now.
    """
    try:
        file = default_storage.open(name, "rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, SuspiciousFileOperation, ValueError) as error:
        raise Http404 from error
    try:
        if settings.MEDIA_ACCEL:
            response = _hand_over(request, name, f'"{etag}"', content_type)
        else:
            response = _respond(request, file, f'"{etag}"', content_type)
    except BaseException:
        file.close()
        raise
    if not response.streaming:
        file.close()
    if "X-Accel-Redirect" not in response:
        response["Accept-Ranges"] = "bytes"  # else nginx says so itself
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = _disposition(filename, download=download)
    return response


def _hand_over(request: HttpRequest, name: str, etag: str, content_type: str) -> HttpResponseBase:
    """Let nginx send the file, in whole or in part: MEDIA_ACCEL is where it has our media, for itself alone."""
    if _is_known(request.headers.get("If-None-Match", ""), etag):
        return _not_modified()
    return HttpResponse(content_type=content_type, headers={"X-Accel-Redirect": settings.MEDIA_ACCEL + quote(name)})


def _not_modified() -> HttpResponseBase:
    response = HttpResponse(status=304)
    del response["Content-Type"]
    return response


def _respond(request: HttpRequest, file: IO[bytes] | Any, etag: str, content_type: str) -> HttpResponseBase:
    response: HttpResponseBase
    if _is_known(request.headers.get("If-None-Match", ""), etag):
        return _not_modified()
    size: int = file.seek(0, 2)
    try:
        span = _asked_range(request, etag, size)
    except UnsatisfiableRangeError:
        return HttpResponse(status=416, content_type=content_type, headers={"Content-Range": f"bytes */{size}"})
    start, end = span or (0, size - 1)
    length = end - start + 1
    if request.method == "HEAD":
        response = HttpResponse(content_type=content_type)
    else:
        piece = _Piece(file, start, length)
        response = StreamingHttpResponse(piece, status=206 if span else 200, content_type=content_type)
    if span:
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Content-Length"] = str(length)
    return response


def _is_known(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as RFC 9110, 13.1.2 says."""
    known = parse_etags(if_none_match) if if_none_match else []
    return "*" in known or etag in {tag.removeprefix("W/") for tag in known}


def _asked_range(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | None:
    """Give first and last byte of a single range, or None for the whole file: also for several ranges and nonsense.

    A range counts for GET only, and with If-Range only if the browser's copy is this very file.
    """
    asked = re.fullmatch(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", request.headers.get("Range", ""), re.IGNORECASE)
    if request.method != "GET" or asked is None or request.headers.get("If-Range", etag).strip() != etag:
        return None
    first, last = asked.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size:
        raise UnsatisfiableRangeError
    return start, end


def _disposition(filename: str, *, download: bool) -> str:
    safe = "".join(letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "_" for letter in filename)
    return content_disposition_header(download, safe or "file") or "inline"
