"""What a model offers, in words and prices: for the form, and for the script that keeps it right."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from images.models import EARLY_TOKENS, PARTIALS, PER_MILLION, ImageModel
from jobs.spending import format_price

CENT = Decimal("0.01")


def options_of(model: ImageModel | None) -> dict[str, list[Any]]:
    """Return what can be chosen with a model."""
    return {
        "size": list(model.sizes) if model else [],
        "quality": list(model.qualities) if model else [],
        "background": list(model.backgrounds) if model else [],
        "output_format": list(model.formats) if model else [],
        "count": list(range(1, (model.most_pictures if model else 1) + 1)),
    }


def facts_of(model: ImageModel) -> dict[str, Any]:
    """Return what the script must know of a model; prices of one picture in US dollars, by size and quality."""
    prices = {
        size: {quality: str(price) for quality in model.qualities if (price := each_costs(model, size, quality))}
        for size in model.sizes
    }
    return options_of(model) | {
        "prices": prices,
        "early_price": str(early_versions_cost(model)),
        "limit": model.prompt_limit,
        "retires": retirement_of(model),
        "can": {"edit": model.can_edit, "stream": model.can_stream, "moderate": model.can_moderate},
    }


def early_versions_cost(model: ImageModel) -> Decimal:
    """Return what the early versions of a picture add to its price, where it is paid by token."""
    if model.fixed_prices or model.image_out_price is None:
        return Decimal(0)
    price: Decimal = PARTIALS * EARLY_TOKENS * model.image_out_price / PER_MILLION
    return price


def each_costs(model: ImageModel, size: str, quality: str, early_versions: int = 0) -> Decimal | None:
    """Return the likely price of one picture in US dollars; what is not chosen is the model's first."""
    size = size or (model.sizes[0] if model.sizes else "auto")
    quality = quality or (model.qualities[0] if model.qualities else "auto")
    return model.estimate(size=size, quality=quality, early_versions=early_versions)


def about(price: Decimal) -> str:
    """Write a price as roughly as it is known: whole cents, or up to four decimals below a cent."""
    return format_price(price.quantize(CENT, ROUND_HALF_UP) if price >= CENT else price)


def button_words(count: int) -> tuple[str, str]:
    """Return the button's words for so many pictures, with and without a price; {n} and {price} are still open."""
    return (
        ngettext("Create {n} picture, about ${price}", "Create {n} pictures, about ${price}", count),
        ngettext("Create {n} picture", "Create {n} pictures", count),
    )


def label_of(model: ImageModel) -> str:
    """Return how a model stands in the list."""
    parts = [model.name, model.description, retirement_of(model)]
    return ", ".join(part for part in parts if part)


def retirement_of(model: ImageModel) -> str:
    """Say when a model is switched off, if that is soon; "" otherwise."""
    if model.retires_on is None or not model.retires_soon(timezone.localdate()):
        return ""
    return gettext("retires on %(date)s") % {"date": date_format(model.retires_on, "j F")}
