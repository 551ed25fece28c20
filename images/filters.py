"""How pictures and requests are searched, filtered and ordered: one vocabulary in the address, for pages and API."""

from typing import Any

import django_filters
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Concat, Replace
from django.utils.translation import gettext_lazy as _

from images.models import GeneratedImage, ImageRequest
from jobs.filters import JobFilter
from library.filters import TrashableFilter, holds

RATINGS = [("1", _("Thumbs up")), ("0", _("Thumbs down")), ("none", _("Unrated"))]
ORDERING_LABELS = [
    ("-created_at", _("Newest first")),
    ("created_at", _("Oldest first")),
    ("title", _("Title, A to Z")),
    ("-title", _("Title, Z to A")),
    ("-updated_at", _("Changed last")),
    ("updated_at", _("Changed longest ago")),
]


class ImageFilter(TrashableFilter):
    """`q`, `model`, `size`, `rating`, `tag`, `created_after`, `created_before`, `trashed`, `ordering`."""

    searched = ("title", "prompt", "tags")
    orderings = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "title": ("title", "-created_at", "-id"),
        "-title": ("-title", "created_at", "id"),
        "updated_at": ("updated_at", "id"),
        "-updated_at": ("-updated_at", "-id"),
    }

    model = django_filters.CharFilter(field_name="model_used", max_length=100, label=_("Model"))
    size = django_filters.CharFilter(
        field_name="size", max_length=20, label=_("Size"), help_text=_("As it came back, such as 1024x1024.")
    )
    rating = django_filters.ChoiceFilter(choices=RATINGS, method="rated", label=_("Rating"))
    tag = django_filters.CharFilter(
        method="tagged", max_length=255, label=_("Tag"), help_text=_("A whole tag, in any case.")
    )
    ordering = django_filters.ChoiceFilter(choices=ORDERING_LABELS, method="order", label=_("Order"))

    class Meta:
        model = GeneratedImage
        fields: list[str] = []

    def rated(self, images: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep pictures with a thumb up, a thumb down or none."""
        return images.filter(rating=None if value == "none" else int(value))

    def tagged(self, images: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep pictures that have the tag, whole: "sea" does not find "seaside"."""
        comma, loose = (Value(text, output_field=TextField()) for text in (",", ", "))
        listed = Concat(comma, Replace(F("tags"), loose, comma), comma)
        tag = f",{value.strip().strip(',')},"
        found: QuerySet[Any] = images.alias(listed_tags=listed).filter(holds(tag, ("listed_tags",)))
        return found


class ImageRequestFilter(JobFilter):
    """`status`, `phase`."""

    class Meta:
        model = ImageRequest
        fields: list[str] = []
