"""Providers' models in the console: price lists that the owner keeps, with one default among them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from jobs.admin import NamedFields


class OneDefaultForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    """A model; a second default is no error here, because saving it ends the first."""

    def _get_validation_exclusions(self) -> set[str]:
        fields: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # not in the stubs
        return fields | {"is_default"}


class OneDefaultAdmin(NamedFields, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """A price list whose rows have `is_default`."""

    form = OneDefaultForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; a new default ends the old one in the same moment."""
        with transaction.atomic():
            if obj.is_default:
                type(obj)._default_manager.exclude(pk=obj.pk).filter(is_default=True).update(is_default=False)
            super().save_model(request, obj, form, change)


class ModelFilter(admin.SimpleListFilter):
    """Rows by model, from the price list: what a large table holds is not to be walked for a filter."""

    title = _("model")
    parameter_name = "model"
    price_list: type[models.Model]
    column = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the models there are."""
        return [(name, name) for name in self.price_list._default_manager.values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen model."""
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset
