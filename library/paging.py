"""Pages of a list that is never counted: one row more than the page tells whether there is a next one."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

PAGE_SIZE = 30
LAST_PAGE = 1_000_000


@dataclass(frozen=True)
class Page:
    """Some rows of a list; the names are those that components/pagination.html reads."""

    rows: list[Any]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        """Whether there is more than this page."""
        return self.has_previous or self.has_next

    @property
    def next_page_number(self) -> int:
        """The number of the page after this one."""
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        """The number of the page before this one."""
        return self.number - 1


def page_of(rows: QuerySet[Any], wanted: str, *, size: int | None = None) -> Page:
    """Return the wanted page of `size` rows; the first one for anything that is not a page's number."""
    size = size or PAGE_SIZE
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 8 else 1
    number = min(max(number, 1), LAST_PAGE)
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    return Page(rows=found[:size], number=number, has_next=len(found) > size)
