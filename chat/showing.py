"""What the page of a conversation shows: the end of its branch, and for each message what else stands in its place."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from chat import branches, services
from chat.models import Conversation, Message

SHOWN = 30  # messages; earlier ones are a link


@dataclass(frozen=True)
class Entry:
    """A message as it is shown, among its siblings."""

    message: Message
    siblings: Sequence[uuid.UUID]
    is_streamed: bool = False  # a script is reading it, so it need not ask for itself

    @property
    def facts(self) -> str:
        """Who wrote it, how fast, and for how long: what is known of that."""
        message = self.message
        speed, seconds = message.tokens_per_second, message.seconds
        parts = [
            message.model.removesuffix(":latest"),
            "" if speed is None else _("%(speed)d tokens/s") % {"speed": round(speed)},
            "" if seconds is None else _("%(seconds)s s") % {"seconds": number_format(seconds, 1)},
        ]
        return ", ".join(part for part in parts if part)

    @property
    def place(self) -> int:
        """Which of its siblings it is, from 1."""
        return self.siblings.index(self.message.pk) + 1

    @property
    def previous(self) -> uuid.UUID | None:
        """The sibling before it."""
        return self.siblings[self.place - 2] if self.place > 1 else None

    @property
    def next(self) -> uuid.UUID | None:
        """The sibling after it."""
        return self.siblings[self.place] if self.place < len(self.siblings) else None


def entries_of(messages: list[Message], *, is_streamed: bool = False) -> list[Entry]:
    """Return messages of one branch, the oldest first, as they are shown. What a dead process left is settled."""
    services.settle_lost(messages)
    siblings = branches.siblings_of(messages)
    return [Entry(message, siblings[message.pk], is_streamed) for message in messages]


def entries_at(conversation: Conversation, end: uuid.UUID | None = None) -> list[Entry]:
    """Return the last messages up to one of them, or up to the end of the branch that is shown. Two queries."""
    return entries_of(branches.last_of_branch(end or conversation.leaf_id, SHOWN))
