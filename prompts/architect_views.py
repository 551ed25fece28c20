"""The lyric architect as a page, and as a piece of the page on which songs are asked for."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from prompts import architect, services, wire
from prompts.architect import Section
from prompts.magic_views import sent_variables, user_of
from prompts.models import PromptTemplate, SectionKind, SongStructure
from prompts.plain_views import as_sent
from prompts.services import Begun

CHANGE = "change"  # the name of the buttons that change the sections


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show the architect; sent without a script, a button changes the sections, or has the lyrics written."""
    sections, problems = sent_sections(request)
    if request.method == "POST" and request.POST.get(CHANGE):
        sections, _focus = architect.changed(sections, request.POST[CHANGE])
    elif request.method == "POST" and not problems:
        try:
            return redirect("prompts:run", begin(request).run.pk)
        except ValidationError as error:
            problems = error.message_dict
    context = context_of(request, sections) | {"problems": problems}
    return render(request, "prompts/architect.html", context, status=422 if problems else 200)


@require_GET
def piece(request: HttpRequest) -> HttpResponse:
    """Show the architect's form, for a dialog on another page."""
    return render(request, "prompts/_architect.html", context_of(request, sent_sections(request)[0]))


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Change the sections as a button says, and show them."""
    sections, problems = sent_sections(request)
    sections, focus = architect.changed(sections, request.POST.get(CHANGE, ""))
    context = {"sections": sections, "focus": focus, "problems": problems}
    return render(request, "prompts/_architect_sections.html", context, status=422 if problems else 200)


@require_POST
def write(request: HttpRequest) -> HttpResponseBase:
    """Have the lyrics written, and stream them; see prompts.magic_views.magic."""
    try:
        begun = begin(request)
    except ValidationError as error:
        return JsonResponse({"errors": error.message_dict}, status=422)
    form = wire.form_asked(request) or "ndjson"
    return wire.stream(begun.writing, form=form, first=begun.first_line, last=begun.last_line)


def begin(request: HttpRequest) -> Begun:
    """Have the lyrics written. Raises ValidationError: a message per field."""
    sections = architect.sections_of(request.POST.getlist("section"), request.POST.getlist("hint"))
    template = services.template_in_use(architect.CATEGORY, architect.ACTION)
    text, variables = architect.wish_of(template, request.POST.get("text", ""), sent_variables(request), sections)
    return services.begin_magic(text=text, variables=variables, template=template, user=user_of(request))


def sent_sections(request: HttpRequest) -> tuple[list[Section], dict[str, Any]]:
    """Return the sections of a form and what is wrong with them; those of the first structure for a new one."""
    if request.method != "POST":
        return architect.started(SongStructure.objects.offered().first()), {}
    labels, hints = request.POST.getlist("section"), request.POST.getlist("hint")
    try:
        return architect.sections_of(labels, hints), {}
    except ValidationError as error:
        return [Section(label, hint) for label, hint in zip(labels, hints, strict=False)], error.message_dict


def context_of(request: HttpRequest, sections: list[Section]) -> dict[str, Any]:
    """Return what the form shows: the template's own variables beside the sections."""
    template = PromptTemplate.objects.active().filter(category=architect.CATEGORY, action=architect.ACTION).first()
    variables = as_sent(request, template) if template else []
    return {
        "template": template,
        "text": request.POST.get("text", ""),
        "variables": [one for one in variables if one.name != architect.VARIABLE],
        "sections": sections,
        "kinds": SectionKind.objects.offered(),
        "structures": SongStructure.objects.offered(),
    }
