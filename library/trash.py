"""The trash: what is deleted can be taken back for 30 days, its files included. One place for songs and pictures."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

KEPT_FOR = timedelta(days=30)


class TrashQuerySet(models.QuerySet[Any]):
    """Rows that may lie in the trash, in words."""

    def live(self) -> Self:
        """Return rows that are not in the trash."""
        return self.filter(deleted_at=None)

    def trashed(self) -> Self:
        """Return rows in the trash, the latest first."""
        return self.filter(deleted_at__isnull=False).order_by("-deleted_at", "pk")

    def worn_out(self, now: datetime) -> Self:
        """Return rows that have lain in the trash for long enough."""
        return self.filter(deleted_at__lt=now - KEPT_FOR)

    def throw_away(self) -> int:
        """Move rows to the trash. Return how many were not there yet."""
        return self.filter(deleted_at=None).update(deleted_at=timezone.now())

    def take_back(self) -> int:
        """Take rows out of the trash. Return how many were there."""
        return self.filter(deleted_at__isnull=False).update(deleted_at=None)


class Trashable(models.Model):
    """Something that can be deleted and taken back."""

    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        # Of the trash alone: an index of all rows would be taken for "not in the trash", which nearly all rows are.
        indexes = [
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="%(class)s_trash"),
        ]

    @property
    def is_in_trash(self) -> bool:
        """Whether the row lies in the trash."""
        return self.deleted_at is not None

    @property
    def gone_at(self) -> datetime | None:
        """When the row and its files go for good, if nobody takes it back."""
        return self.deleted_at + KEPT_FOR if self.deleted_at else None


def with_undo(text: str, trash_url: str) -> SafeString:
    """Return what is told after deleting, with a link to where it is taken back."""
    return format_html('{} <a href="{}">{}</a>', text, trash_url, gettext("Undo in the trash"))
