"""What is sent with an edit: form fields, the pictures to work from, and a mask."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from mockapi import openai_errors as errors
from mockapi.openai_rules import NUMBERS, Body

MOST_REFERENCES = 16
LARGEST_REFERENCE = 50 * 1024 * 1024
LARGEST_MASK = 4 * 1024 * 1024
FORMATS = ("PNG", "WEBP", "JPEG")


@dataclass(frozen=True)
class Uploads:
    """The files of an edit: the first reference and the mask are worked in, of all of them the digests are kept."""

    first: bytes = b""
    mask: bytes | None = None
    count: int = 0
    digests: tuple[bytes, ...] = ()


def read_form(request: HttpRequest) -> Body:
    """Return the form's fields with the types that they have in JSON."""
    try:
        fields: dict[str, Any] = {name: request.POST[name] for name in request.POST}
    except (MultiPartParserError, BadRequest, ValueError):
        raise errors.refusal(400, "Could not parse multipart form.") from None
    for name in NUMBERS:
        if re.fullmatch(r"-?[0-9]{1,9}", str(fields.get(name, ""))):
            fields[name] = int(fields[name])
    if fields.get("stream") in {"true", "false"}:
        fields["stream"] = fields["stream"] == "true"
    return fields


def read_files(request: HttpRequest) -> Uploads:
    """Return the uploaded pictures, or refuse them: 1 to 16 references, and a mask that fits the first."""
    from mockapi import painting  # noqa: PLC0415  numpy and Pillow: a process that paints nothing stays small

    for name in request.FILES:
        if name not in {"image", "image[]", "mask"}:
            raise errors.unknown_parameter(name)
    references = [*request.FILES.getlist("image"), *request.FILES.getlist("image[]")]
    if not references:
        raise errors.missing("image")
    if len(references) > MOST_REFERENCES:
        words = f"Invalid 'image': array too long. Expected an array with maximum length {MOST_REFERENCES}, "
        raise errors.invalid("image", words + f"but got an array with length {len(references)} instead.")
    first, sizes, digests = b"", [], []
    for number, file in enumerate(references):
        content = _content(file, "image", LARGEST_REFERENCE)
        sizes.append(painting.size_of(content, FORMATS))
        if sizes[-1] is None:
            raise errors.invalid_file("image", "Invalid image file or mode for image, please check your image file.")
        digests.append(hashlib.sha256(content).digest())
        first = first if number else content
    mask = request.FILES.get("mask")
    if mask is None:
        return Uploads(first, None, len(references), tuple(digests))
    content = _content(mask, "mask", LARGEST_MASK)
    size = painting.size_of(content, ("PNG",))
    if size is None or not painting.has_clear_parts(content):
        raise errors.invalid_file("mask", "Invalid mask file: expected a PNG with an alpha channel.")
    if size != sizes[0]:
        raise errors.invalid_file("mask", "Invalid input image - mask size does not match image size.")
    return Uploads(first, content, len(references), (*digests, hashlib.sha256(content).digest()))


def _content(file: "UploadedFile[bytes]", name: str, largest: int) -> bytes:
    if (file.size or 0) >= largest:
        raise errors.invalid_file(name, f"Invalid image: the file must be smaller than {largest // 1024**2}MB.")
    content: bytes = file.read()
    return content
