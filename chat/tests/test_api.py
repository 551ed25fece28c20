"""The chat as an API: conversations, messages as a stream or in one piece, presets."""

import json
import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.tests.clients import make_api_client
from accounts.tests.factories import make_owner
from chat import answering, keeping, services
from chat.models import Conversation, Message, State, SystemPreset
from chat.tests.desk import FINISH, Desk, Model, end_of, shown, talk, write_through
from providers.errors import ProviderError, Verdict

pytestmark = pytest.mark.django_db
CONVERSATIONS = "/api/v1/chat/conversations/"
MESSAGES = "/api/v1/chat/messages/"
PRESETS = "/api/v1/chat/presets/"


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


@pytest.fixture
def at_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every answer written before the request that asks for it goes on."""
    monkeypatch.setattr(answering, "write", write_through)


def lines_of(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


# --- Conversations --------------------------------------------------------------------------------------------------


def test_a_conversation_is_made_and_named_after_its_first_message(api: APIClient, at_once: None) -> None:
    preset = SystemPreset.objects.get(name="Songwriter")

    made = api.post(CONVERSATIONS, {"model": "qwen3:8b", "preset": preset.pk})
    assert (made.status_code, made.json()["title"], made.json()["preset_name"]) == (201, "", "Songwriter")
    answer = api.post(f"{CONVERSATIONS}{made.json()['id']}/messages/", {"text": "A song about rain"})

    assert answer.status_code == 201
    assert (answer.json()["text"], answer.json()["state"], answer.json()["model"]) == (
        "Good morning.",
        "done",
        "qwen3:8b",
    )
    shown_now = api.get(f"{CONVERSATIONS}{made.json()['id']}/").json()
    assert shown_now["title"] == "A song about rain"
    assert [message["role"] for message in shown_now["messages"]] == ["user", "assistant"]
    assert shown_now["earlier"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "x" * 201}, "title"),
        ({"model": "x" * 201}, "model"),
        ({"preset": 99}, "preset"),
        ({"title": 5}, "title"),
    ],
)
def test_what_no_conversation_begins_with_is_named_by_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    answer = api.post(CONVERSATIONS, body)

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_conversations_are_listed_searched_filtered_and_paged(api: APIClient, desk: Desk) -> None:
    old, new = talk(desk, "An arboretum"), talk(desk, "Rain", "on the arbour")
    keeping.archive(old)

    def found(query: str) -> list[str]:
        return [row["display_title"] for row in api.get(f"{CONVERSATIONS}?{query}").json()["results"]]

    assert found("") == ["Rain", "An arboretum"]
    assert found("q=arbo") == ["Rain", "An arboretum"]
    assert found("q=arbo rain") == ["Rain"]
    assert found("archived=true") == ["An arboretum"]
    assert found("archived=false") == ["Rain"]
    assert found("trashed=true") == []
    assert found("ordering=title") == ["An arboretum", "Rain"]
    first = api.get(f"{CONVERSATIONS}?page_size=1").json()
    assert first["next"].endswith("page=2&page_size=1")
    assert api.get(f"{CONVERSATIONS}?ordering=nonsense").status_code == 400
    api.delete(f"{CONVERSATIONS}{new.pk}/")
    assert found("trashed=true") == ["Rain"]


def test_a_conversation_is_renamed_archived_deleted_and_restored(api: APIClient, desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    address = f"{CONVERSATIONS}{conversation.pk}/"

    changed = api.patch(address, {"title": "Greetings", "is_archived": True})
    assert (changed.status_code, changed.json()["title"], changed.json()["is_archived"]) == (200, "Greetings", True)
    assert api.patch(address, {"title": " "}).status_code == 400
    assert api.delete(address).status_code == 204
    assert api.get(address).json()["deleted_at"]
    assert api.post(f"{address}messages/", {"text": "More"}).status_code == 400
    assert api.post(f"{address}restore/").json()["deleted_at"] is None


def test_a_conversation_is_forked_and_exported(api: APIClient, desk: Desk) -> None:
    conversation = talk(desk, "Hello", "More")
    first = conversation.messages.get(position=2)

    forked = api.post(f"{CONVERSATIONS}{conversation.pk}/fork/", {"message": str(first.pk)})
    exported = api.get(f"{CONVERSATIONS}{conversation.pk}/export/", HTTP_ACCEPT="text/markdown")

    assert forked.status_code == 201
    assert shown(Conversation.objects.get(pk=forked.json()["id"])) == ["Hello", "Good morning."]
    assert (
        shown(Conversation.objects.get(pk=api.post(f"{CONVERSATIONS}{conversation.pk}/fork/").json()["id"]))[-2]
        == "More"
    )
    assert exported["Content-Type"] == "text/markdown; charset=utf-8"
    assert exported.content.decode().startswith("# Hello\n")
    other = {"message": str(uuid.uuid4())}
    assert api.post(f"{CONVERSATIONS}{conversation.pk}/fork/", other).status_code == 404


def test_the_messages_of_a_conversation_are_paged_in_the_order_of_sending(api: APIClient, desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    services.regenerate(end_of(conversation))
    desk.write_all()

    page = api.get(f"{CONVERSATIONS}{conversation.pk}/messages/?page_size=2").json()

    assert [message["position"] for message in page["results"]] == [1, 2]
    assert page["next"] is not None


def test_a_conversation_is_read_back_from_its_end(api: APIClient, desk: Desk) -> None:
    conversation = talk(desk, *[f"Question {number}" for number in range(20)])

    last = api.get(f"{CONVERSATIONS}{conversation.pk}/").json()
    before = api.get(f"{CONVERSATIONS}{conversation.pk}/?until={last['earlier']}").json()

    assert (len(last["messages"]), len(before["messages"])) == (30, 10)
    assert before["earlier"] is None
    assert api.get(f"{CONVERSATIONS}{conversation.pk}/?until=nonsense").status_code == 400
    assert api.get(f"{CONVERSATIONS}{conversation.pk}/?until={uuid.uuid4()}").status_code == 404


# --- Messages -------------------------------------------------------------------------------------------------------


def test_an_answer_comes_as_lines_of_json(api: APIClient, at_once: None) -> None:
    conversation = services.create(user=None)

    answer = api.post(
        f"{CONVERSATIONS}{conversation.pk}/messages/", {"text": "Hello"}, HTTP_ACCEPT="application/x-ndjson"
    )

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    first, *pieces, last = lines_of(answer)
    assert first["answer"] == str(end_of(conversation).pk)
    assert "".join(piece.get("text", "") for piece in pieces) == "Good morning."
    assert (last["ended"], last["tokens"], last["seconds"]) == ("done", 42, 1.3)


def test_an_answer_comes_as_server_sent_events(api: APIClient, at_once: None) -> None:
    conversation = services.create(user=None)

    answer = api.post(f"{CONVERSATIONS}{conversation.pk}/messages/", {"text": "Hello"}, HTTP_ACCEPT="text/event-stream")

    events = b"".join(answer.streaming_content).decode().strip().split("\n\n")  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "text/event-stream"
    assert all(event.startswith("data: {") for event in events)
    assert '"ended":"done"' in events[-1]


def test_a_question_without_an_answer_says_why_and_is_kept(api: APIClient, at_once: None, model: Model) -> None:
    model.says(ProviderError(Verdict.LATER, "Ollama does not answer.", provider="Ollama"))
    conversation = services.create(user=None)

    answer = api.post(f"{CONVERSATIONS}{conversation.pk}/messages/", {"text": "Hello"})
    streamed = api.post(
        f"{CONVERSATIONS}{conversation.pk}/messages/", {"text": "Hello"}, HTTP_ACCEPT="application/x-ndjson"
    )

    assert (answer.status_code, answer.json()["detail"]) == (502, "Ollama does not answer.")
    assert answer.json()["message"]["state"] == State.FAILED
    assert lines_of(streamed)[-1] == {"ended": "failed", "detail": "Ollama does not answer."}
    assert Message.objects.filter(text="Hello").count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": " "}, "text"),
        ({"text": "a\x00"}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x" * 200_001}, "text"),
        ({"text": "x", "preset": "y"}, "preset"),
        ({"text": "x", "after": "y"}, "after"),
    ],
)
def test_what_is_no_message_is_named_by_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    conversation = services.create(user=None)

    answer = api.post(f"{CONVERSATIONS}{conversation.pk}/messages/", body)

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_an_answer_is_written_again_and_a_question_asked_again(api: APIClient, at_once: None, model: Model) -> None:
    exchange = services.begin(text="Hello", user=None)
    model.says("Good evening.", FINISH)

    again = api.post(f"{MESSAGES}{exchange.answer.pk}/regenerate/", {"model": "qwen3:8b"})
    other = api.post(f"{MESSAGES}{exchange.question.pk}/ask-again/", {"text": "Hi"})

    assert (again.status_code, again.json()["parent"]) == (201, str(exchange.question.pk))
    assert (other.status_code, other.json()["model"]) == (201, "qwen3:8b")
    assert shown(exchange.conversation) == ["Hi", "Good evening."]
    chosen = api.post(f"{MESSAGES}{exchange.question.pk}/choose/").json()
    assert chosen["last_message"] == again.json()["id"]
    assert api.post(f"{MESSAGES}{exchange.question.pk}/regenerate/").status_code == 400


def test_an_answer_is_stopped(api: APIClient, desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer

    assert api.post(f"{MESSAGES}{answer.pk}/stop/").json() == {"stopped": True}
    desk.write_all()
    assert api.post(f"{MESSAGES}{answer.pk}/stop/").json() == {"stopped": False}
    assert api.get(f"{MESSAGES}{answer.pk}/").json()["state"] == State.STOPPED


def test_nothing_is_told_to_strangers(desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    stranger = APIClient()

    for address in (CONVERSATIONS, f"{CONVERSATIONS}{conversation.pk}/", f"{MESSAGES}{conversation.leaf_id}/", PRESETS):
        assert stranger.get(address).status_code == 401
    assert stranger.post(f"{CONVERSATIONS}{conversation.pk}/messages/", {"text": "x"}).status_code == 401


# --- Presets --------------------------------------------------------------------------------------------------------


def test_presets_are_read_by_everybody_and_changed_by_owners() -> None:
    member, owner = make_api_client(), make_api_client(make_owner())
    body = {"name": "Pirate", "text": "You are a pirate."}

    assert len(member.get(PRESETS).json()["results"]) == 4
    assert member.post(PRESETS, body).status_code == 403
    made = owner.post(PRESETS, body)
    assert made.status_code == 201
    address = f"{PRESETS}{made.json()['id']}/"
    assert owner.patch(address, {"temperature": 3}).status_code == 400
    assert owner.patch(address, {"temperature": 1.5}).json()["temperature"] == 1.5
    assert owner.post(PRESETS, body).status_code == 400  # the name is taken
    assert owner.delete(address).status_code == 204
