"""What the log tells of a request, beside its address and its status: how long it took, by which view, for whom."""

import time
from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest
from django_structlog import signals

from accounts.models import User


@receiver(signals.bind_extra_request_metadata)
def note_start(sender: Any, request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """Note when the request came."""
    request.started_at = time.perf_counter()  # type: ignore[attr-defined]  # ours
    log_kwargs.pop("user_agent", None)


@receiver([signals.bind_extra_request_finished_metadata, signals.bind_extra_request_failed_metadata])
def tell_more(sender: Any, request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """Add what is known at the end. A person is told of only if somebody has asked who it is: a line asks nobody."""
    log_kwargs["ms"] = round((time.perf_counter() - getattr(request, "started_at", time.perf_counter())) * 1000, 1)
    match = request.resolver_match
    if match is not None:
        log_kwargs["view"] = match.view_name
    for user in (request.__dict__.get("user"), getattr(request, "_cached_user", None)):
        if type(user) is User:  # not one that would be looked up only now
            log_kwargs["user_id"] = user.pk
