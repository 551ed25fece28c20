"""Texts, templates and runs as an API."""

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.tests.clients import make_api_client
from prompts import services
from prompts.models import MagicRun
from prompts.tests.conftest import PretendedOllama
from prompts.tests.factories import MOOD, make_run, make_template
from prompts.tests.writers import write_at_once
from prompts.writing import Ended, Writing
from providers import ollama
from providers.errors import ProviderError, Verdict
from providers.ollama_types import Finish, Model, Piece

pytestmark = pytest.mark.django_db

TEMPLATES = "/api/v1/prompt-templates/"
MISSING = ProviderError(Verdict.REFUSED, "Ollama has no model “x”.", provider="Ollama", status=404)
AWAY = ProviderError(Verdict.LATER, "Ollama does not answer.", provider="Ollama")
BUSY = ProviderError(Verdict.LATER, "Ollama is busy.", provider="Ollama", status=503)
BROKEN = ProviderError(Verdict.LATER, "Ollama broke off.", provider="Ollama", status=200)


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def magic(api: APIClient, **sent: Any) -> Any:
    return api.post("/api/v1/chat/magic/", {"category": "poems", "action": "enhance", "text": "a lake", **sent})


# --- Texts ---


def test_one_text_is_answered_whole(api: APIClient, pretended: PretendedOllama) -> None:
    sent = {
        "prompt": "a lake", "model": "llama3.2", "pre_condition": "Before.", "post_condition": "After.",
        "options": {"temperature": 0.1, "max_tokens": 50, "stop": ["END"]},
    }  # fmt: skip

    answer = api.post("/api/v1/chat/generate/", sent)

    assert answer.status_code == 200
    run = MagicRun.objects.get()
    assert answer.json() == {
        "run": str(run.pk), "text": "a calm lake", "thinking": "", "model": "llama3.2:latest", "finish_reason": "stop",
        "prompt_tokens": None, "tokens": 3, "tokens_per_second": 3.0, "seconds": 1.5,
    }  # fmt: skip
    (asked,) = pretended.asked
    assert asked["prompt"] == "Before.\n\na lake\n\nAfter."
    assert (asked["options"].temperature, asked["options"].max_tokens, asked["options"].stop) == (0.1, 50, ("END",))
    kept = api.get(answer["Location"]).json()
    shown = {name: kept[name] for name in ("template", "category", "action", "version", "input_text", "prompt", "text")}
    assert shown == {
        "template": None, "category": "chat", "action": "generate", "version": "", "input_text": "a lake",
        "prompt": asked["prompt"], "text": "a calm lake",
    }  # fmt: skip
    assert (kept["state"], kept["tokens"]) == ("done", 3)
    assert run.user is not None
    assert str(run).startswith("chat/generate, ")


def test_a_text_that_failed_keeps_what_came_of_it(api: APIClient, pretended: PretendedOllama) -> None:
    pretended.pieces = ["a calm ", BROKEN]

    answer = api.post("/api/v1/chat/generate/", {"prompt": "a lake"})

    assert (answer.status_code, answer.json()["detail"]) == (502, "Ollama broke off.")
    kept = api.get(answer["Location"]).json()
    assert (kept["state"], kept["text"], kept["error_message"]) == ("failed", "a calm ", "Ollama broke off.")
    assert answer.json()["run"] == kept


def test_a_text_that_somebody_stopped_is_answered_as_far_as_it_came(
    api: APIClient, pretended: PretendedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(pieces: Any, sink: Any) -> Writing:
        writing = write_at_once(pieces, sink)
        monkeypatch.setattr(writing, "events", lambda: iter([Ended("stopped")]))
        return writing

    monkeypatch.setattr(services, "write", stopped)
    answer = api.post("/api/v1/chat/generate/", {"prompt": "a lake", "model": "qwen3"})

    assert (answer.status_code, answer.json()["text"], answer.json()["finish_reason"]) == (200, "a calm lake", "")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "a\x00"}, "prompt"),
        ({"prompt": "x" * 200_001}, "prompt"),
        ({"prompt": "a", "pre_condition": "x" * 200_001}, "pre_condition"),
        ({"prompt": "a", "options": {"temperature": 3}}, "options"),
        ({"prompt": "a", "options": [1]}, "options"),
    ],
)
def test_a_text_that_cannot_be_asked_for_is_400(
    api: APIClient, pretended: PretendedOllama, sent: dict[str, Any], field: str
) -> None:
    answer = api.post("/api/v1/chat/generate/", sent)

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert pretended.asked == []
    assert not MagicRun.objects.exists()


