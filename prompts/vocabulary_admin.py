"""The words beside the fields in the console: the owner adds, orders and takes away."""

from django.contrib import admin

from jobs.admin import NamedFields
from prompts.models import SectionKind, SongStructure, StyleTerm


@admin.register(StyleTerm)
class StyleTermAdmin(NamedFields, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Words that a style can be put together from."""

    list_display = ["word", "kind", "position", "is_active"]
    list_editable = ["position", "is_active"]
    list_filter = ["kind", "is_active"]
    search_fields = ["word"]
    list_per_page = 50


@admin.register(SectionKind)
class SectionKindAdmin(NamedFields, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Kinds of sections that lyrics are built of."""

    list_display = ["label", "hint", "position", "is_active"]
    list_editable = ["position", "is_active"]
    search_fields = ["label", "hint"]


@admin.register(SongStructure)
class SongStructureAdmin(NamedFields, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Orders of sections to begin with."""

    list_display = ["name", "in_order", "position", "is_active"]
    list_editable = ["position", "is_active"]
    search_fields = ["name"]

    @admin.display(description=SongStructure._meta.get_field("sections").verbose_name)
    def in_order(self, structure: SongStructure) -> str:
        """Return the sections in one line."""
        return ", ".join(structure.labels)
