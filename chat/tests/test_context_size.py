"""How much of a conversation a model is sent: what the owner allows, or less where the model can read less."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from chat import offers, tasks
from chat.offers import context_size
from chat.tests.desk import Desk, Model, end_of, talk
from jobs.schedule import LINES
from providers import ollama
from providers.errors import ProviderError, Verdict
from providers.ollama import Model as Installed
from providers.ollama import ModelDetails
from providers.tests.serving import running_mock

AWAY = ProviderError(Verdict.LATER, "Ollama does not answer.", provider="Ollama")


@dataclass
class Ollama:
    """Stands where Ollama stands: a list that tells no context, and what each model says of itself."""

    sizes: dict[str, int | ProviderError | None]
    told: dict[str, int] = field(default_factory=dict)  # by the list
    asked: list[str] = field(default_factory=list)

    def list_models(self) -> list[Installed]:
        return [
            Installed(name, 1, "llama", "1B", "Q4", self.told.get(name), ("completion",), is_loaded=False)
            for name in self.sizes
        ]

    def show(self, name: str) -> ModelDetails:
        self.asked.append(name)
        size = self.sizes[name]
        if isinstance(size, ProviderError):
            raise size
        return ModelDetails(name, "llama", "1B", "Q4", size, ("completion",), "", "", "", "")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Ollama:
    made = Ollama({"small:latest": 2048, "large:latest": 131_072, "silent:latest": None})
    monkeypatch.setattr(ollama, "list_models", made.list_models)
    monkeypatch.setattr(ollama, "show", made.show)
    return made


def test_what_is_not_known_yet_is_what_the_owner_allows(there: Ollama) -> None:
    assert [context_size(name) for name in ("small:latest", "")] == [8192, 8192]
    assert there.asked == []


def test_a_model_that_can_read_less_is_sent_less(there: Ollama, settings: Settings) -> None:
    settings.OLLAMA_MODEL = ""
    offers.look()
    sizes = {name: context_size(name) for name in ("small:latest", "small", "large:latest", "silent:latest", "gone")}
    assert sizes == {"small:latest": 2048, "small": 2048, "large:latest": 8192, "silent:latest": 8192, "gone": 8192}
    assert context_size("") == 2048  # the first that is there is the default one
    settings.OLLAMA_MODEL = "large"
    assert context_size("") == 8192


def test_each_model_is_asked_about_once_and_none_that_the_list_tells_of(there: Ollama) -> None:
    there.told = {"large:latest": 4096}
    offers.look()
    offers.look()
    assert there.asked == ["small:latest", "silent:latest", "silent:latest"]
    assert context_size("large:latest") == 4096


def test_a_model_that_cannot_be_asked_about_costs_no_other_one_its_size(there: Ollama) -> None:
    there.sizes = {"broken:latest": AWAY, **there.sizes}
    assert offers.look().models == ("broken:latest", "small:latest", "large:latest", "silent:latest")
    assert [context_size(name) for name in ("broken:latest", "small:latest")] == [8192, 2048]


def test_the_list_is_not_kept_waiting_for_a_model_that_takes_long(
    there: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "ASKING_SECONDS", 0.0)
    assert len(offers.look().models) == 3
    assert there.asked == []


def test_what_is_known_outlives_an_ollama_that_is_away(there: Ollama, monkeypatch: pytest.MonkeyPatch) -> None:
    offers.look()

    def is_away() -> list[Installed]:
        raise AWAY

    monkeypatch.setattr(ollama, "list_models", is_away)
    assert offers.look().problem == AWAY.message
    assert context_size("small") == 2048


@pytest.mark.django_db
def test_what_is_sent_and_what_the_gauge_says_is_the_models_own_size(there: Ollama, desk: Desk, model: Model) -> None:
    offers.look()
    long = [f"{number} " + "word " * 800 for number in range(5)]  # a thousand tokens each
    answer = end_of(talk(desk, *long, model="small:latest"))
    assert model.asked[-1][2].context_tokens == answer.context_tokens == 2048
    assert answer.context_used == round(100 * 142 / 2048)
    assert answer.left_out == 8
    answer = end_of(talk(desk, *long, model="large:latest"))
    assert model.asked[-1][2].context_tokens == answer.context_tokens == 8192
    assert answer.left_out == 0


@pytest.mark.django_db
def test_a_cache_that_is_away_costs_no_answer(
    there: Ollama, desk: Desk, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_args: Any) -> Any:
        raise ConnectionError

    monkeypatch.setattr(cache, "get", breaks)
    assert end_of(talk(desk, "Hello", model="small")).text == "Good morning."
    assert model.asked[-1][2].context_tokens == 8192


def test_the_worker_looks_every_hour_for_whoever_opens_no_page(there: Ollama) -> None:
    assert LINES["chat.look"].func == "chat.tasks.look"
    tasks.look()
    assert context_size("small") == 2048


def test_the_imitated_ollama_tells_it_in_its_list_and_of_each_model(settings: Settings, tmp_path: Path) -> None:
    settings.CHAT_CONTEXT_TOKENS = 1_000_000
    with running_mock(tmp_path) as url:
        settings.OLLAMA_BASE_URL = f"{url}/ollama"
        offers.look()
        assert context_size("qwen3:8b") == offers.asked_size("qwen3:8b") == 40_960
