"""What changed between two versions, line by line, and word by word inside a line that changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from prompts.models import PromptTemplate

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
LINES_LIMIT = 2_000  # beyond this, texts are told as changed as a whole: comparing takes the square of the time
LINE_LIMIT = 2_000  # characters of a line that is compared word by word

Change = Literal["same", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Word:
    """Some words of a line, and what became of them."""

    text: str
    change: Change


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and what became of it."""

    change: Change
    words: list[Word]


@dataclass(frozen=True)
class FieldChange:
    """One field that two versions have different values in."""

    label: str | Promise
    lines: list[Line]


LABELS: dict[str, str | Promise] = {
    "pre_condition": _("Before the text"),
    "post_condition": _("After the text"),
    "variables": _("Variables"),
    "description": _("Description"),
    "model": _("Model"),
    "temperature": _("Temperature"),
    "max_tokens": _("Most tokens"),
    "is_text_needed": _("Needs a text"),
}


def compare(old: PromptTemplate, new: PromptTemplate) -> list[FieldChange]:
    """Return the fields in which two versions differ."""
    pairs = ((label, _shown(getattr(old, name)), _shown(getattr(new, name))) for name, label in LABELS.items())
    return [FieldChange(label, compare_lines(before, after)) for label, before, after in pairs if before != after]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_shown_variable(variable) for variable in value)
    return str(value)


def _shown_variable(variable: dict[str, Any]) -> str:
    parts = [f"{{{variable['name']}}}", variable["label"], variable["kind"], " | ".join(variable["choices"])]
    default = f"= {variable['default']}" if variable["default"] else ""
    return ", ".join(part for part in [*parts, default, "*" if variable["required"] else ""] if part)


def compare_lines(before: str, after: str) -> list[Line]:
    """Return all lines of two texts, with what was removed before what was added in its place."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > LINES_LIMIT:
        return [*(_whole(line, "removed") for line in old), *(_whole(line, "added") for line in new)]
    lines: list[Line] = []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines.extend(_whole(line, "same") for line in old[old_start:old_end])
        else:
            lines.extend(_changed(old[old_start:old_end], new[new_start:new_end]))
    return lines


def _whole(line: str, change: Change) -> Line:
    return Line(change, [Word(line, change)])


def _changed(old: list[str], new: list[str]) -> Iterator[Line]:
    for before, after in zip_longest(old, new):
        if before is None or after is None or max(len(before), len(after)) > LINE_LIMIT:
            if before is not None:
                yield _whole(before, "removed")
            if after is not None:
                yield _whole(after, "added")
        else:
            removed, added = compare_words(before, after)
            yield Line("removed", removed)
            yield Line("added", added)


def compare_words(before: str, after: str) -> tuple[list[Word], list[Word]]:
    """Return the words of two lines: those of the first that went, those of the second that came."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    removed: list[Word] = []
    added: list[Word] = []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if old_start < old_end:
            removed.append(Word("".join(old[old_start:old_end]), "same" if tag == "equal" else "removed"))
        if new_start < new_end:
            added.append(Word("".join(new[new_start:new_end]), "same" if tag == "equal" else "added"))
    return removed, added
