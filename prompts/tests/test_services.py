"""Magic: the row comes first, everything that was asked is remembered, and every ending is told in plain words."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.tests.factories import make_user
from prompts import services
from prompts.models import MagicRun, PromptTemplate, RunState
from prompts.services import MagicSink
from prompts.tests.conftest import PretendedOllama
from prompts.tests.factories import make_run, make_template
from prompts.tests.writers import FINISH, broken_off
from providers import ollama
from providers.ollama_types import Finish, Options, Piece, parse_details

pytestmark = pytest.mark.django_db


def wish(**overrides: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"category": "poems", "action": "enhance", "text": "a lake", "variables": {}, "user": None}
    return values | overrides


def reads(tokens: int | None) -> dict[str, Any]:
    """Return what Ollama tells of a model that reads so much."""
    return {"model_info": {"general.architecture": "llama", "llama.context_length": tokens}}


def test_a_run_remembers_all_that_was_asked_and_answered(pretended: PretendedOllama) -> None:
    template, user = make_template(), make_user()

    run = services.run_magic(**wish(variables={"mood": "wild"}, user=user))

    prompt = "Make this wild.\n\na lake\n\nAnswer with the poem only."
    assert pretended.asked == [
        {
            "prompt": prompt,
            "model": "llama3.2",
            "options": Options(temperature=0.7, max_tokens=500, context_tokens=8192),
        }
    ]
    assert (run.template_version, run.version, run.user, run.prompt) == (template, "1", user, prompt)
    assert (run.input_text, run.variables, run.output_text) == ("a lake", {"mood": "wild"}, "a calm lake")
    assert (run.state, run.model, run.seconds, run.tokens) == (RunState.DONE, FINISH.model, 1.5, 3)


@pytest.mark.parametrize(
    ("letters", "own", "sent"),
    [(4_000, 2048, 8192), (40_000, 131_072, 16_384), (40_000, 12_000, 12_000), (40_000, None, 16_384)],
)
def test_a_model_is_given_room_for_all_of_a_long_text(
    pretended: PretendedOllama, monkeypatch: pytest.MonkeyPatch, letters: int, own: int | None, sent: int
) -> None:
    make_template()
    monkeypatch.setattr(ollama, "show", lambda name: parse_details(name, reads(own)))

    run = services.run_magic(**wish(text="a" * letters))

    assert (run.state, pretended.asked[0]["options"].context_tokens) == (RunState.DONE, sent)


def test_a_text_that_is_longer_than_what_the_model_reads_is_refused_and_not_cut(
    pretended: PretendedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_template()
    monkeypatch.setattr(ollama, "show", lambda name: parse_details(name, reads(8192)))

    run = services.run_magic(**wish(text="a" * 40_000))

    assert (run.state, pretended.asked, run.input_text) == (RunState.FAILED, [], "a" * 40_000)
    assert "The text is too long for llama3.2, which reads 8192 tokens" in run.error_message


def test_only_the_version_in_use_is_offered_and_taken() -> None:
    make_template(active=False, is_latest=False)
    used = make_template(version="2")
    make_template(action="translate", active=False)

    assert services.active_templates("poems") == [used]
    assert services.template_in_use("poems", "enhance") == used
    with pytest.raises(ValidationError, match="No template is in use"):
        services.template_in_use("poems", "translate")


def test_a_template_without_a_model_takes_the_studios(pretended: PretendedOllama, settings: Any) -> None:
    make_template(model="")

    services.run_magic(**wish())
    settings.OLLAMA_MODEL = "mistral"
    services.run_magic(**wish())
    services.run_magic(**wish(user=make_user(text_model="gemma3")))
    services.run_magic(**wish(model="qwen3"))

    assert [asked["model"] for asked in pretended.asked] == ["first:latest", "mistral", "gemma3", "qwen3"]


@pytest.mark.parametrize(
    ("overrides", "field", "words"),
    [
        ({"text": "  "}, "text", "Write something first"),
        ({"text": "x" * 200_001}, "text", "At most 200000"),
        ({"text": "a\x00b"}, "text", "NUL"),
        ({"variables": {"mood": "mad"}}, "mood", "Choose one of"),
        ({"variables": {"colour": "red"}}, "colour", "no such variable"),
        ({"action": "sing"}, "action", "No template"),
        ({"model": "x" * 101}, "model", "At most 100"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_a_row_is_made(
    pretended: PretendedOllama, overrides: dict[str, Any], field: str, words: str
) -> None:
    make_template()

    with pytest.raises(ValidationError) as caught:
        services.start_magic(**wish(**overrides))

    assert words in caught.value.message_dict[field][0]
    assert (MagicRun.objects.count(), pretended.asked) == (0, [])


def test_a_template_that_somebody_spoilt_in_the_database_is_refused_in_plain_words(pretended: PretendedOllama) -> None:
    make_template(pre_condition="Make it {colour}.")

    with pytest.raises(ValidationError, match=r"cannot be used.*colour"):
        services.start_magic(**wish())


def test_an_empty_field_is_enough_for_a_template_that_needs_no_text(pretended: PretendedOllama) -> None:
    make_template(is_text_needed=False)

    assert services.run_magic(**wish(text="")).prompt == "Make this calm.\n\nAnswer with the poem only."


def test_a_failure_keeps_what_came_and_says_what_happened(pretended: PretendedOllama) -> None:
    make_template()
    pretended.pieces = ["a calm", broken_off("Ollama does not answer at http://127.0.0.1:11434.")]

    run = services.run_magic(**wish())

    assert (run.state, run.output_text) == (RunState.FAILED, "a calm")
    assert "http://127.0.0.1:11434" in run.error_message


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([Piece(thinking="Hm, "), Finish(reason="length", model="qwen3")], "500 tokens thinking"),
        ([Piece(thinking="Hm."), Finish(reason="stop", model="qwen3")], "does not think"),
        ([Piece(text=" \n"), Finish(reason="stop", model="qwen3")], "empty text"),
    ],
)
def test_a_model_that_writes_nothing_is_a_failure_with_advice(
    pretended: PretendedOllama, pieces: list[Any], words: str
) -> None:
    make_template()
    pretended.pieces = pieces

    run = services.run_magic(**wish())

    assert run.state == RunState.FAILED
    assert words in run.error_message


def test_a_text_that_was_cut_off_is_done_and_says_so(pretended: PretendedOllama) -> None:
    make_template()
    pretended.pieces = ["a calm", Finish(reason="length", model="llama3.2", tokens=500)]

    run = services.run_magic(**wish())

    assert (run.state, run.is_cut_off) == (RunState.DONE, True)


# --- Stopping and breaking off ---


def test_a_stop_reaches_the_writing_through_the_row() -> None:
    run = make_run(state="writing", output_text="")
    sink = MagicSink(run.pk, 500)
    assert sink.save("a calm", "")

    services.stop_magic(run)

    assert not sink.save("a calm lake", "")
    sink.stopped("a calm lake", "")
    run.refresh_from_db()
    assert (run.state, run.output_text) == (RunState.STOPPED, "a calm lake")


def test_a_row_that_is_gone_or_ended_stops_the_writing_and_stays_as_it_is() -> None:
    run = make_run(output_text="kept")
    ended, gone = MagicSink(run.pk, 500), MagicSink(uuid.uuid4(), 500)

    assert not ended.save("other", "")
    ended.finish("other", "", FINISH)
    assert not gone.save("other", "")
    gone.stopped("other", "")

    run.refresh_from_db()
    assert run.output_text == "kept"


def test_a_run_whose_process_died_is_shown_as_broken_off_and_can_be_put_to_rest() -> None:
    run = make_run(state="writing", output_text="a calm", saved_at=timezone.now() - timedelta(seconds=61))
    fresh = make_run(state="writing")

    assert (run.is_broken_off, run.is_being_written, run.shown_state) == (True, False, RunState.FAILED)
    assert "The studio was stopped" in run.shown_error
    assert (fresh.is_broken_off, fresh.is_being_written, fresh.shown_state) == (False, True, RunState.WRITING)
    services.stop_magic(run)
    assert (run.state, run.output_text) == (RunState.FAILED, "a calm")
    assert list(MagicRun.objects.broken_off()) == []


def test_runs_outlive_their_template(pretended: PretendedOllama) -> None:
    make_template()
    run = services.run_magic(**wish())

    PromptTemplate.objects.filter(category="poems").delete()

    run.refresh_from_db()
    assert (run.template_version, run.category, run.version) == (None, "poems", "1")
