"""How a text came about: what a person wrote, what magic made of it, and with which version of which template.

What magic led to keeps all three, in the columns NAME_written, NAME_magic and NAME_run beside NAME.
"""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from prompts.models import MagicRun

CHAIN_LIMIT = 20  # runs that are followed back to what a person wrote
SHINGLE = 6  # characters
LIKENESS = 0.2  # share of shingles that a text has in common with what it was made of
TITLE = "title"  # what takes one line of an answer, without its mark and quotes (titleOf in static/js/magic_panel.js)
MARK = re.compile(r"^(?:\d+[.)]|[-*•])\s+")
QUOTES = '"“”„«»*'


@dataclass(frozen=True)
class Origin:
    """Where a text comes from; empty if magic had no part in it."""

    written: str = ""
    magic: str = ""
    run: MagicRun | None = None

    def as_columns(self, name: str) -> dict[str, Any]:
        """Return the values of the columns that remember it."""
        return {f"{name}_written": self.written, f"{name}_magic": self.magic, f"{name}_run": self.run}


def origin_of(text: str, run: MagicRun | None) -> Origin:
    """Return where a text comes from that is said to have come about by a run.

    A text that has nothing in common with the run's is somebody's own: the field was cleared and written anew.
    """
    if run is None or not is_made_of(text, run.output_text):
        return Origin()
    return Origin(written=first_of(run).input_text, magic=run.output_text, run=run)


def columns_after_edit(row: Any, name: str, text: str, run: MagicRun | None) -> dict[str, Any]:
    """Return the columns that remember where a text comes from that is about to be edited.

    That is the run that is named, otherwise what it came from so far, as long as it is still made of that.
    """
    origin = origin_of(text, run)
    if origin.run is None and is_made_of(text, getattr(row, f"{name}_magic")):
        return {}
    return origin.as_columns(name)


def first_of(run: MagicRun) -> MagicRun:
    """Return the run that stands at the beginning: magic is often made of what magic made before."""
    for _step in range(CHAIN_LIMIT):
        earlier = run.previous
        if earlier is None or not (
            earlier.input_text == run.input_text or is_made_of(run.input_text, earlier.output_text)
        ):
            break
        run = earlier
    return run


def is_made_of(text: str, other: str) -> bool:
    """Whether two texts share enough for one to have come from the other, in any script."""
    one, two = (" ".join(each.casefold().split()) for each in (text, other))
    if min(len(one), len(two)) <= SHINGLE:
        return bool(one and two) and (one in two or two in one)
    ours, theirs = ({each[at : at + SHINGLE] for at in range(len(each) - SHINGLE + 1)} for each in (one, two))
    return len(ours & theirs) >= LIKENESS * min(len(ours), len(theirs))


def run_named(name: str) -> MagicRun | None:
    """Return the run that a form names; None if there is no such run (any more)."""
    try:
        key = uuid.UUID(name)
    except ValueError:
        return None
    return MagicRun.objects.filter(pk=key).select_related("previous").first()


@dataclass(frozen=True)
class Story:
    """How a text came about, as a page tells it (templates/components/story.html)."""

    name: str
    label: str | Promise
    written: str
    magic: str
    final: str
    run: MagicRun | None

    @property
    def is_changed_by_hand(self) -> bool:
        """Whether somebody went on writing after magic. A title is one of the lines that it wrote."""
        offered = [self.magic.strip()]
        if self.name == TITLE:
            offered += [title_of(line) for line in self.magic.splitlines()]
        return self.final.strip() not in offered


def title_of(line: str) -> str:
    """Return a line of an answer as a field for a title takes it."""
    return MARK.sub("", line.strip()).strip(QUOTES).strip()


def story_of(row: Any, name: str, label: str | Promise) -> Story | None:
    """Return how a row's text came about; None if no magic is known of. The run is read with its template."""
    magic = getattr(row, f"{name}_magic")
    key = getattr(row, f"{name}_run_id")
    if not magic:
        return None
    run = MagicRun.objects.select_related("template_version").filter(pk=key).first() if key else None
    return Story(
        name=name, label=label, written=getattr(row, f"{name}_written"), magic=magic, final=getattr(row, name), run=run
    )
