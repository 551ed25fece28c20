"""What our own proxies say in a request's headers is believed; what anybody else says in their name is dropped."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.proxies import is_trusted, parsed

# Gunicorn drops headers that are spelt with "_", which would get the same keys.
WORDS = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


def believe_proxies_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Drop a proxy's words unless one of TRUSTED_PROXIES says them (middleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        peer = parsed(request.META.get("REMOTE_ADDR", ""))  # a socket has none, and only a proxy is behind it
        if peer is not None and not is_trusted(peer):
            for name in WORDS:
                request.META.pop(name, None)
        return get_response(request)

    return middleware
