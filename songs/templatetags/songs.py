"""How times, durations, money and states are written on the songs' pages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from jobs import spending
from jobs.models import Job
from songs.cards import pill_of
from songs.models import SongChoice

register = template.Library()

RELATIVE_FOR = timedelta(days=7)


@register.filter
def clock(milliseconds: Any) -> str:
    """Write a duration or a moment in a song as 3:07; nothing where it is not known."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds < 0:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}:{seconds:02}"


@register.filter
def dollars(amount: Decimal) -> str:
    """Write an amount of US dollars, with as many decimals as matter."""
    return spending.dollars(amount)


@register.filter
def cents(amount: int) -> str:
    """Write an amount of US cents as dollars."""
    return f"{'-' if amount < 0 else ''}${Decimal(abs(amount)) / 100:.2f}"


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """Write a moment as a person says it, up to seven days; the full time stands in the title."""
    if moment is None:
        return ""
    age = timezone.now() - moment
    local = timezone.localtime(moment)
    if age < timedelta(minutes=1):
        text = _("just now")
    elif age < RELATIVE_FOR:
        text = _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    else:
        text = date_format(local, "j M Y")
    full = date_format(local, "j F Y, H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), full, text)


@register.filter
def pill(job: Job) -> str:
    """Return the kind of a job's pill (components/pill.html)."""
    return pill_of(job)[0]


@register.filter
def pill_label(job: Job) -> str:
    """Return the words of a job's pill."""
    return pill_of(job)[1]


@register.filter
def choice_title(choice: SongChoice, song_title: str) -> str:
    """Return how a choice is called in the player: the song's title and the choice's number."""
    return _("%(title)s, choice %(number)d") % {"title": choice.title or song_title, "number": choice.number}


@register.filter
def first_playable(choices: Iterable[SongChoice]) -> SongChoice | None:
    """Return the first choice that has a file to play."""
    return next((choice for choice in choices if choice.audio), None)
