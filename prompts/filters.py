"""How templates and runs are searched and filtered: one vocabulary in the address, for the pages and the API."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from library.filters import YES_NO, LibraryFilter
from prompts.models import MagicRun, PromptTemplate, RunState


class TemplateFilter(LibraryFilter):
    """`q`, `category`, `action`, `active`, `created_after`, `created_before`."""

    searched = ("category", "action", "description", "pre_condition", "post_condition")

    category = django_filters.CharFilter(max_length=50, label=_("Category"))
    action = django_filters.CharFilter(max_length=50, label=_("Action"))
    active = django_filters.ChoiceFilter(choices=YES_NO, method="in_use", label=_("In use"))

    class Meta:
        model = PromptTemplate
        fields: list[str] = []

    def in_use(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep templates of which a version is in use, or of which none is."""
        used = PromptTemplate.objects.active().filter(category=OuterRef("category"), action=OuterRef("action"))
        return rows.filter(Exists(used) if value == "true" else ~Exists(used))


class RunFilter(LibraryFilter):
    """`q`, `category`, `action`, `state`, `is_trial`, `created_after`, `created_before`."""

    searched = ("input_text", "output_text", "model")

    category = django_filters.CharFilter(max_length=50, label=_("Category"))
    action = django_filters.CharFilter(max_length=50, label=_("Action"))
    state = django_filters.ChoiceFilter(choices=RunState.choices, label=_("State"))
    is_trial = django_filters.ChoiceFilter(choices=YES_NO, method="from_bench", label=_("From the test bench"))

    class Meta:
        model = MagicRun
        fields: list[str] = []

    def from_bench(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep trials of the test bench, or everything else."""
        return rows.filter(is_trial=value == "true")
