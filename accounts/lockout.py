"""Who fails to sign in too often is kept out for a while: by name and address together, so that nobody can lock the
owner out from everywhere; and, with a higher limit, by address alone, for whoever tries one name after the other."""

import logging
import math
from datetime import datetime, timedelta
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import FailedSignIn
from accounts.proxies import client_network

logger = logging.getLogger(__name__)

Credentials = dict[str, Any]


class LockOutBackend(AxesStandaloneBackend):  # type: ignore[misc]  # axes ships no types
    """Stands before the backend that compares passwords, and lets nobody who is locked out come so far."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raise PermissionDenied for who is locked out. Without a request there is nobody to lock out (a command)."""
        if request is not None:
            super().authenticate(request, **credentials)


class LockOutHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes ships no types
    """Counts in one row per name and address, which keeps nothing else of what was sent."""

    def is_locked(self, request: Any, credentials: Credentials | None = None) -> bool:
        """Tell whether this name may not be tried from this address now."""
        return locked_until(name_of(credentials), request.axes_ip_address) is not None

    def get_failures(self, request: Any, credentials: Credentials | None = None) -> int:
        """Return how often this name failed from this address lately."""
        rows = FailedSignIn.objects.recent().of(name_of(credentials), request.axes_ip_address)
        return sum(row.failures_since_start for row in rows)

    def user_login_failed(self, sender: Any, credentials: Credentials, request: Any = None, **kwargs: Any) -> None:
        """Count a failure. Who is locked out already is not counted, so that trying on does not make it longer."""
        if request is None:
            return
        request.axes_credentials = credentials
        if request.axes_locked_out:
            return
        name, address = name_of(credentials), request.axes_ip_address
        FailedSignIn.objects.stale().delete()
        note_failure(name, address)
        logger.warning("A sign-in failed.", extra={"address": address})
        if locked_until(name, address):
            request.axes_locked_out = True
            logger.warning("Too many sign-ins failed: locked out for a while.", extra={"address": address})

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        """Forget the failures of who got it right at last. Those with other names from there stay counted."""
        forget(user.get_username(), request.axes_ip_address)

    def user_logged_out(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        """Nothing to count."""


def name_of(credentials: Credentials | None) -> str:
    """Return the name that somebody tried."""
    return str((credentials or {}).get("username") or "")[:255]


def note_failure(name: str, address: str | None) -> None:
    """Count one more failure, also if several arrive at once."""
    row, is_new = FailedSignIn.objects.get_or_create(
        username=name, ip_address=address, user_agent="", defaults={"failures_since_start": 1}
    )
    if not is_new:
        rows = FailedSignIn.objects.filter(pk=row.pk)
        rows.update(failures_since_start=F("failures_since_start") + 1, attempt_time=timezone.now())


def forget(name: str, address: str | None) -> None:
    """Forget the failures of a name from an address."""
    FailedSignIn.objects.of(name, address).delete()


def locked_until(name: str, address: str | None) -> datetime | None:
    """Return until when the name may not be tried from the address; None if it may be."""
    pause = timedelta(seconds=settings.SIGN_IN_PAUSE_SECONDS)
    ends = []
    from_there = list(FailedSignIn.objects.recent().filter(ip_address=address).order_by("-attempt_time"))
    failures = 0
    for row in from_there:
        failures += row.failures_since_start
        if failures >= settings.SIGN_IN_ATTEMPTS_BY_ADDRESS:
            ends.append(row.attempt_time + pause)
            break
    ends += [
        row.attempt_time + pause
        for row in from_there
        if row.username == name and row.failures_since_start >= settings.SIGN_IN_ATTEMPTS
    ]
    return max(ends, default=None)


def refuse(request: HttpRequest, response: HttpResponse, credentials: Credentials | None) -> HttpResponse:
    """Answer who is locked out: 429 with the time that is left, as a page or for a program (AXES_LOCKOUT_CALLABLE)."""
    until = locked_until(name_of(credentials), client_network(request)) or timezone.now()
    seconds = max(1, math.ceil((until - timezone.now()).total_seconds()))
    minutes = math.ceil(seconds / 60)
    detail = ngettext(
        "Too many sign-ins failed from here. Try again in %(minutes)d minute.",
        "Too many sign-ins failed from here. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = JsonResponse({"detail": detail}, status=429)
    else:
        hint = _("Or have it unlocked in the admin, or with “manage.py unlock”.")
        answer = render(request, "accounts/locked_out.html", {"detail": detail, "hint": hint}, status=429)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    return answer
