"""Magic: what a person may have written with a template, and what becomes of it."""

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from library.texts import check_text
from prompts import filling, wire
from prompts.models import TEXT_LIMIT, MagicRun, PromptTemplate, RunState
from prompts.variables import values_of, variables_of
from prompts.writing import Ended, Writing, write
from providers import ollama
from providers.errors import ProviderError, Verdict
from providers.ollama_types import Finish, Model, Options, Piece, tokens_of

MODEL_LIMIT = 100  # characters of a model's name
ANSWER_TOKENS = 2048  # for an answer without a limit of its own
EVERY_CONTEXT = 4096  # tokens; hardly a model that writes reads less
PLAIN = ("chat", "generate")  # category and action of what was written without a template

_writings: WeakValueDictionary[uuid.UUID, Writing] = WeakValueDictionary()  # of runs, in this process


@dataclass(frozen=True)
class Assembled:
    """What Ollama is asked: `model` is "" where the template names none."""

    prompt: str
    options: Options
    model: str
    values: dict[str, str]  # of the variables, as they were filled in


@dataclass(frozen=True)
class Begun:
    """A run and the writing behind it, for whoever wants to listen."""

    run: MagicRun
    writing: Writing
    sink: "MagicSink"

    @property
    def first_line(self) -> wire.Line:
        """What a stream begins with."""
        return named(self.run)

    def last_line(self, ended: Ended) -> wire.Line:
        """What a stream ends with: the outcome as it was kept."""
        return {"run": str(self.run.pk), **self.sink.outcome_of(ended)}


def named(run: MagicRun) -> wire.Line:
    """Return what a run is called wherever it is told of: itself, its template and its model."""
    return {
        "run": str(run.pk),
        "template": run.template_version_id,
        "category": run.category,
        "action": run.action,
        "version": run.version,
        "model": run.model,
    }


def active_templates(category: str) -> list[PromptTemplate]:
    """Return the templates that a field of this category offers."""
    return list(PromptTemplate.objects.active().filter(category=category).order_by("pk"))


def template_in_use(category: str, action: str) -> PromptTemplate:
    """Return the version in use. Raises ValidationError if there is none."""
    found = PromptTemplate.objects.active().filter(category=category, action=action).first()
    if found is None:
        raise ValidationError({"action": _("No template is in use for “%(action)s” here.") % {"action": action[:50]}})
    return found


def assemble(template: PromptTemplate, text: str, variables: Mapping[str, Any]) -> Assembled:
    """Return what Ollama is asked with a version of a template.

    Raises:
        ValidationError: a message for "text", "template", or a variable by its name.
    """
    problems: dict[str, str] = {}
    missing = _("Write something first: this template works on a text.") if template.is_text_needed else ""
    check_text(problems, "text", text, TEXT_LIMIT, missing=missing)
    if problems:
        raise ValidationError(dict(problems))
    try:
        declared = variables_of(template.variables)
    except ValidationError as error:
        why = " ".join(error.messages)
        raise ValidationError({"template": _("The template cannot be used: %(why)s") % {"why": why}}) from error
    values = values_of(declared, variables)
    try:
        prompt = filling.assemble(template.pre_condition, text.strip(), template.post_condition, values)
    except filling.TemplateTextError as error:
        raise ValidationError({"template": _("The template cannot be used: %(why)s") % {"why": error}}) from error
    if not prompt.strip():
        raise ValidationError({"template": _("Nothing is left to ask: the template and the text are empty.")})
    options = Options(temperature=template.temperature, max_tokens=template.max_tokens)
    return Assembled(prompt, options, template.model, values)


