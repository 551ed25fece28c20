"""Words: lyrics written on request, and lyrics timed word by word to a piece's length."""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from mockapi.scenarios import without_number

TAG = re.compile(r"\s*\[\s*([^\]]+?)\s*\]\s*(.*)")
# First match wins: a pre-chorus is not a chorus.
SECTION_TYPES = (
    ("intro", "intro"),
    ("pre", "pre-chorus"),
    ("chorus", "chorus"),
    ("hook", "chorus"),
    ("refrain", "chorus"),
    ("bridge", "bridge"),
    ("break", "break"),
    ("solo", "break"),
    ("inst", "break"),
    ("interlude", "break"),
    ("outro", "outro"),
    ("end", "outro"),
)
# Time is dealt out by weight: a word is 1, the breath after a line 1, a section without words 6.
BREATH, SILENT_SECTION = 1, 6


@dataclass
class Section:
    """A section of lyrics: its type in the provider's words, and its lines."""

    type: str
    lines: list[str] = field(default_factory=list)


def sections_of(lyrics: str) -> list[Section]:
    """Split lyrics at their [Tags], or at empty lines where there are none; an intro without words comes first."""
    sections = [Section("intro")]
    tagged = any(TAG.fullmatch(line) for line in lyrics.splitlines())
    for raw in without_number(lyrics).splitlines():
        line, tag = raw.strip(), TAG.fullmatch(raw)
        if tag:
            sections.append(Section(_section_type(tag[1])))
            line = tag[2].strip()
        elif not tagged and (not line or len(sections) == 1):
            sections.append(Section("verse"))
        if line:
            if len(sections) == 1:
                sections.append(Section("verse"))
            sections[-1].lines.append(line)
    if not tagged:
        sections = [section for section in sections if section.lines or section.type == "intro"]
    if len(sections) > 1 and sections[1] == sections[0]:
        del sections[0]  # the lyrics bring their own silent [Intro]
    return [*sections, Section("outro")] if sections[-1].type != "outro" else sections


def timed_sections(lyrics: str, duration_ms: int) -> list[dict[str, Any]]:
    """Return `lyrics_sections` as the provider gives them: sections, lines and words with start and end in ms."""
    sections = sections_of(lyrics)
    total = sum(_weight(section) for section in sections)
    done = 0

    def now() -> int:
        return duration_ms * done // total

    timed: list[dict[str, Any]] = []
    for section in sections:
        begun = now()
        lines = []
        for text in section.lines:
            words = []
            for word in re.findall(r"\S+\s*", text):
                start, done = now(), done + 1
                words.append({"start": start, "end": now(), "text": word})
            lines.append({"start": words[0]["start"], "end": words[-1]["end"], "text": text, "words": words})
            done += BREATH
        done += 0 if lines else SILENT_SECTION
        timed.append({"section_type": section.type, "start": begun, "end": now()} | ({"lines": lines} if lines else {}))
    return timed


def _section_type(tag: str) -> str:
    return next((kind for start, kind in SECTION_TYPES if tag.lower().startswith(start)), "verse")


def _weight(section: Section) -> int:
    return sum(len(line.split()) + BREATH for line in section.lines) or SILENT_SECTION


OPENINGS = ("Under", "Beyond", "Between", "Along", "Beneath")
PLACES = ("the quiet rooftops", "a river of light", "the morning train", "an open window", "the winter stars")
TURNS = ("we are learning to stay", "I can hear you again", "every road has a name", "the night lets us go")
CHORUS = ("Sing it slow, sing it true", "Carry me home, carry me through", "All that I kept, I kept for you")


def write_lyrics(prompt: str) -> tuple[str, str]:
    """Return (title, lyrics) about a prompt; the same prompt gives the same words."""
    rng = random.Random(prompt)  # noqa: S311  deterministic on purpose
    words = re.findall(r"[^\W\d_]{3,}", prompt)[:3] or ["song"]
    subject = " ".join(words).lower()
    verses = [f"[Verse]\n{_verse(rng, subject)}" for _ in range(2)]
    chorus = "[Chorus]\n" + "\n".join((*CHORUS, f"Oh, {subject}, I sing for you"))
    return subject.title(), "\n\n".join((verses[0], chorus, verses[1], chorus))


def continue_lyrics(lyrics: str) -> str:
    """Return the continuation of lyrics: one more verse and an outro."""
    rng = random.Random(lyrics)  # noqa: S311  deterministic on purpose
    last = next((section.lines[-1] for section in reversed(sections_of(lyrics)) if section.lines), "the song")
    return f"[Verse]\n{_verse(rng, 'what we said')}\n\n[Outro]\n{last}"


def _verse(rng: random.Random, subject: str) -> str:
    lines = [f"{rng.choice(OPENINGS)} {rng.choice(PLACES)}, {rng.choice(TURNS)}" for _ in range(3)]
    return "\n".join([*lines, f"And {subject} goes on, and so do we"])
