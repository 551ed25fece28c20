"""What a model is sent: as much of a branch as fits into its context, the newest messages first of all."""

from dataclasses import dataclass

from chat import branches
from chat.models import Message
from providers import ollama
from providers.ollama_types import tokens_of

SHARE_OF_ANSWER = 4  # a quarter of the context is left for the answer


@dataclass(frozen=True)
class Context:
    """Messages as they are sent, how many older ones did not fit, and the size of the context in tokens."""

    messages: tuple[ollama.Message, ...]
    left_out: int
    size: int


def context_for(question: Message, *, system: str, size: int) -> Context:
    """Return what a model is sent for a question: what it is told first, then the newest messages that fit.

    `size` is that of the context in tokens.
    """
    room = size - size // SHARE_OF_ANSWER - (tokens_of(system) if system else 0)
    taken: list[Message] = []
    left_out = 0
    for message in branches.back_from(question.pk):
        if not message.text:  # nothing came
            continue
        room -= tokens_of(message.text)
        if room < 0 and taken:
            left_out = message.depth
            break
        taken.append(message)
    if left_out and not taken[-1].is_question:  # an answer without its question would stand first
        left_out = taken.pop().depth
    first = (ollama.Message("system", system),) if system else ()
    sent = (ollama.Message("user" if one.is_question else "assistant", one.text) for one in reversed(taken))
    return Context((*first, *sent), left_out, size)
