"""The doors of magic for the pages' fields."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_user
from prompts import services
from prompts.models import MagicRun
from prompts.tests.conftest import PretendedOllama
from prompts.tests.factories import make_run, make_template
from prompts.tests.writers import broken_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user())
    return client


def ask(client: Client, **fields: Any) -> Any:
    return client.post("/magic/", {"category": "poems", "action": "enhance", "text": "a lake", **fields})


def lines_of(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]


def test_a_text_streams_with_its_run_first_and_its_outcome_last(client: Client, pretended: PretendedOllama) -> None:
    template = make_template()

    lines = lines_of(ask(client, variables='{"mood": "wild"}'))

    run = MagicRun.objects.get()
    assert lines[0] == {
        "run": str(run.pk), "template": template.pk, "category": "poems", "action": "enhance", "version": "1",
        "model": "llama3.2",
    }  # fmt: skip
    assert "".join(line.get("text", "") for line in lines) == "a calm lake"
    assert lines[-1] == {
        "run": str(run.pk), "state": "done", "error": "", "seconds": 1.5, "model": "llama3.2:latest", "tokens": 3,
        "reason": "stop",
    }  # fmt: skip
    assert run.variables == {"mood": "wild"}
    assert run.user is not None


def test_variables_may_come_as_fields_of_a_form(client: Client, pretended: PretendedOllama) -> None:
    make_template()

    lines_of(ask(client, var_mood="wild"))

    assert MagicRun.objects.get().variables == {"mood": "wild"}


def test_it_streams_as_server_sent_events_when_asked(client: Client, pretended: PretendedOllama) -> None:
    make_template()
    answer: Any = client.post(
        "/magic/", {"category": "poems", "action": "enhance", "text": "a lake"}, headers={"accept": "text/event-stream"}
    )

    assert answer["Content-Type"] == "text/event-stream"
    assert b'data: {"text":"a calm lake"}' in b"".join(answer.streaming_content)


def test_written_again_remembers_what_came_before(client: Client, pretended: PretendedOllama) -> None:
    make_template()
    before = make_run()

    lines_of(ask(client, previous=str(before.pk)))

    assert MagicRun.objects.exclude(pk=before.pk).get().previous == before


def test_a_failure_is_the_last_line(client: Client, pretended: PretendedOllama) -> None:
    make_template()
    pretended.pieces = ["a calm", broken_off("Ollama does not answer at http://127.0.0.1:11434.")]

    last = lines_of(ask(client))[-1]

    assert (last["state"], last["error"]) == ("failed", "Ollama does not answer at http://127.0.0.1:11434.")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"action": "sing"}, "action"),
        ({"var_mood": "mad"}, "mood"),
        ({"variables": "[1]"}, "variables"),
        ({"variables": "{"}, "variables"),
        ({"variables": "[" * 100_000}, "variables"),
        ({"text": "a\x00b"}, "text"),
    ],
)
def test_what_cannot_be_asked_is_422_with_a_message_per_field(
    client: Client, pretended: PretendedOllama, fields: dict[str, str], field: str
) -> None:
    make_template()

    answer = ask(client, **fields)

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_a_run_can_be_come_back_to(client: Client) -> None:
    run = make_run(state="writing", output_text="a calm")

    told = client.get(f"/magic/{run.pk}/").json()

    assert (told["state"], told["text"], told["version"]) == ("writing", "a calm", "1")


def test_whoever_comes_back_reads_along_with_the_process_that_writes(
    client: Client, pretended: PretendedOllama
) -> None:
    make_template()
    begun = services.begin_magic(category="poems", action="enhance", text="a lake", variables={}, user=None)

    answer: Any = client.get(f"/magic/{begun.run.pk}/", headers={"accept": "application/x-ndjson, application/json"})

    first, *texts, last = lines_of(answer)
    assert (answer["Content-Type"], first["run"]) == ("application/x-ndjson", str(begun.run.pk))
    assert "".join(line["text"] for line in texts) == "a calm lake"
    assert last["state"] == "done"
    assert client.get(f"/magic/{begun.run.pk}/").json()["text"] == "a calm lake"  # who wants no stream gets none


def test_what_another_process_writes_is_told_as_it_stands(client: Client) -> None:
    run = make_run(state="writing", output_text="a calm")
    told = client.get(f"/magic/{run.pk}/", headers={"accept": "application/x-ndjson, application/json"})
    assert (told["Content-Type"], told.json()["text"]) == ("application/json", "a calm")


def test_a_run_that_broke_off_says_so(client: Client) -> None:
    run = make_run(state="writing", saved_at=timezone.now() - timedelta(minutes=5))

    told = client.get(f"/magic/{run.pk}/").json()

    assert told["state"] == "failed"
    assert "Write it again" in told["error"]


def test_a_run_can_be_stopped(client: Client) -> None:
    run = make_run(state="writing")

    assert client.post(f"/magic/{run.pk}/stop/").status_code == 200
    run.refresh_from_db()
    assert run.is_stop_asked


def test_a_run_that_is_not_there_is_404(client: Client) -> None:
    assert client.get(f"/magic/{uuid.uuid4()}/").status_code == 404
    assert client.post(f"/magic/{uuid.uuid4()}/stop/").status_code == 404


def test_the_menu_offers_each_template_in_use_with_its_fields(client: Client) -> None:
    make_template()
    make_template(action="make_it_rhyme", variables=[], description="<b>Rhymes</b>")
    make_template(action="old", active=False)

    page = client.get("/magic/menu/?category=poems&field=id_prompt").content.decode()

    assert "Make it rhyme" in page
    assert "&lt;b&gt;Rhymes" in page
    assert 'data-action="old"' not in page
    assert 'id="id_prompt-enhance-mood"' in page
    assert 'data-variable="mood"' in page
    assert "name=" not in page  # it stands inside the form of the field


def test_the_menu_says_when_there_is_nothing_to_offer(client: Client) -> None:
    assert "No template is in use" in client.get("/magic/menu/?category=cars&field=id_prompt").content.decode()


@pytest.mark.parametrize("field", ["", '"><script>', "a b", "x" * 200])
def test_a_field_that_is_no_id_is_404(client: Client, field: str) -> None:
    assert client.get("/magic/menu/", {"category": "poems", "field": field}).status_code == 404


@pytest.mark.parametrize(
    "address", ["/magic/menu/?category=poems&field=a", "/magic/5e1e2a6c-0d1f-4c2b-9b0e-3a7f6d1c8b42/"]
)
def test_nobody_else_sees_any_of_it(address: str) -> None:
    assert Client().get(address).status_code == 302
    assert Client().post("/magic/", {}).status_code == 302
