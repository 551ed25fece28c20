"""How durations, cents and choices are written on the songs' pages."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from songs.models import SongChoice

register = template.Library()


@register.filter
def clock(milliseconds: Any) -> str:
    """Write a duration or a moment in a song as 3:07; nothing where it is not known."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds < 0:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}:{seconds:02}"


@register.filter
def cents(amount: int) -> str:
    """Write an amount of US cents as dollars."""
    return f"{'-' if amount < 0 else ''}${Decimal(abs(amount)) / 100:.2f}"


@register.filter
def choice_title(choice: SongChoice, song_title: str) -> str:
    """Return how a choice is called in the player: the song's title and the choice's number."""
    return _("%(title)s, choice %(number)d") % {"title": choice.title or song_title, "number": choice.number}


@register.filter
def first_playable(choices: Iterable[SongChoice]) -> SongChoice | None:
    """Return the first choice that has a file to play."""
    return next((choice for choice in choices if choice.audio), None)
