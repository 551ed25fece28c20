"""The texts of the imitated Ollama: plausible for each kind of task, and the same for the same request."""

import json
import random
import re
from collections.abc import Callable

from mockapi.ollama_answers import answer
from mockapi.ollama_dictionary import GERMAN, translate
from mockapi.ollama_reading import Task, understand
from mockapi.ollama_rules import Wish

# Words that carry nothing: a song is not about "the".
EMPTY_WORDS = (
    "the and for with from into about that this these those there here have has had are was were you your our their "
    "his her its not but all any can will would should could who what when where how why very some more most than "
    "then them they she him one two just only over under between write lyrics song verse chorus bridge intro outro "
    "please make ein eine der die das und ist mit für von auf den dem"
)
EMPTY = frozenset(EMPTY_WORDS.split())
PHOTO: tuple[str, ...] = (
    "soft window light",
    "85 mm lens, shallow depth of field",
    "fine film grain",
    "natural colours",
    "golden hour",
)
PHOTO += ("a quiet composition with room to breathe", "crisp foreground, misty background", "long shadows")
PAINTED: tuple[str, ...] = (
    "loose brushwork",
    "layers of thin glaze",
    "visible paper texture",
    "a muted palette with one warm accent",
)
PAINTED += ("soft edges", "light falling from the upper left", "generous empty space")
SOUNDS: tuple[str, ...] = (
    "warm analogue pads",
    "a steady 96 bpm pulse",
    "brushed drums",
    "close, breathy vocals",
    "a round upright bass",
)
SOUNDS += ("fingerpicked acoustic guitar", "a wide stereo chorus", "a gentle build into the refrain", "tape-soft highs")
BETTER = {
    "very": "so",
    "good": "golden",
    "nice": "tender",
    "big": "boundless",
    "small": "little",
    "sad": "heavy-hearted",
    "happy": "weightless",
    "walk": "wander",
    "walking": "wandering",
    "run": "race",
    "look": "gaze",
    "see": "glimpse",
    "say": "whisper",
    "said": "whispered",
    "think": "wonder",
    "go": "drift",
    "night": "midnight",
    "dark": "lampless",
    "bright": "blazing",
    "rain": "silver rain",
    "sea": "open sea",
    "house": "old house",
    "street": "empty street",
    "light": "low light",
}
ENDINGS = ("again", "tonight", "at last", "once more", "for you")
LINES = {
    "": (
        "{A} is calling through the {b}",
        "I kept the {a} in the pocket of my coat",
        "And every {b} remembers your name",
        "Slow goes the {a}, slower goes the night",
        "We were {b} before we were afraid",
        "Leave a light on for the {a}",
        "There's a {b} at the end of every road",
        "I can hear the {a} before it comes",
        "Between the {a} and the {b} I wait",
        "Tell the {b} that I am coming home",
    ),
    "German": (
        "{A} ruft leise durch die Nacht",
        "Ich trag {a} in der Tasche meines Mantels",
        "Und {b} weiß noch immer, wie du heißt",
        "Langsam geht {a}, langsamer der Tag",
        "Lass ein Licht an für {b}",
        "Zwischen {a} und {b} warte ich",
        "Sag {b}, ich komme bald nach Haus",
        "Ich höre {a}, bevor es kommt",
    ),
}
HOOKS = {
    "": ("Oh {a}, carry me, {a}", "Sing it low until the morning", "Oh {a}, stay with me, {a}", "All I want is {b}"),
    "German": ("Oh {a}, trag mich, {a}", "Sing es leise bis zum Morgen", "Oh {a}, bleib bei mir, {a}", "Nur noch {b}"),
}
STRUCTURE = ("Verse 1", "Chorus", "Verse 2", "Chorus", "Bridge", "Outro")
SILENT = ("intro", "solo", "interlude", "break")


def write(wish: Wish) -> str:
    """Return the whole text that a request asks for."""
    task = understand(wish)
    rng = random.Random(f"{wish.model.name}/{wish.seed}/{task.kind}/{task.told}/{task.text}")  # noqa: S311  repeatable
    text = answer(task, rng) if task.kind == "chat" else WRITERS[task.kind](task, rng)
    return json.dumps({"text": text}, ensure_ascii=False) if wish.as_json else text


def think(wish: Wish) -> str:
    """Return what a thinking model says to itself before."""
    task = understand(wish)
    subject = ", ".join(keywords(task.text)[:3]) or "this"
    kind = {"chat": "an answer", "picture": "a picture prompt", "style": "a style prompt"}.get(task.kind, task.kind)
    return (
        f"The user wants {kind}. It is about {subject}. I should keep what is already there, add only what helps, "
        f"and answer without any preamble. Let me find the right words for {subject} first."
    )


