"""One paid call of the official client, and a verdict on every way in which it can fail. Slow to import."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import openai
from django.utils.translation import gettext as _

from providers.answers import error_words, load_json, parse_retry_after
from providers.calls import told
from providers.deadlines import Deadline
from providers.errors import ProviderError, Verdict
from providers.failures import sentence_for, verdict_for_status
from providers.openai_types import CALL_SECONDS, ImageAnswer, ImageRequest, decode, parse_answer, take_pictures

logger = logging.getLogger(__name__)

# Seconds. The slowest model takes a minute or two, several pictures longer; what is given up is a picture in doubt.
# Each counts for one wait; the whole call ends within CALL_SECONDS.
TIMEOUT = httpx2.Timeout(connect=10.0, read=300.0, write=60.0, pool=10.0)
# The largest picture (3840x2160) without any compression, as base64; per picture and early version.
PICTURE_BYTES = 48 * 1024 * 1024
WORDS_BYTES = 1024 * 1024
SECRET_LENGTH = 8

# Raised while a connection is being made, before one byte of the request has left (found by experiment, see the tests).
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)

# The documented error table; each code may also stand in `type`.
OUT_OF_MONEY = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    }
)
OVERLOADED = frozenset({"server_is_overloaded", "slow_down"})
MODERATED = frozenset({"moderation_blocked", "content_policy_violation"})


class _TooLongError(Exception):
    """The answer is longer than any picture can be."""


class _BrokenError(Exception):
    """A 2xx answer without pictures; the text is what it was."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is needed to make one call, and to say what went wrong with it."""

    provider: str
    base_url: str
    key: str

    def error(
        self, verdict: Verdict, message: str, detail: str = "", *, status: int | None = None, wait: float | None = None
    ) -> ProviderError:
        """Make the error, with no secret in its detail."""
        detail = re.sub(r"(?i)bearer\s+[^\s\"']+", "Bearer ***", self.without_key(detail)).replace("\x00", "")
        return ProviderError(verdict, message, provider=self.provider, detail=detail, status=status, retry_after=wait)

    def without_key(self, text: str) -> str:
        """Hide the key; words such as "mock" are none."""
        return text.replace(self.key, "***") if len(self.key) >= SECRET_LENGTH else text


class _Arriving(httpx2.SyncByteStream):
    """An answer on its way, bounded in bytes."""

    def __init__(self, stream: httpx2.SyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > self._max_bytes:
                raise _TooLongError
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _Head:
    """Status and headers of the answer. They count even if the body after them is cut off."""

    def __init__(self, max_bytes: int) -> None:
        self.status: int | None = None
        self.headers = httpx2.Headers()
        self._max_bytes = max_bytes

    def note(self, response: httpx2.Response) -> None:
        self.status, self.headers = response.status_code, response.headers
        if response.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
            # None was asked for; unpacked it could be of any size.
            raise _BrokenError("Content-Encoding: " + response.headers["Content-Encoding"])
        max_bytes = self._max_bytes if response.is_success else WORDS_BYTES
        response.stream = _Arriving(cast("httpx2.SyncByteStream", response.stream), max_bytes)


def send(
    call: Call, request: ImageRequest, parameters: dict[str, Any], on_partial: Callable[[int, bytes], None] | None
) -> ImageAnswer:
    """Ask for pictures once, over a connection of its own; nothing is repeated, no redirect followed.

    `parameters` is what is sent. Raises ProviderError, and nothing else: what is not understood is uncertain.
    """
    head = _Head(WORDS_BYTES + (request.n + request.partial_images) * PICTURE_BYTES)
    endpoint = "edit" if request.references else "generate"
    operation = "POST /v1/images/edits" if request.references else "POST /v1/images/generations"
    with told(call.provider, operation, is_paid=True) as line, Deadline(CALL_SECONDS) as deadline:
        try:
            return _read(_ask(call, endpoint, parameters, head, deadline, on_partial), head)
        except Exception as error:  # noqa: BLE001  whatever it is, the request may have been paid for
            problem = error
        finally:
            line.status = head.status
        # Raised outside the except block: the original error holds the request, and with it the key.
        raise _failure(call, problem, head, is_over=deadline.is_over)


def _ask(
    call: Call,
    endpoint: str,
    parameters: dict[str, Any],
    head: _Head,
    deadline: Deadline,
    on_partial: Callable[[int, bytes], None] | None,
) -> dict[str, Any]:
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [deadline.watch], "response": [head.note]}
    with (
        httpx2.Client(timeout=TIMEOUT, follow_redirects=False, event_hooks=hooks) as http,
        openai.OpenAI(
            api_key=call.key, base_url=call.base_url, max_retries=0, timeout=TIMEOUT, http_client=http
        ) as client,
    ):
        images: Any = client.images if on_partial else client.images.with_raw_response
        received = getattr(images, endpoint)(**parameters, extra_headers={"Accept-Encoding": "identity"})
        return _completed(received, on_partial) if on_partial else _whole(received.http_response.content)


def _read(raw: dict[str, Any], head: _Head) -> ImageAnswer:
    pictures = take_pictures(raw["data"])
    if not pictures:
        raise _BrokenError(json.dumps(raw))
    # Read once more without the pictures: into what every database can store.
    return parse_answer(load_json(json.dumps(raw)), pictures, head.headers.get("x-request-id", ""))


