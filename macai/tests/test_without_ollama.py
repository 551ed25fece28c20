"""With Ollama stopped, every page still works: none asks for it, and what does ask says so in plain words."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.tests.factories import make_owner
from images.tests.factories import make_image
from macai import provider_health, pulse
from macai.context_processors import NAV
from providers.tests.stub import hang, stub_server
from songs.tests.factories import make_finished_song

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(make_owner())
    return client


def test_no_page_asks_ollama_before_it_is_there(page: Client, settings: Settings) -> None:
    addresses = [reverse(item.url_name) for item in NAV]
    addresses += [reverse(name) for name in ("images:create", "songs:trash", "images:trash", "accounts:password")]
    addresses += [make_finished_song().get_absolute_url(), make_image().get_absolute_url()]
    with stub_server() as stub:
        settings.OLLAMA_BASE_URL = stub.url
        stub.behaviour = hang
        for address in addresses:
            assert (address, page.get(address).status_code) == (address, 200)
        assert stub.connections == 0


def test_those_who_keep_watch_are_told(settings: Settings) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:1"
    assert provider_health.ask("Ollama")[0] == "down"
    ollama = next(provider for provider in pulse.providers() if provider.name == "Ollama")
    found = provider_health.finding(ollama, "down", 5)
    assert found.message.startswith("Ollama does not answer.")
    assert found.is_ok  # the studio works without it
