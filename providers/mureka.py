"""Mureka (https://platform.mureka.ai/docs): songs, instrumentals, stems, lyrics and the account."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from providers.errors import ProviderError, Verdict
from providers.failures import Classify, broken_answer, verdict_for_status
from providers.http import name_of_host, request_json
from providers.mureka_types import (
    Billing,
    Choice,
    Line,
    Lyrics,
    Section,
    Stems,
    Task,
    Word,
    parse_billing,
    parse_lyrics,
    parse_stems,
    parse_task,
)

__all__ = [
    "Billing",
    "Choice",
    "Line",
    "Lyrics",
    "Section",
    "Stems",
    "Task",
    "Word",
    "file_hosts",
    "generate_instrumental",
    "generate_lyrics",
    "generate_song",
    "get_billing",
    "is_mock",
    "query_instrumental",
    "query_song",
    "separate_stems",
]

PROVIDER = "Mureka"

Parsed = TypeVar("Parsed")

# (connect, read) in seconds. A submission is answered at once, but an answer given up too early is a song in doubt.
SUBMIT_TIMEOUT = (10.0, 120.0)
QUERY_TIMEOUT = (5.0, 20.0)
LYRICS_TIMEOUT = (10.0, 180.0)
STEMS_TIMEOUT = (10.0, 900.0)

# Error table, 429: the two differ only in the message, and the pace words are looked for first.
PACE_WORDS = ("rate limit", "pace your requests", "too quickly")
QUOTA_WORDS = ("exceeded your current quota", "billing details")
# "Invalid Request, The corresponding task was not found." The status that it comes with is not documented.
UNKNOWN_TASK_WORDS = "task was not found"


def generate_song(*, lyrics: str, prompt: str, model: str, n: int, gender: str = "") -> Task:
    """POST /v1/song/generate: submit a song of `n` (1 to 3) variants. Paid; raises ProviderError.

    `lyrics` at most 5000 characters, `prompt` (the style) at most 1024, `gender` "female", "male" or "".
    """
    body = {"lyrics": lyrics, "model": model, "n": n, "prompt": prompt, "gender": gender}
    answer = _post("/v1/song/generate", {name: value for name, value in body.items() if value != ""}, SUBMIT_TIMEOUT)
    return _usable(parse_task, answer, paid=True)


def generate_instrumental(*, prompt: str, model: str, n: int) -> Task:
    """POST /v1/instrumental/generate: submit an instrumental of `n` (1 to 3) variants. Paid; raises ProviderError."""
    answer = _post("/v1/instrumental/generate", {"prompt": prompt, "model": model, "n": n}, SUBMIT_TIMEOUT)
    return _usable(parse_task, answer, paid=True)


def query_song(task_id: str) -> Task:
    """GET /v1/song/query/{task_id}: ask how a song is doing. Free; raises ProviderError."""
    return _query("/v1/song/query/", task_id)


def query_instrumental(task_id: str) -> Task:
    """GET /v1/instrumental/query/{task_id}: ask how an instrumental is doing. Free; raises ProviderError."""
    return _query("/v1/instrumental/query/", task_id)


def separate_stems(*, url: str, model: str) -> Stems:
    """POST /v1/song/stem: split a song into its tracks; answers when done, which takes up to 15 minutes.

    `url` is an https address of an mp3 or m4a that Mureka can reach, or a data URI of at most 10 MB. Paid; raises
    ProviderError.
    """
    return _usable(parse_stems, _post("/v1/song/stem", {"url": url, "model": model}, STEMS_TIMEOUT), paid=True)


def generate_lyrics(prompt: str) -> Lyrics:
    """POST /v1/lyrics/generate: write lyrics. Paid; raises ProviderError."""
    return _usable(parse_lyrics, _post("/v1/lyrics/generate", {"prompt": prompt}, LYRICS_TIMEOUT), paid=True)


def get_billing() -> Billing:
    """GET /v1/account/billing: balance and limits, money in US cents. Free; raises ProviderError."""
    return _usable(parse_billing, _get("/v1/account/billing", _verdict), paid=False)


def file_hosts() -> frozenset[str]:
    """Name the hosts ("host" or "host:port") that result files may be fetched from."""
    own = name_of_host(settings.MUREKA_BASE_URL)
    return frozenset({*(name.lower() for name in settings.MUREKA_FILE_HOSTS), own})


def is_mock() -> bool:
    """Tell whether "Mureka" is the imitated one, so that pages can say so."""
    return str(settings.MUREKA_BASE_URL).endswith("/mock/mureka")


def _key() -> str:
    key: str = settings.MUREKA_API_KEY
    return key or (settings.MOCKAPI_KEY or "mock" if is_mock() else "")


def _post(path: str, body: dict[str, Any], timeout: tuple[float, float]) -> dict[str, Any]:
    return request_json(
        "POST",
        f"{settings.MUREKA_BASE_URL}{path}",
        provider=PROVIDER,
        key=_key(),
        body=body,
        timeout=timeout,
        paid=True,
        classify=_verdict,
    )


def _get(path: str, classify: Classify) -> dict[str, Any]:
    return request_json(
        "GET",
        f"{settings.MUREKA_BASE_URL}{path}",
        provider=PROVIDER,
        key=_key(),
        timeout=QUERY_TIMEOUT,
        paid=False,
        classify=classify,
    )


def _query(path: str, task_id: str) -> Task:
    # A person may have typed this number: it must not become another path.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", task_id):
        raise ProviderError(Verdict.REFUSED, _("This is not a job number of Mureka."), provider=PROVIDER)
    answer = _get(path + task_id, _verdict_of_query)
    task = _usable(parse_task, answer, paid=False)
    if task.id != task_id or not task.status:
        raise broken_answer(PROVIDER, answer, paid=False, status=200)
    return task


def _usable(parse: Callable[[dict[str, Any]], Parsed | None], answer: dict[str, Any], *, paid: bool) -> Parsed:
    parsed = parse(answer)
    if parsed is None:
        raise broken_answer(PROVIDER, answer, paid=paid, status=200)
    return parsed


def _verdict(status: int, words: str, paid: bool) -> Verdict:
    """Error table: as HTTP says, but a 429 about money is no pace limit. An unknown 429 counts as pace."""
    spoken = words.lower()
    is_pace = any(pace in spoken for pace in PACE_WORDS)
    if status == 429 and not is_pace and any(quota in spoken for quota in QUOTA_WORDS):
        return Verdict.OUT_OF_MONEY
    return verdict_for_status(status, words, paid)


def _verdict_of_query(status: int, words: str, paid: bool) -> Verdict:
    """The task is paid for: only Mureka's word that there is none ends it. A proxy's or a region's no may pass."""
    verdict = _verdict(status, words, paid)
    return Verdict.LATER if verdict is Verdict.REFUSED and UNKNOWN_TASK_WORDS not in words.lower() else verdict
