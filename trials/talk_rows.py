"""What a trial must do with conversations inside Django: `python -m trials.talk_rows long`."""

import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import django

from trials.inside import WORDS

if TYPE_CHECKING:
    from chat.models import Conversation, Message

ANSWER = """Here is a first idea about the **{a}**:

- begin with the {b}
- name one *{c}*, and no more than one
- end where you began

```python
def {a}({b}: int) -> int:
    return {b} + 1
```

The {a} and the {b} go well together, as long as the {c} does not come too early. {filler}"""


def long(count: int) -> None:
    """Write a conversation of `count` messages without branches, and its id to the output."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from chat.models import Conversation, Message  # noqa: PLC0415

    now = timezone.now()
    conversation = Conversation.objects.create(title="Long", user=User.objects.get(), last_position=count)
    messages: list[Message] = []
    for number in range(1, count + 1):
        message = message_of(conversation, number, messages[-1] if messages else None)
        message.created_at = now - timedelta(minutes=count - number)
        messages.append(message)
    Message.objects.bulk_create(messages, batch_size=500)
    Conversation.objects.filter(pk=conversation.pk).update(leaf=messages[-1])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does within a minute
    sys.stdout.write(str(conversation.pk))


def message_of(conversation: "Conversation", number: int, before: "Message | None") -> "Message":
    """Return a question, or an answer with a list and code, as models write them."""
    from chat.models import Message, Role  # noqa: PLC0415

    a, b, c = (WORDS[(number * (place + 2) + place) % len(WORDS)] for place in range(3))
    is_question = number % 2 == 1
    text = f"What about the {a} and the {b}?" if is_question else ANSWER.format(a=a, b=b, c=c, filler=f"{c} {a} " * 40)
    return Message(
        conversation=conversation,
        parent=before,
        position=number,
        depth=number,
        role=Role.USER if is_question else Role.ASSISTANT,
        text=text,
        model="" if is_question else "llama3.2:latest",
        tokens=None if is_question else 180,
        tokens_per_second=None if is_question else 42.0,
        seconds=None if is_question else 4.3,
    )


def main(command: str, count: str) -> None:
    """Do the above."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "macai.settings")
    django.setup()
    {"long": long}[command](int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
