"""What the log tells of a request, beside its path and its status: how long it took, by which view, for whom.

The path without its query, as in nginx's log: that holds what people look for, and words on their way into a form.
"""

import time
from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path
from django_structlog import signals

from accounts.models import User
from watch import counting

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def method_and_path(request: HttpRequest) -> str:
    """Return what was asked, in one line whatever is in it."""
    return f"{request.method} {escape_uri_path(request.path)}"


@receiver(signals.bind_extra_request_metadata)
def note_start(sender: Any, request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """Note when the request came."""
    request.started_at = time.perf_counter()  # type: ignore[attr-defined]  # ours
    log_kwargs.pop("user_agent", None)
    log_kwargs["request"] = method_and_path(request)


@receiver([signals.bind_extra_request_finished_metadata, signals.bind_extra_request_failed_metadata])
def tell_more(sender: Any, request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """Add what is known at the end. A person is told of only if somebody has asked who it is: a line asks nobody."""
    seconds = time.perf_counter() - getattr(request, "started_at", time.perf_counter())
    log_kwargs["request"] = method_and_path(request)
    log_kwargs["ms"] = round(seconds * 1000, 1)
    match = request.resolver_match
    if match is not None:
        log_kwargs["view"] = match.view_name
    count_request(request, kwargs.get("response"), seconds)
    for user in (request.__dict__.get("user"), getattr(request, "_cached_user", None)):
        if type(user) is User:  # not one that would be looked up only now
            log_kwargs["user_id"] = user.pk


def count_request(request: HttpRequest, response: HttpResponseBase | None, seconds: float) -> None:
    """Count it for /metrics. What a stranger can make up, such as a method, is no label."""
    match = request.resolver_match
    view = match.view_name if match else "none"  # a static file, or an address that leads nowhere
    method = request.method if request.method in METHODS else "other"
    counting.count("request", (view, str(method), str(response.status_code if response else 500)), seconds)
