"""The mock Ollama answers what the studio's own templates ask, so that a newcomer can try all of it."""

import re
from typing import Any

import pytest

from mockapi.ollama_reading import scenario_of, understand
from mockapi.ollama_rules import Wish, generate_wish
from mockapi.ollama_writing import write
from prompts.models import PromptTemplate
from prompts.services import assemble, template_in_use
from prompts.variables import variables_of

pytestmark = pytest.mark.django_db
LYRICS = (
    "[Verse]\nThe night is cold and the sea is deep\nThe rain is falling on the roof\n\n[Chorus]\nI will wait for you"
)
KINDS = {
    ("images", "enhance"): "picture",
    ("images", "translate"): "translate",
    ("images", "from_lyrics"): "picture",
    ("songs", "enhance"): "style",
    ("songs", "translate"): "translate",
    ("lyrics", "generate"): "lyrics",
    ("lyrics", "translate"): "translate",
    ("lyrics", "improve"): "improve",
    ("lyrics", "shorten"): "shorten",
    ("lyrics", "continue"): "continue",
    ("title", "generate"): "title",
}


def wish(category: str, action: str, text: str, **variables: Any) -> Wish:
    """Return what Ollama is asked when the form stands as it comes, but for `variables`."""
    template = template_in_use(category, action)
    defaults = {variable.name: variable.default for variable in variables_of(template.variables)}
    prompt = assemble(template, text, defaults | variables).prompt
    return generate_wish({"model": "llama3.2", "prompt": prompt})


def magic(category: str, action: str, text: str, **variables: Any) -> str:
    return write(wish(category, action, text, **variables))


def test_every_template_that_comes_with_the_studio_is_understood() -> None:
    for template in PromptTemplate.objects.active():
        pair = (template.category, template.action)
        told = wish(*pair, LYRICS, **({"lyrics": LYRICS} if template.category == "title" else {}))
        task = understand(told)
        assert (pair, task.kind) == (pair, KINDS[pair])
        assert (pair, task.text) == (pair, LYRICS)


def test_a_scenario_works_within_every_template() -> None:
    for pair in KINDS:
        assert (pair, scenario_of(wish(*pair, "0006 rain"))) == (pair, "0006")


def test_a_picture_prompt_is_enhanced_translated_and_made_of_lyrics() -> None:
    assert magic("images", "enhance", "a cat on a chair").startswith("a cat on a chair, ")
    assert magic("images", "translate", "eine Katze im Garten") == "a cat in the garden"
    assert magic("images", "from_lyrics", LYRICS).startswith("A cinematic scene of night")


def test_a_style_is_enhanced_and_translated() -> None:
    assert magic("songs", "enhance", "slow folk", mood="calm").startswith("slow folk, ")
    assert magic("songs", "translate", "slow song", language="German") == "langsam Lied"


def test_lyrics_are_written_in_their_structure_and_language() -> None:
    written = magic("lyrics", "generate", "a lighthouse in winter", structure="Intro, Verse, Chorus, Outro")
    assert re.findall(r"^\[(.+)\]$", written, re.MULTILINE) == ["Intro", "Verse", "Chorus", "Outro"]
    assert "lighthouse" in written
    built = "[Verse 1] soft, the harbour\n[Chorus] loud, the whole verse of it\n[Drop]"
    lines = magic("lyrics", "generate", "a lighthouse", structure=built)
    assert re.findall(r"^\[(.+)\]$", lines, re.MULTILINE) == ["Verse 1", "Chorus", "Drop"]
    german = magic("lyrics", "generate", "Leuchtturm im Winter", language="German", structure="Verse, Chorus")
    assert "leuchtturm" in german.lower()
    assert "stay with me" not in german
    assert magic("lyrics", "generate", "").startswith("[Verse]\n")


def test_lyrics_are_translated_improved_shortened_and_continued() -> None:
    german = magic("lyrics", "translate", LYRICS, language="German")
    assert german.splitlines()[:2] == ["[Verse]", "Die Nacht ist kalt und die Meer ist tief"]
    better = magic("lyrics", "improve", LYRICS, wish="fresher words")
    assert better != LYRICS
    assert better.splitlines()[0] == "[Verse]"
    assert len(magic("lyrics", "shorten", LYRICS)) < len(LYRICS)
    assert magic("lyrics", "continue", LYRICS, section="Bridge").startswith("[Bridge]\n")


def test_a_title_is_found_from_lyrics_or_an_idea() -> None:
    assert "Night" in magic("title", "generate", "", lyrics=LYRICS)
    assert "Lighthouse" in magic("title", "generate", "a lighthouse", style="folk")
