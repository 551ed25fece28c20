"""Walking the tree of a conversation's messages: from the end of a branch to its beginning, and down to its end."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Q

from chat.models import Message

STEP = 40  # messages that are read at once on the way back
LONGEST = 1_000_000

# A branch is read by its few last rows, however long the conversation is.
BACK = """
WITH RECURSIVE branch(id, parent_id, steps) AS (
  SELECT id, parent_id, 1 FROM chat_messages WHERE id = %s
  UNION ALL
  SELECT above.id, above.parent_id, branch.steps + 1
  FROM chat_messages above JOIN branch ON above.id = branch.parent_id WHERE branch.steps < %s
)
SELECT chat_messages.* FROM chat_messages JOIN branch ON branch.id = chat_messages.id ORDER BY chat_messages.depth DESC
"""
DOWN = """
WITH RECURSIVE below(id, position) AS (
  SELECT id, position FROM chat_messages WHERE id = %s
  UNION ALL
  SELECT child.id, child.position FROM chat_messages child JOIN below ON child.parent_id = below.id
)
SELECT id, position FROM below ORDER BY position DESC LIMIT 1
"""


def last_of_branch(end: uuid.UUID | None, at_most: int) -> list[Message]:
    """Return the last messages of the branch that ends there, the oldest first. One query."""
    return [] if end is None else [*Message.objects.raw(BACK, [as_stored(end), at_most])][::-1]


def back_from(end: uuid.UUID) -> Iterator[Message]:
    """Yield the messages of a branch from its end to its beginning, a few at a time from the database."""
    here: uuid.UUID | None = end
    while here is not None:
        found = last_of_branch(here, STEP)
        yield from reversed(found)
        here = found[0].parent_id if found else None


def whole_branch(end: uuid.UUID | None) -> list[Message]:
    """Return all messages of the branch that ends there, the oldest first."""
    return last_of_branch(end, LONGEST)


def end_below(message: uuid.UUID) -> uuid.UUID | None:
    """Return the newest message of those that follow this one, or itself; None if it does not exist."""
    rows = [*Message.objects.raw(DOWN, [as_stored(message)])]
    return rows[0].pk if rows else None


def siblings_of(messages: Iterable[Message]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Return for each message the ids of its siblings in the order of sending, itself among them. One query."""
    shown = [*messages]
    if not shown:
        return {}
    parents = Q(parent__in=[message.parent_id for message in shown if message.parent_id])
    if shown[0].parent_id is None:
        parents |= Q(parent=None, conversation=shown[0].conversation_id)
    families: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    rows = Message.objects.filter(parents).order_by("position").values_list("pk", "parent_id")
    for pk, parent in rows:
        families.setdefault(parent, []).append(pk)
    return {message.pk: families.get(message.parent_id, [message.pk]) for message in shown}


def as_stored(pk: uuid.UUID) -> Any:
    """Return an id as this database keeps it."""
    return Message._meta.pk.get_db_prep_value(pk, connection)
