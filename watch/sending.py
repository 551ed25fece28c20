"""How an alert reaches people: the ways that are set, and what is said."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.translation import gettext as _

from providers import webhook
from watch.models import Alert

WEBHOOK, EMAIL = "webhook", "email"


class NotSentError(Exception):
    """A message did not go. `message` is one plain sentence without an address in it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a message tells of."""

    check: str
    code: str
    message: str
    red_since: datetime | None
    green_since: datetime | None

    @property
    def text(self) -> str:
        """Return the line as a person reads it."""
        what = {"check": self.check, "message": self.message}
        if self.green_since is None:
            return _("%(check)s: %(message)s") % what
        since = self.red_since or self.green_since
        minutes = max(1, round((self.green_since - since).total_seconds() / 60))
        return _("%(check)s: well again after %(minutes)d min.") % (what | {"minutes": minutes})


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. The same things at the same moment have the same `id`, by which a receiver knows a repetition."""

    id: str
    event: str  # "red", "green" or "test"
    lines: tuple[Line, ...]

    @classmethod
    def about(cls, alerts: Sequence[Alert], *, is_red: bool) -> "Message":
        """Return the message about alerts."""
        lines = tuple(
            Line(alert.check_name, alert.code, alert.message, alert.red_since, None if is_red else alert.since)
            for alert in alerts
        )
        identity = " ".join(f"{alert.check_name}@{alert.since.isoformat()}" for alert in alerts)
        return cls(uuid.uuid5(uuid.NAMESPACE_URL, identity).hex, "red" if is_red else "green", lines)

    @property
    def subject(self) -> str:
        """Return the message in a few words."""
        names = ", ".join(line.check for line in self.lines)
        if self.event == "red":
            return _("Macai needs you: %(names)s") % {"names": names}
        if self.event == "green":
            return _("Macai is well again: %(names)s") % {"names": names}
        return _("Macai can reach you")

    @property
    def text(self) -> str:
        """Return the whole message as text."""
        lines = [line.text for line in self.lines] or [_("This is only a test.")]
        return "\n".join([self.subject, "", *lines, "", settings.PUBLIC_URL])

    def as_json(self) -> dict[str, Any]:
        """Return the message as the webhook gets it (docs/operations.md). `text` is what chat programs show."""
        return {
            "id": self.id,
            "event": self.event,
            "sent_at": timezone.now().isoformat(),
            "text": self.text.strip(),
            "checks": [
                {
                    "check": line.check,
                    "code": line.code,
                    "message": line.message,
                    "red_since": line.red_since.isoformat() if line.red_since else None,
                    "green_since": line.green_since.isoformat() if line.green_since else None,
                }
                for line in self.lines
            ],
        }


def ways() -> list[str]:
    """Return the ways that are set."""
    found = {WEBHOOK: settings.ALERT_WEBHOOK_URL, EMAIL: settings.ALERT_EMAIL}
    return [way for way, address in found.items() if address]


def send_by(way: str, message: Message) -> None:
    """Send a message. Raises NotSentError."""
    if way == WEBHOOK:
        try:
            webhook.post(settings.ALERT_WEBHOOK_URL, message.as_json())
        except webhook.WebhookError as error:
            raise NotSentError(error.message) from None
        return
    try:
        EmailMessage(message.subject, message.text, to=settings.ALERT_EMAIL).send()
    except Exception as error:  # whatever the mail server has
        raise NotSentError(_("The e-mail was not taken (%(why)s).") % {"why": type(error).__name__}) from error


def send_test() -> dict[str, str]:
    """Send a test by each way. Return what went wrong by each, "" if nothing."""
    outcomes = {}
    for way in ways():
        try:
            send_by(way, Message(uuid.uuid4().hex, "test", ()))
            outcomes[way] = ""
        except NotSentError as error:
            outcomes[way] = error.message
    return outcomes