def begin_magic(
    *,
    category: str = "",
    action: str = "",
    text: str,
    variables: Mapping[str, Any],
    user: User | None,
    previous: MagicRun | None = None,
    template: PromptTemplate | None = None,
    model: str = "",
    is_trial: bool = False,
) -> Begun:
    """Have a text written: the row first, then the writing. `template` is a version in place of the one in use.

    Raises:
        ValidationError: a message per field or variable. Whatever happens at Ollama is told by the run.
    """
    template = template or template_in_use(category, action)
    asked = assemble(template, text, variables)
    problems: dict[str, str] = {}
    check_text(problems, "model", model, MODEL_LIMIT)
    if problems:
        raise ValidationError(dict(problems))
    run = MagicRun.objects.create(
        template_version=template,
        category=template.category,
        action=template.action,
        version=template.version,
        variables=asked.values,
        input_text=text,
        prompt=asked.prompt,
        model=model or asked.model or model_liked_by(user),
        previous=previous,
        user=user,
        is_trial=is_trial,
    )
    return begun_with(run, asked.options)


def pieces_of(prompt: str, model: str, options: Options) -> Iterator[Piece | Finish]:
    """Ask Ollama; the default model is only looked for now, because that may take a while."""
    model = model or ollama.default_model()
    return ollama.generate(prompt, model=model, options=with_room(options, prompt, model))


def with_room(options: Options, prompt: str, model: str) -> Options:
    """Have the model read all of a prompt: what is beyond its context, Ollama cuts off and does not say so.

    The context is that of the chat where this is enough: another size has Ollama load the model anew.

    Raises:
        ProviderError: the text is longer than what the model can read, or Ollama does not answer.
    """
    if options.context_tokens is not None:
        return options
    prompt_tokens, answer_tokens = tokens_of(prompt), options.max_tokens or ANSWER_TOKENS
    needed = prompt_tokens * 3 // 2 + answer_tokens  # the estimate may be that far off
    size = int(settings.CHAT_CONTEXT_TOKENS)
    while size < needed:
        size *= 2
    if needed > EVERY_CONTEXT and (own := ollama.show(model).context_tokens):
        if prompt_tokens + answer_tokens > own:
            raise ProviderError(
                Verdict.REFUSED,
                _("The text is too long for %(model)s, which reads %(own)s tokens at once, its answer included.")
                % {"model": model, "own": own},
                provider="Ollama",
            )
        size = min(size, own)
    return replace(options, context_tokens=size)


def start_magic(**wish: Any) -> MagicRun:
    """Have a text written and return at once. Takes and raises what `begin_magic` does."""
    return begin_magic(**wish).run


def run_magic(**wish: Any) -> MagicRun:
    """Have a text written and return it whole. Takes and raises what `begin_magic` does."""
    begun = begin_magic(**wish)
    wait_for_end(begun)
    return begun.run


def wait_for_end(begun: Begun) -> Ended:
    """Wait until a run is as it stays. Return how it ended; with an error, if nothing of use came."""
    wire.release_connections()
    ended = next(event for event in begun.writing.events() if isinstance(event, Ended))
    begun.run.refresh_from_db()
    if ended.error is None and begun.run.state == RunState.FAILED:
        return replace(ended, outcome="failed", error=no_answer(begun.run.error_message))
    return ended


def no_answer(message: str) -> ProviderError:
    """Return the error for an answer that came, and is of no use."""
    return ProviderError(Verdict.REFUSED, message, provider="Ollama", status=200)


def begin_text(*, prompt: str, model: str, before: str, after: str, options: Options, user: User | None) -> Begun:
    """Have a text written without a template: the row first, as `begin_magic` does it.

    Raises:
        ValidationError: a message per field. Whatever happens at Ollama is told by the run.
    """
    problems: dict[str, str] = {}
    check_text(problems, "prompt", prompt, TEXT_LIMIT, missing=_("Write what is to be answered."))
    check_text(problems, "pre_condition", before, TEXT_LIMIT)
    check_text(problems, "post_condition", after, TEXT_LIMIT)
    check_text(problems, "model", model, MODEL_LIMIT)
    if problems:
        raise ValidationError(dict(problems))
    category, action = PLAIN
    run = MagicRun.objects.create(
        category=category,
        action=action,
        input_text=prompt,
        prompt="\n\n".join(part.strip("\n") for part in (before, prompt, after) if part.strip()),
        model=model or model_liked_by(user),
        user=user,
    )
    return begun_with(run, options)