def _whole(content: bytes) -> dict[str, Any]:
    """Read the answer as it came; the client's own types would let any shape through."""
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict) or not isinstance(raw.get("data"), list):
        raise _BrokenError(content[:4000].decode("utf-8", "replace"))
    return raw


def _completed(stream: Any, on_partial: Callable[[int, bytes], None]) -> dict[str, Any]:
    """Follow a stream to its end, hand on the early versions, and give its last event in the shape of an answer."""
    with closing(stream):
        for event in stream:
            fields: dict[str, Any] = event.to_dict(warnings=False)
            kind = str(fields.get("type", ""))
            if kind.endswith(".partial_image"):
                _hand_on(on_partial, fields)
            elif kind.endswith(".completed"):
                picture = {"b64_json": fields.pop("b64_json", None)}
                return fields | {"data": [picture]}
    raise httpx2.RemoteProtocolError("the stream ended without a picture")


def _hand_on(on_partial: Callable[[int, bytes], None], fields: dict[str, Any]) -> None:
    content, index = decode(fields.get("b64_json")), fields.get("partial_image_index")
    if content is None:
        return
    try:
        on_partial(index if isinstance(index, int) else 0, content)
    except Exception:  # a preview that cannot be shown must not cost the picture
        logger.exception("An early version of a picture could not be shown.")


# --- What went wrong ------------------------------------------------------------------------------------------------


def _failure(call: Call, problem: Exception, head: _Head, *, is_over: bool) -> ProviderError:
    if head.status is not None and not 200 <= head.status < 300:
        return _status_failure(call, problem, head)
    if isinstance(problem, openai.APIError) and problem.body is not None:
        return _stream_failure(call, problem)
    cause = problem.__cause__ if isinstance(problem, openai.APIConnectionError) else problem
    verdict = Verdict.UNCERTAIN
    if isinstance(cause, NEVER_SENT):
        verdict, message = Verdict.LATER, _("%(name)s cannot be reached.")
    elif is_over or isinstance(cause, httpx2.TimeoutException):
        message = _("%(name)s did not answer in time.")
    elif isinstance(cause, _TooLongError):
        message = _("%(name)s gave an answer that is too long.")
    elif isinstance(problem, openai.APIConnectionError) or isinstance(cause, httpx2.TransportError):
        message = _("The connection to %(name)s broke before its answer was complete.")
    else:
        message = _("%(name)s gave an answer that cannot be read.")
    return call.error(
        verdict, message % {"name": call.provider}, f"{type(cause).__name__}: {cause}", status=head.status
    )


def _verdict(status: int, codes: set[str], words: str) -> Verdict:
    """Say what a refusal means. Money is told by its code, under whichever status.

    A 5xx is uncertain, but for a 503 with one of the two codes that are documented as "busy, try again": these are
    given at the door, before any work, so nothing was made and nothing charged.
    """
    if codes & OUT_OF_MONEY:
        return Verdict.OUT_OF_MONEY
    if status == 503 and codes & OVERLOADED:
        return Verdict.LATER
    return verdict_for_status(status, words, paid=True)


def _status_failure(call: Call, problem: Exception, head: _Head) -> ProviderError:
    status = head.status or 0
    text, body = (
        (problem.response.text[:8000], problem.body) if isinstance(problem, openai.APIStatusError) else ("", None)
    )
    words = error_words(call.without_key(text))
    verdict = _verdict(status, _codes(body), words)
    is_overloaded = verdict is Verdict.LATER and status != 429
    message = _("%(name)s is overloaded at the moment.") if is_overloaded else sentence_for(verdict, status, words)
    message %= {"name": call.provider, "words": words + _categories(body, words), "status": status}
    wait = parse_retry_after(head.headers.get("Retry-After", ""))
    return call.error(verdict, message, text, status=status, wait=wait)


def _stream_failure(call: Call, problem: openai.APIError) -> ProviderError:
    """Judge an error within a stream. The work had begun: only a refusal of the picture itself is sure to be one."""
    text = json.dumps(problem.body)
    words = error_words(call.without_key(json.dumps({"error": problem.body})))
    codes = _codes(problem.body)
    verdict, message = Verdict.UNCERTAIN, _("%(name)s has a problem of its own.")
    if codes & MODERATED:
        verdict, message = Verdict.REFUSED, _('%(name)s refused the request: "%(words)s"')
    elif codes & OUT_OF_MONEY:
        verdict, message = Verdict.OUT_OF_MONEY, _("The %(name)s account has no money left.")
    message %= {"name": call.provider, "words": words + _categories(problem.body, words)}
    return call.error(verdict, message, text, status=200)


def _codes(body: Any) -> set[str]:
    return {str(body[name]) for name in ("code", "type") if body.get(name)} if isinstance(body, dict) else set()


def _categories(body: Any, words: str) -> str:
    """Name what moderation found, as far as its words do not."""
    details = body.get("moderation_details") if isinstance(body, dict) else None
    found = details.get("categories") if isinstance(details, dict) else None
    names = [str(name)[:50] for name in found[:10]] if isinstance(found, list) else []
    unnamed = [name for name in names if name not in words]
    return f" ({', '.join(unnamed)})" if unnamed else ""
