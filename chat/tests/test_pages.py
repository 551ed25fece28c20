"""The pages of the chat, as they are without a script."""

import json
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import signed_in
from chat import keeping, services
from chat.models import Conversation, Message, Role, State
from chat.tests.desk import Desk, Model, end_of, fresh, shown, talk
from prompts.writing import Ended
from providers import ollama
from providers.errors import ProviderError, Verdict
from providers.ollama_types import Model as Installed

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def html_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200
    return page.content.decode()


# --- Begin ----------------------------------------------------------------------------------------------------------


def test_the_first_page_invites_to_write(client: Client) -> None:
    html = html_of(client, "/chat/")

    assert "No conversations yet" in html
    assert "Songwriter" in html


def test_an_example_fills_the_composer_and_sends_nothing(client: Client) -> None:
    html = html_of(client, "/chat/?preset=Songwriter&text=Rain")

    assert "\nRain</textarea>" in html
    assert "selected>Songwriter</option>" in html
    assert not Conversation.objects.exists()


def test_a_message_begins_a_conversation_and_leads_to_it(client: Client, desk: Desk) -> None:
    answer = client.post("/chat/begin/", {"text": "Hello", "model": "llama3.2:latest"})

    conversation = Conversation.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/chat/{conversation.pk}/")
    assert conversation.user is not None
    html = html_of(client, answer["Location"])
    assert "Writing" in html
    assert "Look again" in html  # for a browser without a script
    desk.write_all()
    assert "<p>Good morning.</p>" in html_of(client, answer["Location"])


@pytest.mark.parametrize(("text", "problem"), [("", "Write something."), ("x" * 200_001, "At most 200000 characters")])
def test_a_message_that_is_none_comes_back_with_the_reason(client: Client, desk: Desk, text: str, problem: str) -> None:
    conversation = talk(desk, "Hello")

    for address in ("/chat/begin/", reverse("chat:send", args=[conversation.pk])):
        answer = client.post(address, {"text": text})
        assert answer.status_code == 422
        assert problem in answer.content.decode()
        streamed = client.post(f"{address}stream/", {"text": text})
        assert streamed.status_code == 422
        assert problem in streamed.json()["problems"][0]


def test_a_message_with_nul_is_refused_in_words(client: Client) -> None:
    answer = client.post("/chat/begin/", {"text": "a\x00b"})

    assert answer.status_code == 422
    assert not Conversation.objects.exists()


# --- Models ---------------------------------------------------------------------------------------------------------


def test_the_models_are_asked_for_apart_from_the_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = Installed("qwen3:8b", 1, "qwen3", "8B", "Q4", 4096, ("completion",), is_loaded=False)
    embedder = Installed("nomic", 1, "bert", "1B", "Q4", 4096, ("embedding",), is_loaded=False)
    monkeypatch.setattr(ollama, "list_models", lambda: [installed, embedder])

    picker = html_of(client, "/chat/models/?model=gone:1b")

    assert "<option>qwen3:8b</option>" in picker
    assert "<option selected>gone:1b</option>" in picker
    assert "nomic" not in picker
    assert "<option>qwen3:8b</option>" in html_of(client, "/chat/")  # remembered


