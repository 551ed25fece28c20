"""What happens to every request on its way in and out."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase


class SignInMiddleware(LoginRequiredMiddleware):
    """Leads strangers to the sign-in, but does not ask who somebody is where anybody may come.

    Django's own looks the session up first, so a browser could not ask for the health of a studio without a database.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: tuple[Any, ...], view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let everybody in where no sign-in is required."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
