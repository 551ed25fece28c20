"""The imitated OpenAI API for pictures: its endpoints, shapes and streams, without cost."""

import base64
import functools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from mockapi import files, openai_intake, openai_rules, scenarios, waiting
from mockapi import openai_errors as errors
from mockapi.models import OpenAISubmission
from mockapi.openai_rules import MODELS, Body, Order
from mockapi.openai_uploads import Uploads, read_files, read_form
from mockapi.reset import lost_answer

LINK_LIFE = timedelta(minutes=60)
NO_ANSWER = scenarios.TIMES_OUT

# One picture at a time in each process: together they would need much memory and be done no sooner.
PAINTING = threading.Lock()

View = Callable[..., HttpResponseBase]


def endpoint(method: str, *, public: bool = False) -> Callable[[View], View]:
    """Make a view of the mock: no session, no CSRF, its own bearer key unless public, errors in OpenAI's shape."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
            request_id = f"req_{uuid.uuid4().hex}"
            request.META["mockapi.request_id"] = request_id
            try:
                if request.method != method and (method, request.method) != ("GET", "HEAD"):
                    raise errors.refusal(405, f"Not allowed to {request.method} on {request.path}.")
                if not public:
                    check_key(request)
                response = view(request, *args, **kwargs)
            except errors.OpenAIRefusalError as refusal:
                response = refused(refusal)
            response["x-request-id"] = request_id
            return response

        return csrf_exempt(login_not_required(answer))

    return decorate


def key_of(request: HttpRequest) -> str:
    """Return the bearer key that was sent, empty if there is none."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def check_key(request: HttpRequest) -> None:
    """Refuse a request without the bearer key; any key will do where none is configured."""
    key = key_of(request)
    if not key:
        raise errors.no_key()
    if not constant_time_compare(key, settings.MOCKAPI_KEY or key):
        raise errors.wrong_key(key)


def refused(refusal: errors.OpenAIRefusalError) -> JsonResponse:
    """Return an error as OpenAI sends it."""
    response = JsonResponse({"error": refusal.error}, status=refusal.status)
    if refusal.wait is not None:
        response["Retry-After"] = str(refusal.wait)
    return response


def read_json(request: HttpRequest) -> Body:
    """Return the JSON object that was sent."""
    try:
        body = json.loads(request.body)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError, RequestDataTooBig):
        body = None
    if not isinstance(body, dict) or rb"\u0000" in request.body:  # PostgreSQL cannot keep NUL
        raise errors.refusal(400, "We could not parse the JSON body of your request.")
    return body


# --- Pictures ---


@endpoint("POST")
def generations(request: HttpRequest) -> HttpResponseBase:
    """POST /v1/images/generations."""
    body = read_json(request)
    return made(request, openai_rules.check("generations", body), body, Uploads())


@endpoint("POST")
def edits(request: HttpRequest) -> HttpResponseBase:
    """POST /v1/images/edits: multipart, with the pictures to work from."""
    body = read_form(request)
    order = openai_rules.check("edits", body)
    return made(request, order, body, read_files(request))


