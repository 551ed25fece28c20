"""What a person may ask of a conversation: begin, send, stop, answer again, ask again, and which branch is shown."""

import uuid
from dataclasses import dataclass
from typing import Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts.models import User
from chat import answering, branches
from chat.models import MODEL_LIMIT, TEXT_LIMIT, TITLE_LIMIT, Conversation, Message, Role, State, SystemPreset
from library.texts import check_text
from prompts.writing import Writing

TITLE_LENGTH = 80  # characters of the first message

Preset = SystemPreset | Literal["same"] | None


@dataclass(frozen=True)
class Exchange:
    """A question, the answer that is being written to it, and the writing itself."""

    conversation: Conversation
    question: Message
    answer: Message
    writing: Writing


def create(*, title: str = "", model: str = "", preset: SystemPreset | None = None, user: User | None) -> Conversation:
    """Make a conversation without messages; without a title, its first message gives it one.

    Raises:
        ValidationError: by field.
    """
    problems: dict[str, str] = {}
    check_text(problems, "title", title, TITLE_LIMIT)
    check_text(problems, "model", model, MODEL_LIMIT)
    if problems:
        raise ValidationError(dict(problems))
    return Conversation.objects.create(title=" ".join(title.split()), model=model, preset=preset, user=user)


def begin(*, text: str, model: str = "", preset: SystemPreset | None = None, user: User | None) -> Exchange:
    """Begin a conversation with its first message. Raises ValidationError by field."""
    check_message(text, model)
    with transaction.atomic():
        conversation = Conversation.objects.create(model=model, preset=preset, user=user)
        question, answer = add_exchange(conversation, None, text)
    return started(conversation, question, answer)


def send(
    conversation: Conversation, *, text: str, model: str | None = None, preset: Preset = "same",
    after: uuid.UUID | None = None,
) -> Exchange:  # fmt: skip
    """Send the next message. `model` and `preset` change the conversation's, `after` is the last message that one saw.

    Of two that are sent at once, one follows the other. What was sent from a branch that is no longer shown continues
    that branch.

    Raises:
        ValidationError: the text is missing, too long or not a text; or the conversation lies in the trash.
    """
    check_message(text, model or "")
    with transaction.atomic():
        held = hold(conversation.pk)
        parent = end_for(held, after)
        turn(held, model, preset)
        question, answer = add_exchange(held, parent, text)
    return started(held, question, answer)


def regenerate(answer: Message, *, model: str | None = None) -> Exchange:
    """Have a question answered anew, beside the answers that it has. Raises ValidationError."""
    if answer.is_question or answer.parent is None:
        raise ValidationError(_("Only an answer can be written again."))
    check_message("-", model or "")
    with transaction.atomic():
        held = hold(answer.conversation_id)
        turn(held, model)
        question = answer.parent
        again = new_answer(held, question)
        again.save(force_insert=True)
        show(held, again)
    return started(held, question, again)


def ask_again(question: Message, *, text: str, model: str | None = None) -> Exchange:
    """Ask a question in other words, beside itself. What followed the old one stays in its branch.

    Raises:
        ValidationError: as `send`.
    """
    if not question.is_question:
        raise ValidationError(_("Only a question can be asked again."))
    check_message(text, model or "")
    with transaction.atomic():
        held = hold(question.conversation_id)
        turn(held, model)
        anew, answer = add_exchange(held, question.parent, text)
    return started(held, anew, answer)


def stop(answer: Message) -> bool:
    """Stop an answer that is being written, here or in another process. What came stays. Return whether it ran."""
    is_asked = Message.objects.filter(pk=answer.pk, state=State.WRITING).update(is_stopping=True)
    writing = answering.writing_of(answer.pk)
    if writing is not None:
        writing.stop()
    return bool(is_asked)


def choose(message: Message) -> None:
    """Show the branch that a message is in, to its newest end."""
    end = branches.end_below(message.pk)
    Conversation.objects.filter(pk=message.conversation_id).update(leaf=end)


