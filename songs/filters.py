"""How the library is searched, filtered and ordered: one vocabulary in the address, for the pages and the API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from jobs.filters import JobFilter
from jobs.models import Phase, Status
from library.filters import YES_NO, TrashableFilter
from songs.models import Song, Workflow

KINDS = [("song", _("Songs")), ("instrumental", _("Instrumentals"))]

ORDERING_LABELS = [
    ("-created_at", _("Newest first")),
    ("created_at", _("Oldest first")),
    ("title", _("Title, A to Z")),
    ("-title", _("Title, Z to A")),
    ("status", _("Status, A to Z")),
    ("-status", _("Status, Z to A")),
    ("-updated_at", _("Changed last")),
    ("updated_at", _("Changed longest ago")),
]


class SongFilter(TrashableFilter, JobFilter):
    """`status`, `workflow`, `kind`, `phase`, `is_uncertain`, `ordering`, and what every library with a trash has."""

    searched = ("title", "lyrics", "tags")
    orderings = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "title": ("title", "-created_at", "-id"),
        "-title": ("-title", "created_at", "id"),
        "status": ("status", "-created_at", "-id"),
        "-status": ("-status", "created_at", "id"),
        "updated_at": ("updated_at", "id"),
        "-updated_at": ("-updated_at", "-id"),
    }

    workflow = django_filters.ChoiceFilter(choices=Workflow.choices, label=_("Workflow"))
    kind = django_filters.ChoiceFilter(choices=KINDS, method="of_kind", label=_("Kind"))
    is_uncertain = django_filters.ChoiceFilter(choices=YES_NO, method="uncertain", label=_("Uncertain"))
    ordering = django_filters.ChoiceFilter(choices=ORDERING_LABELS, method="order", label=_("Order"))

    class Meta:
        model = Song
        fields: list[str] = []

    def of_kind(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Keep songs that are sung, or instrumentals."""
        # "= true" is not what Django writes for a boolean, and SQLite finds an index by nothing else.
        return songs.filter(is_instrumental__in=[value == "instrumental"])

    def uncertain(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Keep, or leave out, songs whose paid request was sent and whose answer was lost."""
        lost = Q(status=Status.FAILURE, phase=Phase.UNCERTAIN)
        return songs.filter(lost if value == "true" else ~lost)
