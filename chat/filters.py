"""How conversations are searched and filtered: one vocabulary in the address, for the pages and the API."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from chat.models import Conversation, Message
from library.filters import WORDS_LIMIT, YES_NO, TrashableFilter, holds

ORDERING_LABELS = [
    ("-updated_at", _("Written in last")),
    ("-created_at", _("Begun last")),
    ("created_at", _("Begun first")),
    ("title", _("Title, A to Z")),
]


class ConversationFilter(TrashableFilter):
    """`q` (title and messages), `archived`, `created_after`, `created_before`, `trashed`, `ordering`."""

    orderings = {
        "-updated_at": ("-updated_at", "-id"),
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "title": ("title", "-updated_at", "-id"),
    }

    archived = django_filters.ChoiceFilter(choices=YES_NO, method="put_aside", label=_("Archived"))
    ordering = django_filters.ChoiceFilter(choices=ORDERING_LABELS, method="order", label=_("Order"))

    class Meta:
        model = Conversation
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep conversations that hold every word somewhere, in the title or in any message."""
        for word in value.split()[:WORDS_LIMIT]:
            said = Message.objects.order_by().filter(holds(word, ("text",)), conversation=OuterRef("pk"))
            rows = rows.filter(holds(word, ("title",)) | Exists(said))
        return rows

    def put_aside(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep those that are put aside, or those that are not."""
        return rows.filter(archived_at__isnull=value != "true")
