"""The palette's contrast, calculated in both themes (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from itertools import product

import pytest
from django.conf import settings

THEMES = ("light", "dark")
TEXT, SHAPE = 4.5, 3.0
COLORS = {
    name: dict(zip(THEMES, pair, strict=True))
    for name, *pair in re.findall(
        r"--color-([\w-]+): light-dark\((#\w{6}), (#\w{6})\)",
        (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text(encoding="utf-8"),
    )
}
SURFACES = ("back", "panel", "raised")
PAIRS = [
    *product(("text", "muted", "accent", "accent-strong", "error"), SURFACES, [TEXT]),
    *((name, f"{name}-soft", TEXT) for name in ("ok", "running", "error", "info")),
    *product(("text",), ("ok-soft", "running-soft", "error-soft", "info-soft", "accent-soft"), [TEXT]),
    ("accent-strong", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("on-error", "error", TEXT),
    *product(("edge",), ("back", "panel"), [SHAPE]),
]


def luminance(color: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_what_is_written_can_be_read(front: str, back: str, least: float, theme: str) -> None:
    lights = sorted((luminance(COLORS[name][theme]) for name in (front, back)), reverse=True)
    contrast = (lights[0] + 0.05) / (lights[1] + 0.05)
    assert contrast >= least, f"{front} on {back}: {contrast:.2f}"
