"""The test bench: two versions on one text, side by side. And templates as a file, out and in."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from prompts import exchange, services
from prompts.forms import BenchForm, ImportForm
from prompts.magic_views import PREFIX, user_of
from prompts.models import MagicRun, PromptTemplate
from prompts.origins import run_named
from prompts.variables import Variable, variables_of


@never_cache
@require_http_methods(["GET", "POST"])
def bench(request: HttpRequest, pk: int) -> HttpResponse:
    """Let two versions of a template write about one text; `first` and `second` in the address name the runs."""
    template = get_object_or_404(PromptTemplate, pk=pk)
    if request.method == "POST":
        form = BenchForm(request.POST, template=template)
        if form.is_valid() and (address := begun_trials(request, form, template)):
            return redirect(address)
    else:
        form = BenchForm(initial=first_choice(request, template), template=template)
    context = {
        "template": template,
        "form": form,
        "variables": fields_of(template, request.POST if request.method == "POST" else None, runs_named(request)),
        "prefix": PREFIX,
        "runs": runs_named(request),
    }
    return render(request, "prompts/bench.html", context, status=422 if form.errors else 200)


def first_choice(request: HttpRequest, template: PromptTemplate) -> dict[str, Any]:
    """Return what the form begins with: what ran last, or this version against the one before."""
    runs = runs_named(request)
    if runs:
        return {
            "text": runs[0].input_text,
            "first": runs[0].template_version_id,
            "second": runs[-1].template_version_id,
        }
    versions = PromptTemplate.objects.versions_of(template.category, template.action)
    before = versions.filter(pk__lt=template.pk).first() or versions.exclude(pk=template.pk).first() or template
    return {"first": before.pk, "second": template.pk}


def begun_trials(request: HttpRequest, form: BenchForm, template: PromptTemplate) -> str:
    """Start both runs and return where they are shown; "" if one is refused, and the form says why."""
    data = form.cleaned_data
    chosen: dict[str, Any] = {
        name[len(PREFIX) :]: value for name, value in request.POST.items() if name.startswith(PREFIX)
    }
    pairs = ((data["first"], data["first_model"]), (data["second"], data["second_model"]))
    try:
        for version, _model in pairs:
            services.assemble(version, data["text"], known_to(version, chosen))
        runs = [
            services.start_magic(
                template=version, text=data["text"], variables=known_to(version, chosen), user=user_of(request),
                model=model.strip(), is_trial=True,
            )
            for version, model in pairs
        ]  # fmt: skip
    except ValidationError as error:
        for name, told in error.message_dict.items():
            field = "text" if name == "text" else None
            form.add_error(field, told if field else [f"{name}: {each}" for each in told])
        return ""
    return f"{reverse('prompts:bench', args=[template.pk])}?first={runs[0].pk}&second={runs[1].pk}#results"


def known_to(version: PromptTemplate, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the values that a version has a variable for: the two may differ in them."""
    names = {variable.name for variable in variables_of(version.variables)}
    return {name: value for name, value in chosen.items() if name in names}


def fields_of(template: PromptTemplate, sent: QueryDict | None, runs: list[MagicRun]) -> list[Variable]:
    """Return the variables of all versions, with what was chosen last as their defaults."""
    found: dict[str, Variable] = {}
    for version in PromptTemplate.objects.versions_of(template.category, template.action)[:20]:
        for variable in variables_of(version.variables):
            found.setdefault(variable.name, variable)
    before: dict[str, Any] = {}
    for run in runs:
        before |= run.variables
    if sent is not None:
        before |= {name[len(PREFIX) :]: value for name, value in sent.items() if name.startswith(PREFIX)}
    return [
        Variable(**(vars(variable) | {"default": str(before.get(name, variable.default))}))
        for name, variable in found.items()
    ]


def runs_named(request: HttpRequest) -> list[MagicRun]:
    """Return the two runs that the address names, if both are there."""
    runs = [run_named(request.GET.get(name, "")) for name in ("first", "second")]
    found = [run for run in runs if run is not None]
    return found if len(found) == 2 else []


@never_cache
@require_GET
def run_panel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a run as far as it is; the panel asks for itself again while more may come."""
    return render(request, "prompts/_run.html", {"run": get_object_or_404(MagicRun, pk=pk)})


@require_POST
def stop_run(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a run of the bench, and show what came of it."""
    run = get_object_or_404(MagicRun, pk=pk)
    services.stop_magic(run)
    return render(request, "prompts/_run.html", {"run": run})


# --- Files ----------------------------------------------------------------------------------------------------------


@require_GET
def export_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one version as a file."""
    template = get_object_or_404(PromptTemplate, pk=pk)
    return file_of([template], f"{template.category}-{template.action}-{template.version}.json")


@require_GET
def export_all(request: HttpRequest) -> HttpResponse:
    """Send the latest version of every template as a file."""
    return file_of(list(PromptTemplate.objects.newest()), "macai-templates.json")


def file_of(templates: list[PromptTemplate], name: str) -> HttpResponse:
    """Answer with a file to be saved."""
    response = HttpResponse(exchange.export(templates), content_type="application/json")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_http_methods(["GET", "POST"])
def import_file(request: HttpRequest) -> HttpResponse:
    """Read a file of templates and show what it would change. Nothing is changed yet."""
    form = ImportForm(request.POST or None, request.FILES or None) if request.method == "POST" else ImportForm()
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        data: bytes = form.cleaned_data["file"]
        try:
            context |= {"entries": exchange.read(data), "content": data.decode("utf-8-sig", "replace")}
        except ValidationError as error:
            form.add_error("file", error)
    status = 422 if request.method == "POST" and form.errors else 200
    return render(request, "prompts/import.html", context, status=status)


@require_POST
def take_in(request: HttpRequest) -> HttpResponse:
    """Take in what was looked at: the new templates, and the chosen ones as new versions."""
    numbers = {
        int(raw) for raw in request.POST.getlist("replace") if raw.isascii() and raw.isdecimal() and len(raw) < 6
    }
    data = request.POST.get("content", "").encode("utf-8", "replace")
    try:
        made, versions = exchange.take_in(data, replace=numbers, user=user_of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("prompts:import")
    said = _("%(made)d templates made, %(versions)d new versions.") % {"made": made, "versions": versions}
    messages.success(request, said)
    return redirect("prompts:list")
