"""How templates, runs and words are searched and filtered: one vocabulary in the address, for the pages and the API."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from library.filters import YES_NO, LibraryFilter
from prompts.models import MagicRun, PromptTemplate, RunState, SectionKind, SongStructure, StyleTerm
from prompts.vocabulary import StyleKind

BY_POSITION, BY_NAME = ("position", _("As offered")), ("name", _("Name, A to Z"))


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


class VocabularyFilter(LibraryFilter):
    """`q`, `is_active`, `ordering`."""

    created_after = created_before = None  # nobody asks when a word was added

    is_active = django_filters.ChoiceFilter(choices=YES_NO, method="on_offer", label=_("Offered"))
    ordering = django_filters.ChoiceFilter(choices=[BY_POSITION, BY_NAME], method="order", label=_("Order"))

    def on_offer(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep what the fields offer, or what they do not."""
        return rows.filter(is_active=value == "true")


class StyleTermFilter(VocabularyFilter):
    """`q`, `kind`, `is_active`, `ordering`."""

    searched = ("word",)
    orderings = {"position": ("kind", "position", "word"), "name": ("word", "kind")}

    kind = django_filters.ChoiceFilter(choices=StyleKind.choices, label=_("Kind"))

    class Meta:
        model = StyleTerm
        fields: list[str] = []


class SectionKindFilter(VocabularyFilter):
    """`q`, `is_active`, `ordering`."""

    searched = ("label", "hint")
    orderings = {"position": ("position", "label"), "name": ("label",)}

    class Meta:
        model = SectionKind
        fields: list[str] = []


class SongStructureFilter(VocabularyFilter):
    """`q`, `is_active`, `ordering`."""

    searched = ("name", "sections")
    orderings = {"position": ("position", "name"), "name": ("name",)}

    class Meta:
        model = SongStructure
        fields: list[str] = []
