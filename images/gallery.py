"""How the gallery is laid out: sets as stacks, and who stands before and after a picture in the order of a search."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from images.filters import ORDERING_LABELS, ImageFilter
from images.models import GeneratedImage, ImageModel

PAGE_SIZE = 60
NEWEST = "-created_at"
KEPT = ("q", "model", "size", "rating", "tag", "created_after", "created_before", "ordering")  # of an address
NARROWING = ("q", "rating", "tag")  # what may hold for one picture of a set and not for another
TAGS_READ, TAGS_SHOWN = 200, 8
PERIODS = ((0, _("Today")), (6, _("Last 7 days")), (29, _("Last 30 days")), (364, _("Last year")))


def found_by(query: Mapping[str, Any]) -> QuerySet[GeneratedImage]:
    """Return the pictures that an address asks for, in its order."""
    asked = {name: query[name] for name in KEPT if query.get(name)}
    rows: QuerySet[GeneratedImage] = ImageFilter(asked, queryset=GeneratedImage.objects.all()).qs
    return rows


def is_stacked(query: Mapping[str, Any]) -> bool:
    """Tell whether sets are shown as stacks: not where single pictures were asked for."""
    return not any(query.get(name) for name in NARROWING)


def is_filtered(query: Mapping[str, Any]) -> bool:
    """Tell whether an address asks for less than everything."""
    return any(query.get(name) for name in KEPT if name != "ordering")


def fronts(rows: QuerySet[GeneratedImage]) -> QuerySet[GeneratedImage]:
    """Keep the first picture of each set: number 0, or the lowest that does not lie in the trash.

    The "or" keeps the question about the others from being asked for nearly every picture.
    """
    earlier = GeneratedImage.objects.live().filter(request=OuterRef("request"), position__lt=OuterRef("position"))
    return rows.filter(Q(position=0) | ~Exists(earlier))


def count_stacks(images: Sequence[Any]) -> None:
    """Tell each picture how many its set has (`stacked`), with one query for all."""
    sets = [image.request_id for image in images]
    rows = GeneratedImage.objects.live().filter(request__in=sets).order_by()
    counts = dict(rows.values_list("request").annotate(number=Count("pk")))
    for image in images:
        image.stacked = counts.get(image.request_id, 1)


def neighbours(image: GeneratedImage, query: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the pictures before and after one in the order of a search; None where there is none."""
    ordering = ImageFilter.orderings.get(query.get("ordering") or NEWEST, ImageFilter.orderings[NEWEST])
    rows = found_by(query)
    before = rows.filter(beyond(image, turned(ordering))).order_by(*turned(ordering))
    after = rows.filter(beyond(image, ordering)).order_by(*ordering)
    return before.only("pk").first(), after.only("pk").first()


def turned(ordering: Sequence[str]) -> tuple[str, ...]:
    """Return the opposite order."""
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in ordering)


def beyond(image: GeneratedImage, ordering: Sequence[str]) -> Q:
    """Match what comes after a picture in an order whose columns together tell all pictures apart."""
    first, *_rest = ordering
    # Said once more for the first column alone, a bound from which an index can start.
    condition = Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": value_of(image, first)})
    alternatives = Q()
    same: dict[str, Any] = {}
    for name in ordering:
        column = name.lstrip("-")
        comparison = "lt" if name.startswith("-") else "gt"
        alternatives |= Q(**same, **{f"{column}__{comparison}": value_of(image, name)})
        same[column] = value_of(image, name)
    return condition & alternatives


def value_of(image: GeneratedImage, name: str) -> Any:
    """Return a picture's value in a column of an order."""
    return getattr(image, name.lstrip("-"))


def choices_for(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the gallery's filters offer."""
    models = list(ImageModel.objects.all())
    sizes = dict.fromkeys(size for model in models for size in model.sizes if size != "auto")
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    periods: list[tuple[str, Any]] = [
        ((today - timedelta(days=days)).date().isoformat(), label) for days, label in PERIODS
    ]
    wanted = query.get("created_after", "")
    if wanted and wanted not in dict(periods):
        periods.append((wanted, _("From %(date)s") % {"date": wanted}))
    return {
        "models": with_chosen([model.name for model in models], query.get("model", "")),
        "sizes": with_chosen(list(sizes), query.get("size", "")),
        "periods": periods,
        "tags": with_chosen(usual_tags(), query.get("tag", "")),
        "orderings": ORDERING_LABELS,
    }


def with_chosen(values: list[str], chosen: str) -> list[str]:
    """Return the values, with the chosen one among them."""
    return [*values, chosen] if chosen and chosen not in values else values


def usual_tags() -> list[str]:
    """Return the tags that the latest tagged pictures have most often."""
    counts: dict[str, int] = {}
    rows = GeneratedImage.objects.live().exclude(tags="").order_by("-created_at")
    for image in rows.only("tags", "created_at")[:TAGS_READ]:
        for tag in image.tag_list:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts, key=lambda tag: (-counts[tag], tag.casefold()))[:TAGS_SHOWN]
