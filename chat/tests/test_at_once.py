"""Many at once: two tabs in one conversation, answers written by real threads, a listener that hangs up."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.tests.factories import make_user, signed_in
from chat import answering, services
from chat.models import Conversation, Message, Role, State
from chat.tests.desk import FINISH, Model, Piece, end_of, fresh, shown
from prompts.tests.writers import PATIENCE, Pen, listen, wait_until
from providers import ollama

TABS = 6
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="for SQLite: test_two_processes.py"),
]


@pytest.fixture
def pen(model: Model, monkeypatch: pytest.MonkeyPatch) -> Pen:
    """A model whose words come when the test says so."""
    made = Pen()
    monkeypatch.setattr(ollama, "chat", lambda *_args, **_options: made())
    return made


def all_at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Do things in threads that begin together, each with its own database connection."""
    start, done = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(number: int) -> None:
        try:
            start.wait(PATIENCE)
            done[number] = deeds[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return done


def tab(conversation: Conversation, number: int, seen: Any) -> Callable[[], Any]:
    return lambda: services.send(conversation, text=f"from tab {number}", after=seen)


def test_tabs_that_send_at_once_keep_an_order_and_lose_nothing(model: Model) -> None:
    first = services.begin(text="Hello", user=None)
    listen(first.writing)

    sent = all_at_once(*[tab(first.conversation, number, first.answer.pk) for number in range(TABS)])
    for exchange in sent:
        listen(exchange.writing)

    messages = list(Message.objects.filter(conversation=first.conversation).order_by("position"))
    assert [message.position for message in messages] == list(range(1, 2 * TABS + 3))
    assert {message.text for message in messages if message.role == Role.USER} == {
        "Hello", *(f"from tab {number}" for number in range(TABS)),
    }  # fmt: skip
    assert {message.state for message in messages} == {State.DONE}
    # One follows the other in a single branch, each question with its own answer.
    branch = shown(first.conversation)
    assert branch == [message.text for message in messages]
    assert branch[1::2] == ["Good morning."] * (TABS + 1)
    # The last one was asked with every answer before it.
    assert max(len(asked[0]) for asked in model.asked) == 2 * TABS + 1


def test_an_answer_goes_on_when_its_listener_has_hung_up(pen: Pen) -> None:
    client = signed_in()
    response: Any = client.post("/chat/begin/stream/", {"text": "Hello"})
    lines = iter(response.streaming_content)
    assert b'"page":' in next(lines)
    pen.put("Good ")
    assert next(lines) == b'{"text":"Good "}\n'
    response.close()  # the page was closed

    pen.put("morning.", FINISH)

    conversation = Conversation.objects.get()
    wait_until(lambda: end_of(conversation).state == State.DONE)
    page = client.get(conversation.get_absolute_url()).content.decode()
    assert "<p>Good morning.</p>" in page


def test_what_is_there_so_far_is_shown_to_whoever_comes_back_in_the_middle(pen: Pen) -> None:
    client = signed_in()
    exchange = services.begin(text="Hello", user=None)
    pen.put("Good ")
    wait_until(lambda: fresh(exchange.answer).text == "Good ")

    page = client.get(exchange.conversation.get_absolute_url()).content.decode()

    assert 'data-text dir="auto">Good </div>' in page
    assert "Stop" in page
    pen.put(FINISH)
    listen(exchange.writing)


@pytest.mark.parametrize("is_here", [True, False], ids=["in this process", "in another process"])
def test_stopping_keeps_the_text_and_stops_the_model(pen: Pen, monkeypatch: pytest.MonkeyPatch, is_here: bool) -> None:
    exchange = services.begin(text="Hello", user=None)
    pen.put("Good ", Piece(thinking="hm"))
    wait_until(lambda: fresh(exchange.answer).text == "Good ")
    if not is_here:
        monkeypatch.setattr(answering, "writing_of", lambda _pk: None)

    assert services.stop(exchange.answer)

    listen(exchange.writing)
    assert pen.is_closed.wait(PATIENCE)
    answer = fresh(exchange.answer)
    assert (answer.state, answer.text, answer.thinking) == (State.STOPPED, "Good ", "hm")


def test_a_second_question_waits_until_the_first_is_answered_and_can_be_stopped_meanwhile(pen: Pen) -> None:
    first = services.begin(text="Hello", user=None)
    second = services.send(first.conversation, text="And then?")
    third = services.send(first.conversation, text="And then again?")
    assert pen.is_asked.wait(PATIENCE)

    services.stop(second.answer)
    listen(second.writing)

    assert fresh(second.answer).state == State.STOPPED
    assert fresh(third.answer).state == State.WRITING
    services.stop(third.answer)
    pen.put("Good morning.", FINISH)
    listen(first.writing)
    listen(third.writing)
    assert fresh(first.answer).text == "Good morning."


def test_whoever_reads_an_answer_as_it_is_written_holds_no_database_connection(pen: Pen) -> None:
    open_while_streaming: list[bool] = []
    user = make_user()

    def read() -> None:
        client = Client()
        client.force_login(user)
        response: Any = client.post("/chat/begin/stream/", {"text": "Hello"})
        lines = iter(response.streaming_content)
        next(lines)
        open_while_streaming.append(connection.connection is not None)
        pen.put("Good morning.", FINISH)
        list(lines)

    all_at_once(read)

    assert open_while_streaming == [False]