def made(request: HttpRequest, order: Order, body: Body, uploads: Uploads) -> HttpResponseBase:
    """Take an order and answer when it is done, or do with the answer what the scenario says."""
    request_id = request.META["mockapi.request_id"]
    submission = openai_intake.accept(order, body, uploads.digests, key=key_of(request), request_id=request_id)
    environ: dict[str, Any] = getattr(request, "environ", {})
    if submission.scenario == NO_ANSWER:
        waiting.wait(environ, openai_intake.LONGEST_SECONDS)
        return lost_answer(environ)
    if submission.scenario == scenarios.RESET:
        waiting.wait(environ, seconds_left(submission))
        return lost_answer(environ)
    if order.stream:
        return streamed(environ, submission, order, uploads)
    answer = whole(request, submission, order, uploads)
    waiting.wait(environ, seconds_left(submission))
    response = JsonResponse(answer)
    if submission.scenario == scenarios.BROKEN_JSON:
        response.content = response.content[: len(response.content) // 2]
    return response


def seconds_left(submission: OpenAISubmission, share: float = 1.0) -> float:
    """Return how long it takes until a share of the work is done; painting counts as work."""
    work = submission.ready_at - submission.created_at
    return (submission.created_at + work * share - timezone.now()).total_seconds()


def whole(request: HttpRequest, submission: OpenAISubmission, order: Order, uploads: Uploads) -> dict[str, Any]:
    """Return the answer: files as base64, or the addresses of a compatible server."""
    created = int(submission.ready_at.timestamp())
    if order.model.startswith(openai_rules.COMPATIBLE):
        data = [compatible_item(request, submission, order, index) for index in range(order.n)]
        return {"created": created, "data": data}
    return {
        "created": created,
        **what_it_is(order),
        "data": [{"b64_json": as_text(painted(order, index, uploads))} for index in range(order.n)],
        "usage": openai_rules.usage(order, uploads.count),
    }


def compatible_item(request: HttpRequest, submission: OpenAISubmission, order: Order, index: int) -> dict[str, str]:
    """Return a picture as an older server does, with the prompt that it made of the user's."""
    revised = {"revised_prompt": f"{scenarios.without_number(order.prompt)}, in soft light and calm colours"}
    if not order.as_url:
        return revised | {"b64_json": as_text(painted(order, index, Uploads()))}
    path = f"/mock/openai/files/{files.token('image', submission.pk, index)}.png"
    return revised | {"url": request.build_absolute_uri(path)}


def what_it_is(order: Order) -> dict[str, str]:
    """Return what is said about pictures beside the pictures."""
    background = "transparent" if order.transparent else "opaque"
    return {
        "background": background,
        "output_format": order.output_format,
        "quality": order.quality,
        "size": order.size,
    }


def painted(order: Order, index: int, uploads: Uploads) -> bytes:
    """Return one finished file."""
    return versions(order, index, uploads, early=0)[-1]


def versions(order: Order, index: int, uploads: Uploads, *, early: int) -> list[bytes]:
    """Return the early versions of a picture, and last the finished one, as files."""
    from mockapi import painting  # noqa: PLC0415  numpy and Pillow: a process that paints nothing stays small

    words = scenarios.without_number(order.prompt)
    subject = painting.Subject(f"{order.prompt}/{index}", words, order.width, order.height, order.transparent)
    with PAINTING:
        picture = painting.paint(subject)
        if uploads.count:
            picture = painting.repaint(picture, uploads.first, uploads.mask)
        steps = [painting.early(picture, step, early) for step in range(early)]
        return [painting.encode(step, order.output_format, order.compression) for step in [*steps, picture]]


def as_text(file: bytes) -> str:
    """Return a file as base64."""
    return base64.b64encode(file).decode()


# --- Streams ---


def streamed(
    environ: dict[str, Any], submission: OpenAISubmission, order: Order, uploads: Uploads
) -> StreamingHttpResponse:
    """Answer with events, the early versions at their time."""
    response = StreamingHttpResponse(
        events(environ, submission, order, uploads), content_type="text/event-stream; charset=utf-8"
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


def events(environ: dict[str, Any], submission: OpenAISubmission, order: Order, uploads: Uploads) -> Iterator[bytes]:
    """Give the events of a stream; each picture has its own early versions and its own end."""
    name = {"generations": "image_generation", "edits": "image_edit"}[order.endpoint]
    parts = order.n * (order.partials + 1)
    for index in range(order.n):
        *early, finished = versions(order, index, uploads, early=order.partials)
        for step, file in enumerate([*early, finished]):
            waiting.wait(environ, seconds_left(submission, (index * (order.partials + 1) + step + 1) / parts))
            event: dict[str, Any] = {"b64_json": as_text(file), "created_at": int(time.time()), **what_it_is(order)}
            if step < len(early):
                yield line(f"{name}.partial_image", event | {"partial_image_index": step})
                continue
            last = line(f"{name}.completed", event | {"usage": openai_rules.usage(order, uploads.count)})
            yield last[: len(last) // 2] if submission.scenario == scenarios.BROKEN_JSON else last


def line(name: str, event: dict[str, Any]) -> bytes:
    """Return one event as it is sent."""
    return f"event: {name}\ndata: {json.dumps({'type': name} | event)}\n\n".encode()


@endpoint("GET", public=True)
def result_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Serve a picture to which an address was given, for an hour; like the real storage it asks for no key."""
    part = files.read_token("image", token)
    submission = OpenAISubmission.objects.filter(pk=part.pk).first() if part else None
    if part is None or submission is None or part.take >= submission.n:
        raise errors.refusal(404, "Not Found")
    if submission.created_at < timezone.now() - LINK_LIFE:
        raise errors.refusal(403, "The address has expired.")
    order = openai_rules.check(submission.endpoint, submission.request | {"prompt": submission.prompt})

    def produce(path: Path) -> None:
        path.write_bytes(painted(order, part.take, Uploads()))

    name = f"image-{submission.pk}-{part.take}-{submission.created_at.timestamp():.0f}.png"
    return FileResponse(files.open_cached(name, produce), content_type="image/png")


# --- Models ---


def described(name: str) -> dict[str, Any]:
    """Return a model as the API describes it."""
    model = MODELS[name]
    return {
        "id": name,
        "object": "model",
        "created": int(datetime.combine(model.created, datetime.min.time(), UTC).timestamp()),
        "owned_by": "system",
        "shutdown_date": model.shutdown.isoformat() if model.shutdown else None,
    }


@endpoint("GET")
def models(request: HttpRequest) -> HttpResponse:
    """GET /v1/models: those that are alive."""
    alive = [described(name) for name, model in MODELS.items() if model.is_alive(openai_rules.today())]
    return JsonResponse({"object": "list", "data": alive})


@endpoint("GET")
def model_detail(request: HttpRequest, name: str) -> HttpResponse:
    """GET /v1/models/{id}."""
    if name not in MODELS or not MODELS[name].is_alive(openai_rules.today()):
        raise errors.refusal(404, f"The model '{name}' does not exist", code="model_not_found", param="model")
    return JsonResponse(described(name))


# --- Not part of the real API ---


@endpoint("GET")
def ledger(request: HttpRequest) -> HttpResponse:
    """GET /mock/openai/ledger: every accepted request for pictures, to prove that none was made twice."""
    return JsonResponse(
        {
            "submissions": [
                {
                    "id": str(row.pk),
                    "kind": "image",
                    "endpoint": row.endpoint,
                    "model": row.model,
                    "n": row.n,
                    "scenario": row.scenario,
                    "prompt": row.prompt,
                    "created_at": row.created_at.timestamp(),
                    "finished_at": row.ready_at.timestamp(),
                }
                for row in OpenAISubmission.objects.order_by("pk").iterator()
            ]
        }
    )


@csrf_exempt
@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer any other path below the mock."""
    return refused(errors.refusal(404, f"Invalid URL ({request.method} {request.path})"))
