"""The trash in the console: a list shows what is not in it, unless it is asked for."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

PARAMETER = "trash"


class TrashFilter(admin.SimpleListFilter):
    """Rows that are not in the trash, or those that are."""

    title = _("trash")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the one choice beside the usual one."""
        return [("yes", _("In the trash"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Return the choices; without one, what lies in the trash is left out."""
        usual, *others = super().choices(changelist)
        yield {**usual, "display": _("Not in the trash")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows. Their queryset is a library.trash.TrashQuerySet."""
        rows: Any = queryset
        found: QuerySet[Any] = rows.trashed() if self.value() == "yes" else rows.live()
        return found
