"""How times, money and states are written on pages."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from jobs import spending
from jobs.cards import pill_of
from jobs.models import Job

register = template.Library()

RELATIVE_FOR = timedelta(days=7)


@register.filter
def dollars(amount: Decimal) -> str:
    """Write an amount of US dollars, with as many decimals as matter."""
    return spending.dollars(amount)


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