@pytest.mark.parametrize(("error", "code"), [(MISSING, 422), (AWAY, 503), (BUSY, 503), (BROKEN, 502)])
def test_what_ollama_cannot_do_is_told_in_a_sentence(
    api: APIClient, pretended: PretendedOllama, settings: Any, error: ProviderError, code: int
) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:11434"
    make_template()
    pretended.pieces = [error]

    generated, made = api.post("/api/v1/chat/generate/", {"prompt": "a"}), magic(api)

    assert (generated.status_code, made.status_code) == (code, code)
    assert error.message in generated.json()["detail"]
    assert ("http://127.0.0.1:11434" in generated.json()["detail"]) == (code == 503)
    assert made.json()["run"]["error_message"] == error.message
    assert generated.json()["detail"] == made.json()["detail"]


def test_a_model_that_only_thinks_is_told_with_advice(api: APIClient, pretended: PretendedOllama) -> None:
    make_template()
    pretended.pieces = [Piece(thinking="Hm."), Finish(reason="length", model="qwen3", tokens=50)]

    generated, made = api.post("/api/v1/chat/generate/", {"prompt": "a"}), magic(api)

    assert (generated.status_code, made.status_code) == (502, 502)
    assert "does not think" in generated.json()["detail"]
    assert "does not think" in made.json()["detail"]


def test_a_text_by_a_template_is_a_run_that_stays(api: APIClient, pretended: PretendedOllama) -> None:
    template = make_template()

    answer = magic(api, variables={"mood": "wild"})

    assert answer.status_code == 201
    told = answer.json()
    assert (told["template"], told["version"], told["text"], told["state"]) == (template.pk, "1", "a calm lake", "done")
    assert told["variables"] == {"mood": "wild"}
    assert api.get(f"/api/v1/magic-runs/{told['id']}/").json() == told


@pytest.mark.parametrize(
    ("accept", "first"), [("application/x-ndjson", b'{"run":'), ("text/event-stream", b'data: {"run":')]
)
def test_it_streams_when_asked(api: APIClient, pretended: PretendedOllama, accept: str, first: bytes) -> None:
    make_template()
    sent = {"category": "poems", "action": "enhance", "text": "a lake"}

    answer: Any = api.post("/api/v1/chat/magic/", sent, headers={"accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, accept)
    body = b"".join(answer.streaming_content)
    assert body.startswith(first)
    assert json.loads(body.decode().strip().splitlines()[-1].removeprefix("data: "))["state"] == "done"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"text": ""}, "text"),
        ({"action": "sing"}, "action"),
        ({"variables": {"mood": "mad"}}, "mood"),
        ({"variables": {"colour": "red"}}, "colour"),
        ({"variables": []}, "variables"),
        ({"previous": str(uuid.uuid4())}, "previous"),
    ],
)
def test_magic_that_cannot_be_asked_for_is_400(
    api: APIClient, pretended: PretendedOllama, sent: dict[str, Any], field: str
) -> None:
    make_template()

    answer = magic(api, **sent)

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert MagicRun.objects.count() == 0


