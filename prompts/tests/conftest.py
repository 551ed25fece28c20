"""What tests of the words start from: an Ollama that answers at once, with what a test lays out."""

from collections.abc import Iterator
from typing import Any

import pytest

from prompts import services
from prompts.tests.writers import FINISH, write_at_once
from providers import ollama
from providers.ollama_types import Finish, Piece


class PretendedOllama:
    """Answers with `pieces`; remembers what it was asked."""

    def __init__(self) -> None:
        self.pieces: list[Any] = ["a calm ", "lake", FINISH]
        self.asked: list[dict[str, Any]] = []

    def generate(self, prompt: str, **options: Any) -> Iterator[Piece | Finish]:
        self.asked.append({"prompt": prompt, **options})
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield Piece(piece) if isinstance(piece, str) else piece


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> PretendedOllama:
    """Let services write at once, in the test's own thread."""
    pretended = PretendedOllama()
    monkeypatch.setattr(ollama, "generate", pretended.generate)
    monkeypatch.setattr(ollama, "default_model", lambda: "first:latest")
    monkeypatch.setattr(services, "write", write_at_once)
    return pretended