def keywords(text: str) -> list[str]:
    """Return the words that carry a text, each once, in their order."""
    found = re.findall(r"[^\W\d_]{3,}", re.sub(r"\[[^\]]*\]", " ", text).lower())
    return list(dict.fromkeys(word for word in found if word not in EMPTY))


def _translated(task: Task, rng: random.Random) -> str:
    del rng
    return translate(task.text, task.language or "English")


def _lyrics(task: Task, rng: random.Random) -> str:
    return "\n\n".join(_sung(name, task, rng) for name in task.sections or STRUCTURE)


def _sung(name: str, task: Task, rng: random.Random) -> str:
    """Return one section; the chorus is the same each time, an interlude has no words."""
    kind = name.lower()
    if kind.startswith(SILENT):
        return f"[{name}]"
    words = (keywords(task.text) or ["morning", "river"])[:8]
    language = task.language if task.language in LINES else ""
    if language == "German":
        words = [GERMAN.get(word, word).capitalize() for word in words]
    if kind.startswith(("chorus", "hook", "refrain")):
        first, other = words[0], words[-1]
        return "\n".join([f"[{name}]", *(_filled(line, first, other) for line in HOOKS[language])])
    count = 2 if kind.startswith(("bridge", "outro", "pre")) else 4
    lines = rng.sample(LINES[language], count)
    return "\n".join([f"[{name}]", *(_filled(line, rng.choice(words), rng.choice(words)) for line in lines)])


def _filled(line: str, first: str, other: str) -> str:
    return line.format(a=first, A=first.capitalize(), b=other)


def _improved(task: Task, rng: random.Random) -> str:
    """Return the same lines with better words, and here and there a longer breath."""
    return "\n".join(_better(line, rng) for line in task.text.splitlines())


def _better(line: str, rng: random.Random) -> str:
    if not line.strip() or re.fullmatch(r"\s*\[[^\]]*\]\s*", line):
        return line
    words = [BETTER.get(word.lower(), word) if word.islower() else word for word in re.split(r"(\W+)", line)]
    text = "".join(words)
    if text != line or not text[-1].isalnum() or rng.random() < 0.5:
        return text
    return f"{text} {rng.choice(ENDINGS)}"


def _shortened(task: Task, rng: random.Random) -> str:
    """Return every other line of each section; a text in one piece loses its second half."""
    del rng
    blocks = [block.splitlines() for block in re.split(r"\n\s*\n", task.text.strip())]
    if len(blocks) == 1 and len(blocks[0]) == 1:
        words = task.text.split()
        return " ".join(words[: max(len(words) // 2, 1)]).rstrip(",;:")
    shorter = []
    for block in blocks:
        tags = block[:1] if block[0].startswith("[") else []
        lines = block[len(tags) :]
        shorter.append("\n".join(tags + lines[: max((len(lines) + 1) // 2, 0)]))
    return "\n\n".join(shorter)


def _continued(task: Task, rng: random.Random) -> str:
    """Return what comes after the lyrics, and nothing of what is there."""
    verses = [int(number) for number in re.findall(r"\[verse (\d+)\]", task.text, re.IGNORECASE)]
    names = task.sections or (f"Verse {max(verses, default=1) + 1}", "Outro")
    if verses and names == ("Verse",):
        names = (f"Verse {max(verses) + 1}",)
    return "\n\n".join(_sung(name, task, rng) for name in names)


def _title(task: Task, rng: random.Random) -> str:
    words = keywords(task.text) or ["untitled"]
    first, other = words[0].title(), words[min(len(words) - 1, 2)].title()
    forms = [
        f"The {first} and the {other}",
        f"{first} at Midnight",
        f"Where the {first} Goes",
        f"Letters to the {first}",
    ]
    return rng.choice(forms if first != other else forms[1:])


def _picture(task: Task, rng: random.Random) -> str:
    """Return the prompt with detail that suits it; of lyrics, a scene first."""
    is_painted = re.search(r"paint|watercolou?r|oil|drawing|sketch|illustrat|ink", task.text, re.IGNORECASE)
    details = ", ".join(rng.sample(PAINTED if is_painted else PHOTO, 4))
    if "[" in task.text or task.text.count("\n") > 2:
        words = (keywords(task.text) or ["a quiet place"])[:5]
        return f"A cinematic scene of {words[0]}, with {', '.join(words[1:]) or 'open sky'}; {details}"
    return f"{task.text.strip().rstrip('.,;')}, {details}"


def _style(task: Task, rng: random.Random) -> str:
    return f"{task.text.strip().rstrip('.,;')}, {', '.join(rng.sample(SOUNDS, 4))}"


WRITERS: dict[str, Callable[[Task, random.Random], str]] = {
    "translate": _translated,
    "lyrics": _lyrics,
    "improve": _improved,
    "shorten": _shortened,
    "continue": _continued,
    "title": _title,
    "picture": _picture,
    "style": _style,
}
