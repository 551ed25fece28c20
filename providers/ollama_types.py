"""What Ollama is asked and what it answers, as frozen types, and the careful reading of it: anything may be missing."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, Literal

BIGGEST = 2**53
NANOSECONDS = 1_000_000_000
NAME_LENGTH = 255
TEXT_LENGTH = 200_000
BYTES_PER_TOKEN = 4  # by and large, in every script: a letter beyond ASCII has more bytes and takes more of a token
TOKENS_AROUND = 4  # what frames a message

Role = Literal["system", "user", "assistant"]
Think = bool | Literal["low", "medium", "high", "max"] | None
"""Whether a model thinks aloud before it answers. None leaves it to Ollama, where a model that can think does."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a text is to be written. What is None is not sent, so that the model's own default holds.

    `temperature` 0.0 to 2.0; `max_tokens` of the answer, thinking included (`num_predict`); `context_tokens` of what
    goes in and comes out together (`num_ctx`); `seed` makes an answer repeatable; `stop` are words at which it ends.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    context_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def as_sent(self) -> dict[str, Any]:
        """Return them as Ollama names them. A `stop` that is no list, or a number that is a string, it answers 500."""
        named = {
            "temperature": self.temperature,
            "num_predict": self.max_tokens,
            "num_ctx": self.context_tokens,
            "seed": self.seed,
            "stop": list(self.stop) or None,
        }
        return {name: value for name, value in named.items() if value is not None}


def tokens_of(text: str) -> int:
    """Estimate the tokens of a text. No model's own count is to be had before it reads it."""
    return len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + TOKENS_AROUND


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more of a text, or of the thinking before it. Both are "" while nothing has come for half a second."""

    text: str = ""
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """How a text ended. `reason` is "stop", or "length" when `max_tokens` or the context was used up, or "".

    `prompt_tokens` and `tokens` are None where Ollama did not count them: it leaves out what is zero, such as a prompt
    that it had at hand. Times in seconds; `load_seconds` is what loading the model took.
    """

    reason: str
    model: str
    prompt_tokens: int | None = None
    tokens: int | None = None
    total_seconds: float | None = None
    load_seconds: float | None = None
    eval_seconds: float | None = None

    @property
    def tokens_per_second(self) -> float | None:
        """How fast it was written."""
        return self.tokens / self.eval_seconds if self.tokens and self.eval_seconds else None


Stream = Generator[Piece | Finish, None, None]
"""A text as it is written. Closing it closes the connection, which stops Ollama."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that Ollama has. `context_tokens` is None and `capabilities` empty where it does not say."""

    name: str
    size_bytes: int
    family: str
    parameter_size: str
    quantization: str
    context_tokens: int | None
    capabilities: tuple[str, ...]
    is_loaded: bool

    @property
    def writes(self) -> bool:
        """Whether it writes texts; some only turn texts into numbers."""
        return not self.capabilities or "completion" in self.capabilities


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What Ollama tells of one model. `template` and `system` are its own, used where a request brings none."""

    name: str
    family: str
    parameter_size: str
    quantization: str
    context_tokens: int | None
    capabilities: tuple[str, ...]
    system: str
    template: str
    parameters: str
    license: str

    @property
    def thinks(self) -> bool:
        """Whether it can think aloud; asking another one to is an error."""
        return "thinking" in self.capabilities


def parse_line(line: dict[str, Any]) -> tuple[Piece, Finish | None]:
    """Read one object of a stream of /api/generate or /api/chat."""
    message = line.get("message")
    if isinstance(message, dict):
        piece = Piece(_text(message.get("content"), BIGGEST), _text(message.get("thinking"), BIGGEST))
    else:
        piece = Piece(_text(line.get("response"), BIGGEST), _text(line.get("thinking"), BIGGEST))
    return piece, _finish(line) if line.get("done") is True else None


def _finish(line: dict[str, Any]) -> Finish:
    return Finish(
        reason=_text(line.get("done_reason"), NAME_LENGTH),
        model=_text(line.get("model"), NAME_LENGTH),
        prompt_tokens=_count(line.get("prompt_eval_count")),
        tokens=_count(line.get("eval_count")),
        total_seconds=_seconds(line.get("total_duration")),
        load_seconds=_seconds(line.get("load_duration")),
        eval_seconds=_seconds(line.get("eval_duration")),
    )


def parse_models(tags: dict[str, Any], loaded: frozenset[str]) -> list[Model] | None:
    """Read the answer of GET /api/tags; None if it is no list of models. `loaded` are the names in memory."""
    found = _models(tags)
    return None if found is None else [_model(name, item, name in loaded) for name, item in found]


def parse_names(answer: dict[str, Any]) -> frozenset[str]:
    """Read the names of the models in an answer of GET /api/ps or /api/tags."""
    return frozenset(name for name, _item in _models(answer) or ())


def parse_details(name: str, answer: dict[str, Any]) -> ModelDetails:
    """Read the answer of POST /api/show."""
    details = _dict(answer.get("details"))
    lengths = (value for key, value in _dict(answer.get("model_info")).items() if key.endswith(".context_length"))
    return ModelDetails(
        name=name,
        family=_text(details.get("family"), NAME_LENGTH),
        parameter_size=_text(details.get("parameter_size"), NAME_LENGTH),
        quantization=_text(details.get("quantization_level"), NAME_LENGTH),
        context_tokens=_count(details.get("context_length")) or next(filter(None, map(_count, lengths)), None),
        capabilities=_names(answer.get("capabilities")),
        system=_text(answer.get("system")),
        template=_text(answer.get("template")),
        parameters=_text(answer.get("parameters")),
        license=_text(answer.get("license")),
    )


def _models(answer: dict[str, Any]) -> list[tuple[str, dict[str, Any]]] | None:
    models = answer.get("models")
    if not isinstance(models, list):
        # Ollama without any model has been seen to answer null.
        return [] if "models" in answer and models is None else None
    items = [item for item in models if isinstance(item, dict)]
    named = [(_text(item.get("name") or item.get("model"), NAME_LENGTH), item) for item in items]
    return [(name, item) for name, item in named if name]


def _model(name: str, item: dict[str, Any], is_loaded: bool) -> Model:
    details = _dict(item.get("details"))
    return Model(
        name=name,
        size_bytes=_count(item.get("size")) or 0,
        family=_text(details.get("family"), NAME_LENGTH),
        parameter_size=_text(details.get("parameter_size"), NAME_LENGTH),
        quantization=_text(details.get("quantization_level"), NAME_LENGTH),
        context_tokens=_count(details.get("context_length")),
        capabilities=_names(item.get("capabilities")),
        is_loaded=is_loaded,
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: Any) -> tuple[str, ...]:
    items: Iterable[Any] = value if isinstance(value, list) else ()
    return tuple(item[:NAME_LENGTH] for item in items if isinstance(item, str))


def _text(value: Any, length: int = TEXT_LENGTH) -> str:
    return value[:length] if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < BIGGEST:
        return None
    return int(value)


def _seconds(value: Any) -> float | None:
    count = _count(value)
    return None if count is None else count / NANOSECONDS
