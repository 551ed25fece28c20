"""A pretended model, and a desk at which its answers are written when a test says so, in the test's own thread."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from accounts.models import User
from accounts.tests.factories import make_user
from chat import services
from chat.branches import whole_branch
from chat.models import Conversation, Message
from chat.services import Exchange
from prompts.writing import Sink, Writing
from providers import ollama
from providers.errors import ProviderError
from providers.ollama import Finish, Piece

FINISH = Finish(
    reason="stop", model="llama3.2:latest", prompt_tokens=100, tokens=42, total_seconds=1.3, eval_seconds=1.0
)


class Model:
    """Stands where providers.ollama.chat stands: says what it was given, and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: list[Any] = [Piece("Good "), Piece("morning."), FINISH]
        self.asked: list[tuple[Sequence[ollama.Message], str, ollama.Options]] = []

    def says(self, *pieces: Any) -> None:
        self.script = [Piece(piece) if isinstance(piece, str) else piece for piece in pieces]

    def chat(
        self, messages: Sequence[ollama.Message], *, model: str, options: ollama.Options
    ) -> Iterator[Piece | Finish]:
        self.asked.append((messages, model, options))
        for piece in self.script:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    @property
    def last_asked(self) -> list[tuple[str, str]]:
        """What it was sent last, as (role, text)."""
        return [(message.role, message.content) for message in self.asked[-1][0]]


class Desk:
    """Stands where prompts.writing.write stands: keeps what is to be written until `write_all`."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, Sink]] = []

    def __call__(self, pieces: Any, sink: Sink) -> Writing:
        self.waiting.append((pieces, sink))
        return Writing(pieces, sink, wake=lambda: None)

    def write_all(self) -> None:
        """Write all that waits, one after the other, to its end."""
        while self.waiting:
            write_now(*self.waiting.pop(0))


def write_now(pieces: Any, sink: Sink) -> None:
    text = thinking = ""
    sink.begin()
    try:
        for piece in pieces():
            if isinstance(piece, Finish):
                sink.finish(text, thinking, piece)
                return
            text, thinking = text + piece.text, thinking + piece.thinking
            if not sink.save(text, thinking):
                sink.stopped(text, thinking)
                return
    except ProviderError as error:
        sink.fail(text, thinking, error)


def write_through(pieces: Any, sink: Sink) -> Writing:
    """Stand where prompts.writing.write stands, and be done with the text when it returns."""
    writing = Writing(pieces, sink, wake=lambda: None)
    sink.begin()
    writing.read()
    verdict, text, thinking = writing.so_far()
    if verdict is None:
        raise AssertionError
    if verdict.finish is not None:
        sink.finish(text, thinking, verdict.finish)
    elif verdict.error is not None:
        sink.fail(text, thinking, verdict.error)
    writing.tell_end(verdict)
    return writing


def talk(desk: Desk, *texts: str, user: User | None = None, **options: Any) -> Conversation:
    """Make a conversation of these questions, each with its answer."""
    exchange = services.begin(text=texts[0], user=user or make_user(username=uuid.uuid4().hex), **options)
    desk.write_all()
    for text in texts[1:]:
        services.send(exchange.conversation, text=text)
        desk.write_all()
    exchange.conversation.refresh_from_db()
    return exchange.conversation


def shown(conversation: Conversation) -> list[str]:
    """Return the texts of the branch that is shown."""
    conversation.refresh_from_db()
    return [message.text for message in whole_branch(conversation.leaf_id)]


def end_of(conversation: Conversation) -> Message:
    """Return the last message of the branch that is shown."""
    conversation.refresh_from_db()
    return Message.objects.get(pk=conversation.leaf_id or uuid.UUID(int=0))


def fresh(message: Message) -> Message:
    """Return a message as it is in the database now."""
    return Message.objects.get(pk=message.pk)


__all__ = [
    "FINISH",
    "Desk",
    "Exchange",
    "Finish",
    "Model",
    "Piece",
    "end_of",
    "fresh",
    "shown",
    "talk",
    "write_through",
]
