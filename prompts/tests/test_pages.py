"""The pages of the templates: they work without a script, refuse in plain words, and show hostile text as text."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.tests.factories import signed_in
from prompts.models import MagicRun, PromptTemplate
from prompts.tests.conftest import PretendedOllama
from prompts.tests.factories import MOOD, make_run, make_template

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>\"'&\u202e"


@pytest.fixture
def client() -> Client:
    return signed_in()


def form(**overrides: Any) -> dict[str, Any]:
    """What a browser sends for one variable."""
    return {
        "category": "poems", "action": "enhance", "description": "Nice.", "pre_condition": "Make this {mood}.",
        "post_condition": "Answer only.", "model": "", "temperature": "0.7", "max_tokens": "500", "note": "",
        "is_text_needed": "on", "active": "on",
        "variables-TOTAL_FORMS": "2", "variables-INITIAL_FORMS": "0", "variables-0-name": "mood",
        "variables-0-label": "Mood", "variables-0-kind": "choice", "variables-0-choices": "calm | wild",
        "variables-0-default": "calm", "variables-1-name": "", "variables-1-kind": "text",
        **overrides,
    }  # fmt: skip


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


# --- List and detail ---


def test_templates_stand_by_category_searched_and_filtered(client: Client) -> None:
    make_template(active=False)

    assert "Continue" in text_of(client.get("/templates/"))
    page = text_of(client.get("/templates/?category=poems"))
    assert "Enhance" in page
    assert "Put aside" in page
    assert "Continue" not in page
    assert "No template matches" in text_of(client.get("/templates/?category=poems&active=true"))
    assert "No template matches" in text_of(client.get("/templates/?q=zebra"))


def test_a_studio_without_templates_says_what_they_are(client: Client) -> None:
    PromptTemplate.objects.all().delete()

    assert "No templates yet" in text_of(client.get("/templates/"))


def test_a_version_shows_what_it_asks_and_its_neighbours(client: Client) -> None:
    template = make_template()

    page = text_of(client.get(f"/templates/{template.pk}/"))

    assert "Make this calm.\n\nA quiet lake in the morning\n\nAnswer with the poem only." in page
    assert client.get("/templates/999999/").status_code == 404


def test_versions_come_in_pages_as_long_as_the_person_likes(client: Client) -> None:
    for number in range(1, 24):
        template = make_template(version=str(number), active=False, is_latest=False, note=f"Note {number}.")
    User.objects.update(items_per_page=10)
    for page, numbers in ((1, range(23, 13, -1)), (2, range(13, 3, -1)), (3, range(3, 0, -1))):
        html = text_of(client.get(f"/templates/{template.pk}/?page={page}"))
        assert re.findall(r"Note (\d+)\.</span>", html) == [str(number) for number in numbers]
        assert ('rel="next"' in html) == (page < 3)


def test_hostile_text_is_shown_as_text_everywhere(client: Client, pretended: PretendedOllama) -> None:
    template = make_template(
        pre_condition=HOSTILE + "{mood}", description=HOSTILE, note=HOSTILE, model=HOSTILE[:40],
        variables=[
            {"name": "mood", "label": HOSTILE, "kind": "text", "choices": [], "default": HOSTILE, "required": False}
        ],
    )  # fmt: skip
    run = make_run(template_version=template, output_text=HOSTILE, thinking=HOSTILE, error_message=HOSTILE)

    for address in ("", "edit/", "compare/", "bench/", "delete/", f"bench/?first={run.pk}&second={run.pk}"):
        page = text_of(client.get(f"/templates/{template.pk}/{address}"))
        assert "<script>alert" not in page, address
    for address in ("/templates/", f"/templates/runs/{run.pk}/", "/magic/menu/?category=poems&field=a"):
        assert "<script>alert" not in text_of(client.get(address))


def test_a_template_that_somebody_spoilt_still_has_a_page(client: Client) -> None:
    template = make_template(pre_condition="{colour} {")

    assert "stands alone" in text_of(client.get(f"/templates/{template.pk}/"))


# --- Making and editing ---


def test_a_template_is_made_with_its_variables(client: Client) -> None:
    answer = client.post("/templates/new/", form())

    template = PromptTemplate.objects.get(category="poems")
    assert (answer.status_code, answer["Location"]) == (302, f"/templates/{template.pk}/")
    assert template.variables == [MOOD]
    assert "Enhance" in text_of(client.get("/magic/menu/?category=poems&field=id_text"))


def test_an_edit_is_a_new_version(client: Client) -> None:
    template = make_template()
    page = text_of(client.get(f"/templates/{template.pk}/edit/"))
    assert 'value="calm | wild"' in page

    client.post(f"/templates/{template.pk}/edit/", form(temperature="1.5", note="wilder", category="other"))

    new = PromptTemplate.objects.newest().get(category="poems")
    assert (new.version, new.temperature, new.note, new.active) == ("2", 1.5, "wilder", True)
    assert str(new.created_by) == "ada"


def test_an_edit_may_wait(client: Client) -> None:
    template = make_template()

    client.post(f"/templates/{template.pk}/edit/", {key: value for key, value in form().items() if key != "active"})

    assert PromptTemplate.objects.active().get(category="poems") == template


def test_an_edit_of_an_old_version_is_refused_and_keeps_what_was_written(client: Client) -> None:
    template = make_template()
    client.post(f"/templates/{template.pk}/edit/", form(temperature="1.5"))

    answer = client.post(f"/templates/{template.pk}/edit/", form(description="My long work"))

    assert answer.status_code == 422
    assert "Version 2 was saved in the meantime" in text_of(answer)
    assert "My long work" in text_of(answer)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pre_condition": "{colour} {mood}"}, "not among the variables"),
        ({"pre_condition": "{mood} }"}, "stands alone"),
        ({"variables-0-name": "My Mood"}, "no name for a variable"),
        ({"variables-0-choices": ""}, "something to choose from"),
        ({"variables-0-kind": "colour"}, "Select a valid choice"),
        ({"temperature": "9"}, "Choose 0 to 2"),
        ({"temperature": "nan"}, "Enter a number"),
        ({"category": "My Poems"}, "Small letters"),
        ({"variables-TOTAL_FORMS": "1000"}, "submit at most 20"),
        ({"variables-TOTAL_FORMS": "x"}, "ManagementForm"),
        ({"pre_condition": "x" * 200_001}, "At most 200000"),
    ],
)
def test_what_could_not_be_used_is_422_with_words(client: Client, values: dict[str, str], words: str) -> None:
    answer = client.post("/templates/new/", form(**values))

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not PromptTemplate.objects.filter(category="poems").exists()


def test_the_form_shows_what_it_would_ask_without_saving(client: Client) -> None:
    answer = client.post("/templates/new/", form(preview="yes", example="a boat"))

    assert answer.status_code == 200
    assert "Make this calm.\n\na boat\n\nAnswer only." in text_of(answer)
    fragment = text_of(client.post("/templates/preview/", form(example="a boat")))
    assert "Make this calm.\n\na boat\n\nAnswer only." in fragment
    assert "<html" not in fragment
    assert "stands alone" in text_of(client.post("/templates/preview/", form(pre_condition="{")))
    assert not PromptTemplate.objects.filter(category="poems").exists()


def test_a_new_one_can_begin_with_another(client: Client) -> None:
    template = make_template()

    page = text_of(client.get(f"/templates/new/?like={template.pk}"))

    assert "Make this {mood}." in page
    assert client.get("/templates/new/?like=x").status_code == 200


# --- Versions ---


def test_versions_are_compared_rolled_back_used_and_put_aside(client: Client) -> None:
    first = make_template()
    client.post(f"/templates/{first.pk}/edit/", form(pre_condition="Make this very {mood}."))
    second = PromptTemplate.objects.newest().get(category="poems")

    page = text_of(client.get(f"/templates/{second.pk}/compare/"))
    assert "<ins> very</ins>" in page or "<ins>very </ins>" in page
    other = PromptTemplate.objects.exclude(category="poems").first()
    assert other is not None
    assert client.get(f"/templates/{second.pk}/compare/?with={other.pk}").status_code == 404

    client.post(f"/templates/{first.pk}/roll-back/")
    third = PromptTemplate.objects.newest().get(category="poems")
    assert (third.version, third.pre_condition, third.active) == ("3", "Make this {mood}.", True)
    client.post(f"/templates/{third.pk}/use/", {"aside": "yes"})
    assert not PromptTemplate.objects.active().filter(category="poems").exists()
    client.post(f"/templates/{second.pk}/use/")
    assert PromptTemplate.objects.active().get(category="poems") == second
    assert client.get(f"/templates/{second.pk}/use/").status_code == 405


def test_deleting_asks_first(client: Client) -> None:
    template = make_template()

    assert "goes for good" in text_of(client.get(f"/templates/{template.pk}/delete/"))
    assert client.post(f"/templates/{template.pk}/delete/").status_code == 302
    assert not PromptTemplate.objects.filter(category="poems").exists()


def test_pages_ask_the_same_number_of_queries_however_much_there_is(client: Client) -> None:
    template = make_template()
    counts = []
    for number in range(2):
        for row in range(3):
            make_template(action=f"a{number}{row}", is_latest=True)
            make_template(version=f"{number}{row}", active=False, is_latest=False)
        with CaptureQueriesContext(connection) as captured:
            client.get("/templates/")
            client.get(f"/templates/{template.pk}/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- Test bench ---


def test_two_versions_write_about_one_text_side_by_side(client: Client, pretended: PretendedOllama) -> None:
    first = make_template()
    client.post(f"/templates/{first.pk}/edit/", form(pre_condition="Make this very {mood}."))
    second = PromptTemplate.objects.newest().get(category="poems")

    answer = client.post(
        f"/templates/{second.pk}/bench/",
        {"first": first.pk, "second": second.pk, "text": "a lake", "var_mood": "wild", "second_model": "qwen3"},
    )

    assert [asked["prompt"].split("\n")[0] for asked in pretended.asked] == ["Make this wild.", "Make this very wild."]
    assert [asked["model"] for asked in pretended.asked] == ["llama3.2", "qwen3"]
    assert set(MagicRun.objects.values_list("is_trial", flat=True)) == {True}
    page = text_of(client.get(answer["Location"]))
    assert page.count("a calm lake") == 2
    assert "1.5 s" in page
    assert "3 tokens" in page
    assert "\na lake</textarea>" in page
    assert "<option selected>wild</option>" in page


def test_a_bench_that_cannot_run_says_why(client: Client, pretended: PretendedOllama) -> None:
    template = make_template()
    sent = {"first": template.pk, "second": template.pk, "text": "a lake", "var_mood": "mad"}

    answer = client.post(f"/templates/{template.pk}/bench/", sent)
    assert (answer.status_code, "mood: Choose one of" in text_of(answer)) == (422, True)
    answer = client.post(f"/templates/{template.pk}/bench/", sent | {"text": "", "var_mood": "calm"})
    assert (answer.status_code, "Write something first" in text_of(answer)) == (422, True)
    answer = client.post(f"/templates/{template.pk}/bench/", sent | {"first": "x"})
    assert answer.status_code == 422
    assert MagicRun.objects.count() == 0


def test_a_run_asks_for_itself_again_only_while_more_may_come(client: Client) -> None:
    writing, done = make_run(state="writing"), make_run()

    assert "hx-trigger" in text_of(client.get(f"/templates/runs/{writing.pk}/"))
    assert "hx-trigger" not in text_of(client.get(f"/templates/runs/{done.pk}/"))
    client.post(f"/templates/runs/{writing.pk}/stop/")
    writing.refresh_from_db()
    assert writing.is_stop_asked


@pytest.mark.parametrize("path", ["", "new/", "import/", "export/"])
def test_nobody_else_sees_any_of_it(path: str) -> None:
    assert Client().get(f"/templates/{path}").status_code == 302
