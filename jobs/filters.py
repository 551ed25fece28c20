"""How jobs are filtered by where they stand: one vocabulary in the address, for the pages and the API."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from jobs.models import Phase, Status

STATUS_OF_PHASE = {
    Phase.WAITING: Status.PENDING,
    Phase.SUBMITTING: Status.PENDING,
    Phase.RUNNING: Status.PROGRESS,
    Phase.SAVING: Status.PROGRESS,
    Phase.UNCERTAIN: Status.FAILURE,
}


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """`status`, `phase`."""

    status = django_filters.ChoiceFilter(choices=Status.choices, label=_("Status"))
    phase = django_filters.ChoiceFilter(choices=Phase.choices, method="in_phase", label=_("Phase"))

    def in_phase(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep jobs in a phase. The status that goes with it lets the index find them among very many."""
        status = STATUS_OF_PHASE.get(Phase(value))
        return rows.filter(phase=value, **({"status": status} if status else {}))
