"""Painting: real pictures from nothing but a seed, the same for the same seed and different for every other."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

Canvas = NDArray[np.float32]
Colour = tuple[float, float, float]

# Painted no larger than this and enlarged: soft shapes stay soft, and the mock leaves the processor to the studio.
MOST_PIXELS = 420_000
LONGEST_EDGE_READ = 3840
CAPTION_WORDS = 7

# Five colours each, from the sky's top over the horizon to the nearest ground.
PALETTES: tuple[tuple[str, str, str, str, str], ...] = (
    ("#16324f", "#5b8fb9", "#f6d8ae", "#b0724f", "#2b2d42"),
    ("#2d1e4f", "#b0508e", "#ffc09f", "#7a3b69", "#1f1235"),
    ("#0f3d3e", "#5fa8a0", "#f2e9d8", "#3f7d6e", "#12302f"),
    ("#3a4f7a", "#a9c1e0", "#fdf1dc", "#6f8fb3", "#2c3e5c"),
    ("#7a2e1d", "#e07a3f", "#ffe3a8", "#b04a2f", "#3b1712"),
    ("#243b2f", "#8fae7c", "#f7f3d0", "#5c7f52", "#1b2a20"),
    ("#141a3c", "#3f4f9b", "#d9c7f0", "#2c3570", "#0b0f26"),
    ("#6b4a5e", "#e0a5a0", "#fff0dc", "#a5626f", "#3a2433"),
)


@dataclass(frozen=True)
class Subject:
    """What is to be painted: the seed, the words that stand below it, and the size in pixels."""

    seed: str
    words: str
    width: int
    height: int
    transparent: bool = False


def paint(subject: Subject) -> Image.Image:
    """Paint a picture of exactly the subject's size; RGBA with a clear surrounding if it is to be transparent."""
    rng = np.random.default_rng(list(hashlib.sha256(subject.seed.encode()).digest()))
    shrink = min(1.0, (MOST_PIXELS / (subject.width * subject.height)) ** 0.5)
    width, height = max(16, round(subject.width * shrink)), max(16, round(subject.height * shrink))
    palette = [_colour(code) for code in PALETTES[rng.integers(len(PALETTES))]]
    compose = (_hills, _sea, _night, _arches, _bubbles)[rng.integers(5)]
    canvas = compose(rng, width, height, palette)
    canvas += rng.normal(0, 0.6, canvas.shape[:2]).astype(np.float32)[..., None]  # hides the steps of soft gradients
    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    if picture.size != (subject.width, subject.height):
        picture = picture.resize((subject.width, subject.height), Image.Resampling.LANCZOS)
    if subject.transparent:
        picture.putalpha(_medallion(picture.size))
    else:
        _caption(picture, subject.words)
    return picture


def repaint(picture: Image.Image, reference: bytes, mask: bytes | None) -> Image.Image:
    """Work a reference into a picture: only where the mask is clear, or all over where there is no mask."""
    with Image.open(BytesIO(reference)) as opened:
        base = ImageOps.fit(opened.convert("RGBA"), picture.size)
    painted = picture.convert("RGBA")
    if mask is None:
        return Image.blend(base, painted, 0.4).convert(picture.mode)
    with Image.open(BytesIO(mask)) as opened:
        kept = opened.convert("RGBA").getchannel("A").resize(picture.size)
    return Image.composite(base, painted, kept).convert(picture.mode)


