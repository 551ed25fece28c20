"""The imitated Ollama: its endpoints, shapes and streams. It has no key, as the real one has none.

Texts come word by word, MOCKAPI_OLLAMA_WORDS_PER_SECOND (0: at once), or as fast as the prompt says (`5 words/s`).
The same request gives the same text. `gemma3:27b` is cold: before its first word it loads for the time named in the
prompt (`30s`), else MOCKAPI_SECONDS; `qwen3:8b` thinks; `nomic-embed-text` cannot write.

A number at the start of the prompt, of the text within a template, or of the last message of the user:

0001 it works                                      0006 busy (503) twice, then it works
0002 a model that wants you signed in (401)        0007 only thinks, until `num_predict` is used up: no text
0003 an error line in the middle, on HTTP 200      0008 the stream ends in the middle, without `done`
0004 no answer comes                               0009 the connection breaks in the middle
0005 a line in the middle that is no JSON          0010 the model is not there (404)
"""

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from mockapi import ollama_models, ollama_rules, scenarios, waiting
from mockapi.ollama_reading import scenario_of
from mockapi.ollama_rules import Body, OllamaRefusalError, Wish
from mockapi.ollama_streams import Answer, moment, stream, whole
from mockapi.reset import lost_answer
from mockapi.troubles import trouble

VERSION = "0.33.0"
BUSY_TIMES = 2
LONGEST_SECONDS = 600

View = Callable[..., HttpResponseBase]


def endpoint(*methods: str) -> Callable[[View], View]:
    """Make a view of the mock: no session, no CSRF, no key, errors in Ollama's shape."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponse("405 method not allowed", status=405, content_type="text/plain")
            try:
                return view(request, *args, **kwargs)
            except OllamaRefusalError as refusal:
                return answered(refusal.body, status=refusal.status)

        return csrf_exempt(login_not_required(answer))

    return decorate


def answered(body: Body, *, status: int = 200) -> JsonResponse:
    """Return one JSON object, with the words as they are."""
    return JsonResponse(
        body,
        status=status,
        json_dumps_params={"ensure_ascii": False, "separators": (",", ":")},
        content_type="application/json; charset=utf-8",
    )


def read(request: HttpRequest) -> Body:
    """Return the JSON object that was sent."""
    try:
        return ollama_rules.read_body(request.body)
    except RequestDataTooBig:
        raise OllamaRefusalError(400, "http: request body too large") from None


# --- What there is ---


@endpoint("GET", "HEAD")
def root(request: HttpRequest) -> HttpResponse:
    """GET /: that it is there."""
    return HttpResponse("Ollama is running", content_type="text/plain; charset=utf-8")


@endpoint("GET", "HEAD")
def version(request: HttpRequest) -> HttpResponse:
    """GET /api/version."""
    return answered({"version": VERSION})


@endpoint("GET", "HEAD")
def tags(request: HttpRequest) -> HttpResponse:
    """GET /api/tags: the models that are installed."""
    return answered({"models": [ollama_models.tag(model) for model in ollama_models.MODELS]})


@endpoint("GET")
def ps(request: HttpRequest) -> HttpResponse:
    """GET /api/ps: the models that are in memory."""
    return answered({"models": ollama_models.loaded()})


@endpoint("POST")
def show(request: HttpRequest) -> HttpResponse:
    """POST /api/show: all about one model."""
    body = read(request)
    return answered(ollama_models.shown(ollama_rules.find_model(body), verbose=body.get("verbose") is True))


# --- What it writes ---


@endpoint("POST")
def generate(request: HttpRequest) -> HttpResponseBase:
    """POST /api/generate."""
    body = read(request)
    wish = ollama_rules.generate_wish(body)
    return written(request, wish, body) if wish.asked else loaded(body, {"response": ""})


@endpoint("POST")
def chat(request: HttpRequest) -> HttpResponseBase:
    """POST /api/chat."""
    body = read(request)
    wish = ollama_rules.chat_wish(body)
    if body.get("messages"):
        return written(request, wish, body)
    return loaded(body, {"message": {"role": "assistant", "content": ""}})


def loaded(body: Body, empty: Body) -> JsonResponse:
    """Load a model, or unload it: what a request without any words does, in one object even where streams are on."""
    model, stay = ollama_rules.find_model(body), ollama_rules.stay_of(body)
    if stay > timedelta(0):
        ollama_models.keep(model, stay)
    else:
        ollama_models.unload(model)
    reason = "load" if stay > timedelta(0) else "unload"
    return answered({"model": body["model"], "created_at": moment(), **empty, "done": True, "done_reason": reason})


def written(request: HttpRequest, wish: Wish, body: Body) -> HttpResponseBase:
    """Answer with a text, or do what its scenario says."""
    environ: dict[str, Any] = getattr(request, "environ", {})
    scenario = scenario_of(wish)
    if scenario == scenarios.INVALID_KEY:
        raise ollama_rules.signed_out()
    if scenario == scenarios.MISSING_FILES:
        raise ollama_rules.missing(str(body["model"]))
    if scenario == scenarios.OVERLOADED and trouble(fingerprint(body), BUSY_TIMES):
        raise ollama_rules.busy()
    if scenario == scenarios.TIMES_OUT:
        waiting.wait(environ, LONGEST_SECONDS)
        return lost_answer(environ)
    answer = Answer(wish, str(body["model"]), scenario, environ, load_seconds(wish))
    ollama_models.keep(wish.model, wish.stay)
    if not wish.streams:
        return answered(whole(answer))
    response = StreamingHttpResponse(stream(answer), content_type="application/x-ndjson")
    response["X-Accel-Buffering"] = "no"
    return response


def load_seconds(wish: Wish) -> float:
    """Return how long the model loads before it can write."""
    if not wish.model.is_cold or ollama_models.is_loaded(wish.model):
        return 0
    return min(scenarios.seconds_of(wish.asked, settings.MOCKAPI_SECONDS), LONGEST_SECONDS)


def fingerprint(body: Body) -> str:
    """Return what tells one request from another."""
    return hashlib.sha256(json.dumps(["ollama", body], sort_keys=True).encode()).hexdigest()


@csrf_exempt
@login_not_required
def not_found(request: HttpRequest) -> HttpResponse:
    """Answer any other path."""
    return HttpResponse("404 page not found", status=404, content_type="text/plain")
