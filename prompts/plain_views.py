"""Magic as pages of its own, for those without a script: text in, text out."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from library import prefill
from prompts import services
from prompts.magic_views import PREFIX, sent_variables, user_of
from prompts.models import MagicRun, PromptTemplate
from prompts.origins import run_named
from prompts.variables import Variable, variables_of

# Where a text goes that was written for the fields of a category: the name of a page with a form, and the field.
GOES_TO = {
    "lyrics": ("songs:create", "lyrics"),
    "songs": ("songs:create", "prompt"),
    "images": ("images:create", "prompt"),
    "title": ("songs:create", "title"),
}


@require_http_methods(["GET", "POST"])
def magic_page(request: HttpRequest) -> HttpResponse:
    """Show what magic can do for the fields of a category; sent, it has a text written and leads to it."""
    category = request.GET.get("category", "")[:50]
    templates = services.active_templates(category)
    if not templates:
        raise Http404
    problems: dict[str, Any] = {}
    if request.method == "POST":
        try:
            return redirect("prompts:run", begin(request, category).pk)
        except ValidationError as error:
            problems = error.message_dict
    action = request.POST.get("action", "")
    context = {
        "category": category,
        "action": action,
        "text": request.POST.get("text", ""),
        "problems": problems,
        "offers": [{"template": one, "variables": as_sent(request, one)} for one in templates],
    }
    return render(request, "prompts/magic_page.html", context, status=422 if problems else 200)


def as_sent(request: HttpRequest, template: PromptTemplate) -> list[Variable]:
    """Return a template's variables; one it was sent with shows what was chosen."""
    variables = variables_of(template.variables)
    if request.POST.get("action", template.action) != template.action:
        return variables
    return [replace(one, default=request.POST.get(f"{PREFIX}{one.name}", one.default)) for one in variables]


def begin(request: HttpRequest, category: str) -> MagicRun:
    """Have a text written. Raises ValidationError: a message per field or variable."""
    return services.start_magic(
        category=category,
        action=request.POST.get("action", "")[:50],
        text=request.POST.get("text", ""),
        variables=sent_variables(request),
        previous=run_named(request.POST.get("previous", "")),
        user=user_of(request),
    )


@never_cache
@require_GET
def run_page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a text that magic writes or has written; without a script, the page asks for itself until it is whole."""
    run = get_object_or_404(MagicRun.objects.select_related("template_version"), pk=pk)
    return render(request, "prompts/run.html", {"run": run, "can_be_used": run.category in GOES_TO})


@require_POST
def stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End a run and show what it has written."""
    services.stop_magic(get_object_or_404(MagicRun, pk=pk))
    return redirect("prompts:run", pk)


@require_POST
def use(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Open the form that the text was written for, filled with it."""
    run = get_object_or_404(MagicRun, pk=pk)
    if run.category not in GOES_TO:
        raise Http404
    page, field = GOES_TO[run.category]
    try:
        key = prefill.keep(request, {field: run.output_text, f"{field}_run": str(run.pk)})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("prompts:run", pk)
    return redirect(f"{reverse(page)}?prefill={key}")
