"""What a person does with templates: make, edit, roll back, use, put aside, delete. A version is never changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from library.texts import check_text
from prompts.filling import TEXT_NAME, TemplateTextError, names_in
from prompts.models import TEXT_LIMIT, PromptTemplate
from prompts.variables import variables_of

WORD = re.compile(r"[a-z][a-z0-9_-]*")
NAME_LIMIT, MODEL_LIMIT, NOTE_LIMIT, DESCRIPTION_LIMIT = 50, 50, 200, 2000  # characters
TOKENS_LIMIT = 131_072


@dataclass(frozen=True)
class Wording:
    """What a version says: all of it that a person writes."""

    category: str = ""
    action: str = ""
    pre_condition: str = ""
    post_condition: str = ""
    description: str = ""
    model: str = ""
    temperature: float = 0.7
    max_tokens: int = 2048
    is_text_needed: bool = True
    variables: tuple[Mapping[str, Any], ...] = ()

    def columns(self) -> dict[str, Any]:
        """Return the values as the database keeps them."""
        kept = [variable.as_json() for variable in variables_of(list(self.variables))]
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"variables": kept}


class StaleEditError(ValidationError):
    """Somebody else has saved a version since this edit was begun."""


def wording_of(template: PromptTemplate) -> Wording:
    """Return what a version says."""
    values = {field.name: getattr(template, field.name) for field in fields(Wording)}
    return Wording(**(values | {"variables": tuple(template.variables)}))


def check_wording(wording: Wording) -> None:
    """Raise ValidationError, a message per field, for a wording that could not be used."""
    problems: dict[str, str] = {}
    for name in ("category", "action"):
        value = getattr(wording, name)
        check_text(problems, name, value, NAME_LIMIT, missing=_("A word is needed here."))
        if name not in problems and not WORD.fullmatch(value):
            problems[name] = _("Small letters, digits and _ only, a letter first; such as “from_lyrics”.")
    for name, limit in (
        ("pre_condition", TEXT_LIMIT), ("post_condition", TEXT_LIMIT),
        ("description", DESCRIPTION_LIMIT), ("model", MODEL_LIMIT),
    ):  # fmt: skip
        check_text(problems, name, getattr(wording, name), limit)
    if not (wording.pre_condition.strip() or wording.post_condition.strip()):
        problems.setdefault("pre_condition", _("Write what the model is to do, before or after the text."))
    if not 0 <= wording.temperature <= 2:
        problems["temperature"] = _("Choose 0 to 2.")
    if not 1 <= wording.max_tokens <= TOKENS_LIMIT:
        problems["max_tokens"] = _("Choose 1 to %(limit)d.") % {"limit": TOKENS_LIMIT}
    check_variables(problems, wording)
    if problems:
        raise ValidationError(dict(problems))


def check_new(wording: Wording) -> None:
    """Raise ValidationError, a message per field, for a wording that no new template can be made of."""
    check_wording(wording)
    if PromptTemplate.objects.versions_of(wording.category, wording.action).exists():
        raise ValidationError({"action": _("There is such a template already: edit it, or choose another action.")})


def check_variables(problems: dict[str, str], wording: Wording) -> None:
    """Note variables that make no sense, that the text does not name, or that it names though they do not exist."""
    try:
        declared = {variable.name for variable in variables_of(list(wording.variables))}
    except ValidationError as error:
        problems["variables"] = " ".join(error.messages)
        return
    named: set[str] = set()
    for field in ("pre_condition", "post_condition"):
        try:
            names = names_in(getattr(wording, field))
        except TemplateTextError as error:
            problems.setdefault(field, str(error))
            continue
        named |= names
        unknown = sorted(names - declared - {TEXT_NAME})
        if unknown:
            problems.setdefault(
                field,
                _("The text names {%(name)s}, which is not among the variables. Add it there, or double the braces.")
                % {"name": unknown[0]},
            )
    unused = sorted(declared - named)
    if unused and not problems.keys() & {"pre_condition", "post_condition"}:
        problems["variables"] = _(
            "{%(name)s} stands nowhere in the text. Write it there, or take the variable out."
        ) % {"name": unused[0]}


@transaction.atomic
def create_template(wording: Wording, *, user: User | None, active: bool = True, note: str = "") -> PromptTemplate:
    """Make a template: the first version for its category and action.

    Raises:
        ValidationError: a message per field; "action" if there is such a template already.
    """
    check_new(wording)
    return _add(wording, version=1, user=user, active=active, note=note)


@transaction.atomic
def edit_template(
    template: PromptTemplate, wording: Wording, *, user: User | None, active: bool | None = None, note: str = ""
) -> PromptTemplate:
    """Save an edit of the latest version as the next one. `active`: whether it is used; None: if the old one was.

    What is not changed makes no version. Category and action stay: they are the template's name.

    Raises:
        StaleEditError: `template` is not the latest version any more.
        ValidationError: a message per field.
    """
    check_wording(wording)
    if (wording.category, wording.action) != (template.category, template.action):
        raise ValidationError({"action": _("Category and action cannot be changed. Make a new template.")})
    latest = _latest_of(template)
    if latest.pk != template.pk:
        raise StaleEditError(
            _("Version %(version)s was saved in the meantime. Look at it before you save yours.")
            % {"version": latest.version}
        )
    if wording.columns() == wording_of(latest).columns():
        if active is not None:
            set_active(latest, active=active)
        return latest
    use = latest.active if active is None else active
    return _add(wording, version=_next_number(latest), user=user, active=use, note=note)


@transaction.atomic
def roll_back(template: PromptTemplate, *, user: User | None) -> PromptTemplate:
    """Make a new version that says what an old one says, and use it. The versions between stay.

    Raises:
        ValidationError: it is the latest version already.
    """
    latest = _latest_of(template)
    if latest.pk == template.pk:
        raise ValidationError(_("This is the latest version already."))
    note = _("As version %(version)s") % {"version": template.version}
    return _add(wording_of(template), version=_next_number(latest), user=user, active=True, note=note)


@transaction.atomic
def set_active(template: PromptTemplate, *, active: bool) -> None:
    """Use this version, in place of the one that was used; or put it aside, so that no field offers it."""
    if active:
        PromptTemplate.objects.versions_of(template.category, template.action).exclude(pk=template.pk).active().update(
            active=False
        )
    PromptTemplate.objects.filter(pk=template.pk).update(active=active)
    template.active = active


def delete_template(template: PromptTemplate) -> int:
    """Delete a template with all its versions. What was written with them stays. Return how many versions went."""
    versions = PromptTemplate.objects.versions_of(template.category, template.action)
    count = versions.count()
    versions.delete()
    return count


def _latest_of(template: PromptTemplate) -> PromptTemplate:
    """Return the latest version, locked where the database can."""
    rows = PromptTemplate.objects.select_for_update().newest()
    return rows.get(category=template.category, action=template.action)


def _next_number(latest: PromptTemplate) -> int:
    """Return the number of the next version. A version that is no number came into the table by another way."""
    if latest.version.isascii() and latest.version.isdecimal():
        return int(latest.version) + 1
    return PromptTemplate.objects.versions_of(latest.category, latest.action).count() + 1


def _add(wording: Wording, *, version: int, user: User | None, active: bool, note: str) -> PromptTemplate:
    problems: dict[str, str] = {}
    check_text(problems, "note", note, NOTE_LIMIT)
    if problems:
        raise ValidationError(dict(problems))
    versions = PromptTemplate.objects.versions_of(wording.category, wording.action)
    versions.filter(is_latest=True).update(is_latest=False)
    if active:
        versions.filter(active=True).update(active=False)
    try:
        with transaction.atomic():
            return PromptTemplate.objects.create(
                **wording.columns(), version=str(version), created_by=user, active=active, note=note
            )
    except IntegrityError as error:  # two at the very same moment
        raise StaleEditError(
            {"__all__": [_("Somebody else saved a version at the same moment. Look at it first.")]}
        ) from error
