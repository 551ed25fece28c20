"""The variables of a template: what they are, which fields they become, and which values they take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from library.texts import check_text
from prompts.filling import NAME, TEXT_NAME

VARIABLES_LIMIT = 20
CHOICES_LIMIT = 100
LABEL_LIMIT = 80  # characters, of a choice as well
LINE_LIMIT = 1_000  # characters
LONG_LIMIT = 50_000  # characters
TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class Kind(models.TextChoices):
    """What a variable takes."""

    TEXT = "text", gettext_lazy("Text")
    LONG_TEXT = "long_text", gettext_lazy("Long text")
    CHOICE = "choice", gettext_lazy("Choice")
    NUMBER = "number", gettext_lazy("Number")
    YES_NO = "yes_no", gettext_lazy("Yes or no")


@dataclass(frozen=True)
class Variable:
    """One variable of a template. `default` is a text for every kind; "yes" or "no" for yes_no."""

    name: str
    label: str = ""
    kind: str = Kind.TEXT
    choices: tuple[str, ...] = ()
    default: str = ""
    required: bool = False

    @property
    def display_label(self) -> str:
        """Return the label, or the name as words."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def kind_label(self) -> str:
        """Return the kind as a person is told it."""
        return str(Kind(self.kind).label)

    @property
    def is_on(self) -> bool:
        """Whether a yes_no is set by default."""
        return self.default == "yes"

    def as_json(self) -> dict[str, Any]:
        """Return it as the database and the API keep it."""
        return asdict(self) | {"choices": list(self.choices), "kind": str(self.kind)}

    def value_of(self, raw: Any) -> str:
        """Return what is filled in for a value that was chosen; None is the default. Raises ValidationError."""
        if raw is None:
            raw = self.default
        if not isinstance(raw, str | int | float):
            raise ValidationError(_("This is not a value."))
        if isinstance(raw, bool):
            raw = "yes" if raw else "no"
        text = _number(raw) if self.kind == Kind.NUMBER else str(raw)
        problems: dict[str, str] = {}
        limit = LONG_LIMIT if self.kind == Kind.LONG_TEXT else LINE_LIMIT
        check_text(problems, "value", text, limit, missing=_("This is needed.") if self.required else "")
        if problems:
            raise ValidationError(problems["value"])
        return self._fitting(text)

    def _fitting(self, text: str) -> str:
        if self.kind == Kind.YES_NO:
            return _yes_or_no(text)
        if self.kind == Kind.CHOICE and text and text not in self.choices:
            raise ValidationError(_("Choose one of: %(choices)s.") % {"choices": ", ".join(self.choices)})
        if self.kind != Kind.LONG_TEXT and len(text.splitlines()) > 1:
            raise ValidationError(_("One line, please."))
        return text


def _number(raw: str | int | float) -> str:
    """Return a number as it is written in a text."""
    if isinstance(raw, str) and not raw.strip():
        return ""
    try:
        number = float(raw) if len(str(raw)) <= 30 else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValidationError(_("This is not a number."))
    return f"{number:.10g}"


def _yes_or_no(text: str) -> str:
    word = text.strip().lower()
    if word in TRUE:
        return "yes"
    if word in FALSE or not word:
        return "no"
    raise ValidationError(_("Answer yes or no."))


def variables_of(raw: Any) -> list[Variable]:
    """Read the variables as they are kept. Raises ValidationError: what is wrong, in one sentence."""
    if not isinstance(raw, list):
        raise ValidationError(_("Variables are a list."))
    if len(raw) > VARIABLES_LIMIT:
        raise ValidationError(_("At most %(limit)d variables.") % {"limit": VARIABLES_LIMIT})
    found = [_variable(item) for item in raw]
    names = [variable.name for variable in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValidationError(_("The variable {%(name)s} is there twice.") % {"name": twice})
    return found


def _variable(item: Any) -> Variable:
    known = {field.name for field in fields(Variable)}
    if not isinstance(item, Mapping) or not item.keys() <= known:
        raise ValidationError(_("A variable has these values: %(names)s.") % {"names": ", ".join(sorted(known))})
    name = item.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValidationError(
            _("“%(name)s” is no name for a variable: small letters, digits and _ only, at most 40, a letter first.")
            % {"name": str(name)[:40]}
        )
    if name == TEXT_NAME:
        raise ValidationError(_("{text} is what a person writes in the field; choose another name."))
    kind, choices = item.get("kind", Kind.TEXT), item.get("choices", ())
    if kind not in Kind.values:
        raise ValidationError(_("{%(name)s}: there is no such kind of variable.") % {"name": name})
    if not isinstance(choices, list | tuple):
        raise ValidationError(_("{%(name)s}: choices are a list of texts.") % {"name": name})
    if not isinstance(item.get("required", False), bool):
        raise ValidationError(_("{%(name)s}: “required” is true or false.") % {"name": name})
    texts = {"label": item.get("label", ""), "default": item.get("default", "")}
    _check_texts(name, [*texts.values(), *choices])
    variable = Variable(name=name, kind=kind, choices=tuple(choices), required=item.get("required", False), **texts)
    _check_sense(variable)
    return variable


def _check_texts(name: str, texts: Sequence[Any]) -> None:
    problems: dict[str, str] = {}
    for text in texts:
        if not isinstance(text, str):
            problems[name] = _("everything about it is a text.")
        else:
            check_text(problems, name, text, LONG_LIMIT)
    if problems:
        raise ValidationError(f"{{{name}}}: {problems[name]}")


def _check_sense(variable: Variable) -> None:
    """Raise ValidationError for a variable that no form could show, or whose own default it would refuse."""
    name = {"name": variable.name}
    if variable.kind == Kind.CHOICE and not variable.choices:
        raise ValidationError(_("{%(name)s}: a choice needs something to choose from.") % name)
    if len(variable.choices) > CHOICES_LIMIT or any(len(choice) > LABEL_LIMIT for choice in variable.choices):
        raise ValidationError(_("{%(name)s}: at most 100 choices of at most 80 characters.") % name)
    if len(variable.label) > LABEL_LIMIT:
        raise ValidationError(_("{%(name)s}: a label has at most 80 characters.") % name)
    if variable.default:
        try:
            variable.value_of(variable.default)
        except ValidationError as error:
            raise ValidationError(f"{{{variable.name}}}: {_('the default')}: {' '.join(error.messages)}") from error


def values_of(variables: Sequence[Variable], chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return what is filled in for each variable. Raises ValidationError: a message per variable, by its name."""
    problems: dict[str, Any] = {}
    values: dict[str, str] = {}
    for unknown in sorted(set(map(str, chosen)) - {variable.name for variable in variables})[:VARIABLES_LIMIT]:
        problems[unknown[:40]] = _("This template has no such variable.")
    for variable in variables:
        try:
            values[variable.name] = variable.value_of(chosen.get(variable.name))
        except ValidationError as error:
            problems[variable.name] = error.messages
    if problems:
        raise ValidationError(problems)
    return values
