"""What is taken for a picture, and what its small versions are."""

import io
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from library import pictures
from library.pictures import NotAPictureError

# A WebP of 16383 x 8000 pixels in 34 bytes; decoded, it would fill 500 MB.
WEBP_BOMB = bytes.fromhex("524946461a000000574542505650384c0e0000002ffeffcf07071011fd0f4444ff03")


def painted(size: tuple[int, int] = (40, 30), kind: str = "PNG", mode: str = "RGB", **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("kind", "mode", "has_alpha"),
    [("PNG", "RGB", False), ("PNG", "RGBA", True), ("PNG", "LA", True), ("JPEG", "RGB", False), ("WEBP", "RGBA", True)],
)
def test_a_picture_is_known_by_its_content(kind: str, mode: str, has_alpha: bool) -> None:
    file = painted(kind=kind, mode=mode)
    found = pictures.inspect(file)
    assert (found.format, found.width, found.height, found.has_alpha) == (kind.lower(), 40, 30, has_alpha)
    assert file.tell() == 0, "the file is ready to be stored"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(100),
        b"%PDF-1.7",
        painted((300, 300)).getvalue()[:100],
        painted(kind="TIFF").getvalue(),
        painted(kind="BMP").getvalue(),
    ],
    ids=["nothing", "svg", "gif", "pdf", "half a png", "tiff", "bmp"],
)
def test_anything_else_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(NotAPictureError) as refused:
        pictures.inspect(io.BytesIO(content))
    assert refused.value.message == "This is not a PNG, JPEG or WebP picture."


@pytest.mark.parametrize(
    "file",
    [painted((10_000, 5_000), mode="1"), painted((17_000, 2), mode="1"), io.BytesIO(WEBP_BOMB)],
    ids=["50 megapixels", "very long", "webp bomb"],
)
def test_more_pixels_than_any_model_makes_are_refused_unread(file: io.BytesIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _picture: pytest.fail("It was unpacked."))
    with pytest.raises(NotAPictureError) as refused:
        pictures.inspect(file)
    assert refused.value.message == "The picture has too many pixels."


def test_a_mask_is_a_png_that_can_be_transparent() -> None:
    assert pictures.inspect_mask(painted(mode="RGBA")).has_alpha
    for file in (painted(), painted(kind="WEBP", mode="RGBA"), painted(kind="JPEG")):
        with pytest.raises(NotAPictureError):
            pictures.inspect_mask(file)


def sizes_of(small: dict[int, bytes]) -> dict[int, tuple[int, int]]:
    return {side: Image.open(io.BytesIO(content), formats=("WEBP",)).size for side, content in small.items()}


def test_small_versions_fit_into_their_squares_and_are_never_larger_than_the_picture() -> None:
    assert sizes_of(pictures.thumbnails(painted((1600, 800)), (320, 640))) == {320: (320, 160), 640: (640, 320)}
    assert sizes_of(pictures.thumbnails(painted((100, 400)), (320, 640))) == {320: (80, 320), 640: (100, 400)}
    assert sizes_of(pictures.thumbnails(painted((2000, 1)), (320,))) == {320: (320, 1)}


def test_a_photo_that_was_taken_upright_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    assert sizes_of(pictures.thumbnails(painted((400, 200), "JPEG", exif=exif), (320,))) == {320: (160, 320)}


def test_transparency_is_kept_in_small_versions() -> None:
    (small,) = pictures.thumbnails(painted(mode="RGBA"), (320,)).values()
    assert Image.open(io.BytesIO(small)).mode == "RGBA"


def test_a_picture_that_cannot_be_unpacked_is_refused() -> None:
    file = painted((300, 300), kind="JPEG").getvalue()
    with pytest.raises(NotAPictureError) as refused:
        pictures.thumbnails(io.BytesIO(file[: len(file) // 2]), (320,))
    assert refused.value.message == "The picture is damaged."


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "L", "1"])
def test_a_small_version_shows_the_whole_picture(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reduced in strips, which must fit together."""
    monkeypatch.setattr(pictures, "STRIP_PIXELS", 5000)
    whole = Image.new("RGB", (1003, 707), "white")
    whole.paste("black", (501, 0, 1003, 353))
    whole.paste("black", (0, 353, 501, 707))
    file = io.BytesIO()
    whole.convert(mode).save(file, "PNG")
    with Image.open(io.BytesIO(pictures.thumbnails(file, (100,))[100])) as small:
        assert small.size[0] == 100
        pixels = small.convert("L").tobytes()
    found = [pixels[y * 100 + x] for x, y in ((10, 10), (90, 10), (10, 60), (90, 60), (10, 30), (90, 30))]
    assert [round(value / 255) for value in found] == [1, 0, 0, 1, 1, 0]


MEASURE = """
import re, sys
from library import pictures
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) // 1024
pictures.thumbnails(open(sys.argv[1], "rb"), (160,))
before = peak()
pictures.thumbnails(open(sys.argv[2], "rb"), (320, 640))
print(peak() - before)
"""


def test_the_largest_picture_is_made_small_without_a_copy_of_it(tmp_path: Path) -> None:
    (tmp_path / "little").write_bytes(painted().getvalue())
    (tmp_path / "large").write_bytes(painted((6300, 6300)).getvalue())
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "little"), str(tmp_path / "large")]
    told = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=True
    )
    assert 150 < int(told.stdout) < 250, "megabytes; unpacked, it is 159 MB, and each copy is as much"


def test_one_picture_at_a_time_is_unpacked() -> None:
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(pictures.thumbnails(painted(), (16,))))
    with pictures.UNPACKING:
        thread.start()
        thread.join(0.2)
        assert not made
    thread.join(10)
    assert made
