"""The prompt templates of the earlier system, as further versions of ours."""

import re

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from macai.legacy.report import Count
from macai.legacy.source import Source
from macai.legacy.values import Row, moment, number, text, truth, whole
from prompts.curation import check_wording, wording_of
from prompts.models import PromptTemplate

TABLE = "prompt_templates"
HOTTEST = 2.0
DEFAULT_TEMPERATURE, DEFAULT_TOKENS = 0.7, 2048


def bring_templates(source: Source, count: Count, *, dry_run: bool) -> None:
    """Bring the templates over that are not here yet. One that was in use there is in use here from now on."""
    for batch in source.batches(TABLE, "category", "action", "id"):
        for row in batch:
            count.found += 1
            bring_template(row, count, dry_run=dry_run)


def bring_template(row: Row, count: Count, *, dry_run: bool) -> None:
    """Bring one template over as the next version of its category and action."""
    template = template_of(row)
    name = f"{template.category}/{template.action}"
    if not template.category or not template.action:
        count.leave("it has no category or no action", template.note)
        return
    versions = PromptTemplate.objects.versions_of(template.category, template.action)
    if versions.filter(note=template.note).exists():
        count.there += 1
        return
    count.brought += 1
    for problem in problems_of(template):
        count.tell("cannot be used or edited as they are: put them right in the admin", f"{name}: {problem}")
    if template.active and versions.active().exists():
        count.tell("are in use now in place of ours, which stays as an earlier version", name)
    if not dry_run:
        save_template(template, moment(row, "updated_at") or template.created_at)


def problems_of(template: PromptTemplate) -> list[str]:
    """Return what our own templates could not say."""
    try:
        check_wording(wording_of(template))
    except ValidationError as error:
        return error.messages
    return []


def plain(words: str) -> str:
    """Return a text that comes out as it is: the earlier system had no variables, ours reads {braces} as one."""
    return words.replace("{", "{{").replace("}", "}}")


def template_of(row: Row) -> PromptTemplate:
    """Return the template as we keep it, by what it was named as of old."""
    temperature = number(row, "temperature")
    tokens = whole(row, "max_tokens")
    version = text(row, "version", 10)
    return PromptTemplate(
        category=text(row, "category", 50).strip(),
        action=text(row, "action", 50).strip(),
        pre_condition=plain(text(row, "pre_condition")),
        post_condition=plain(text(row, "post_condition")),
        description=text(row, "description"),
        model=text(row, "model", 50),
        temperature=DEFAULT_TEMPERATURE if temperature is None else min(max(temperature, 0.0), HOTTEST),
        max_tokens=tokens if tokens and tokens > 0 else DEFAULT_TOKENS,
        active=truth(row, "active"),
        # By this it is known when the move is made again.
        note=f"Earlier studio: template {text(row, 'id')}, version {version or '-'}"[:200],
        created_at=moment(row, "created_at") or timezone.now(),
    )


def save_template(template: PromptTemplate, updated_at: object) -> None:
    """Write the row. It takes the place of the latest version if it is in use, or the first one."""
    versions = PromptTemplate.objects.versions_of(template.category, template.action)
    with transaction.atomic():
        known = list(versions.select_for_update().values_list("version", flat=True))
        numbers = [int(found[0]) for version in known if (found := re.match(r"[0-9]{1,9}", version))]
        template.version = str(max(numbers, default=0) + 1)
        template.is_latest = template.active or not known
        if template.active:
            versions.update(active=False)
        if template.is_latest:
            versions.update(is_latest=False)
        template.save(force_insert=True)
        PromptTemplate.objects.filter(pk=template.pk).update(updated_at=updated_at)
