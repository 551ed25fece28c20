"""The templates that a new studio starts with. The owner edits them on the page; nothing here ever overwrites that."""

from typing import Any

TEMPLATES: list[dict[str, Any]] = []


def plant(apps: Any, schema_editor: Any) -> None:
    """Fill the table of templates if it is empty (a step of the first migration)."""
    template = apps.get_model("prompts", "PromptTemplate")
    if not template.objects.exists():
        template.objects.bulk_create([template(**values) for values in TEMPLATES])
