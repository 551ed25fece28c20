"""What the imitated Ollama says in a conversation: Markdown, with a list, a table or code where they are asked for."""

import random
import re
import textwrap

from mockapi.ollama_reading import Task

OPENINGS = ("Here is a first idea.", "Good question.", "Let us take it step by step.", "Gladly.")
THOUGHTS = (
    "The simplest way in is often the best: begin with **one clear picture** and let the rest follow from it.",
    "What carries a piece is *contrast*: something quiet beside something loud, something near beside something far.",
    "I would keep the first line short. A reader decides within a breath whether to go on.",
    "If it feels crowded, take out the adjectives first; what is left usually stands by itself.",
    "Try it aloud once. The ear notices what the eye forgives.",
    "Leave one thing open at the end, so that there is a reason to come back.",
)
POINTS = ("Start from a place", "Name one sound", "Name one colour", "Let something change", "End where you began")
CODE = '''```python
def chorus(words: list[str], times: int = 2) -> str:
    """Repeat a line until it stays."""
    return "\\n".join(" ".join(words) for _ in range(times))


print(chorus(["carry", "me", "home"]))
```'''
TABLE = """| Part | Lines | Feeling |
| --- | ---: | --- |
| Verse | 4 | near |
| Chorus | 4 | wide |
| Bridge | 2 | new |"""
LENGTH = re.compile(r"\b(\d{1,5})\s+words\b", re.IGNORECASE)
MOST_WORDS = 20_000
EMPTY_SUBJECT = "your question"


def answer(task: Task, rng: random.Random) -> str:
    """Return an answer to the last message of a conversation."""
    asked = task.text
    if re.fullmatch(r"\W*(hi|hello|hey|hallo|good (morning|evening))\b\W*\w*\W*", asked, re.IGNORECASE):
        return "Hello! What are we making today: a picture, a song, or a few good words?"
    if (match := LENGTH.search(asked)) is not None:
        return _of_length(min(int(match[1]), MOST_WORDS), rng)
    parts = [f"{rng.choice(OPENINGS)} About {_subject(asked)}:", *rng.sample(THOUGHTS, 2)]
    if re.search(r"\b(list|steps?|ideas?|ways?|points?|tips?)\b", asked, re.IGNORECASE):
        parts.insert(1, "\n".join(f"- {point}" for point in rng.sample(POINTS, 4)))
    if re.search(r"\b(code|python|function|script|program)\b", asked, re.IGNORECASE):
        parts.insert(1, CODE)
    if re.search(r"\btable\b", asked, re.IGNORECASE):
        parts.insert(1, TABLE)
    return "\n\n".join(parts)


def _subject(asked: str) -> str:
    words = textwrap.shorten(re.sub(r"[`*_#<>\[\]|]", " ", asked[:1000]), 80, placeholder="…").strip(" ?!.,")
    return f"“{words}”" if words else EMPTY_SUBJECT


def _of_length(count: int, rng: random.Random) -> str:
    """Return so many words, in paragraphs."""
    paragraphs: list[str] = []
    left = count
    while left > 0:
        words = " ".join(rng.sample(THOUGHTS, 3)).split()[:left]
        paragraphs.append(" ".join(words))
        left -= len(words)
    return "\n\n".join(paragraphs)
