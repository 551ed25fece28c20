"""Alerts on their way out: one JSON message to the address that the owner has set."""

from typing import Any

from django.utils.translation import gettext as _

from providers.addresses import PrivateAddressError
from providers.connections import NETWORK_ERRORS, TIMEOUTS, new_session

TIMEOUT = (5.0, 10.0)  # seconds to connect, seconds without a byte


class WebhookError(Exception):
    """The message was not taken. `message` is one plain sentence that does not repeat the address: it may be secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def post(url: str, body: dict[str, Any]) -> None:
    """POST `body` as JSON once, without following redirects. Raises WebhookError unless the answer is 2xx."""
    try:
        with new_session() as session:
            status = session.post(url, json=body, timeout=TIMEOUT, allow_redirects=False, stream=True).status_code
    except PrivateAddressError:
        raise WebhookError(
            _("The webhook is in a private network. Name its host in PRIVATE_HOSTS to allow it.")
        ) from None
    except TIMEOUTS:
        raise WebhookError(_("The webhook did not answer in time.")) from None
    except NETWORK_ERRORS:
        raise WebhookError(_("The webhook cannot be reached.")) from None
    if not 200 <= status < 300:
        raise WebhookError(_("The webhook refused the message (HTTP %(status)s).") % {"status": status})


def answers(url: str) -> bool:
    """Tell whether an address of our own answers 2xx. Its certificate may be self-signed: nothing secret is sent."""
    try:
        with new_session() as session:
            answer = session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True, verify=False)
            return 200 <= answer.status_code < 300
    except NETWORK_ERRORS:
        return False
