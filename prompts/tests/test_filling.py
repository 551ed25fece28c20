"""The text of a template is read with care: only plain names are variables, and what is filled in stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.filling import TemplateTextError, assemble, fill, names_in


def test_variables_are_filled_in() -> None:
    assert fill("A {mood} song in {language}.", {"mood": "calm", "language": "German"}) == "A calm song in German."


def test_doubled_braces_are_braces() -> None:
    assert fill('{{"mood": "{mood}"}} and {{{mood}}}', {"mood": "calm"}) == '{"mood": "calm"} and {calm}'


def test_a_line_whose_variables_are_all_empty_is_left_out() -> None:
    text = "Write a song.\nMood: {mood}\nIn {language}, {mood}\nThe end."

    assert fill(text, {"mood": "", "language": "German"}) == "Write a song.\nIn German, \nThe end."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a { b", "stands alone"),
        ("one\ntwo }", "Line 2"),
        ("{mood", "stands alone"),
        ("{}", "no variable"),
        ("{Mood}", "no variable"),
        ("{mood.__class__}", "no variable"),
        ("{0}", "no variable"),
        ("{mood!r}", "no variable"),
        ("{mood:>10}", "no variable"),
        ("{mood[0]}", "no variable"),
        ("{" + "a" * 200 + "}", "no variable"),
        ("{mo\nod}", "stands alone"),
        ("{other}", "{other}"),
    ],
)
def test_what_is_no_variable_is_refused_in_plain_words(text: str, words: str) -> None:
    with pytest.raises(TemplateTextError, match=words.replace("{", r"\{").replace("}", r"\}")):
        fill(text, {"mood": "calm"})


@given(value=st.text(), text=st.text())
def test_what_is_filled_in_is_never_read_as_a_template(value: str, text: str) -> None:
    prompt = assemble("[{mood}]", text, "", {"mood": value})

    assert not value.strip() or f"[{value}]" in prompt
    assert text.strip() in prompt


@given(st.text())
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        filled = fill(text, dict.fromkeys(names_in(text), "x"))
    except TemplateTextError:
        filled = ""

    assert filled.count("\n") <= text.count("\n")


def test_a_text_that_looks_like_a_template_stays_as_it_is() -> None:
    prompt = assemble("Mood: {mood}", "use {mood} and {0.__class__} {{", "", {"mood": "{text}"})

    assert prompt == "Mood: {text}\n\nuse {mood} and {0.__class__} {{"


def test_the_text_stands_between_before_and_after() -> None:
    assert assemble("Before.", "the text", "After.", {}) == "Before.\n\nthe text\n\nAfter."
    assert assemble("", "the text", "", {}) == "the text"


def test_the_text_stands_where_the_template_puts_it() -> None:
    assert assemble("About <text>{text}</text>.", "a lake", "After.", {}) == "About <text>a lake</text>.\n\nAfter."
    assert assemble("Write.\nAbout: {text}", "", "After.", {}) == "Write.\n\nAfter."


def test_two_hundred_thousand_characters_are_no_trouble() -> None:
    text = "wide \u202e right-to-left " * 10_000

    assert assemble("{mood}" * 1000, text, "", {"mood": "x"}).endswith(text)
