"""How what is kept is searched, filtered and ordered: one vocabulary in the address, for the pages and the API."""

from datetime import UTC
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

WORDS_LIMIT = 10
YES_NO = [("true", _("Yes")), ("false", _("No"))]


class MomentField(django_filters.fields.IsoDateTimeField):  # type: ignore[misc]  # django-filter ships no types
    """A date or a time. One that lies outside of the years 1 to 9999 in UTC is none: it cannot be asked for."""

    def to_python(self, value: Any) -> Any:
        """Return the moment in UTC.

        Raises:
            ValidationError: it is none.
        """
        try:
            moment = super().to_python(value)
            return moment.astimezone(UTC) if moment else moment
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]  # django-filter ships no types
    """Compares with a moment."""

    field_class = MomentField


class LibraryFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """`q`, `created_after` and `created_before`; a subclass names the columns searched, and its orderings.

    `SongFilter(request.GET, queryset=songs).qs` leaves out a field whose value is wrong; the API refuses it.
    """

    searched: tuple[str, ...] = ()
    # Every ordering ends in what tells two rows apart, so that none is shown twice or left out between two pages.
    orderings: dict[str, tuple[str, ...]] = {}

    q = django_filters.CharFilter(
        method="search",
        label=_("Search"),
        max_length=200,
        help_text=_("Words; each must be there somewhere, in any case."),
    )
    created_after: MomentFilter | None = MomentFilter(
        field_name="created_at", lookup_expr="gte", label=_("From"), help_text=_("A date or a time, itself included.")
    )
    created_before: MomentFilter | None = MomentFilter(
        field_name="created_at", lookup_expr="lt", label=_("Before"), help_text=_("A date or a time, itself excluded.")
    )

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep rows that hold every word somewhere in the searched columns."""
        for word in value.split()[:WORDS_LIMIT]:
            rows = rows.filter(holds(word, self.searched))
        return rows

    def order(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Order by one of the orderings."""
        return rows.order_by(*self.orderings[value])


class TrashableFilter(LibraryFilter):
    """`trashed` as well: what lies in the trash is shown alone, the latest first, if it is asked for; else never."""

    trashed = django_filters.ChoiceFilter(choices=YES_NO, method="in_trash", label=_("In the trash"))

    def filter_queryset(self, queryset: Any) -> Any:
        """Leave the trash out, or show it alone, before anything else. Rows are a library.trash.TrashQuerySet."""
        is_trash = self.form.cleaned_data.get("trashed") == "true"
        return super().filter_queryset(queryset.trashed() if is_trash else queryset.live())

    def in_trash(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Leave the rows as they are: the trash comes first of all, in `filter_queryset`."""
        return rows


def holds(word: str, columns: tuple[str, ...]) -> Q:
    """Match a word in any of the columns.

    SQLite compares letters beyond ASCII exactly, so such a word is looked for in the cases people write it in.
    """
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    condition = Q()
    for column in columns:
        for spelling in sorted(spellings):
            condition |= Q(**{f"{column}__icontains": spelling})
    return condition
