"""What a prompt asks for, guessed from its wording: which kind of text, of which words, in which language."""

import re
from dataclasses import dataclass

from mockapi import scenarios
from mockapi.ollama_rules import Wish

FENCED = re.compile(r'"""\s*(.*?)\s*"""|```\w*\n(.*?)```|<(\w+)>\s*(.*?)\s*</\3>', re.DOTALL)
# A paragraph that begins like this and ends like a sentence speaks to the model, before or after somebody's text.
SPEAKS_FIRST = re.compile(
    r"(you|act as|your task|below|here (is|are)|the following|this is|these are|translate|"
    r"improve|rewrite|enhance|expand|write|compose|shorten|condense|continue|suggest|give|find|create|describe|turn|polish|"
    r"generate|propose|take|make (a|an|the|this|these|it)\b|cut|summari[sz]e|convert|rework|add|invent|put)\b",
    re.IGNORECASE,
)
SPEAKS_LAST = re.compile(
    r"(answer|return|reply|respond|output|only|do not|don't|write only|give only|no |use |"
    r"keep (the|it|all|every|its|your)\b|leave|preserve|stay|mood|tone|language|length|structure|"
    r"the (result|answer|text|title|prompt|song|lyrics)\b)|"
    r".*\b(nothing else|no explanations?|no comments?|without (any )?(comment|explanation|quotes)|only the)\b",
    re.IGNORECASE | re.DOTALL,
)
# Said about the text, but not the text.
DETAIL = re.compile(
    r"(structure|sections?|mood|tone|language|length|tempo|voice|target|genre)\b[^\n]{0,20}:", re.IGNORECASE
)
LABEL = re.compile(
    r"\s*(?:the |an? |my |original |input )?"
    r"(?:text|lyrics|prompt|style|input|title|description|song|image|picture|idea|topic|theme)[\w ]{0,20}:\s*",
    re.IGNORECASE,
)
ABOUT = re.compile(r"\b(?:about|on the subject of|über|named|called)\s+(.+)", re.IGNORECASE | re.DOTALL)

LANGUAGES = (
    "English|German|French|Spanish|Italian|Portuguese|Dutch|Polish|Turkish|Russian|Ukrainian|Japanese|Chinese|Korean|"
    "Arabic|Hindi|Swedish|Czech|Latin"
)
LANGUAGE = re.compile(rf"\b({LANGUAGES})\b", re.IGNORECASE)

