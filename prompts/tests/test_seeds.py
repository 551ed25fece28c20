"""A new studio has good templates; an owner's edits are never overwritten."""

import pytest
from django.apps import apps

from prompts import services
from prompts.models import PromptTemplate
from prompts.seeds import TEMPLATES, plant
from prompts.variables import variables_of

pytestmark = pytest.mark.django_db


def test_a_new_studio_has_every_template_that_was_promised() -> None:
    found = {(template.category, template.action) for template in PromptTemplate.objects.active()}

    assert found == {
        ("images", "enhance"), ("images", "translate"), ("images", "from_lyrics"),
        ("songs", "enhance"), ("songs", "translate"),
        ("lyrics", "generate"), ("lyrics", "translate"), ("lyrics", "improve"), ("lyrics", "shorten"),
        ("lyrics", "continue"), ("title", "generate"),
    }  # fmt: skip


def test_each_can_be_used_as_it_is_and_says_what_to_answer_with() -> None:
    for template in PromptTemplate.objects.all():
        asked = services.assemble(template, "a quiet lake", {})

        assert "a quiet lake" in asked.prompt
        assert "nothing else" in asked.prompt
        assert "{" not in asked.prompt
        assert template.description


def test_each_that_takes_no_text_can_do_without_one() -> None:
    for template in PromptTemplate.objects.filter(is_text_needed=False):
        assert "<text>" not in services.assemble(template, "", {}).prompt


def test_variables_are_kept_whole() -> None:
    for template in PromptTemplate.objects.all():
        assert [variable.as_json() for variable in variables_of(template.variables)] == template.variables


def test_they_are_never_planted_over_what_the_owner_has() -> None:
    PromptTemplate.objects.exclude(category="title").delete()
    PromptTemplate.objects.update(description="mine")

    plant(apps, None)

    assert [template.description for template in PromptTemplate.objects.all()] == ["mine"]


def test_they_come_back_into_an_empty_table() -> None:
    PromptTemplate.objects.all().delete()

    plant(apps, None)

    assert PromptTemplate.objects.count() == len(TEMPLATES)
