"""What happens while a text is written, as those who listen and those who keep it hear of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from providers.errors import ProviderError, Verdict
from providers.ollama_types import Finish


@dataclass(frozen=True, slots=True)
class Text:
    """Some more of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """Some more of the thoughts before the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing has come for a while; the text is still awaited."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will come, and the sink has kept what came. `finish` says how it was done, `error` why it failed."""

    outcome: Literal["done", "stopped", "failed"]
    finish: Finish | None = None
    error: ProviderError | None = None


Event = Text | Thinking | Silence | Ended


class Sink(Protocol):
    """What the owner of a text does with it. Called in the keeper's thread, in this order, never two at a time.

    Exactly one of `finish`, `fail` and `stopped` comes last. One that raises is called again for a minute.
    """

    def begin(self) -> None:
        """The text is awaited from now on."""

    def save(self, text: str, thinking: str) -> bool:
        """Keep all of the text so far. Return False if a stop was asked for: it may come through another process."""

    def finish(self, text: str, thinking: str, finish: Finish) -> None:
        """Keep the whole text."""

    def fail(self, text: str, thinking: str, error: ProviderError) -> None:
        """Keep what came before it broke off."""

    def stopped(self, text: str, thinking: str) -> None:
        """Keep what came before somebody stopped it."""


def merged(news: list[Text | Thinking]) -> Iterator[Text | Thinking]:
    """Join pieces of one kind that follow each other: who listens late need not take them one by one."""
    waiting: list[Text | Thinking] = []
    for event in news:
        if waiting and type(waiting[0]) is not type(event):
            yield type(waiting[0])("".join(piece.text for piece in waiting))
            waiting = []
        waiting.append(event)
    if waiting:
        yield type(waiting[0])("".join(piece.text for piece in waiting))


def failed(message: str) -> Ended:
    """Return an ending for what is no fault of the provider's answer."""
    return Ended("failed", error=ProviderError(Verdict.LATER, message, provider="Ollama"))
