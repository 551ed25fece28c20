"""What a worker does for the chat."""

from django.utils import timezone

from chat import keeping, offers, services
from chat.models import Message


def tidy() -> None:
    """Empty the trash of what has lain there for long enough, and settle what a dead process left unfinished."""
    keeping.purge()
    services.settle_lost([*Message.objects.lost(timezone.now()).only("state", "saved_at")])


def look() -> None:
    """Learn which models there are and how much each can read, for whoever never opens a page of the chat."""
    offers.look()
