"""Lists and figures that the owner writes into the price list: checked when written, read with care all the same."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from library.pictures import FORMATS, PIXELS_LIMIT, SIDE_LIMIT

SQUARE = 1024 * 1024  # pixels that the token figures of a model are given for
WORD_LENGTH = 20  # as long as the columns of a request
WORDS_LIMIT = 50
PRICE_LIMIT = Decimal(1000)  # US dollars a picture; what is dearer is a mistake, here or at the provider's
TOKENS_LIMIT = Decimal(10_000_000)  # a picture


def figure(figures: Any, name: str, limit: Decimal) -> Decimal | None:
    """Return a figure by its name; None where there is none that can be reckoned with."""
    try:
        value = Decimal(str(figures[name])) if isinstance(figures, dict) else None
    except (KeyError, InvalidOperation):
        return None
    return value if value is not None and value.is_finite() and 0 <= value <= limit else None


def pixels_of(size: str) -> int:
    """Return the number of pixels of a size such as "1536x1024"; of 1024 pixels square where it does not say."""
    return _pixels_said(size) or SQUARE


def _pixels_said(size: str) -> int:
    sides = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", size)
    return int(sides[1]) * int(sides[2]) if sides else 0


def is_list_of_words(value: Any) -> bool:
    """Tell whether a value is what all lists of a model must be at least, so that pages can show it."""
    return isinstance(value, list) and all(isinstance(word, str) and 0 < len(word) <= WORD_LENGTH for word in value)


def problem_of_words(value: Any) -> str:
    """Say what is wrong with a list of words; "" if nothing is."""
    if not is_list_of_words(value) or len(value) > WORDS_LIMIT:
        return _('Write a list of short texts, such as ["medium", "high"].')
    return ""


def problem_of_sizes(value: Any) -> str:
    """Say what is wrong with a list of sizes."""

    def is_size(size: str) -> bool:
        sides = [int(side) for side in size.split("x")] if _pixels_said(size) else [0]
        return size == "auto" or (min(sides) > 0 and max(sides) <= SIDE_LIMIT and _pixels_said(size) <= PIXELS_LIMIT)

    wrong = problem_of_words(value)
    if wrong:
        return _('Write a list of sizes, such as ["auto", "1024x1024"].')
    return next((_("%(size)s is no size that we keep.") % {"size": size} for size in value if not is_size(size)), "")


def problem_of_formats(value: Any) -> str:
    """Say what is wrong with a list of formats."""
    if problem_of_words(value) or not set(value) <= set(FORMATS.values()):
        return _("Write a list of some of: %(values)s.") % {"values": ", ".join(FORMATS.values())}
    return ""


def problem_of_tokens(value: Any) -> str:
    """Say what is wrong with figures of tokens."""
    return _problem_of_figures(value, TOKENS_LIMIT)


def problem_of_prices(value: Any) -> str:
    """Say what is wrong with figures in US dollars."""
    return _problem_of_figures(value, PRICE_LIMIT)


def _problem_of_figures(value: Any, limit: Decimal) -> str:
    if not isinstance(value, dict) or not is_list_of_words(list(value)):
        return _('Write figures by quality, such as {"medium": 1000}.')
    wrong = next((name for name in value if figure(value, name, limit) is None), None)
    if wrong is None:
        return ""
    return _("The figure of %(name)s is no number from 0 to %(limit)s.") % {"name": wrong, "limit": limit}


PROBLEMS: dict[str, Callable[[Any], str]] = {
    "sizes": problem_of_sizes,
    "qualities": problem_of_words,
    "backgrounds": problem_of_words,
    "formats": problem_of_formats,
    "tokens": problem_of_tokens,
    "fixed_prices": problem_of_prices,
}
LISTS = ("sizes", "qualities", "backgrounds", "formats")
