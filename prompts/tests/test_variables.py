"""Variables are typed: what a form or a client sends is taken, put right, or refused in plain words."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from prompts.variables import Variable, values_of, variables_of


def one(kind: str, **values: Any) -> list[Variable]:
    return variables_of([{"name": "it", "kind": kind, **values}])


@pytest.mark.parametrize(
    ("variable", "sent", "filled"),
    [
        (one("text"), "calm", "calm"),
        (one("text", default="calm"), None, "calm"),
        (one("text", default="calm"), "", ""),
        (one("long_text"), "two\nlines", "two\nlines"),
        (one("choice", choices=["calm", "wild"]), "wild", "wild"),
        (one("choice", choices=["calm"]), "", ""),
        (one("number"), "2.50", "2.5"),
        (one("number"), 60, "60"),
        (one("number"), " 7 ", "7"),
        (one("number"), "", ""),
        (one("yes_no"), True, "yes"),
        (one("yes_no"), "on", "yes"),
        (one("yes_no"), "FALSE", "no"),
        (one("yes_no"), None, "no"),
        (one("yes_no", default="yes"), None, "yes"),
    ],
)
def test_values_are_taken(variable: list[Variable], sent: Any, filled: str) -> None:
    assert values_of(variable, {} if sent is None else {"it": sent}) == {"it": filled}


@pytest.mark.parametrize(
    ("variable", "sent", "words"),
    [
        (one("text"), "two\nlines", "One line"),
        (one("text"), "a\x00b", "NUL"),
        (one("text"), "x" * 1001, "At most 1000"),
        (one("text"), ["a"], "not a value"),
        (one("text"), {"a": 1}, "not a value"),
        (one("text", required=True), "  ", "needed"),
        (one("text", required=True), None, "needed"),
        (one("choice", choices=["calm", "wild"]), "mad", "Choose one of: calm, wild"),
        (one("number"), "many", "not a number"),
        (one("number"), "nan", "not a number"),
        (one("number"), "9" * 400, "not a number"),
        (one("number"), 10**400, "not a number"),
        (one("yes_no"), "perhaps", "yes or no"),
        (one("long_text"), "\ud800", "half a character"),
    ],
)
def test_other_values_are_refused_in_plain_words(variable: list[Variable], sent: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        values_of(variable, {} if sent is None else {"it": sent})

    assert words in caught.value.message_dict["it"][0]


def test_a_value_for_no_variable_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        values_of([], {"mood": "calm"})

    assert caught.value.message_dict == {"mood": ["This template has no such variable."]}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "a list"),
        ([1], "has these values"),
        ([{"name": "a", "colour": "red"}], "has these values"),
        ([{"name": "A b"}], "no name"),
        ([{"name": 7}], "no name"),
        ([{"name": "__class__"}], "no name"),
        ([{"name": "text"}], "choose another name"),
        ([{"name": "a"}, {"name": "a"}], "twice"),
        ([{"name": "a", "kind": "colour"}], "no such kind"),
        ([{"name": "a", "kind": "choice"}], "something to choose from"),
        ([{"name": "a", "kind": "choice", "choices": ["x"], "default": "y"}], "the default"),
        ([{"name": "a", "kind": "number", "default": "many"}], "not a number"),
        ([{"name": "a", "required": "yes"}], "true or false"),
        ([{"name": "a", "label": 7}], "is a text"),
        ([{"name": "a", "label": "x" * 81}], "at most 80"),
        ([{"name": "a", "kind": "choice", "choices": "abc"}], "list of texts"),
        ([{"name": f"a{number}"} for number in range(21)], "At most 20"),
        ([{"name": "a", "default": "a\x00"}], "NUL"),
    ],
)
def test_variables_that_make_no_sense_are_refused(raw: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        variables_of(raw)
