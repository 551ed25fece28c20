"""Texts on their way into a form: kept in the session, since addresses are short; `?prefill=KEY` names them."""

import secrets
import time
from collections.abc import Mapping

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from library.texts import check_text

IN_SESSION = "prefills"
LIMIT = 40_000  # characters of all the texts of one key: the longest prompt is 32,000
KEPT_FOR = 24 * 60 * 60  # seconds
AT_MOST = 3  # keys at once: a fourth one takes the place of the oldest


def keep(request: HttpRequest, fields: Mapping[str, str]) -> str:
    """Keep texts for a form, by the names of its fields. Return the key to put into the form's address as `prefill`.

    They can be read again and again, by this session only, until they expire or newer ones take their place.

    Raises:
        ValidationError: too long to be handed over, or not texts.
    """
    problems: dict[str, str] = {}
    check_text(problems, "prefill", "\n".join(fields.values()), LIMIT)
    if problems:
        raise ValidationError(dict(problems))
    newest = [*_live(request).items()][1 - AT_MOST :]
    key = secrets.token_urlsafe(16)
    request.session[IN_SESSION] = dict(newest) | {key: {"at": int(time.time()), "fields": dict(fields)}}
    return key


def read(request: HttpRequest) -> dict[str, str]:
    """Return the texts that the address of a form names; none, and a message for the page, if they are gone."""
    key = request.GET.get("prefill", "")
    if not key:
        return {}
    kept = _live(request).get(key)
    if kept is None:
        messages.warning(request, _("The text for this form is not kept any more. Send it again from where it stands."))
        return {}
    return kept["fields"]


def _live(request: HttpRequest) -> dict[str, dict[str, dict[str, str]]]:
    """Return what has not expired, the oldest first."""
    expired = time.time() - KEPT_FOR
    kept = request.session.get(IN_SESSION, {})
    return {key: one for key, one in kept.items() if one["at"] > expired}
