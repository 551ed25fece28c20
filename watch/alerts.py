"""Alerts: one message when something has turned red, one when it is green again, whoever and however many look.

The row is the truth. Whoever looks writes what it sees; whoever then claims a row, by a conditional UPDATE, tells.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from watch.models import Alert, AlertQuerySet
from watch.sending import Message, NotSentError, send_by, ways

logger = logging.getLogger(__name__)

GREEN_FOR = timedelta(seconds=10)  # before it is called green again
CLAIM = timedelta(seconds=60)  # longer than all ways of sending together take
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)


class Reading(NamedTuple):
    """What somebody saw of one thing that is watched."""

    is_red: bool
    code: str = ""
    message: str = ""


def observe(readings: Mapping[str, Reading]) -> None:
    """Write down what was seen. What is missing was not to be seen, and stays as it was."""
    known = {alert.check_name: alert for alert in Alert.objects.filter(check_name__in=readings)}
    for name, reading in readings.items():
        alert = known.get(name) or Alert.objects.get_or_create(check_name=name)[0]
        if reading.is_red and not alert.is_red:
            turn_red(name, reading)
        elif alert.is_red and not reading.is_red:
            turn_green(name)
        elif reading.is_red and (alert.code, alert.message) != (reading.code, reading.message):
            Alert.objects.filter(check_name=name, is_red=True).update(code=reading.code, message=reading.message)


def turn_red(name: str, reading: Reading) -> None:
    """Note that something is red from now on."""
    now = timezone.now()
    row = Alert.objects.filter(check_name=name, is_red=False)
    fresh = {"is_red": True, "since": now, "attempts": 0, "next_try_at": now, "error": ""}
    said = {"code": reading.code, "message": reading.message}
    # Some have already heard that it is green, so they must hear of it again.
    if (
        row.filter(was_told_red=True)
        .exclude(sent_by="")
        .update(was_told_red=False, sent_by="", red_since=now, **fresh, **said)
    ):
        return
    if not row.filter(was_told_red=True).update(**fresh, **said):  # green for a moment only
        row.update(red_since=now, **fresh, **said)


def turn_green(name: str) -> None:
    """Note that something is green from now on."""
    now = timezone.now()
    row = Alert.objects.filter(check_name=name, is_red=True)
    fresh = {"is_red": False, "since": now, "attempts": 0, "next_try_at": now, "error": "", "sent_by": ""}
    # A message that some have heard, or that could not be sent: then the one of its end tells of it.
    if not row.filter(was_told_red=False, attempts__gt=0).update(was_told_red=True, **fresh):
        row.update(**fresh)


def announce(now: datetime | None = None) -> None:
    """Tell of all that has been red, or green again, for long enough. Never raises for a way that does not work."""
    if not ways():
        return
    now = now or timezone.now()
    patience = timedelta(seconds=settings.ALERT_AFTER_SECONDS)
    red = Alert.objects.red_and_untold()
    if red.since(now - patience).filter(next_try_at__lte=now).exists():
        # What broke with it belongs into the same message.
        tell(claim(red, now), is_red=True)
    tell(claim(Alert.objects.green_and_untold().since(now - GREEN_FOR), now), is_red=False)


def claim(rows: AlertQuerySet, now: datetime) -> list[Alert]:
    """Make sure that nobody else tells of these now."""
    due = rows.filter(next_try_at__lte=now)
    with transaction.atomic():
        return [
            alert
            for alert in due
            if due.filter(pk=alert.pk, next_try_at=alert.next_try_at).update(
                next_try_at=now + CLAIM, attempts=F("attempts") + 1
            )
        ]


def tell(alerts: list[Alert], *, is_red: bool) -> None:
    """Send one message about all of them by each way that it has not gone yet, and note how that went."""
    if not alerts:
        return
    problems: list[str] = []
    for way in ways():
        missing = [alert for alert in alerts if way not in alert.sent_by.split()]
        if not missing:
            continue
        try:
            send_by(way, Message.about(missing, is_red=is_red))
        except NotSentError as error:
            problems.append(error.message)
            logger.warning("An alert could not be sent by %s: %s", way, error.message)
        else:
            note_sent(missing, way, is_red=is_red)
    for alert in alerts:
        finish(alert, problems, is_red=is_red)


def note_sent(alerts: Iterable[Alert], way: str, *, is_red: bool) -> None:
    """Note at once that a message has gone: should the process end now, it is not sent again."""
    for alert in alerts:
        alert.sent_by = f"{alert.sent_by} {way}".strip()
        Alert.objects.filter(pk=alert.pk, was_told_red=not is_red).update(sent_by=alert.sent_by)


def finish(alert: Alert, problems: list[str], *, is_red: bool) -> None:
    """Note that everybody knows now, or when to try again."""
    row = Alert.objects.filter(pk=alert.pk, was_told_red=not is_red)
    now = timezone.now()
    if not problems:
        row.update(was_told_red=is_red, told_at=now, sent_by="", attempts=0, error="", next_try_at=now)
        return
    pause = min(FIRST_PAUSE * 2 ** min(alert.attempts, 10), LONGEST_PAUSE)
    row.update(next_try_at=now + pause, error=" ".join(problems))


def tell_without_database(name: str, reading: Reading, since: datetime, told_by: set[str]) -> None:
    """Tell that the database is away, which no row can remember. `told_by` are the ways that it has gone; it grows."""
    alert = Alert(check_name=name, since=since, red_since=since, code=reading.code, message=reading.message)
    for way in set(ways()) - told_by:
        try:
            send_by(way, Message.about([alert], is_red=True))
        except NotSentError as error:
            logger.warning("An alert could not be sent by %s: %s", way, error.message)
        else:
            told_by.add(way)


def remember_told(name: str, since: datetime) -> None:
    """Note, now that rows can be written again, that people were told of something while they could not."""
    Alert.objects.update_or_create(
        check_name=name,
        defaults={"is_red": False, "since": timezone.now(), "red_since": since, "was_told_red": True, "sent_by": ""},
    )
