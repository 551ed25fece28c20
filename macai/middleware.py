"""What happens to every request on its way in and out."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


class RequestIdMiddleware:
    """Gives each request an id: that of nginx, or a new one. It is answered, logged, and goes along into the worker.

    Whatever else stands in the header is not an id: it would be written into the logs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Take the id or make one, and answer it."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.META["HTTP_X_REQUEST_ID"] = request_id
        response = self.get_response(request)
        response.headers.setdefault("X-Request-ID", request_id)  # the imitated providers have ids of their own
        return response


class SignInMiddleware(LoginRequiredMiddleware):
    """Leads strangers to the sign-in without reading what they send, but asks nobody where anybody may come.

    Django's own looks the session up first, so a browser could not ask for the health of a studio without a database.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: tuple[Any, ...], view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let everybody in where no sign-in is required."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
