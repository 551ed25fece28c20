"""Headers that every answer carries, beside those of Django and of the content policy."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# What a studio has no use for in a browser. Playing and full screen are for our own pages.
FORBIDDEN = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join([*(f"{name}=()" for name in FORBIDDEN), "autoplay=(self)", "fullscreen=(self)"])


class HeadersMiddleware:
    """Say what the browser need not offer, and that nobody else's page may embed what is ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers where a view has not set its own."""
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
