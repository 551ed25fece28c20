"""One quiet banner says that Ollama does not answer; no page waits for it."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.tests.factories import make_user
from providers.tests.stub import Stub, answer, hang, stub_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(make_user())
    return client


def test_it_is_empty_while_ollama_answers(page: Client, settings: Settings) -> None:
    with stub_server() as stub:
        settings.OLLAMA_BASE_URL = stub.url
        stub.behaviour = answer(200, {"models": [{"name": "llama3.2:latest"}]})
        shown = page.get(reverse("ollama-banner"))
    assert shown.status_code == 200
    assert "banner warning" not in shown.content.decode()
    assert "role=" not in shown.content.decode()


def test_it_names_the_address_and_offers_to_test_again(page: Client, settings: Settings) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:1"
    text = page.get(reverse("ollama-banner")).content.decode()
    assert "Ollama does not answer at http://127.0.0.1:1." in text
    assert "Test again" in text
    assert 'role="status"' in text


def test_it_tells_an_ollama_without_models_what_to_do(page: Client, settings: Settings) -> None:
    with stub_server() as stub:
        settings.OLLAMA_BASE_URL = stub.url
        stub.behaviour = answer(200, {"models": [{"name": "nomic-embed-text", "capabilities": ["embedding"]}]})
        text = page.get(reverse("ollama-banner")).content.decode()
    assert "ollama pull llama3.2" in text


def test_it_is_for_those_who_are_signed_in(client: Client) -> None:
    assert client.get(reverse("ollama-banner")).status_code == 302


def test_an_ollama_that_hangs_costs_only_the_banner(
    page: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.ollama.ASK_TIMEOUT", (0.2, 0.2))
    with stub_server() as stub:
        settings.OLLAMA_BASE_URL = stub.url
        stub.behaviour = hang
        assert page.get(reverse("home")).status_code == 200
        assert asked(stub) == 0
        assert "Ollama does not answer" in page.get(reverse("ollama-banner")).content.decode()


def asked(stub: Stub) -> int:
    return len(stub.requests)
