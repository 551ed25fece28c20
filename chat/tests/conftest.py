"""A model that says what a test wants, and a desk at which it writes when the test wants."""

import pytest
from django.core.cache import cache

from chat import answering, offers
from chat.tests.desk import Desk, Model
from providers import ollama


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """Forget which models earlier tests have seen."""
    cache.delete_many([offers.KEY, offers.SIZES_KEY])


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    made = Model()
    monkeypatch.setattr(ollama, "chat", made.chat)
    monkeypatch.setattr(ollama, "default_model", lambda: "llama3.2:latest")
    return made


@pytest.fixture
def desk(model: Model, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr(answering, "write", made)
    return made
