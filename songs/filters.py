"""How the library is searched, filtered and ordered: one vocabulary in the address, for the pages and the API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from jobs.models import Phase, Status
from songs.models import Song, Workflow

SEARCHED = ("title", "lyrics", "tags")
WORDS_LIMIT = 10
KINDS = [("song", _("Songs")), ("instrumental", _("Instrumentals"))]
YES_NO = [("true", _("Yes")), ("false", _("No"))]

STATUS_OF_PHASE = {
    Phase.WAITING: Status.PENDING,
    Phase.SUBMITTING: Status.PENDING,
    Phase.RUNNING: Status.PROGRESS,
    Phase.SAVING: Status.PROGRESS,
    Phase.UNCERTAIN: Status.FAILURE,
}

# Every ordering ends in what tells two songs apart, so that no song is shown twice or left out between two pages.
ORDERINGS = {
    "-created_at": ("-created_at", "-id"),
    "created_at": ("created_at", "id"),
    "title": ("title", "-created_at", "-id"),
    "-title": ("-title", "created_at", "id"),
    "status": ("status", "-created_at", "-id"),
    "-status": ("-status", "created_at", "id"),
    "updated_at": ("updated_at", "id"),
    "-updated_at": ("-updated_at", "-id"),
}
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


class SongFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """`q`, `status`, `workflow`, `kind`, `phase`, `is_uncertain`, `created_after`, `created_before`, `ordering`.

    `SongFilter(request.GET, queryset=songs).qs` leaves out a field whose value is wrong; the API refuses it.
    """

    q = django_filters.CharFilter(
        method="search",
        label=_("Search"),
        max_length=200,
        help_text=_("Words in title, lyrics or tags; each must be there, in any case."),
    )
    status = django_filters.ChoiceFilter(choices=Status.choices, label=_("Status"))
    workflow = django_filters.ChoiceFilter(choices=Workflow.choices, label=_("Workflow"))
    kind = django_filters.ChoiceFilter(choices=KINDS, method="of_kind", label=_("Kind"))
    phase = django_filters.ChoiceFilter(choices=Phase.choices, method="in_phase", label=_("Phase"))
    is_uncertain = django_filters.ChoiceFilter(choices=YES_NO, method="uncertain", label=_("Uncertain"))
    created_after = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label=_("From"), help_text=_("A date or a time, itself included.")
    )
    created_before = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", label=_("Before"), help_text=_("A date or a time, itself excluded.")
    )
    ordering = django_filters.ChoiceFilter(choices=ORDERING_LABELS, method="order", label=_("Order"))

    class Meta:
        model = Song
        fields: list[str] = []

    def search(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Keep songs that hold every word somewhere in title, lyrics or tags."""
        for word in value.split()[:WORDS_LIMIT]:
            songs = songs.filter(holds(word))
        return songs

    def of_kind(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Keep songs that are sung, or instrumentals."""
        return songs.filter(is_instrumental=value == "instrumental")

    def in_phase(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Keep songs in a phase. The status that goes with it lets the index find them among very many."""
        status = STATUS_OF_PHASE.get(Phase(value))
        return songs.filter(phase=value, **({"status": status} if status else {}))

    def uncertain(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Keep, or leave out, songs whose paid request was sent and whose answer was lost."""
        lost = Q(status=Status.FAILURE, phase=Phase.UNCERTAIN)
        return songs.filter(lost if value == "true" else ~lost)

    def order(self, songs: QuerySet[Song], name: str, value: str) -> QuerySet[Song]:
        """Order by one of ORDERINGS."""
        return songs.order_by(*ORDERINGS[value])


def holds(word: str) -> Q:
    """Match a word in any of the searched columns.

    SQLite compares letters beyond ASCII exactly, so such a word is looked for in the cases people write it in.
    """
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    condition = Q()
    for column in SEARCHED:
        for spelling in sorted(spellings):
            condition |= Q(**{f"{column}__icontains": spelling})
    return condition
