"""Templates and runs in the console: the same verbs, the same refusals."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.tests.factories import make_owner
from prompts.models import PromptTemplate
from prompts.tests.factories import MOOD, make_run, make_template

pytestmark = pytest.mark.django_db

TEMPLATES, RUNS = "/admin/prompts/prompttemplate/", "/admin/prompts/magicrun/"


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(make_owner())
    return client


def sent(**overrides: Any) -> dict[str, Any]:
    return {
        "category": "poems", "action": "enhance", "pre_condition": "Make it {mood}.", "post_condition": "",
        "description": "", "model": "", "temperature": "0.7", "max_tokens": "500", "is_text_needed": "on",
        "variables": json.dumps([MOOD]), "active": "on", "note": "shorter", **overrides,
    }  # fmt: skip


def act(owner: Client, action: str, *templates: PromptTemplate) -> None:
    owner.post(TEMPLATES, {"action": action, "_selected_action": [template.pk for template in templates]})


def test_a_template_is_made_and_an_edit_is_a_new_version(owner: Client) -> None:
    assert owner.post(f"{TEMPLATES}add/", sent()).status_code == 302
    first = PromptTemplate.objects.get(category="poems")
    assert (first.version, str(first.created_by), first.variables) == ("1", "ada", [MOOD])

    assert owner.post(f"{TEMPLATES}{first.pk}/change/", sent(temperature="1.5")).status_code == 302

    new = PromptTemplate.objects.newest().get(category="poems")
    assert (new.version, new.temperature, new.note, new.active) == ("2", 1.5, "shorter", True)
    assert PromptTemplate.objects.get(pk=first.pk).temperature == 0.7


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pre_condition": "{colour}"}, "not among the variables"),
        ({"variables": '["mood"]'}, "A variable has these values"),
        ({"variables": "7"}, "A variable has these values"),
        ({"temperature": "9"}, "Choose 0 to 2"),
    ],
)
def test_what_could_not_be_used_is_refused(owner: Client, values: dict[str, str], words: str) -> None:
    page = owner.post(f"{TEMPLATES}add/", sent(**values)).content.decode()

    assert words in page
    assert not PromptTemplate.objects.filter(category="poems").exists()


def test_a_name_that_is_taken_is_refused(owner: Client) -> None:
    make_template()

    assert "such a template already" in owner.post(f"{TEMPLATES}add/", sent()).content.decode()


def test_a_version_shows_what_it_asks_and_earlier_ones_cannot_be_changed(owner: Client) -> None:
    old = make_template(active=False, is_latest=False, note="<b>first</b>")
    new = make_template(version="2")

    page = owner.get(f"{TEMPLATES}{new.pk}/change/").content.decode()
    assert "Make this calm.\n\nA quiet lake" in page
    assert "&lt;b&gt;first" in page
    assert "_save" not in owner.get(f"{TEMPLATES}{old.pk}/change/").content.decode()
    assert owner.post(f"{TEMPLATES}{old.pk}/change/", sent()).status_code == 403


def test_versions_are_used_put_aside_and_rolled_back(owner: Client) -> None:
    old, new = make_template(active=False, is_latest=False), make_template(version="2", temperature=1.5)

    act(owner, "use", old)
    assert PromptTemplate.objects.active().get(category="poems") == old
    act(owner, "put_aside", old)
    assert not PromptTemplate.objects.active().filter(category="poems").exists()
    act(owner, "roll_back", old, new)
    assert PromptTemplate.objects.newest().get(category="poems").temperature == 0.7


def test_deleting_takes_all_versions(owner: Client) -> None:
    make_template(active=False, is_latest=False)
    new = make_template(version="2")

    owner.post(f"{TEMPLATES}{new.pk}/delete/", {"post": "yes"})

    assert not PromptTemplate.objects.filter(category="poems").exists()


def test_runs_are_found_and_only_looked_at(owner: Client) -> None:
    run = make_run(output_text="<script>alert(1)</script> zebra")
    make_run()

    assert str(run.pk) in owner.get(f"{RUNS}?q=zebra").content.decode()
    page = owner.get(f"{RUNS}{run.pk}/change/").content.decode()
    assert "&lt;script&gt;" in page
    assert "_save" not in page
    assert owner.post(f"{RUNS}{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert owner.get(f"{RUNS}add/").status_code == 403
