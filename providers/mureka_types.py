"""What Mureka answers, as frozen types, and the careful reading of it: all may be missing or of a wrong type."""

from dataclasses import dataclass, replace
from typing import Any

BIGGEST = 2**53
URL_LENGTH = 1000
ID_LENGTH = 255
NAME_LENGTH = 100
REASON_LENGTH = 2000

FAILED = frozenset({"failed", "timeouted", "cancelled"})


@dataclass(frozen=True, slots=True)
class Word:
    """One sung word; times in milliseconds. The text keeps its trailing space."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One sung line; times in milliseconds."""

    start: int
    end: int
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a song (intro, verse, pre-chorus, chorus, bridge, break, outro); times in milliseconds."""

    kind: str
    start: int
    end: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant of a song. `duration` in milliseconds; an address that is absent is ""."""

    id: str
    index: int
    duration: int | None
    mp3_url: str
    flac_url: str
    wav_url: str
    sections: tuple[Section, ...]
    lyrics_sections: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Task:
    """A song or instrumental being made (SongTask). Times in Unix seconds; `raw` is the complete answer."""

    id: str
    status: str
    model: str
    failed_reason: str
    choices: tuple[Choice, ...]
    created_at: int | None
    finished_at: int | None
    raw: dict[str, Any]

    @property
    def is_succeeded(self) -> bool:
        """The choices are there. A status nobody knows is neither succeeded nor failed."""
        return self.status == "succeeded"

    @property
    def is_failed(self) -> bool:
        """Nothing more will come of it."""
        return self.status in FAILED


@dataclass(frozen=True, slots=True)
class Stems:
    """The separated tracks as an archive. `expires_at` in Unix seconds; `midi_zip_url` is "" when absent."""

    zip_url: str
    midi_zip_url: str
    expires_at: int | None
    trace_id: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lyrics:
    """Written lyrics with their title."""

    title: str
    lyrics: str


@dataclass(frozen=True, slots=True)
class Billing:
    """The account; money in US cents."""

    account_id: str
    balance: int
    total_recharge: int
    total_spending: int
    concurrent_request_limit: int


def parse_task(answer: dict[str, Any]) -> Task | None:
    """Read a SongTask; None if it has no usable id. A missing status is "", which is followed like an unknown one."""
    task_id = _identifier(answer.get("id"))
    if not task_id:
        return None
    return Task(
        id=task_id,
        status=_text(answer.get("status"), NAME_LENGTH).strip().lower(),
        model=_text(answer.get("model"), NAME_LENGTH),
        failed_reason=_text(answer.get("failed_reason"), REASON_LENGTH),
        choices=_choices(answer.get("choices")),
        created_at=_number(answer.get("created_at")),
        finished_at=_number(answer.get("finished_at")),
        raw=answer,
    )


def parse_stems(answer: dict[str, Any]) -> Stems | None:
    """Read the answer of POST /v1/song/stem; None without an archive."""
    zip_url = _address(answer.get("zip_url"))
    if not zip_url:
        return None
    return Stems(
        zip_url=zip_url,
        midi_zip_url=_address(answer.get("midi_zip_url")),
        expires_at=_number(answer.get("expires_at")),
        trace_id=_text(answer.get("trace_id"), ID_LENGTH),
        raw=answer,
    )


def parse_lyrics(answer: dict[str, Any]) -> Lyrics | None:
    """Read the answer of POST /v1/lyrics/generate; None without lyrics."""
    lyrics = _text(answer.get("lyrics"))
    return Lyrics(title=_text(answer.get("title"), 500), lyrics=lyrics) if lyrics.strip() else None


def parse_billing(answer: dict[str, Any]) -> Billing | None:
    """Read the answer of GET /v1/account/billing; None without a balance. A missing limit is 1, the smallest plan's."""
    balance = _number(answer.get("balance"))
    if balance is None:
        return None
    return Billing(
        account_id=_identifier(answer.get("account_id")),
        balance=balance,
        total_recharge=_number(answer.get("total_recharge")) or 0,
        total_spending=_number(answer.get("total_spending")) or 0,
        concurrent_request_limit=max(_number(answer.get("concurrent_request_limit")) or 1, 1),
    )


def _choices(value: Any) -> tuple[Choice, ...]:
    choices = tuple(_choice(item) for item in _objects(value))
    # `index` is left out when it is 0. Where the rest does not add up either, the order of the list counts.
    if len({choice.index for choice in choices}) < len(choices):
        choices = tuple(replace(choice, index=position) for position, choice in enumerate(choices))
    return tuple(sorted(choices, key=lambda choice: choice.index))


def _choice(item: dict[str, Any]) -> Choice:
    sections = _objects(item.get("lyrics_sections"))
    return Choice(
        id=_identifier(item.get("id")),
        index=max(_number(item.get("index")) or 0, 0),
        duration=_number(item.get("duration")),
        mp3_url=_address(item.get("url")),
        flac_url=_address(item.get("flac_url")),
        wav_url=_address(item.get("wav_url")),
        sections=tuple(_section(section) for section in sections),
        lyrics_sections=sections,
    )


def _section(item: dict[str, Any]) -> Section:
    start, end = _span(item)
    kind = _text(item.get("section_type"), NAME_LENGTH)
    return Section(kind=kind, start=start, end=end, lines=tuple(_line(line) for line in _objects(item.get("lines"))))


def _line(item: dict[str, Any]) -> Line:
    start, end = _span(item)
    words = tuple(Word(*_span(word), text=_text(word.get("text"))) for word in _objects(item.get("words")))
    return Line(start=start, end=end, text=_text(item.get("text")), words=words)


def _span(item: dict[str, Any]) -> tuple[int, int]:
    """Start and end in milliseconds, 0 where left out, and never an end before its start."""
    start = max(_number(item.get("start")) or 0, 0)
    return start, max(_number(item.get("end")) or 0, start)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -BIGGEST < value < BIGGEST:
        return None
    return int(value)


def _text(value: Any, length: int | None = None) -> str:
    return value[:length] if isinstance(value, str) else ""


def _identifier(value: Any) -> str:
    """Task ids are strings and account ids numbers; take either. A cut id would be a wrong id."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value).strip()
    return text if len(text) <= ID_LENGTH else ""


def _address(value: Any) -> str:
    text = _text(value).strip()
    return text if text.startswith(("https://", "http://")) and len(text) <= URL_LENGTH else ""
