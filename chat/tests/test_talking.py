"""A conversation as it goes: sent, answered, stopped, written again, asked again, and what a model is sent."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from accounts.tests.factories import make_user
from chat import keeping, services
from chat.models import Conversation, Message, Role, State, SystemPreset
from chat.tests.desk import FINISH, Desk, Finish, Model, Piece, end_of, fresh, shown, talk
from providers.errors import ProviderError, Verdict

pytestmark = pytest.mark.django_db

# --- Begin and send -------------------------------------------------------------------------------------------------


def test_a_conversation_begins_with_a_question_and_an_answer(desk: Desk) -> None:
    user = make_user()

    exchange = services.begin(text="Hello\nand more", model="llama3.2:latest", user=user)

    assert exchange.conversation.title == "Hello"
    assert (exchange.question.position, exchange.answer.position) == (1, 2)
    assert fresh(exchange.answer).state == State.WRITING
    desk.write_all()
    answer = fresh(exchange.answer)
    assert (answer.state, answer.text, answer.model) == (State.DONE, "Good morning.", "llama3.2:latest")
    assert (answer.prompt_tokens, answer.tokens, answer.tokens_per_second, answer.seconds) == (100, 42, 42.0, 1.3)
    assert answer.html == "<p>Good morning.</p>\n"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  \n\n  A song about rain  \nmore", "A song about rain"),
        ("word " * 100, ("word " * 16)[:79] + "…"),
        ("a   b\tc", "a b c"),
    ],
)
def test_the_title_is_made_from_the_first_line_that_says_anything(desk: Desk, text: str, title: str) -> None:
    assert services.begin(text=text, user=None).conversation.title == title


def test_the_next_message_follows_the_last_one_and_the_model_is_sent_all_of_them(desk: Desk, model: Model) -> None:
    conversation = talk(desk, "Hello", "And now?")

    assert shown(conversation) == ["Hello", "Good morning.", "And now?", "Good morning."]
    assert model.last_asked == [("user", "Hello"), ("assistant", "Good morning."), ("user", "And now?")]


def test_the_model_can_be_switched_from_message_to_message(desk: Desk, model: Model) -> None:
    conversation = talk(desk, "Hello", model="llama3.2:latest")

    services.send(conversation, text="And you?", model="qwen3:8b")
    desk.write_all()
    services.send(conversation, text="Still there?")
    desk.write_all()

    assert [asked[1] for asked in model.asked] == ["llama3.2:latest", "qwen3:8b", "qwen3:8b"]


def test_a_conversation_without_a_model_takes_the_default_one(desk: Desk, model: Model) -> None:
    talk(desk, "Hello")

    assert model.asked[0][1] == "llama3.2:latest"


def test_the_preset_is_what_the_model_is_told_first(desk: Desk, model: Model) -> None:
    preset = SystemPreset.objects.create(name="Pirate", text="You are a pirate.", temperature=0.2)

    conversation = talk(desk, "Hello", preset=preset)

    assert model.last_asked[0] == ("system", "You are a pirate.")
    assert model.asked[0][2].temperature == 0.2
    services.send(conversation, text="And without?", preset=None)
    desk.write_all()
    assert model.last_asked[0][0] == "user"


def test_what_is_sent_into_an_archived_conversation_takes_it_out_of_the_archive(desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    keeping.archive(conversation)

    services.send(conversation, text="Once more")

    assert not Conversation.objects.get(pk=conversation.pk).is_archived


def test_nothing_is_sent_into_a_conversation_in_the_trash(desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    keeping.delete(Conversation.objects.all())

    with pytest.raises(ValidationError, match="in the trash"):
        services.send(conversation, text="Once more")
    assert Message.objects.count() == 2


@pytest.mark.parametrize("text", ["", "  \n ", "a\x00b", "\ud800", "x" * 200_001])
def test_what_is_no_message_is_refused_in_plain_words(desk: Desk, text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        services.begin(text=text, user=None)

    assert list(refusal.value.message_dict) == ["text"]
    assert not Conversation.objects.exists()


# --- The end of an answer -------------------------------------------------------------------------------------------


def test_stopping_keeps_the_text_and_marks_it(desk: Desk) -> None:
    exchange = services.begin(text="Hello", user=None)
    _pieces, sink = desk.waiting.pop()
    sink.begin()
    assert sink.save("Good ", "")

    assert services.stop(exchange.answer)

    assert not sink.save("Good mor", "")  # through the row, as from another process
    sink.stopped("Good mor", "")
    answer = fresh(exchange.answer)
    assert (answer.state, answer.text, answer.html) == (State.STOPPED, "Good mor", "<p>Good mor</p>\n")
    assert not services.stop(exchange.answer)


def test_an_answer_that_breaks_off_keeps_what_came_and_says_why(desk: Desk, model: Model) -> None:
    model.says("Good ", ProviderError(Verdict.LATER, "Ollama broke off.", provider="Ollama"))
    conversation = talk(desk, "Hello")

    answer = conversation.messages.get(role=Role.ASSISTANT)
    assert (answer.state, answer.text, answer.error_message) == (State.BROKEN, "Good ", "Ollama broke off.")


def test_an_answer_that_never_came_has_failed_in_ollamas_words(desk: Desk, model: Model) -> None:
    model.says(ProviderError(Verdict.REFUSED, "Ollama has no model “x”.", provider="Ollama"))
    conversation = talk(desk, "Hello")

    answer = conversation.messages.get(role=Role.ASSISTANT)
    assert (answer.state, answer.error_message) == (State.FAILED, "Ollama has no model “x”.")


def test_a_model_that_thought_until_nothing_was_left_is_told_with_advice(desk: Desk, model: Model) -> None:
    model.says(Piece(thinking="Hm, hm"), Finish(reason="length", model="qwen3:8b", tokens=8000))
    conversation = talk(desk, "Hello")

    answer = conversation.messages.get(role=Role.ASSISTANT)
    assert (answer.state, answer.thinking) == (State.FAILED, "Hm, hm")
    assert "Choose another one" in answer.error_message


def test_an_answer_that_fills_the_context_is_done_and_says_that_it_was_cut_off(desk: Desk, model: Model) -> None:
    model.says("Good morn", Finish(reason="length", model="qwen3:8b"))
    conversation = talk(desk, "Hello")

    answer = conversation.messages.get(role=Role.ASSISTANT)
    assert (answer.state, answer.error_message) == (State.DONE, "Cut off: the context is full.")


def test_an_answer_of_a_process_that_died_is_broken_off_and_its_text_kept(desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer
    long_ago = timezone.now() - timedelta(seconds=61)
    Message.objects.filter(pk=answer.pk).update(text="Good ", saved_at=long_ago)
    found = fresh(answer)

    services.settle_lost([found])

    assert (found.state, fresh(answer).state, fresh(answer).text) == (State.BROKEN, State.BROKEN, "Good ")


def test_an_answer_that_is_still_being_written_is_left_alone(desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer

    services.settle_lost([fresh(answer)])

    assert fresh(answer).state == State.WRITING


def test_a_process_that_had_only_slept_finishes_its_answer(desk: Desk) -> None:
    answer = services.begin(text="Hello", user=None).answer
    Message.objects.filter(pk=answer.pk).update(state=State.BROKEN, error_message="The studio was stopped.")

    desk.write_all()

    assert (fresh(answer).state, fresh(answer).error_message) == (State.DONE, "")


def test_an_answer_that_was_deleted_meanwhile_is_not_missed(desk: Desk) -> None:
    exchange = services.begin(text="Hello", user=None)
    Conversation.objects.filter(pk=exchange.conversation.pk).delete()

    desk.write_all()

    assert not Message.objects.exists()


# --- Branches -------------------------------------------------------------------------------------------------------


def test_an_answer_written_again_stands_beside_the_old_one(desk: Desk, model: Model) -> None:
    conversation = talk(desk, "Hello", "Again?")
    old = end_of(conversation)
    model.says("Good evening.", FINISH)

    again = services.regenerate(old).answer
    desk.write_all()

    assert again.parent_id == old.parent_id
    assert shown(conversation)[-1] == "Good evening."
    assert fresh(old).text == "Good morning."
    assert model.last_asked == [("user", "Hello"), ("assistant", "Good morning."), ("user", "Again?")]


def test_a_question_asked_in_other_words_begins_a_branch_and_loses_nothing(desk: Desk, model: Model) -> None:
    conversation = talk(desk, "Hello", "One", "Two")
    question = conversation.messages.get(text="One")

    services.ask_again(question, text="Uno")
    desk.write_all()

    assert shown(conversation) == ["Hello", "Good morning.", "Uno", "Good morning."]
    assert model.last_asked[-1] == ("user", "Uno")
    assert conversation.messages.count() == 8
    services.choose(question)
    assert shown(conversation)[-2:] == ["Two", "Good morning."]  # to the end of what followed


def test_the_first_question_can_be_asked_in_other_words(desk: Desk) -> None:
    conversation = talk(desk, "Hello")

    services.ask_again(conversation.messages.get(text="Hello"), text="Hi")
    desk.write_all()

    assert shown(conversation) == ["Hi", "Good morning."]


def test_only_answers_are_written_again_and_only_questions_asked_again(desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    question, answer = conversation.messages.all()

    with pytest.raises(ValidationError):
        services.regenerate(question)
    with pytest.raises(ValidationError):
        services.ask_again(answer, text="Hi")


def test_what_is_sent_from_a_branch_that_is_not_shown_any_more_continues_that_branch(desk: Desk) -> None:
    conversation = talk(desk, "Hello", "One")
    seen = conversation.leaf_id
    services.ask_again(conversation.messages.get(text="One"), text="Uno")
    desk.write_all()

    services.send(conversation, text="Two", after=seen)
    desk.write_all()

    assert shown(conversation) == ["Hello", "Good morning.", "One", "Good morning.", "Two", "Good morning."]


def test_what_two_tabs_send_after_the_same_message_follows_one_another(desk: Desk) -> None:
    conversation = talk(desk, "Hello")
    seen = conversation.leaf_id

    services.send(conversation, text="From one tab", after=seen)
    services.send(conversation, text="From the other", after=seen)
    desk.write_all()

    assert shown(conversation)[2::2] == ["From one tab", "From the other"]


def test_a_last_message_of_another_conversation_counts_for_nothing(desk: Desk) -> None:
    other, conversation = talk(desk, "Elsewhere"), talk(desk, "Hello")

    services.send(conversation, text="Go on", after=other.leaf_id)

    assert shown(conversation)[:3] == ["Hello", "Good morning.", "Go on"]


def test_an_answer_waits_for_the_one_before_it(desk: Desk, model: Model) -> None:
    first = services.begin(text="Hello", user=None)
    services.send(first.conversation, text="And then?")
    (_write_first, first_sink), (write_second, _second_sink) = desk.waiting
    second = write_second()

    assert next(second) == Piece()  # it waits, and shows that it lives
    assert model.asked == []
    first_sink.finish("Good morning.", "", FINISH)
    list(second)
    assert model.last_asked == [("user", "Hello"), ("assistant", "Good morning."), ("user", "And then?")]


# --- What fits ------------------------------------------------------------------------------------------------------


def test_the_oldest_messages_are_left_out_when_the_context_is_full_and_the_answer_says_so(
    desk: Desk, model: Model, settings: Settings
) -> None:
    settings.CHAT_CONTEXT_TOKENS = 512
    conversation = talk(desk, *[f"{number} " + "word " * 100 for number in range(5)])

    sent = model.last_asked
    answer = end_of(conversation)
    assert sent[0][0] == "user"
    assert [text.split()[0] for role, text in sent if role == "user"] == ["3", "4"]
    assert answer.left_out == 6
    assert model.asked[-1][2].context_tokens == answer.context_tokens == 512
    assert answer.context_used == round(100 * 142 / 512)


def test_a_question_that_is_too_long_for_the_context_is_sent_all_the_same(
    desk: Desk, model: Model, settings: Settings
) -> None:
    settings.CHAT_CONTEXT_TOKENS = 512
    talk(desk, "Hello", "word " * 5000)

    assert [role for role, _text in model.last_asked] == ["user"]


def test_answers_without_a_word_are_not_sent(desk: Desk, model: Model) -> None:
    model.says(ProviderError(Verdict.LATER, "Away.", provider="Ollama"))
    conversation = talk(desk, "Hello")
    model.says("Here.", FINISH)

    services.send(conversation, text="Are you there?")
    desk.write_all()

    assert model.last_asked == [("user", "Hello"), ("user", "Are you there?")]