def test_without_ollama_every_page_works_and_one_banner_says_so(
    client: Client, desk: Desk, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away() -> None:
        raise ProviderError(Verdict.LATER, "Ollama does not answer at http://127.0.0.1:11434.", provider="Ollama")

    monkeypatch.setattr(ollama, "list_models", is_away)
    model.says(ProviderError(Verdict.LATER, "Ollama does not answer.", provider="Ollama"))
    conversation = talk(desk, "Hello")

    assert "<select" in html_of(client, "/chat/models/")
    assert html_of(client, "/chat/").count(f'hx-get="{reverse("ollama-banner")}"') == 1
    assert "Ollama does not answer." in html_of(client, conversation.get_absolute_url())


# --- A conversation -------------------------------------------------------------------------------------------------


def test_a_message_is_sent_and_the_page_shows_it_being_answered(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    answer = client.post(
        reverse("chat:send", args=[conversation.pk]), {"text": "And now?", "model": "", "after": conversation.leaf_id}
    )

    assert answer["Location"].startswith(f"/chat/{conversation.pk}/#m-")
    assert shown(conversation) == ["Hello", "Good morning.", "And now?", ""]


def test_the_footer_says_who_wrote_how_fast_and_how_full_the_context_is(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    html = html_of(client, conversation.get_absolute_url())

    assert "llama3.2, 42 tokens/s, 1.3 s" in html
    assert "2 % of 8192 tokens" in html


def test_the_card_of_an_answer_asks_for_itself_only_while_it_is_written(client: Client, desk: Desk) -> None:
    exchange = services.begin(text="Hello", user=None)
    address = reverse("chat:message", args=[exchange.answer.pk])

    assert f'hx-get="{address}"' in html_of(client, address)
    desk.write_all()
    assert "hx-trigger" not in html_of(client, address)


def test_siblings_are_reached_by_arrows(client: Client, desk: Desk, model: Model) -> None:
    conversation = talk(desk, "Hello")
    first = end_of(conversation)
    client.post(reverse("chat:regenerate", args=[first.pk]))
    desk.write_all()

    html = html_of(client, conversation.get_absolute_url())
    assert "2 / 2" in html
    answer = client.post(reverse("chat:choose", args=[first.pk]))

    assert answer["Location"].endswith(f"#m-{first.pk}")
    assert "1 / 2" in html_of(client, conversation.get_absolute_url())


def test_a_question_is_edited_on_a_page_of_its_own_and_asked_again(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    address = reverse("chat:edit", args=[conversation.messages.get(role=Role.USER).pk])

    assert "\nHello</textarea>" in html_of(client, address)
    assert client.post(address, {"text": " "}).status_code == 422
    assert client.post(address, {"text": "Hi"}).status_code == 302
    assert shown(conversation) == ["Hi", ""]


def test_stopping_comes_back_to_the_conversation(client: Client, desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer

    response = client.post(reverse("chat:stop", args=[answer.pk]))

    assert response.status_code == 302
    assert fresh(answer).is_stopping


def test_an_answer_that_broke_off_says_so_and_offers_to_write_again(client: Client, desk: Desk, model: Model) -> None:
    model.says("Good ", ProviderError(Verdict.LATER, "Ollama broke off.", provider="Ollama"))
    conversation = talk(desk, "Hello")

    html = html_of(client, conversation.get_absolute_url())

    assert "Broken off. What came is kept. Ollama broke off." in html
    assert "Write again" in html


def test_only_the_end_of_a_long_conversation_is_shown_and_earlier_messages_are_a_link(
    client: Client, desk: Desk
) -> None:
    conversation = talk(desk, *[f"question {number}" for number in range(20)])

    html = html_of(client, conversation.get_absolute_url())
    assert "question 4<" not in html
    assert "10 earlier messages" in html
    parent = Message.objects.get(text="question 5").parent_id
    earlier = html_of(client, f"{conversation.get_absolute_url()}?until={parent}")
    assert "question 4<" in earlier
    assert "To the end of the conversation" in earlier
    elsewhere = talk(desk, "Elsewhere")
    assert client.get(f"{conversation.get_absolute_url()}?until={elsewhere.leaf_id}").status_code == 404
    assert client.get(f"{conversation.get_absolute_url()}?until=nonsense").status_code == 404


@pytest.mark.parametrize(
    ("target", "page", "field"),
    [("lyrics", "/songs/new/", "lyrics"), ("style", "/songs/new/", "prompt"), ("image", "/images/new/", "prompt")],
)
def test_an_answer_opens_a_form_filled_with_it(
    client: Client, desk: Desk, model: Model, target: str, page: str, field: str
) -> None:
    conversation = talk(desk, "Hello")

    answer = client.post(reverse("chat:use", args=[conversation.leaf_id, target]))

    assert answer["Location"].startswith(f"{page}?prefill=")
    assert "\nGood morning.</textarea>" in html_of(client, answer["Location"])


def test_an_answer_that_is_too_long_for_a_form_stays_where_it_is(client: Client, desk: Desk, model: Model) -> None:
    model.says("x" * 50_000, ollama.Finish(reason="stop", model="m"))
    conversation = talk(desk, "Hello")

    answer = client.post(reverse("chat:use", args=[conversation.leaf_id, "lyrics"]), follow=True)

    assert "At most 40000 characters" in answer.content.decode()


def test_nothing_is_used_for_what_there_is_not(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    assert client.post(reverse("chat:use", args=[conversation.leaf_id, "video"])).status_code == 404


def test_a_fork_goes_on_from_there_and_leaves_the_original(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello", "And now?")
    first_answer = conversation.messages.get(position=2)

    client.post(reverse("chat:fork", args=[first_answer.pk]))

    fork = Conversation.objects.exclude(pk=conversation.pk).get()
    assert fork.title == "Hello (fork)"
    assert shown(fork) == ["Hello", "Good morning."]
    services.send(fork, text="Elsewhere")
    assert shown(conversation)[2:] == ["And now?", "Good morning."]


def test_a_fork_of_an_answer_that_is_being_written_keeps_what_there_is(desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer
    Message.objects.filter(pk=answer.pk).update(text="Good ")

    fork = keeping.fork(fresh(answer), user=None)

    assert end_of(fork).state == State.STOPPED
    assert shown(fork) == ["Hello", "Good "]


def test_the_text_of_a_message_can_be_copied_as_it_was_written(client: Client, desk: Desk, model: Model) -> None:
    model.says("**Good** <b>", ollama.Finish(reason="stop", model="m"))
    conversation = talk(desk, "Hello")

    answer = client.get(reverse("chat:text", args=[conversation.leaf_id]))

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "**Good** <b>"


# --- The whole conversation -----------------------------------------------------------------------------------------


def test_a_conversation_is_renamed(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    address = reverse("chat:rename", args=[conversation.pk])

    assert "Hello" in html_of(client, address)
    assert client.post(address, {"title": ""}).status_code == 422
    assert client.post(address, {"title": "x" * 201}).status_code == 422
    assert client.post(address, {"title": "Greetings"}).status_code == 302
    assert Conversation.objects.get().title == "Greetings"


def test_an_archived_conversation_is_out_of_the_way_until_it_is_taken_back(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    client.post(reverse("chat:archive", args=[conversation.pk]))

    assert conversation.get_absolute_url() not in html_of(client, "/chat/?q=")
    assert conversation.get_absolute_url() in html_of(client, "/chat/?archived=true")
    client.post(reverse("chat:unarchive", args=[conversation.pk]))
    assert conversation.get_absolute_url() in html_of(client, "/chat/")


def test_a_deleted_conversation_lies_in_the_trash_and_comes_back(client: Client, desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    client.post(reverse("chat:delete", args=[conversation.pk]))

    assert conversation.get_absolute_url() not in html_of(client, "/chat/?q=x")
    assert "In the trash" in html_of(client, conversation.get_absolute_url())
    assert conversation.get_absolute_url() in html_of(client, "/chat/?trashed=true")
    client.post(reverse("chat:restore", args=[conversation.pk]))
    assert conversation.get_absolute_url() in html_of(client, "/chat/")


def test_the_branch_that_is_shown_is_exported_as_markdown(client: Client, desk: Desk, model: Model) -> None:
    conversation = talk(desk, "Über den Mond")
    model.says("Half ", ProviderError(Verdict.LATER, "Away.", provider="Ollama"))
    services.send(conversation, text="More")
    desk.write_all()

    answer = client.get(reverse("chat:export", args=[conversation.pk]))

    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert answer["Content-Disposition"] == 'attachment; filename="uber-den-mond.md"'
    assert text.startswith("# Über den Mond\n")
    assert "\n## You\n\nÜber den Mond\n\n## llama3.2:latest\n\nGood morning.\n" in text
    assert text.endswith("Half\n\n*Broken off*\n")


def test_whoever_comes_back_reads_along_with_the_process_that_writes(client: Client, desk: Desk) -> None:
    exchange = services.begin(text="Hello", user=None)
    Message.objects.filter(pk=exchange.answer.pk).update(text="Good ")
    live = reverse("chat:live", args=[exchange.answer.pk])
    assert f'data-live="{live}"' in html_of(client, exchange.conversation.get_absolute_url())
    exchange.writing.read()
    exchange.writing.tell_end(Ended("done"))

    answer = client.get(live)

    first, *others = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert first["element"] == f"m-{exchange.answer.pk}"
    assert "data-text" in first["html"]
    assert "Good" not in first["html"]  # all of it comes
    assert "data-live" not in first["html"]
    assert others == [{"text": "Good morning."}, {"ended": "done"}]


def test_what_another_process_writes_goes_on_asking_for_itself(client: Client, desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer  # whose writing nobody holds any more
    desk.waiting.clear()
    assert client.get(reverse("chat:live", args=[answer.pk])).status_code == 204
    assert client.get(reverse("chat:live", args=[uuid.uuid4()])).status_code == 404


def test_a_stranger_is_led_to_the_sign_in(desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    for address in ("/chat/", conversation.get_absolute_url(), reverse("chat:text", args=[conversation.leaf_id])):
        assert Client().get(address).status_code == 302
    assert Client().post("/chat/begin/stream/", {"text": "x"}).status_code == 302


# --- Many -----------------------------------------------------------------------------------------------------------


def test_the_list_asks_a_constant_number_of_queries(client: Client, desk: Desk) -> None:
    talk(desk, "Hello")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/chat/")
    for number in range(10):
        talk(desk, f"Hello {number}", "More")
    with CaptureQueriesContext(connection) as many:
        client.get("/chat/")

    assert len(many) == len(few)


def test_a_conversation_asks_a_constant_number_of_queries(client: Client, desk: Desk) -> None:
    short, long = talk(desk, "Hello"), talk(desk, *[f"Question {number}" for number in range(40)])
    services.regenerate(end_of(long))
    desk.write_all()
    with CaptureQueriesContext(connection) as few:
        client.get(short.get_absolute_url())
    with CaptureQueriesContext(connection) as many:
        client.get(long.get_absolute_url())

    assert len(many) == len(few)
