"""Magic on the pages' fields: the menu, the stream, the stop, and coming back to what was left running."""

import json
import re
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from prompts import services, wire
from prompts.models import MagicRun
from prompts.origins import run_named
from prompts.variables import variables_of

DOM_ID = re.compile(r"[A-Za-z][\w-]{0,99}")
PREFIX = "var_"  # of the form fields that hold variables


@require_GET
def menu(request: HttpRequest) -> HttpResponse:
    """Show what a field of a category can have done to it, with the fields for each template's variables."""
    field = request.GET.get("field", "")
    if not DOM_ID.fullmatch(field):
        raise Http404
    category = request.GET.get("category", "")[:50]
    offers = [
        {"template": template, "variables": variables_of(template.variables)}
        for template in services.active_templates(category)
    ]
    return render(request, "prompts/magic_menu.html", {"offers": offers, "category": category, "field": field})


@require_POST
def magic(request: HttpRequest) -> HttpResponseBase:
    """Have a text written, and stream it. The run goes on when the browser leaves; its id is on the first line."""
    try:
        begun = services.begin_magic(
            category=request.POST.get("category", "")[:50],
            action=request.POST.get("action", "")[:50],
            text=request.POST.get("text", ""),
            variables=sent_variables(request),
            previous=run_named(request.POST.get("previous", "")),
            user=user_of(request),
        )
    except ValidationError as error:
        return JsonResponse({"errors": error.message_dict}, status=422)
    form = wire.form_asked(request) or "ndjson"
    return wire.stream(begun.writing, form=form, first=begun.first_line, last=begun.last_line)


def sent_variables(request: HttpRequest) -> dict[str, Any]:
    """Return the chosen values: an object of JSON under "variables", or fields var_NAME of a form without a script.

    Raises:
        ValidationError: it is no object of JSON.
    """
    fields = {name.removeprefix(PREFIX): value for name, value in request.POST.items() if name.startswith(PREFIX)}
    raw = request.POST.get("variables", "")
    if not raw:
        return dict(fields)
    try:
        sent = json.loads(raw)
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise ValidationError({"variables": _("The variables cannot be read.")})
    return fields | sent


def user_of(request: HttpRequest) -> User | None:
    """Return who asks."""
    return request.user if isinstance(request.user, User) else None


@never_cache
@require_GET
def magic_run(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Tell a page that comes back how a run stands: as a stream, if it accepts one and this process writes it."""
    run = get_object_or_404(MagicRun, pk=pk)
    form = wire.form_asked(request)
    begun = services.begun_here(run) if form else None
    if form is None or begun is None:
        return JsonResponse(state_of(run))
    return wire.stream(begun.writing, form=form, first=begun.first_line, last=begun.last_line)


@require_POST
def magic_stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End a run; what is written so far is kept."""
    run = get_object_or_404(MagicRun, pk=pk)
    services.stop_magic(run)
    return JsonResponse(state_of(run))


def state_of(run: MagicRun) -> dict[str, Any]:
    """Return a run as the pages' scripts read it; the names are those of a stream's lines."""
    return {
        **services.named(run),
        "state": run.shown_state,
        "text": run.output_text,
        "thinking": run.thinking,
        "error": run.shown_error,
        "seconds": run.seconds,
        "tokens": run.tokens,
        "reason": run.finish_reason,
    }