PICTURE = r"(?:image|picture|photo\w*|painting|visual|illustration)s?"
# Tried in this order, on what is said to the model. (?<!not ) : "do not write a title" asks for none.
KINDS = {
    "translate": r"\btranslat|\bübersetz",
    "shorten": r"\bshorten|\bshorter\b|\bcondense|\bcut (it|them|the lyrics|these lyrics) (down|to)",
    "continue": r"\bcontinu|\bnext (verse|section|part)|\bcarry on\b|\bgo on (with|from)",
    "title": r"(?<!not )\b(suggest|find|give|write|generate|create|propose|invent|think of)\b[^.\n]{0,40}\btitles?\b",
    "picture": rf"\b{PICTURE}\b[^.\n]{{0,40}}\b(prompt|description|generator|model)"
    rf"|\b(prompt|description|scene)s?\b[^.\n]{{0,40}}\b{PICTURE}\b",
    "style": r"\b(style|musical|music)\b[^.\n]{0,40}\b(prompt|description|style|tags?)\b"
    r"|\b(prompt|description)\b[^.\n]{0,40}\b(music|style|song)",
    "improve": r"\b(improve|polish|revise|rework|refine|better)\b",
    "lyrics": r"\b(lyrics|song ?text|songtext|verses)\b|\b(write|compose|create|generate)\b[^.\n]{0,20}\bsong\b",
}
SECTION = re.compile(
    r"\[?\b(intro|verse|pre-chorus|chorus|hook|refrain|bridge|break|interlude|solo|outro)\b(?:\s*(\d))?\]?",
    re.IGNORECASE,
)
NEXT_SECTION = re.compile(r"\bone more section: *([\w-]+)", re.IGNORECASE)
STRUCTURE = re.compile(r"\b(structure\b.*?)(?:\n\s*\n|\Z)", re.IGNORECASE | re.DOTALL)
BRACKETED = re.compile(r"^[ \t]*\[([^\[\]\n]{1,60})\]", re.MULTILINE)
SPEED = re.compile(r"\b(\d{1,5})\s*(?:words/s|words per second|w/s)(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """What is to be written: its kind, the words it is made of, and what was said about it."""

    kind: str
    text: str
    told: str = ""
    language: str = ""
    sections: tuple[str, ...] = ()


def understand(wish: Wish) -> Task:
    """Say what a request asks for. What nobody recognises is a chat."""
    told, text = split(scenarios.without_number(wish.asked))
    text = LABEL.sub("", scenarios.without_number(text), count=1) if LABEL.match(text) else text
    text = scenarios.without_number(text).strip()
    instructions = f"{wish.system}\n{told}".strip()
    kind = kind_of(told) or ("" if wish.is_chat else kind_of(instructions)) or "chat"
    if kind == "chat":
        return Task("chat", wish.asked.strip(), instructions, _language(instructions))
    return Task(kind, text, instructions, _language(instructions), _sections(instructions))


def scenario_of(wish: Wish) -> str:
    """Return the scenario at the start of the prompt, or of the text that a template stands around."""
    first = scenarios.scenario_of({"prompt": wish.asked})
    return (
        first if first != scenarios.SUCCESS else scenarios.scenario_of({"prompt": LABEL.sub("", split(wish.asked)[1])})
    )


def speed_of(wish: Wish, default: int) -> int:
    """Return how many words come in a second: `5 words/s` in the prompt, else the default."""
    match = SPEED.search(wish.asked)
    return int(match[1]) if match else default


def split(prompt: str) -> tuple[str, str]:
    """Tell what is said to the model from the text that it is said about."""
    if fenced := FENCED.search(prompt):
        return FENCED.sub(" ", prompt, count=1), (fenced[1] or fenced[2] or fenced[4] or "")
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", prompt.strip())]
    first, last = 0, len(paragraphs)
    while first < last and _speaks_first(paragraphs[first], is_only=last == 1, is_first=first == 0):
        first += 1
    while last > first and (first or last < len(paragraphs) or last > 1) and SPEAKS_LAST.match(paragraphs[last - 1]):
        last -= 1
    told, text = "\n\n".join(paragraphs[:first] + paragraphs[last:]), "\n\n".join(paragraphs[first:last])
    return (told, text) if text else _within(told)


def _speaks_first(paragraph: str, *, is_only: bool, is_first: bool) -> bool:
    if not is_first and DETAIL.match(paragraph):
        return True
    return bool(SPEAKS_FIRST.match(paragraph)) and (is_only or paragraph[-1] in ".:!?")


def _within(told: str) -> tuple[str, str]:
    """Find the text in a single breath: after a colon, or after `about`."""
    head, colon, rest = told.partition(":")
    if colon and rest.strip() and "\n" not in head:
        lines = rest.strip().split("\n\n")
        kept = [line for line in lines if not SPEAKS_LAST.match(line)] or lines
        return f"{head}: " + " ".join(line for line in lines if line not in kept), "\n\n".join(kept)
    about = ABOUT.search(told)
    if about:
        return told, about[1].split("\n")[0]
    return told, "" if "\n\n" in told else told


def kind_of(told: str) -> str:
    """Return the first kind of text that is asked for; "" if none is."""
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, told, re.IGNORECASE)), "")


def _language(told: str) -> str:
    """Return the language that is named last: `from English into German`."""
    found = LANGUAGE.findall(told)
    return found[-1].title() if found else ""


def _sections(told: str) -> tuple[str, ...]:
    """Return the sections of a structure, in one line or one a line, or the one that is to come next."""
    if (next_one := NEXT_SECTION.search(told)) is not None:
        return (next_one[1],)
    structure = STRUCTURE.search(told)
    bracketed = [name.strip() for name in BRACKETED.findall(structure[1] if structure else "")]
    if bracketed:
        return tuple(bracketed)
    lines = (structure[1] if structure else "").splitlines()
    begun = [match for line in lines if (match := SECTION.match(line.lstrip("-*0123456789. ")))]
    found = begun if len(begun) > 1 else [match for line in lines for match in SECTION.finditer(line)]
    return tuple(f"{match[1].title()} {match[2] or ''}".strip() for match in found)
