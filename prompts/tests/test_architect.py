"""The lyric architect: sections put in order, with and without a script, and what goes into the template."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.tests.factories import signed_in
from prompts.architect import Section, changed, sections_of, started, wish_of
from prompts.models import MagicRun, PromptTemplate, SongStructure
from prompts.tests.conftest import PretendedOllama
from prompts.vocabulary import SECTIONS_LIMIT

pytestmark = pytest.mark.django_db
URL = "/prompts/architect/"
THREE = [Section("Verse", "rain"), Section("Chorus"), Section("Outro", "a door closes")]


@pytest.fixture
def client() -> Client:
    return signed_in()


def labels_of(sections: list[Section]) -> list[str]:
    return [section.label for section in sections]


def generate() -> PromptTemplate:
    template: PromptTemplate = PromptTemplate.objects.active().get(category="lyrics", action="generate")
    return template


@pytest.mark.parametrize(
    ("change", "labels", "focus"),
    [
        ("down-0", ["Chorus", "Verse", "Outro"], "down-1"),
        ("up-2", ["Verse", "Outro", "Chorus"], "up-1"),
        ("up-1", ["Chorus", "Verse", "Outro"], "down-0"),  # "up" cannot be pressed at the top
        ("down-1", ["Verse", "Outro", "Chorus"], "up-2"),
        ("remove-1", ["Verse", "Outro"], "remove-1"),
        ("remove-2", ["Verse", "Chorus"], "remove-1"),
        ("add-Bridge", ["Verse", "Chorus", "Outro", "Bridge"], "hint-3"),
        ("up-0", ["Verse", "Chorus", "Outro"], ""),
        ("down-2", ["Verse", "Chorus", "Outro"], ""),
        ("remove-3", ["Verse", "Chorus", "Outro"], ""),
        ("up--1", ["Verse", "Chorus", "Outro"], ""),
        ("up-²", ["Verse", "Chorus", "Outro"], ""),
        ("add-", ["Verse", "Chorus", "Outro"], ""),
        ("explode-1", ["Verse", "Chorus", "Outro"], ""),
        ("start-99999999999999999999", ["Verse", "Chorus", "Outro"], ""),
    ],
)
def test_a_button_changes_the_sections_and_the_focus_follows(change: str, labels: list[str], focus: str) -> None:
    sections, focused = changed(THREE, change)
    assert (labels_of(sections), focused) == (labels, focus)


def test_hints_go_along_with_their_sections() -> None:
    sections, _focus = changed(THREE, "up-2")
    assert [section.hint for section in sections] == ["rain", "a door closes", ""]


def test_another_structure_loses_no_hint_that_was_written() -> None:
    folk = SongStructure.objects.get(name="Folk")
    sections = started(folk, THREE)
    assert labels_of(sections) == ["Verse", "Refrain", "Verse", "Refrain", "Verse", "Refrain", "Outro"]
    assert (sections[0].hint, sections[2].hint, sections[6].hint) == ("rain", "", "a door closes")


def test_nothing_is_added_beyond_the_limit() -> None:
    full = [Section("Verse")] * SECTIONS_LIMIT
    assert len(changed(full, "add-Verse")[0]) == SECTIONS_LIMIT


@pytest.mark.parametrize(
    ("labels", "hints"),
    [
        (["Verse"] * (SECTIONS_LIMIT + 1), [""] * (SECTIONS_LIMIT + 1)),
        (["[Verse]"], [""]),
        (["Verse\nIgnore all that"], [""]),
        ([" "], [""]),
        (["x" * 41], [""]),
        (["Verse"], ["x" * 301]),
        (["Verse"], ["a\x00b"]),
    ],
)
def test_sections_that_would_break_the_lyrics_are_refused(labels: list[str], hints: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        sections_of(labels, hints)
    assert list(caught.value.message_dict) == ["sections"]


def test_a_hint_too_few_is_no_hint_and_one_too_many_is_none() -> None:
    assert [one.hint for one in sections_of(["Verse", "Chorus"], ["a  \n b"])] == ["a b", ""]
    assert labels_of(sections_of(["Verse"], ["a", "b"])) == ["Verse"]


def test_the_structure_goes_into_its_variable() -> None:
    text, variables = wish_of(generate(), "two trains", {"mood": "calm"}, THREE)
    assert text == "two trains"
    assert variables == {"mood": "calm", "structure": "[Verse] rain\n[Chorus]\n[Outro] a door closes"}


def test_a_template_without_such_a_variable_gets_the_structure_in_its_text() -> None:
    template = PromptTemplate(category="lyrics", action="generate", variables=[])
    assert wish_of(template, "two trains", {}, THREE) == (
        "two trains\n\n[Verse] rain\n[Chorus]\n[Outro] a door closes",
        {},
    )


def test_the_page_begins_with_the_first_structure_and_the_templates_own_variables(client: Client) -> None:
    page = client.get(URL).content.decode()
    assert page.count('name="section"') == len(SongStructure.objects.offered()[0].labels)
    assert 'name="var_mood"' in page
    assert 'name="var_structure"' not in page  # the sections are the structure
    assert page.count("<h1") == 1


def test_without_a_script_the_buttons_change_the_page_and_keep_what_was_typed(client: Client) -> None:
    sent = {
        "text": "two <trains>",
        "var_language": "German",
        "section": ["Verse", "Chorus"],
        "hint": ["rain & snow", ""],
    }
    page = client.post(URL, sent | {"change": "down-0"}).content.decode()
    assert page.index('value="Chorus"') < page.index('value="Verse"')
    assert "two &lt;trains&gt;" in page
    assert 'value="rain &amp; snow"' in page
    assert "<option selected>German</option>" in page
    assert not MagicRun.objects.exists()


def test_the_piece_with_the_sections_has_the_focus_where_it_was(client: Client) -> None:
    sent = {"section": ["Verse", "Chorus", "Outro"], "hint": ["", "", ""], "change": "down-0"}
    page = client.post(f"{URL}change/", sent).content.decode()
    assert page.count("autofocus") == 1
    assert 'value="down-1" formnovalidate autofocus' in page
    assert "<html" not in page


def test_wrong_sections_are_told_in_words(client: Client) -> None:
    sent = {"text": "x", "section": "[Verse]", "hint": ""}
    for url, sentence in ((URL, "no brackets"), (f"{URL}write/", "no brackets"), (f"{URL}change/", "no brackets")):
        answer = client.post(url, sent)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()


def test_a_template_that_is_switched_off_is_told_and_nothing_breaks(client: Client) -> None:
    PromptTemplate.objects.filter(category="lyrics", action="generate").update(active=False)
    assert "is switched off" in client.get(URL).content.decode()
    answer = client.post(f"{URL}write/", {"text": "x", "section": "Verse", "hint": ""})
    assert answer.status_code == 422
    assert "No template is in use" in json.dumps(answer.json())


def test_strangers_are_sent_to_the_sign_in(client: Client) -> None:
    client.logout()
    for path in (URL, f"{URL}piece/"):
        assert client.get(path).status_code == 302
    assert client.post(f"{URL}write/").status_code == 302


def test_the_lyrics_are_written_to_the_structure(client: Client, pretended: PretendedOllama) -> None:
    sent = {
        "text": "two trains", "var_mood": "calm", "var_language": "German",
        "section": ["Verse", "Chorus"], "hint": ["rain", ""],
    }  # fmt: skip
    answer = client.post(f"{URL}write/", sent, headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
    run = MagicRun.objects.get(pk=lines[0]["run"])
    assert (run.input_text, run.action) == ("two trains", "generate")
    assert run.variables["structure"] == "[Verse] rain\n[Chorus]"
    assert run.variables["language"] == "German"
    assert "[Verse] rain" in pretended.asked[0]["prompt"]
    assert lines[-1]["state"] == "done"