def settle_lost(messages: list[Message]) -> None:
    """Mark answers as broken off whose process has died; what came of them stays."""
    now = timezone.now()
    lost = [message for message in messages if message.is_lost(now)]
    if lost:
        note = _("The studio was stopped while this was written.")
        rows = Message.objects.filter(pk__in=[message.pk for message in lost]).lost(now)
        rows.update(state=State.BROKEN, error_message=note)
    for message in lost:
        message.state, message.error_message = State.BROKEN, note


# --- What the verbs are made of -------------------------------------------------------------------------------------


def hold(pk: uuid.UUID) -> Conversation:
    """Hold a conversation until the transaction ends, so that messages sent at once get one place each.

    Raises:
        ValidationError: it lies in the trash, or is not there any more.
    """
    rows = Conversation.objects.select_for_update(of=("self",)).select_related("preset")
    held: Conversation | None = rows.filter(pk=pk).first()
    if held is None:
        raise ValidationError(_("The conversation is not there any more."))
    if held.is_in_trash:
        raise ValidationError(_("The conversation is in the trash. Restore it first."))
    return held


def end_for(conversation: Conversation, after: uuid.UUID | None) -> Message | None:
    """Return what the next message follows: the end of the branch that its sender saw, or of the one that is shown."""
    if after is not None and conversation.messages.filter(pk=after).exists():
        end = branches.end_below(after)
    else:
        end = conversation.leaf_id
    return None if end is None else Message.objects.get(pk=end)


def add_exchange(conversation: Conversation, parent: Message | None, text: str) -> tuple[Message, Message]:
    """Add a question, and the answer that is to be written. The conversation is held."""
    question = Message(
        conversation=conversation, parent=parent, role=Role.USER, text=text, state=State.DONE,
        position=next_position(conversation), depth=parent.depth + 1 if parent else 1,
    )  # fmt: skip
    conversation.title = conversation.title or title_of(text)
    answer = new_answer(conversation, question)
    Message.objects.bulk_create([question, answer])
    show(conversation, answer)
    return question, answer


def new_answer(conversation: Conversation, question: Message) -> Message:
    """Return the row of an answer that is to be written; not saved yet."""
    return Message(
        conversation=conversation, parent=question, role=Role.ASSISTANT, state=State.WRITING, model=conversation.model,
        position=next_position(conversation), depth=question.depth + 1,
    )  # fmt: skip


def next_position(conversation: Conversation) -> int:
    """Return the next place in the order of sending. The conversation is held, and saved afterwards."""
    conversation.last_position += 1
    return conversation.last_position


def turn(conversation: Conversation, model: str | None, preset: Preset = "same") -> None:
    """Change who answers from now on, and what it is told. The conversation is held, and saved afterwards."""
    if model is not None:
        conversation.model = model
    if preset != "same":
        conversation.preset = preset


def show(conversation: Conversation, answer: Message) -> None:
    """Show the branch with a new answer, and take a conversation that is written in out of the archive."""
    conversation.leaf = answer
    conversation.archived_at = None
    conversation.updated_at = timezone.now()
    conversation.save(update_fields=["title", "leaf", "archived_at", "updated_at", "last_position", "model", "preset"])


def started(conversation: Conversation, question: Message, answer: Message) -> Exchange:
    """Have the answer written, now that its row is there for every process."""
    return Exchange(conversation, question, answer, answering.start(answer, question, conversation))


def check_message(text: str, model: str) -> None:
    """Check what is sent. Raises ValidationError by field."""
    problems: dict[str, str] = {}
    check_text(problems, "text", text, TEXT_LIMIT, missing=_("Write something."))
    check_text(problems, "model", model, MODEL_LIMIT)
    if problems:
        raise ValidationError(dict(problems))


def title_of(text: str) -> str:
    """Make a title of the first line that says anything."""
    line = next((line for line in text.splitlines() if line.strip()), text)
    return Truncator(" ".join(line.split())).chars(TITLE_LENGTH)
