"""The text of a template: read with care, checked against its variables, filled with what a person chose.

`{mood}` is a variable, `{{` and `}}` are braces. What is filled in is never read as a template, and nothing but a plain
name is a variable: there are no attributes, no indexes and no formats (str.format would have all three).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

TEXT_NAME = "text"  # the variable that stands for what a person wrote
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
TOKEN = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}|[{}]")
SHOWN = 40  # characters of a mistake that are shown


class TemplateTextError(Exception):
    """The text of a template cannot be read. The message says where and why, in plain words."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template's text: words as they are, or the name of a variable."""

    words: str = ""
    name: str = ""


def parse(text: str) -> list[list[Part]]:
    """Return the parts of each line. Raises TemplateTextError for a brace that stands alone, or a name that is none."""
    return [list(_parts(line, number)) for number, line in enumerate(text.split("\n"), start=1)]


def _parts(line: str, number: int) -> Iterator[Part]:
    position = 0
    for match in TOKEN.finditer(line):
        if match.start() > position:
            yield Part(words=line[position : match.start()])
        position = match.end()
        token = match.group()
        if token in {"{{", "}}"}:
            yield Part(words=token[0])
        elif len(token) == 1:
            raise TemplateTextError(
                _("Line %(line)d: a brace stands alone near “%(near)s”. Write {{ or }} for a brace in the text.")
                % {"line": number, "near": line[max(match.start() - 10, 0) : match.start() + 20]}
            )
        elif NAME.fullmatch(token[1:-1]):
            yield Part(name=token[1:-1])
        else:
            raise TemplateTextError(
                _("Line %(line)d: “%(token)s” is no variable. A name is made of small letters, digits and _.")
                % {"line": number, "token": token[:SHOWN]}
            )
    if position < len(line):
        yield Part(words=line[position:])


def names_in(text: str) -> set[str]:
    """Return the variables that a text names. Raises TemplateTextError."""
    return {part.name for line in parse(text) for part in line if part.name}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled in; a line all of whose variables are empty is left out.

    Raises:
        TemplateTextError: it cannot be read, or names a variable that has no value.
    """
    lines = []
    for parts in parse(text):
        names = [part.name for part in parts if part.name]
        unknown = next((name for name in names if name not in values), None)
        if unknown is not None:
            raise TemplateTextError(
                _("The text names the variable {%(name)s}, which does not exist.") % {"name": unknown}
            )
        if names and not any(values[name].strip() for name in names):
            continue
        lines.append("".join(values[part.name] if part.name else part.words for part in parts))
    return "\n".join(lines)


def assemble(before: str, text: str, after: str, values: Mapping[str, str]) -> str:
    """Return the whole prompt: before, text, after, apart by an empty line each; or the text where {text} stands.

    Raises:
        TemplateTextError: one of the two cannot be filled.
    """
    known = {**values, TEXT_NAME: text}
    pieces = [fill(before, known), fill(after, known)]
    if TEXT_NAME not in names_in(before) | names_in(after):
        pieces.insert(1, text)
    return "\n\n".join(piece.strip("\n") for piece in pieces if piece.strip())
