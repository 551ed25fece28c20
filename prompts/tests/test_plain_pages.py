"""Magic without a script: a text goes in on a page, another one comes out, and from there into the form."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.tests.factories import signed_in
from prompts.models import MagicRun
from prompts.tests.conftest import PretendedOllama
from prompts.tests.factories import make_run, make_template

pytestmark = pytest.mark.django_db
URL = "/magic/page/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def test_a_text_goes_in_and_leads_to_what_came_of_it(client: Client, pretended: PretendedOllama) -> None:
    make_template(category="images", action="dream")
    answer: Any = client.post(f"{URL}?category=images", {"action": "dream", "text": "a lake", "var_mood": "wild"})
    run = MagicRun.objects.get()
    assert (run.variables, run.input_text) == ({"mood": "wild"}, "a lake")
    assert answer.url == f"/magic/runs/{run.pk}/"
    page = client.get(answer.url).content.decode()
    for text in ("a calm lake", "a lake", "Template images/dream, version 1", "Use it in the form"):
        assert text in page
    assert page.count("<h1") == 1


def test_the_page_shows_the_templates_of_its_category_only(client: Client) -> None:
    page = client.get(URL, {"category": "lyrics"}).content.decode()
    assert "Improve" in page
    assert "From lyrics" not in page
    assert client.get(URL, {"category": "nothing"}).status_code == 404


def test_what_is_wrong_stands_at_the_template_it_was_sent_to(client: Client) -> None:
    answer = client.post(f"{URL}?category=images", {"action": "enhance", "text": " ", "var_style": "anime"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count('<ul class="errorlist"') == 1
    assert "Write something first: this template" in page
    assert page.count("<option selected>anime</option>") == 1
    wrong = {"action": "translate", "text": "kept <words>", "var_language": "nonsense"}
    answer = client.post(f"{URL}?category=images", wrong)
    assert answer.status_code == 422
    assert "Choose one of: English" in answer.content.decode()
    assert "kept &lt;words&gt;" in answer.content.decode()
    assert not MagicRun.objects.exists()


@pytest.mark.parametrize(
    ("category", "address", "field"),
    [
        ("lyrics", "/songs/new/", "lyrics"),
        ("songs", "/songs/new/", "prompt"),
        ("images", "/images/new/", "prompt"),
        ("title", "/songs/new/", "title"),
    ],
)
def test_a_text_goes_into_the_form_it_was_written_for(client: Client, category: str, address: str, field: str) -> None:
    run = make_run(template_version=make_template(category=category, action="dream"), output_text="a calm\nlake")
    page = client.post(f"/magic/runs/{run.pk}/use/", follow=True)
    assert page.redirect_chain[0][0].startswith(address)
    assert page.context["form"][field].value() == "a calm\nlake"
    if field != "title":
        assert f'name="{field}_run" value="{run.pk}"' in page.content.decode()


def test_a_text_that_no_form_could_take_is_refused_in_words(client: Client) -> None:
    run = make_run(template_version=make_template(category="lyrics", action="dream"), output_text="x" * 50_000)
    page = client.post(f"/magic/runs/{run.pk}/use/", follow=True).content.decode()
    assert "At most 40000 characters" in page


def test_a_text_for_no_form_of_ours_can_be_read_only(client: Client) -> None:
    run = make_run()
    assert "Use it in the form" not in client.get(f"/magic/runs/{run.pk}/").content.decode()
    assert client.post(f"/magic/runs/{run.pk}/use/").status_code == 404


def test_a_text_that_is_being_written_asks_for_itself_and_can_be_stopped(client: Client) -> None:
    run = make_run(state="writing", output_text="a calm")
    page = client.get(f"/magic/runs/{run.pk}/").content.decode()
    assert 'http-equiv="refresh"' in page
    assert 'hx-trigger="load delay:1s"' in page
    assert client.post(f"/magic/runs/{run.pk}/stop/").status_code == 302
    run.refresh_from_db()
    assert run.is_stop_asked
    run = make_run(state="failed", output_text="", error_message="Ollama is not there: http://127.0.0.1:11434")
    page = client.get(f"/magic/runs/{run.pk}/").content.decode()
    assert "Ollama is not there: http://127.0.0.1:11434" in page
    assert "refresh" not in page


def test_what_is_not_there_is_not_found(client: Client) -> None:
    assert client.get(f"/magic/runs/{uuid.uuid4()}/").status_code == 404
    assert client.post(f"/magic/runs/{uuid.uuid4()}/use/").status_code == 404


def test_strangers_are_sent_to_the_sign_in(client: Client) -> None:
    run = make_run()
    client.logout()
    assert client.get(f"{URL}?category=lyrics").status_code == 302
    assert client.get(f"/magic/runs/{run.pk}/").status_code == 302
