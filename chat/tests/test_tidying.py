"""What is done every hour: the trash emptied, what dead processes left settled."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat import keeping, services, tasks
from chat.models import Conversation, Message, State
from chat.tests.desk import Desk, fresh, talk
from jobs.schedule import LINES

pytestmark = pytest.mark.django_db


def test_the_trash_keeps_for_thirty_days_and_no_longer(desk: Desk) -> None:
    old, young = talk(desk, "Old"), talk(desk, "Young", "More")
    keeping.delete(Conversation.objects.all())
    Conversation.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - timedelta(days=31))

    tasks.tidy()

    assert list(Conversation.objects.all()) == [young]
    assert not Message.objects.filter(text="Old").exists()


def test_a_long_conversation_goes_whole(desk: Desk) -> None:
    conversation = services.create(user=None)
    parent = None
    rows = []
    for number in range(1, 1501):  # deeper than Python recurses
        parent = Message(conversation=conversation, parent=parent, position=number, depth=number, role="user", text="x")
        rows.append(parent)
    Message.objects.bulk_create(rows)
    conversation.leaf = parent
    conversation.deleted_at = timezone.now() - timedelta(days=31)
    conversation.save()

    assert keeping.purge() == 1501
    assert not Message.objects.exists()


def test_what_a_dead_process_left_is_settled_without_anybody_looking(desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer
    Message.objects.filter(pk=answer.pk).update(saved_at=timezone.now() - timedelta(seconds=61))

    tasks.tidy()

    assert fresh(answer).state == State.BROKEN


def test_it_has_its_line_in_the_schedule() -> None:
    assert LINES["chat.tidy"].func == "chat.tasks.tidy"
