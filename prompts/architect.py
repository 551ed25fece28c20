"""The lyric architect: sections in an order, each with a hint, become the structure that the lyrics are written to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from library.texts import check_text
from prompts.models import PromptTemplate, SectionKind, SongStructure
from prompts.variables import variables_of
from prompts.vocabulary import SECTIONS_LIMIT

CATEGORY, ACTION = "lyrics", "generate"  # the template that writes them
VARIABLE = "structure"  # what the structure is called in it
LABEL_LIMIT = 40  # characters
HINT_LIMIT = 300


@dataclass(frozen=True)
class Section:
    """A section of the lyrics that are to be written."""

    label: str
    hint: str = ""  # what happens in it, in the owner's words
    purpose: str = ""  # what sections of this kind are for

    @property
    def line(self) -> str:
        """Return it as a template gets it."""
        return f"[{self.label}] {self.hint}".strip()


def sections_of(labels: Sequence[str], hints: Sequence[str]) -> list[Section]:
    """Read the sections that a form sends.

    Raises:
        ValidationError: for "sections": too many, too long, or what would break the marks in the lyrics.
    """
    problems: dict[str, str] = {}
    if len(labels) > SECTIONS_LIMIT:
        problems["sections"] = _("At most %(limit)d sections.") % {"limit": SECTIONS_LIMIT}
    for label, hint in zip(labels, hints, strict=False):
        check_text(problems, "sections", label, LABEL_LIMIT, missing=_("A section needs a name."))
        check_text(problems, "sections", hint, HINT_LIMIT)
        if set(label) & set("[]\r\n"):
            problems["sections"] = _("The name of a section has no brackets and no line breaks.")
    if problems:
        raise ValidationError(dict(problems))
    hints = [*hints, *[""] * len(labels)]
    return known(Section(label, " ".join(hint.split())) for label, hint in zip(labels, hints, strict=False))


def known(sections: Iterable[Section]) -> list[Section]:
    """Return sections with what they are for, as the owner says it."""
    purposes = dict(SectionKind.objects.values_list("label", "hint"))
    return [Section(one.label, one.hint, purposes.get(one.label, "")) for one in sections]


def started(structure: SongStructure | None, sections: Sequence[Section] = ()) -> list[Section]:
    """Return the sections of a structure. Hints that are written already go along; none is lost."""
    rest = [section for section in sections if section.hint]
    result = []
    for label in structure.labels if structure else []:
        same = next((section for section in rest if section.label == label), None)
        if same:
            rest.remove(same)
        result.append(same or Section(label))
    return known([*result, *rest])


def changed(sections: Sequence[Section], change: str) -> tuple[list[Section], str]:
    """Return the sections after a button was pressed, and the button that is to have the focus then.

    `change` is "up-N", "down-N" or "remove-N" with the number of a section, "add-LABEL", or "start-KEY" with the key of
    a structure. What is none of these changes nothing.
    """
    verb, _dash, what = change.partition("-")
    result = list(sections)
    if verb == "add" and 0 < len(what) <= LABEL_LIMIT and len(result) < SECTIONS_LIMIT:
        return known([*result, Section(what)]), f"hint-{len(result)}"
    if not (what.isascii() and what.isdecimal() and len(what) < 10):
        return result, ""
    number = int(what)
    if verb == "start":
        return started(SongStructure.objects.offered().filter(pk=number).first() or None, result), f"start-{number}"
    if verb == "remove" and number < len(result):
        del result[number]
        return result, f"remove-{min(number, len(result) - 1)}" if result else ""
    step = {"up": -1, "down": 1}.get(verb, 0)
    place = number + step
    if step and number < len(result) and 0 <= place < len(result):
        result.insert(place, result.pop(number))
        is_at_end = place in {0, len(result) - 1}
        return result, f"{'down' if place == 0 else 'up' if is_at_end else verb}-{place}"
    return result, ""


def wish_of(
    template: PromptTemplate, text: str, variables: Mapping[str, Any], sections: Sequence[Section]
) -> tuple[str, dict[str, Any]]:
    """Return text and variables for a template. One that has no variable for the structure gets it in the text."""
    lines = "\n".join(section.line for section in sections)
    if any(variable.name == VARIABLE for variable in variables_of(template.variables)):
        return text, {**variables, VARIABLE: lines}
    return "\n\n".join(part for part in (text.strip(), lines) if part), dict(variables)
