"""Templates go out as a file and come in again; what a file would change is told before anything is changed."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.tests.factories import signed_in
from prompts import exchange
from prompts.models import PromptTemplate
from prompts.tests.factories import make_template

pytestmark = pytest.mark.django_db


def file_with(*items: Any, **overrides: Any) -> bytes:
    content = {"format": exchange.FORMAT, "version": 1, "templates": list(items)} | overrides
    return json.dumps(content).encode()


def item(**overrides: Any) -> dict[str, Any]:
    return {"category": "poems", "action": "enhance", "pre_condition": "Make this nice."} | overrides


def test_what_goes_out_comes_in_again_word_for_word() -> None:
    templates = list(PromptTemplate.objects.newest())
    data = exchange.export(templates).encode()
    assert {entry.standing for entry in exchange.read(data)} == {"same"}

    before = {str(template): template.pre_condition for template in templates}
    PromptTemplate.objects.all().delete()
    assert exchange.take_in(data, replace=set(), user=None) == (len(templates), 0)

    assert {str(template): template.pre_condition for template in PromptTemplate.objects.newest()} == before


def test_a_conflict_is_told_and_left_alone_unless_it_is_chosen() -> None:
    make_template()
    data = file_with(item(), item(action="other"))
    assert [entry.standing for entry in exchange.read(data)] == ["other", "new"]
    assert PromptTemplate.objects.filter(category="poems").count() == 1

    assert exchange.take_in(data, replace=set(), user=None) == (1, 0)
    assert PromptTemplate.objects.newest().get(category="poems", action="enhance").version == "1"
    assert exchange.take_in(data, replace={1}, user=None) == (0, 1)
    new = PromptTemplate.objects.newest().get(category="poems", action="enhance")
    assert (new.version, new.pre_condition, new.note) == ("2", "Make this nice.", "From a file")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no file of templates"),
        (b"7", "no file of templates"),
        (b'{"format": "other"}', "no file of templates"),
        (file_with(version=2), "newer studio"),
        (file_with(), "no templates in the file"),
        (file_with(templates={}), "no templates in the file"),
        (file_with(*[item()] * 201), "At most 200"),
        (b" " * (1024 * 1024 + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_is_none_is_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        exchange.read(data)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (7, "no object"),
        ({}, "needed"),
        (item(temperature="hot"), "wrong kind"),
        (item(temperature=True), "wrong kind"),
        (item(temperature=float("nan")), "0 to 2"),
        (item(max_tokens=10**30), "1 to"),
        (item(max_tokens=1.5), "wrong kind"),
        (item(pre_condition="{colour}"), "colour"),
        (item(pre_condition="{a.b}"), "no variable"),
        (item(pre_condition="\ud800"), "half a character"),
        (item(variables=[{"name": "__class__"}]), "no name"),
        (item(variables="mood"), "wrong kind"),
        (item(id=1), "not known here"),
        (item(category="<script>"), "Small letters"),
    ],
)
def test_a_template_that_could_not_be_used_is_refused_alone(spoilt: Any, words: str) -> None:
    data = file_with(spoilt, item(action="sound"))

    refused, sound = exchange.read(data)

    assert (refused.standing, sound.standing) == ("refused", "new")
    assert words in " ".join(refused.problems)
    assert exchange.take_in(data, replace={1}, user=None) == (1, 0)


def test_a_template_that_is_there_twice_is_taken_once() -> None:
    data = file_with(item(), item(pre_condition="Other."))

    assert [entry.standing for entry in exchange.read(data)] == ["new", "refused"]
    assert exchange.take_in(data, replace=set(), user=None) == (1, 0)


# --- The pages ---


def upload(client: Client, data: bytes) -> Any:
    return client.post("/templates/import/", {"file": SimpleUploadedFile("t.json", data)})


def test_a_file_is_looked_at_before_it_is_taken_in() -> None:
    client = signed_in()
    make_template()
    data = file_with(item(), item(action="other"))

    page = upload(client, data).content.decode()

    assert "Other than version 1 here" in page
    assert PromptTemplate.objects.filter(category="poems").count() == 1
    answer = client.post("/templates/import/take/", {"content": data.decode(), "replace": ["1"]}, follow=True)
    assert "1 templates made, 1 new versions" in answer.content.decode()
    assert PromptTemplate.objects.filter(category="poems").count() == 3


@pytest.mark.parametrize("data", [b"nonsense", b"x" * (1024 * 1024 + 1), b"<script>alert(1)</script>"])
def test_a_hostile_file_is_422(data: bytes) -> None:
    answer = upload(signed_in(), data)

    assert answer.status_code == 422
    assert b"<script>alert" not in answer.content


def test_what_is_sent_in_place_of_a_file_is_refused_as_well() -> None:
    answer = signed_in().post(
        "/templates/import/take/", {"content": "nonsense", "replace": ["x", "9" * 99]}, follow=True
    )

    assert "not JSON" in answer.content.decode()


def test_files_go_out() -> None:
    client = signed_in()
    template = make_template()

    one, every = client.get(f"/templates/{template.pk}/export/"), client.get("/templates/export/")

    assert one["Content-Disposition"] == 'attachment; filename="poems-enhance-1.json"'
    assert json.loads(one.content)["templates"][0]["variables"] == template.variables
    assert len(json.loads(every.content)["templates"]) == PromptTemplate.objects.newest().count()
