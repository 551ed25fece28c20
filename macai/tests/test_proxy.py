"""Behind a proxy: its word is taken, nobody else's is."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from macai.proxy import believe_proxies_only

WORDS = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_HOST": "a.example"}


def seen_by_the_app(peer: str) -> dict[str, Any]:
    """Return what the app sees of a request that comes from `peer`."""
    seen: list[HttpRequest] = []

    def app(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    sent: Any = WORDS | {"HTTP_ACCEPT": "text/html"}
    believe_proxies_only(app)(RequestFactory().get("/", REMOTE_ADDR=peer, **sent))
    return seen[0].META


@pytest.mark.parametrize("peer", ["203.0.113.7", "10.2.0.1", "::2"])
def test_a_stranger_cannot_speak_in_a_proxys_name(peer: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.1.0.0/16", "::1"]
    seen = seen_by_the_app(peer)
    assert not WORDS.keys() & seen.keys()
    assert seen["HTTP_ACCEPT"] == "text/html"


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.9.9", "::1", ""])
def test_our_proxys_words_reach_the_app(peer: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.1.0.0/16", "::1"]
    assert seen_by_the_app(peer).items() >= WORDS.items()