def test_models_are_listed(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model("llama3.2:latest", 2_019_393_189, "llama", "3.2B", "Q4_K_M", 131_072, ("completion",), True)
    monkeypatch.setattr(ollama, "list_models", lambda: [model])

    assert api.get("/api/v1/chat/models/").json() == [
        {
            "name": "llama3.2:latest", "size_bytes": 2_019_393_189, "family": "llama", "parameter_size": "3.2B",
            "quantization": "Q4_K_M", "context_tokens": 131_072, "capabilities": ["completion"], "is_loaded": True,
        }
    ]  # fmt: skip


def test_models_that_cannot_be_read_are_503_with_the_address(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:11434"

    def away() -> list[Model]:
        raise AWAY

    monkeypatch.setattr(ollama, "list_models", away)

    answer = api.get("/api/v1/chat/models/")

    assert answer.status_code == 503
    assert answer.json() == {"detail": "Ollama does not answer. (http://127.0.0.1:11434)"}


# --- Templates ---


def test_templates_are_listed_once_each_and_filtered(api: APIClient) -> None:
    make_template(active=False, is_latest=False)
    make_template(version="2", active=False)

    assert [row["version"] for row in api.get(TEMPLATES, {"category": "poems"}).json()["results"]] == ["2"]
    assert api.get(TEMPLATES, {"category": "poems", "active": "true"}).json()["results"] == []
    assert len(api.get(TEMPLATES, {"active": "false"}).json()["results"]) == 1
    assert {row["category"] for row in api.get(TEMPLATES, {"q": "singable lyrics melody"}).json()["results"]} <= {
        "lyrics"
    }
    assert api.get(TEMPLATES, {"active": "perhaps"}).status_code == 400


def test_a_template_is_made_edited_rolled_back_put_aside_and_deleted(api: APIClient) -> None:
    made = api.post(
        TEMPLATES, {"category": "poems", "action": "enhance", "pre_condition": "Make it {mood}.", "variables": [MOOD]}
    )
    assert (made.status_code, made.json()["version"], made.json()["active"]) == (201, "1", True)
    first = f"{TEMPLATES}{made.json()['id']}/"

    edited = api.patch(first, {"temperature": 1.5, "note": "wilder"})
    assert (edited.status_code, edited.json()["version"], edited.json()["note"]) == (201, "2", "wilder")
    assert edited.json()["pre_condition"] == "Make it {mood}."
    assert api.patch(first, {"temperature": 0.1}).status_code == 409
    assert [row["version"] for row in api.get(f"{first}versions/").json()["results"]] == ["2", "1"]

    back = api.post(f"{first}roll-back/")
    assert (back.status_code, back.json()["version"], back.json()["temperature"]) == (201, "3", 0.7)
    third = f"{TEMPLATES}{back.json()['id']}/"
    assert api.post(f"{third}roll-back/").status_code == 400

    assert api.post(f"{third}deactivate/").json()["active"] is False
    assert api.post(f"{first}activate/").json()["active"] is True
    assert api.patch(third, {"active": True}).status_code == 200
    assert api.get(first).json()["active"] is False

    assert api.delete(first).status_code == 204
    assert api.get(third).status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"pre_condition": "{colour}"}, "pre_condition"),
        ({"pre_condition": "{a.b}"}, "pre_condition"),
        ({"variables": [{"name": "mood", "kind": "choice"}]}, "variables"),
        ({"variables": ["mood"]}, "variables"),
        ({"variables": [{"name": "mood", "choices": {"a": 1}}]}, "variables"),
        ({"temperature": 5}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"category": "My Poems"}, "category"),
        ({"pre_condition": "x\u0000"}, "pre_condition"),
    ],
)
def test_a_template_that_could_not_be_used_is_400(api: APIClient, sent: dict[str, Any], field: str) -> None:
    sound = {"category": "poems", "action": "enhance", "pre_condition": "Make it nice."}

    answer = api.post(TEMPLATES, sound | sent)

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_lists_ask_the_same_number_of_queries_however_long_they_are(api: APIClient) -> None:
    api.get(TEMPLATES)  # the token notes its first use
    counts = []
    for number in range(2):
        for row in range(3):
            make_template(action=f"a{number}{row}")
            make_run()
        with CaptureQueriesContext(connection) as captured:
            api.get(TEMPLATES)
            api.get("/api/v1/magic-runs/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- Runs ---


def test_runs_are_listed_filtered_and_stopped(api: APIClient) -> None:
    run, trial = make_run(state="writing"), make_run(is_trial=True)

    assert len(api.get("/api/v1/magic-runs/", {"category": "poems"}).json()["results"]) == 2
    found = api.get("/api/v1/magic-runs/", {"is_trial": "true"}).json()["results"]
    assert [row["id"] for row in found] == [str(trial.pk)]
    assert api.post(f"/api/v1/magic-runs/{run.pk}/stop/").status_code == 200
    run.refresh_from_db()
    assert run.is_stop_asked
    assert api.get(f"/api/v1/magic-runs/{uuid.uuid4()}/").status_code == 404


@pytest.mark.parametrize("path", ["prompt-templates/", "magic-runs/", "chat/models/"])
def test_nobody_without_a_token_sees_any_of_it(path: str) -> None:
    assert APIClient().get(f"/api/v1/{path}").status_code == 401