def early(picture: Image.Image, step: int, steps: int) -> Image.Image:
    """Return how a picture looked after `step` of `steps` parts of the work: blurred, less with every step."""
    coarse = 4 * 2 ** (steps - step)
    small = picture.resize((max(1, picture.width // coarse), max(1, picture.height // coarse)), Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(coarse / 2))


def encode(picture: Image.Image, output_format: str, compression: int) -> bytes:
    """Return a picture as the bytes of a png, webp or jpeg file."""
    file = BytesIO()
    if output_format == "png":
        picture.save(file, "PNG", compress_level=3)
    elif output_format == "webp":
        picture.save(file, "WEBP", quality=compression, method=2)
    else:
        picture.convert("RGB").save(file, "JPEG", quality=max(1, min(compression, 95)))
    return file.getvalue()


def size_of(file: bytes, formats: tuple[str, ...]) -> tuple[int, int] | None:
    """Return width and height of a picture in one of the formats, which can really be read; None if it is none."""
    try:
        with Image.open(BytesIO(file), formats=formats) as picture:
            if max(picture.size) > LONGEST_EDGE_READ * 2:
                return None
            picture.load()
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def has_clear_parts(file: bytes) -> bool:
    """Whether a picture has an alpha channel, as a mask must."""
    with Image.open(BytesIO(file)) as picture:
        return picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info


# --- Brushes --------------------------------------------------------------------------------------------------------


def _colour(code: str) -> Colour:
    red, green, blue = (float(int(code[at : at + 2], 16)) for at in (1, 3, 5))
    return red, green, blue


def _between(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def _down(height: int, width: int, stops: list[tuple[float, Colour]]) -> Canvas:
    """Return a canvas whose colours run from top to bottom through the stops (0 to 1)."""
    at = np.linspace(0, 1, height, dtype=np.float32)
    places = [place for place, _ in stops]
    columns = [np.interp(at, places, [colour[channel] for _, colour in stops]) for channel in range(3)]
    rows = np.stack(columns, axis=-1).astype(np.float32)
    return np.repeat(rows[:, None, :], width, axis=1)


def _lay(canvas: Canvas, cover: NDArray[np.floating[Any]], colour: Colour) -> None:
    """Lay a colour over the canvas where `cover` (0 to 1) says so."""
    canvas += (np.asarray(colour, dtype=np.float32) - canvas) * np.clip(cover, 0, 1)[..., None]


def _grid(width: int, height: int) -> tuple[Canvas, Canvas]:
    """Return x and y of every pixel, in units of the shorter side, from the upper left."""
    unit = np.float32(min(width, height))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x / unit, y / unit


def _disc(x: Canvas, y: Canvas, centre: tuple[float, float], radius: float, edge: float) -> Canvas:
    distance = np.hypot(x - np.float32(centre[0]), y - np.float32(centre[1]))
    cover: Canvas = ((radius - distance) / edge + 0.5).astype(np.float32)
    return cover


def _around(x: Canvas, y: Canvas, centre: tuple[float, float], radius: float) -> tuple[slice, slice]:
    """Return the part of the canvas in which a disc lies, so that the rest need not be painted."""
    left, right = np.searchsorted(x[0], [centre[0] - radius, centre[0] + radius])
    above, below = np.searchsorted(y[:, 0], [centre[1] - radius, centre[1] + radius])
    return slice(int(above), int(below) + 1), slice(int(left), int(right) + 1)


def _glow(x: Canvas, y: Canvas, centre: tuple[float, float], radius: float) -> Canvas:
    squared = (x - np.float32(centre[0])) ** 2 + (y - np.float32(centre[1])) ** 2
    return np.exp(-squared / np.float32(radius**2)).astype(np.float32)


def _ridge(rng: np.random.Generator, line: Canvas, height: float, roughness: float) -> Canvas:
    """Return a line of hills along x, `height` high: a few waves, each finer and lower than the one before."""
    total = np.zeros_like(line)
    for octave in range(6):
        wave = rng.uniform(0.7, 1.3) * 2.0**octave
        total += np.float32(roughness**octave) * np.sin(np.float32(wave) * line * 3 + np.float32(rng.uniform(0, 6.28)))
    return total * np.float32(height / 2)


# --- Compositions ---------------------------------------------------------------------------------------------------


def _hills(rng: np.random.Generator, width: int, height: int, palette: list[Colour]) -> Canvas:
    """Hills behind hills, each darker than the one behind it, under a low sun."""
    top, sky, light, ground, near = palette
    x, y = _grid(width, height)
    bottom, right = float(y[-1, 0]), float(x[0, -1])
    canvas = _down(height, width, [(0, top), (0.35, sky), (0.62, light), (1, light)])
    sun = (right * rng.uniform(0.2, 0.8), bottom * rng.uniform(0.3, 0.48))
    _lay(canvas, _glow(x, y, sun, 0.45) * 0.55, light)
    _lay(canvas, _disc(x, y, sun, rng.uniform(0.06, 0.11), 0.006), (255.0, 250.0, 235.0))
    for layer in range(5):
        share = layer / 4
        ridge = _ridge(rng, x[0] + layer * 7, 0.05 + 0.05 * share, 0.5) + np.float32(bottom * (0.52 + 0.11 * layer))
        colour = _between(_between(light, ground, 0.45 + 0.55 * share), near, share)
        cover = (y - ridge[None, :]) / 0.003 + 0.5
        _lay(canvas, cover, colour)
        _lay(canvas, np.clip(cover, 0, 1) * np.clip((y - ridge[None, :]) * 2.2, 0, 0.3), light)  # mist in the valleys
    return canvas


def _sea(rng: np.random.Generator, width: int, height: int, palette: list[Colour]) -> Canvas:
    """A calm sea with the sun above the horizon and its light on the water."""
    top, sky, light, ground, near = palette
    x, y = _grid(width, height)
    bottom, right = float(y[-1, 0]), float(x[0, -1])
    horizon = bottom * rng.uniform(0.52, 0.62)
    canvas = _down(height, width, [(0, top), (0.3, sky), (0.55, light), (0.6, light), (0.64, ground), (1, near)])
    sun = (right * rng.uniform(0.3, 0.7), horizon - rng.uniform(0.08, 0.2))
    _lay(canvas, _glow(x, y, sun, 0.5) * (y < horizon) * 0.6, light)
    _lay(canvas, _disc(x, y, sun, rng.uniform(0.07, 0.12), 0.006) * (y < horizon), (255.0, 248.0, 230.0))
    depth = np.clip((y - np.float32(horizon)) / np.float32(bottom - horizon), 0, 1)
    _lay(canvas, (y > horizon).astype(np.float32), ground)
    _lay(canvas, depth, near)
    waves = np.sin(90 / (depth + 0.12) + 3 * np.sin(x * 9 + depth * 14)) * np.sin(x * 23 + 40 * depth)
    spread = np.exp(-(((x - np.float32(sun[0])) / (0.05 + 0.35 * depth)) ** 2))
    _lay(canvas, (y > horizon) * np.clip(waves + 0.35, 0, 1) * spread * 0.85, light)
    _lay(canvas, (y > horizon) * np.clip(waves - 0.6, 0, 1) * 0.2, light)
    return canvas


def _night(rng: np.random.Generator, width: int, height: int, palette: list[Colour]) -> Canvas:
    """Stars, a moon and northern lights above a dark ridge."""
    top, sky, light, ground, _near = palette
    x, y = _grid(width, height)
    bottom, right = float(y[-1, 0]), float(x[0, -1])
    dark = _between(top, (6.0, 8.0, 22.0), 0.75)
    canvas = _down(height, width, [(0, dark), (0.55, _between(top, dark, 0.4)), (0.85, _between(sky, top, 0.5))])
    stars = (rng.random((height, width), dtype=np.float32) > 0.9988) * rng.random((height, width), dtype=np.float32)
    _lay(canvas, stars * (1.1 - y / bottom), (255.0, 255.0, 250.0))
    for _ in range(3):
        band = np.float32(bottom * rng.uniform(0.25, 0.5)) + _ridge(rng, x[0], 0.28, 0.45)
        above = band[None, :] - y
        veil = np.exp(-np.abs(above) / np.where(above > 0, 0.16, 0.02)) * (0.6 + 0.4 * np.sin(x * rng.uniform(20, 50)))
        _lay(canvas, veil * 0.42, _between(sky, (120.0, 255.0, 190.0), rng.uniform(0.2, 0.7)))
    moon = (right * rng.uniform(0.15, 0.85), bottom * rng.uniform(0.12, 0.3))
    _lay(canvas, _glow(x, y, moon, 0.14) * 0.35, light)
    _lay(canvas, _disc(x, y, moon, 0.045, 0.005), (250.0, 246.0, 230.0))
    for layer in range(2):
        ridge = _ridge(rng, x[0] + layer * 5, 0.16, 0.62) + np.float32(bottom * (0.76 + 0.1 * layer))
        _lay(canvas, (y - ridge[None, :]) / 0.003 + 0.5, _between(_between(ground, dark, 0.6), dark, layer / 1.4))
    return canvas


def _arches(rng: np.random.Generator, width: int, height: int, palette: list[Colour]) -> Canvas:
    """Arches within arches, on paper."""
    x, y = _grid(width, height)
    bottom, right = float(y[-1, 0]), float(x[0, -1])
    paper = _between(palette[2], (252.0, 247.0, 238.0), 0.6)
    canvas = _down(height, width, [(0, paper), (1, _between(paper, palette[2], 0.5))])
    for _ in range(rng.integers(3, 5)):
        centre = (right * rng.uniform(0.1, 0.9), bottom * rng.uniform(0.35, 0.8))
        outer, rings = rng.uniform(0.22, 0.42), int(rng.integers(3, 6))
        turn = rng.integers(len(palette))
        for ring in range(rings):
            radius = outer * (1 - ring / rings)
            round_top = _disc(x, y, centre, radius, 0.004) * (y <= centre[1])
            legs = (radius - np.abs(x - np.float32(centre[0]))) / 0.004 + 0.5
            cover = np.maximum(np.clip(round_top, 0, 1), np.clip(legs, 0, 1) * (y > centre[1]))
            shade = 0.75 + 0.25 * np.clip((bottom - y) / bottom, 0, 1)
            _lay(canvas, cover * shade, palette[(turn + ring) % len(palette)] if ring % 2 == 0 else paper)
    return canvas


def _bubbles(rng: np.random.Generator, width: int, height: int, palette: list[Colour]) -> Canvas:
    """Soft light and discs that shine through each other."""
    top, sky, light, ground, near = palette
    x, y = _grid(width, height)
    bottom, right = float(y[-1, 0]), float(x[0, -1])
    canvas = _down(height, width, [(0, _between(top, sky, 0.4)), (1, _between(ground, near, 0.3))])
    for _ in range(5):
        centre = (right * rng.uniform(0, 1), bottom * rng.uniform(0, 1))
        _lay(canvas, _glow(x, y, centre, rng.uniform(0.3, 0.7)) * 0.7, palette[rng.integers(4)])
    for number in range(16):
        centre, radius = (right * rng.uniform(0, 1), bottom * rng.uniform(0, 1)), rng.uniform(0.03, 0.2)
        edge = 0.004 if number > 8 else 0.05
        here = _around(x, y, centre, radius + edge * 2)
        cover = np.clip(_disc(x[here], y[here], centre, radius, edge), 0, 1)
        rim = cover - np.clip(_disc(x[here], y[here], centre, radius * 0.94, edge * 2), 0, 1)
        _lay(canvas[here], cover * rng.uniform(0.1, 0.3), light)
        _lay(canvas[here], np.clip(rim, 0, 1) * 0.35, (255.0, 252.0, 244.0))
    return canvas


# --- The whole ------------------------------------------------------------------------------------------------------


def _medallion(size: tuple[int, int]) -> Image.Image:
    """Return the alpha of a round picture with a soft edge."""
    x, y = _grid(*size)
    centre = (float(x[0, -1]) / 2, float(y[-1, 0]) / 2)
    cover = np.clip(_disc(x, y, centre, 0.45, 0.012), 0, 1)
    return Image.fromarray((cover * 255).astype(np.uint8))


def _caption(picture: Image.Image, words: str) -> None:
    """Write the first words small into the lower left corner; letters that the font lacks are left out."""
    text = " ".join(words.encode("latin-1", "ignore").decode("latin-1").split()[:CAPTION_WORDS])[:60]
    text = "".join(letter for letter in text if letter.isprintable())
    unit = min(picture.size)
    font = ImageFont.load_default(max(9, unit // 42))
    place = (unit // 24, picture.height - unit // 24)
    corner = picture.crop((0, picture.height - unit // 10, unit // 2, picture.height)).convert("L")
    is_light = corner.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) > 150  # type: ignore[operator]
    letters = Image.new("L", picture.size, 0)
    ImageDraw.Draw(letters).text(place, text, fill=215, font=font, anchor="ls")
    picture.paste((46, 42, 48) if is_light else (250, 248, 242), mask=letters)
