"""The imitated Mureka API: its endpoints, shapes and errors, for development and tests without cost."""

import functools
import hashlib
import json
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from mockapi import errors, files, intake, lyrics, rules, scenarios, sources
from mockapi.models import ACCOUNT_ID, FIRST_TASK_ID, Kind, MurekaAccount, MurekaTask
from mockapi.reset import lost_answer

LARGEST_BODY = 15 * 1024 * 1024
LINK_LIFE_SECONDS = 30 * 24 * 3600
LONGEST_STEM_SECONDS = 3


View = Callable[..., HttpResponseBase]


def endpoint(method: str, *, public: bool = False) -> Callable[[View], View]:
    """Make a view of the mock: no session, no CSRF, its own bearer key unless public, errors in Mureka's shape."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
            try:
                check_method(request, method)
                if not public:
                    check_key(request)
                return view(request, *args, **kwargs)
            except errors.RefusedError as refusal:
                return refused(refusal)

        return csrf_exempt(login_not_required(answer))

    return decorate


def check_method(request: HttpRequest, method: str) -> None:
    """Refuse another method than the endpoint's; GET includes HEAD."""
    if request.method != method and (method, request.method) != ("GET", "HEAD"):
        raise errors.RefusedError(405, "Method Not Allowed")


def check_key(request: HttpRequest) -> None:
    """Refuse a request without the bearer key; any key will do where none is configured."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key or not constant_time_compare(key, settings.MOCKAPI_KEY or key):
        raise errors.RefusedError(401, errors.INVALID_AUTHENTICATION)


def refused(refusal: errors.RefusedError) -> JsonResponse:
    """Return an error as Mureka sends it; a 401 carries no trace_id."""
    body: dict[str, object] = {"error": {"message": refusal.message}}
    return JsonResponse(body if refusal.status == 401 else body | {"trace_id": trace_id()}, status=refusal.status)


def trace_id() -> str:
    """Return a new one for every answer."""
    return uuid.uuid4().hex


def read_body(request: HttpRequest) -> rules.Body:
    """Return the JSON object that was sent. Read from the stream: `request.body` refuses large data URIs."""
    raw = request.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise errors.invalid("The request body is too large.")
    try:
        body = json.loads(raw, parse_constant=not_json)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise errors.invalid("the body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise errors.invalid("the body must be a JSON object.")
    if rb"\u0000" in raw:  # PostgreSQL cannot keep it
        raise errors.invalid("the body must not contain NUL.")
    return body


def not_json(constant: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(constant)


# --- Songs and instrumentals ---


@endpoint("POST")
def song_generate(request: HttpRequest) -> HttpResponseBase:
    """POST /v1/song/generate."""
    body = read_body(request)
    model = rules.resolve_model(body, Kind.SONG)
    rules.check_song(body, model)
    return submitted(request, intake.order(Kind.SONG, body, model=model, n=rules.count(body)))


@endpoint("POST")
def instrumental_generate(request: HttpRequest) -> HttpResponseBase:
    """POST /v1/instrumental/generate."""
    body = read_body(request)
    model = rules.resolve_model(body, Kind.INSTRUMENTAL)
    rules.check_instrumental(body, model)
    return submitted(request, intake.order(Kind.INSTRUMENTAL, body, model=model, n=rules.count(body)))


def submitted(request: HttpRequest, task: MurekaTask) -> HttpResponseBase:
    """Return the answer to an accepted order; every real one says preparing. In scenario 0009 it never arrives."""
    if task.scenario == scenarios.RESET:
        return lost_answer(getattr(request, "environ", {}))
    return JsonResponse(heading(task) | {"status": "preparing", "trace_id": trace_id()})


def heading(task: MurekaTask) -> dict[str, object]:
    """Return what every answer about a task starts with."""
    return {"id": task.public_id, "created_at": int(task.created_at.timestamp()), "model": task.model}


@endpoint("GET")
def task_query(request: HttpRequest, kind: str, task_id: str) -> HttpResponse:
    """GET /v1/song/query/{id} and /v1/instrumental/query/{id}; neither knows the other's tasks."""
    number = int(task_id) if task_id.isdecimal() and len(task_id) < 19 else 0
    task = MurekaTask.objects.filter(pk=number - FIRST_TASK_ID, kind=kind).first()
    if task is None:
        raise errors.RefusedError(400, errors.TASK_NOT_FOUND)
    if task.scenario == scenarios.OVERLOADED and task.take_trouble(scenarios.TROUBLES):
        raise errors.RefusedError(503, errors.OVERLOADED)
    answer = JsonResponse(state(request, task))
    if task.scenario == scenarios.BROKEN_JSON and task.take_trouble(scenarios.TROUBLES):
        answer.content = answer.content[: len(answer.content) // 2]
    return answer


def state(request: HttpRequest, task: MurekaTask) -> dict[str, object]:
    """Return a task as it is now: a SongTask of the real API."""
    status = scenarios.status_at(task, timezone.now())
    answer = heading(task) | {"status": status, "trace_id": trace_id()}
    if status in scenarios.TERMINAL:
        answer["finished_at"] = int(task.ready_at.timestamp())
    if status == "failed":
        answer["failed_reason"] = scenarios.FAILED_REASON
    if status in {"succeeded", "streaming"}:
        answer["choices"] = [choice(request, task, index, status) for index in range(task.n)]
    return answer


def choice(request: HttpRequest, task: MurekaTask, index: int, status: str) -> dict[str, object]:
    """Return one take; the first has no `index`, just as in real answers."""
    part: dict[str, object] = {"id": f"{task.public_id}{index}"} | ({"index": index} if index else {})
    links = {name: file_url(request, task, index, name) for name in ("mp3", "flac", "wav")}
    if task.request.get("stream"):
        part["stream_url"] = links["mp3"]
    if status == "streaming":
        return part
    duration = task.choice_ms(index)
    part |= {"url": links["mp3"], "flac_url": links["flac"], "wav_url": links["wav"], "duration": duration}
    if task.kind == Kind.SONG:
        part["lyrics_sections"] = lyrics.timed_sections(task.request["lyrics"], duration)
    return part


def file_url(request: HttpRequest, task: MurekaTask, index: int, extension: str) -> str:
    """Return the absolute address of a result, on the host that was asked."""
    return request.build_absolute_uri(f"/mock/mureka/files/{files.address(task, index, extension)}")


@endpoint("GET", public=True)
def result_file(request: HttpRequest, kind: str, token: str, extension: str) -> HttpResponseBase:
    """Serve a result; like the real CDN it asks for no key."""
    found = files.available(kind, token)
    if found is None:
        raise errors.RefusedError(404, "Not Found")
    return sources.response(*found, extension)


# --- Stems, lyrics, the account ---


@endpoint("POST")
def song_stem(request: HttpRequest) -> HttpResponse:
    """POST /v1/song/stem: synchronous; the ZIP is ready when the answer is."""
    body = read_body(request)
    url, model = rules.text(body, "url", required=True), rules.check_stem_model(body)
    sources.check(url)
    kept = url if len(url) <= 2000 else f"sha256:{hashlib.sha256(url.encode()).hexdigest()}"
    seconds = min(settings.MOCKAPI_SECONDS, LONGEST_STEM_SECONDS)
    task = intake.record(Kind.STEM, body | {"url": kept}, model=model, cents=rules.STEM_CENTS[model], seconds=seconds)
    time.sleep(seconds)
    midi_url = file_url(request, task, sources.MIDI, "zip") if model in rules.STEM_MODELS_WITH_MIDI else None
    return JsonResponse(
        {
            "zip_url": file_url(request, task, sources.STEMS, "zip"),
            "expires_at": int(time.time()) + LINK_LIFE_SECONDS,
            "midi_zip_url": midi_url,
            "trace_id": trace_id(),
        }
    )


@endpoint("POST")
def lyrics_generate(request: HttpRequest) -> HttpResponse:
    """POST /v1/lyrics/generate."""
    body = read_body(request)
    prompt = rules.text(body, "prompt", required=True)
    intake.record(Kind.LYRICS, body, model="lyrics", cents=rules.LYRICS_CENTS)
    title, words = lyrics.write_lyrics(prompt)
    return JsonResponse({"title": title, "lyrics": words, "trace_id": trace_id()})


@endpoint("POST")
def lyrics_extend(request: HttpRequest) -> HttpResponse:
    """POST /v1/lyrics/extend: the continuation only."""
    body = read_body(request)
    words = rules.text(body, "lyrics", required=True)
    intake.record(Kind.LYRICS, body, model="lyrics", cents=rules.LYRICS_CENTS)
    return JsonResponse({"lyrics": lyrics.continue_lyrics(words), "trace_id": trace_id()})


@endpoint("GET")
def billing(request: HttpRequest) -> HttpResponse:
    """GET /v1/account/billing: money in US cents."""
    account = MurekaAccount.current()
    return JsonResponse(
        {
            "account_id": ACCOUNT_ID,
            "balance": account.balance,
            "total_recharge": settings.MOCKAPI_BALANCE,
            "total_spending": account.spending,
            "concurrent_request_limit": settings.MOCKAPI_CONCURRENT_LIMIT,
            "trace_id": trace_id(),
        }
    )


# --- Not part of the real API ---


@endpoint("GET")
def ledger(request: HttpRequest) -> HttpResponse:
    """GET /mock/mureka/ledger: every accepted submission, to prove that none was made twice."""
    return JsonResponse(
        {
            "submissions": [
                {
                    "id": task.public_id,
                    "kind": task.kind,
                    "model": task.model,
                    "n": task.n,
                    "scenario": task.scenario,
                    "lyrics": task.request.get("lyrics", ""),
                    "prompt": task.request.get("prompt", ""),
                    "url": task.request.get("url", ""),
                    "cents": task.cents,
                    "created_at": task.created_at.timestamp(),
                    "finished_at": task.ready_at.timestamp(),
                }
                for task in MurekaTask.objects.order_by("pk").iterator()
            ]
        }
    )


@endpoint("GET", public=True)
def health(request: HttpRequest) -> HttpResponse:
    """GET /mock/health: the mock answers."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer any other path below the mock."""
    return refused(errors.RefusedError(404, "Not Found"))
