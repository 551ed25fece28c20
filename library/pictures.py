"""What a picture really is, checked before it is kept; and small versions of it."""

import io
import threading
import warnings
from dataclasses import dataclass
from typing import IO, Any, Literal

from django.utils.translation import gettext as _

Format = Literal["png", "jpeg", "webp"]

FORMATS: dict[str, Format] = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp"}
PIXELS_LIMIT = 40_000_000  # the largest picture a model makes has 8.3 million
SIDE_LIMIT = 16_384
THUMBNAIL_QUALITY = 80
STRIP_PIXELS = 1_000_000
ORIENTATION = 0x0112  # the EXIF tag that says how a photo was held
# The largest picture that we take (40 million pixels) takes 175 MB while it is made small as PNG, 610 MB as WebP, whose
# library unpacks it more than once, and 30 MB as JPEG. So there is one at a time in a process, however many threads.
UNPACKING = threading.BoundedSemaphore(1)


class NotAPictureError(Exception):
    """The content is no picture that we keep. `message` is one plain sentence."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a picture is: "png", "jpeg" or "webp", and its sides in pixels."""

    format: Format
    width: int
    height: int
    has_alpha: bool


def inspect(file: IO[bytes]) -> Inspected:
    """Read a picture's header and check it whole; size and kind are judged before a pixel is unpacked.

    Raises:
        NotAPictureError: no PNG, JPEG or WebP, too large, or damaged.
    """
    from PIL import Image  # noqa: PLC0415  # slow to load, and most processes never look at a picture

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is below
            with Image.open(file, formats=tuple(FORMATS)) as picture:
                found = Inspected(FORMATS[str(picture.format)], *picture.size, has_alpha=has_alpha(picture))
                is_too_large = found.width * found.height > PIXELS_LIMIT or max(picture.size) > SIDE_LIMIT
                if not is_too_large:
                    picture.verify()
    except Exception as error:  # whatever the decoder stumbles over
        raise NotAPictureError(_("This is not a PNG, JPEG or WebP picture.")) from error
    if is_too_large:
        raise NotAPictureError(_("The picture has too many pixels."))
    file.seek(0)
    return found


def inspect_mask(file: IO[bytes]) -> Inspected:
    """Read a mask, which must be a PNG that can be transparent.

    Raises:
        NotAPictureError: it is not.
    """
    found = inspect(file)
    if found.format != "png" or not found.has_alpha:
        raise NotAPictureError(_("A mask is a PNG with transparent parts."))
    return found


def has_alpha(picture: Any) -> bool:
    """Tell whether an opened picture can be transparent."""
    return "A" in picture.getbands() or "transparency" in picture.info


def thumbnails(file: IO[bytes], sides: tuple[int, ...]) -> dict[int, bytes]:
    """Make WebP versions that fit into squares of these sides, in pixels. One picture at a time is unpacked.

    Raises:
        NotAPictureError: the picture cannot be unpacked.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415

    made: dict[int, bytes] = {}
    try:
        with UNPACKING:
            with Image.open(file, formats=tuple(FORMATS)) as opened:
                opened.draft("RGB", (max(sides) * 2, max(sides) * 2))  # JPEG: unpack no more than is needed
                picture: Any = reduced(opened, max(sides) * 2)
                picture.getexif()[ORIENTATION] = opened.getexif().get(ORIENTATION, 1)
            picture = ImageOps.exif_transpose(picture)
            for side in sorted(sides, reverse=True):  # each from the one before
                picture.thumbnail((side, side), reducing_gap=2.0)
                target = io.BytesIO()
                picture.save(target, "WEBP", quality=THUMBNAIL_QUALITY, method=2)
                made[side] = target.getvalue()
    except Exception as error:  # whatever the decoder stumbles over
        raise NotAPictureError(_("The picture is damaged.")) from error
    return made


def reduced(opened: Any, least: int) -> Any:
    """Return an opened picture in RGB or RGBA, by a whole factor smaller, its longer side still of `least` pixels.

    It is converted in strips: a whole copy in another mode would take as much memory as the picture itself.
    """
    from PIL import Image  # noqa: PLC0415

    opened.load()  # some of what tells whether it is transparent comes with the pixels
    mode = "RGBA" if has_alpha(opened) else "RGB"
    width, height = opened.size
    factor = max(1, max(opened.size) // least)
    small = Image.new(mode, (-(-width // factor), -(-height // factor)))
    step = factor * max(1, STRIP_PIXELS // (width * factor))
    for top in range(0, height, step):
        strip = opened.crop((0, top, width, min(top + step, height))).convert(mode)
        small.paste(strip.reduce(factor), (0, top // factor))
    return small