def begun_with(run: MagicRun, options: Options) -> Begun:
    """Have a run's text written, now that its row is there."""
    sink = MagicSink(run.pk, options.max_tokens)
    writing = _writings[run.pk] = write(partial(pieces_of, run.prompt, run.model, options), sink)
    return Begun(run, writing, sink)


def begun_here(run: MagicRun) -> Begun | None:
    """Return a run with its writing, if it is this process that writes it."""
    writing = _writings.get(run.pk)
    return Begun(run, writing, writing.sink) if writing and isinstance(writing.sink, MagicSink) else None


def model_liked_by(user: User | None) -> str:
    """Return the model where nothing names one: what the person likes, or OLLAMA_MODEL; "" for the first there is."""
    return (user.text_model if user else "") or str(settings.OLLAMA_MODEL)


def why_empty(thinking: str, finish: Finish, max_tokens: int | None) -> str:
    """Say why a model wrote nothing, and what helps."""
    if finish.reason == "length" or thinking.strip():
        return _(
            "The model used up its %(tokens)s tokens thinking and wrote nothing. Set “most tokens” of the template "
            "higher, or choose a model that does not think."
        ) % {"tokens": max_tokens or finish.tokens or ""}
    return _("The model answered with an empty text. Write it again, or choose another model.")


def installed_models() -> list[Model]:
    """Return the models that Ollama has. Raises ProviderError."""
    return ollama.list_models()


def stop_magic(run: MagicRun) -> None:
    """End a run; what is written so far is kept. The process that writes it sees it within about a second."""
    MagicRun.objects.filter(pk=run.pk).writing().update(is_stop_asked=True)
    if run.is_broken_off:
        MagicRun.objects.filter(pk=run.pk).broken_off().update(state=RunState.FAILED, error_message=run.shown_error)
    run.refresh_from_db()


class MagicSink:
    """Keeps a run in its row. Every change is conditional: a row that somebody else has ended stays as it is."""

    def __init__(self, pk: uuid.UUID, max_tokens: int | None) -> None:
        self._rows = MagicRun.objects.filter(pk=pk, state=RunState.WRITING)
        self._max_tokens = max_tokens
        self._began_at = time.monotonic()
        self._outcome: dict[str, Any] = {}

    def begin(self) -> None:
        """Note that it is awaited."""
        self._rows.update(saved_at=timezone.now())

    def save(self, text: str, thinking: str) -> bool:
        """Keep what there is; False once a stop was asked for, or the row is gone or ended."""
        waiting = self._rows.filter(is_stop_asked=False)
        return bool(waiting.update(output_text=text, thinking=thinking, saved_at=timezone.now()))

    def finish(self, text: str, thinking: str, finish: Finish) -> None:
        """Keep the whole text; a text without a word is a failure that says what to do."""
        values: dict[str, Any] = {
            "model": finish.model[:MODEL_LIMIT],
            "tokens": finish.tokens,
            "finish_reason": finish.reason[:20],
        }
        state = RunState.DONE
        if not text.strip():
            state, values["error_message"] = RunState.FAILED, why_empty(thinking, finish, self._max_tokens)
        self._end(text.strip(), thinking, state, seconds=finish.total_seconds, **values)

    def fail(self, text: str, thinking: str, error: ProviderError) -> None:
        """Keep what came before it broke."""
        self._end(text, thinking, RunState.FAILED, error_message=error.message)

    def stopped(self, text: str, thinking: str) -> None:
        """Keep what came before the stop."""
        self._end(text, thinking, RunState.STOPPED)

    def outcome_of(self, ended: Ended) -> dict[str, Any]:
        """Return how it ended, for a stream's last line."""
        error = ended.error.message if ended.error is not None else ""
        return {"state": ended.outcome, "error": error} | self._outcome

    def _end(self, text: str, thinking: str, state: RunState, *, seconds: float | None = None, **values: Any) -> None:
        ending = {
            "state": state,
            "error_message": "",
            "seconds": round(seconds or time.monotonic() - self._began_at, 2),
            **values,
        }
        self._rows.update(output_text=text, thinking=thinking, saved_at=timezone.now(), **ending)
        named = {"error_message": "error", "finish_reason": "reason"}
        self._outcome = {named.get(name, name): value for name, value in ending.items()}
