"""Templates are edited without losing anything: each save is a new version, and only one is in use."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.tests.factories import make_user
from prompts import curation
from prompts.curation import StaleEditError, Wording, wording_of
from prompts.differences import compare, compare_lines
from prompts.models import PromptTemplate
from prompts.tests.factories import MOOD, make_run, make_template

pytestmark = pytest.mark.django_db


def versions() -> list[tuple[str, bool, bool]]:
    rows = PromptTemplate.objects.versions_of("poems", "enhance")
    return [(row.version, row.active, row.is_latest) for row in rows]


def changed(template: PromptTemplate, **values: Any) -> Wording:
    return replace(wording_of(template), **values)


# --- Versions ---


def test_a_new_template_is_version_one_and_in_use() -> None:
    user = make_user()

    template = curation.create_template(
        Wording(category="poems", action="enhance", pre_condition="Make this {mood}.", variables=(MOOD,)), user=user
    )

    assert (template.version, template.active, template.created_by) == ("1", True, user)
    assert template.variables == [MOOD]


def test_an_edit_is_a_new_version_and_the_old_one_stays_as_it_was() -> None:
    old, user = make_template(), make_user()

    new = curation.edit_template(old, changed(old, pre_condition="Make it {mood}!"), user=user, note="shorter")

    assert versions() == [("2", True, True), ("1", False, False)]
    assert (new.pre_condition, new.created_by, new.note) == ("Make it {mood}!", user, "shorter")
    assert PromptTemplate.objects.get(pk=old.pk).pre_condition == "Make this {mood}."


def test_an_edit_may_wait_beside_the_version_in_use() -> None:
    old = make_template()

    curation.edit_template(old, changed(old, temperature=1.5), user=None, active=False)

    assert versions() == [("2", False, True), ("1", True, False)]


def test_an_edit_of_what_is_put_aside_stays_aside() -> None:
    old = make_template(active=False)

    curation.edit_template(old, changed(old, temperature=1.5), user=None)

    assert versions() == [("2", False, True), ("1", False, False)]


def test_an_edit_that_changes_nothing_makes_no_version() -> None:
    template = make_template()

    assert curation.edit_template(template, wording_of(template), user=None) == template
    assert len(versions()) == 1


def test_two_who_edit_the_same_version_do_not_overwrite_each_other() -> None:
    old = make_template()
    curation.edit_template(old, changed(old, temperature=1.5), user=None)

    with pytest.raises(StaleEditError, match="Version 2 was saved in the meantime"):
        curation.edit_template(old, changed(old, temperature=0.1), user=None)

    assert len(versions()) == 2


def test_rolling_back_makes_a_new_version_that_equals_the_old_one() -> None:
    first = make_template()
    curation.edit_template(first, changed(first, temperature=1.5), user=None)

    again = curation.roll_back(PromptTemplate.objects.get(pk=first.pk), user=None)

    assert versions() == [("3", True, True), ("2", False, False), ("1", False, False)]
    assert wording_of(again) == wording_of(first)
    assert again.note == "As version 1"
    with pytest.raises(ValidationError, match="latest version already"):
        curation.roll_back(again, user=None)


def test_an_older_version_can_be_put_to_use_and_put_aside() -> None:
    first = make_template()
    curation.edit_template(first, changed(first, temperature=1.5), user=None)

    curation.set_active(first, active=True)
    assert versions() == [("2", False, True), ("1", True, False)]
    curation.set_active(first, active=False)
    assert versions() == [("2", False, True), ("1", False, False)]


def test_the_database_itself_allows_only_one_in_use() -> None:
    make_template()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_template(version="2", is_latest=False)


def test_a_version_from_elsewhere_that_is_no_number_can_be_edited() -> None:
    old = make_template(version="1.0")

    assert curation.edit_template(old, changed(old, temperature=1.5), user=None).version == "2"


def test_deleting_takes_all_versions_and_leaves_what_was_written() -> None:
    first = make_template()
    curation.edit_template(first, changed(first, temperature=1.5), user=None)
    run = make_run(template_version=first)

    assert curation.delete_template(first) == 2

    run.refresh_from_db()
    assert (versions(), run.template_version) == ([], None)


# --- What is refused ---


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"category": ""}, "category", "needed"),
        ({"category": "My Poems"}, "category", "Small letters"),
        ({"action": "<script>"}, "action", "Small letters"),
        ({"action": "x" * 51}, "action", "At most 50"),
        ({"pre_condition": "", "post_condition": " ", "variables": ()}, "pre_condition", "Write what"),
        ({"pre_condition": "{mood} and {colour}"}, "pre_condition", "{colour}"),
        ({"pre_condition": "{mood} {"}, "pre_condition", "stands alone"),
        ({"post_condition": "{mood.__class__}"}, "post_condition", "no variable"),
        ({"pre_condition": "x" * 200_001}, "pre_condition", "At most 200000"),
        ({"pre_condition": "{mood} \x00"}, "pre_condition", "NUL"),
        ({"pre_condition": "Nothing."}, "variables", "stands nowhere"),
        ({"variables": (MOOD, MOOD)}, "variables", "twice"),
        ({"variables": ({"name": "mood", "kind": "choice"},)}, "variables", "choose from"),
        ({"temperature": 2.1}, "temperature", "0 to 2"),
        ({"temperature": float("nan")}, "temperature", "0 to 2"),
        ({"max_tokens": 0}, "max_tokens", "1 to"),
        ({"model": "x" * 51}, "model", "At most 50"),
        ({"description": "x" * 2001}, "description", "At most 2000"),
    ],
)
def test_what_could_not_be_used_is_refused_in_plain_words(values: dict[str, Any], field: str, words: str) -> None:
    sound = Wording(category="poems", action="enhance", pre_condition="Make this {mood}.", variables=(MOOD,))

    with pytest.raises(ValidationError) as caught:
        curation.create_template(replace(sound, **values), user=None)

    assert words in caught.value.message_dict[field][0]


def test_one_name_is_one_template() -> None:
    template = make_template(active=False)

    with pytest.raises(ValidationError, match="such a template already"):
        curation.create_template(wording_of(template), user=None)
    with pytest.raises(ValidationError, match="cannot be changed"):
        curation.edit_template(template, changed(template, action="other"), user=None)


# --- Comparing ---


def test_two_versions_are_compared_field_by_field_and_word_by_word() -> None:
    old = make_template()
    new = curation.edit_template(
        old, changed(old, pre_condition="Make this very {mood}.\nAnd short.", temperature=1.5), user=None
    )

    changes = compare(old, new)

    assert [str(change.label) for change in changes] == ["Before the text", "Temperature"]
    lines = changes[0].lines
    assert [line.change for line in lines] == ["removed", "added", "added"]
    assert [word.text.strip() for word in lines[1].words if word.change == "added"] == ["very"]
    assert compare(old, old) == []


def test_very_long_texts_are_compared_without_taking_for_ever() -> None:
    old, new = "\n".join(map(str, range(3000))), "\n".join(map(str, range(1, 3001)))

    assert {line.change for line in compare_lines(old, new)} == {"removed", "added"}
    assert [line.change for line in compare_lines("x" * 100_000, "y" * 100_000)] == ["removed", "added"]
