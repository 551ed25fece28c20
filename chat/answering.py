"""An answer being written: what Ollama is asked, and what becomes of what it sends. Knows no page and no client."""

import time
import uuid
from collections.abc import Iterator
from typing import Any
from weakref import WeakValueDictionary

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from chat import markdown, offers
from chat.context import Context, context_for
from chat.models import MODEL_LIMIT, Conversation, Message, State
from prompts.writing import Writing, write
from providers import ollama
from providers.errors import ProviderError
from providers.ollama import Finish, Piece

LOOK_EVERY = 0.25  # seconds between looks whether the answer before this one is there
# An answer that was taken for broken off, because its process was asleep, goes on when the process does.
OPEN = (State.WRITING, State.BROKEN)

_writings: WeakValueDictionary[uuid.UUID, Writing] = WeakValueDictionary()


def start(answer: Message, question: Message, conversation: Conversation) -> Writing:
    """Have an answer written. Its row, and its question's, are committed."""
    asking = Asking(answer, question, conversation)
    writing = write(asking.pieces, AnswerSink(asking))
    _writings[answer.pk] = writing
    return writing


def writing_of(answer: uuid.UUID) -> Writing | None:
    """Return an answer's writing, if it is this process that writes it."""
    return _writings.get(answer)


def wait_for_end(writing: Writing) -> None:
    """Wait until nothing more comes; without a database connection, since it may take minutes."""
    if not connection.in_atomic_block:  # as in a test
        connection.close()
    for _event in writing.events():
        pass


class Asking:
    """What is asked of Ollama for one answer."""

    def __init__(self, answer: Message, question: Message, conversation: Conversation) -> None:
        self.pk = answer.pk
        self.conversation_pk = conversation.pk
        self.model = answer.model
        self.question = question
        self.preset = conversation.preset
        self.before = question.parent_id
        # Read now, with the connection that the request has; later only if the answer before is still being written.
        self.context = None if is_awaited(self.before) else self.read()

    def pieces(self) -> Iterator[Piece | Finish]:
        """Yield what Ollama sends, once the answer before this one is there: two tabs may have sent at once."""
        while self.context is None:
            yield Piece()
            time.sleep(LOOK_EVERY)
            try:
                self.context = None if is_awaited(self.before) else self.read()
            finally:
                if not connection.in_atomic_block:  # as in a test
                    connection.close()  # this thread's own
        options = ollama.Options(
            temperature=self.preset.temperature if self.preset else None, context_tokens=self.context.size
        )
        self.model = self.model or ollama.default_model()
        yield from ollama.chat(self.context.messages, model=self.model, options=options)

    def read(self) -> Context:
        """Read what the model is sent, and note on the answer how much of it that is."""
        system = self.preset.text if self.preset else ""
        context = context_for(self.question, system=system, size=offers.context_size(self.model))
        row = Message.objects.filter(pk=self.pk)
        row.update(context_tokens=context.size, left_out=context.left_out)
        return context


def is_awaited(message: uuid.UUID | None) -> bool:
    """Whether an answer is still being written."""
    return message is not None and Message.objects.filter(pk=message).being_written(timezone.now()).exists()


class AnswerSink:
    """Keeps an answer: in its row, twice a second, and whole at the end."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.began = time.monotonic()

    def begin(self) -> None:
        """Show that a thread has taken it on."""
        Message.objects.filter(pk=self.asking.pk).update(saved_at=timezone.now())

    def save(self, text: str, thinking: str) -> bool:
        """Keep what there is. Return False if a stop was asked for, or the answer was deleted."""
        row = Message.objects.filter(pk=self.asking.pk, state__in=OPEN, is_stopping=False)
        return bool(row.update(text=text, thinking=thinking, state=State.WRITING, saved_at=timezone.now()))

    def finish(self, text: str, thinking: str, finish: Finish) -> None:
        """Keep the whole answer and what it took. A model that thought until nothing was left has not answered."""
        is_cut = finish.reason == "length"
        if text.strip():
            state, note = State.DONE, _("Cut off: the context is full.") if is_cut else ""
        else:
            state, note = State.FAILED, nothing_came(is_cut=is_cut)
        figures: dict[str, Any] = {
            "prompt_tokens": finish.prompt_tokens,
            "tokens": finish.tokens,
            "tokens_per_second": finish.tokens_per_second,
            "seconds": finish.total_seconds or self.elapsed(),
        }
        self.keep(text, thinking, state=state, error_message=note, **figures)

    def fail(self, text: str, thinking: str, error: ProviderError) -> None:
        """Keep what came, and why no more did."""
        state = State.BROKEN if text.strip() else State.FAILED
        self.keep(text, thinking, state=state, error_message=error.message, seconds=self.elapsed())

    def stopped(self, text: str, thinking: str) -> None:
        """Keep what came before somebody stopped it."""
        self.keep(text, thinking, state=State.STOPPED, error_message="", seconds=self.elapsed())

    def keep(self, text: str, thinking: str, **fields: Any) -> None:
        """Write the end of it."""
        now = timezone.now()
        fields |= {
            "text": text, "thinking": thinking, "html": str(markdown.render(text)), "html_version": markdown.VERSION,
            "model": self.asking.model[:MODEL_LIMIT], "is_stopping": False, "saved_at": now, "updated_at": now,
        }  # fmt: skip
        if Message.objects.filter(pk=self.asking.pk, state__in=OPEN).update(**fields):
            Conversation.objects.filter(pk=self.asking.conversation_pk, updated_at__lt=now).update(updated_at=now)

    def elapsed(self) -> float:
        """Return for how many seconds it was written."""
        return round(time.monotonic() - self.began, 3)


def nothing_came(*, is_cut: bool) -> str:
    """Say why an answer is empty, and what to do."""
    if is_cut:
        return _(
            "The model thought until the context was full, and wrote nothing. Choose another one, or ask for less."
        )
    return _("The model answered with nothing. Try again, or choose another model.")
