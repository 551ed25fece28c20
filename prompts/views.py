"""The pages of the templates: the list, a template with its versions, making and editing, and what is done with one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.preferences import items_per_page
from library.paging import page_of
from prompts import curation
from prompts.curation import wording_of
from prompts.differences import compare as differences_of
from prompts.filters import TemplateFilter
from prompts.forms import EXAMPLE, TemplateForm, VariableForm, VariableFormSet, initial_rows, preview_of, rows_of
from prompts.magic_views import user_of
from prompts.models import PromptTemplate
from prompts.variables import variables_of

FIELDS = ("q", "category", "active")


@require_GET
def template_list(request: HttpRequest) -> HttpResponse:
    """Show the latest version of each template, category by category."""
    filters = TemplateFilter(
        request.GET, queryset=PromptTemplate.objects.newest().with_use().order_by("category", "pk")
    )
    context = {
        "page_obj": page_of(filters.qs, request.GET.get("page", ""), size=items_per_page(request)),
        "categories": categories(),
        "is_filtered": any(request.GET.get(name) for name in FIELDS),
    }
    return render(request, "prompts/list.html", context)


def categories() -> list[str]:
    """Return the categories there are."""
    return list(PromptTemplate.objects.newest().order_by("category").values_list("category", flat=True).distinct())


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one version: what it asks, with which values, and the versions beside it."""
    template = get_object_or_404(PromptTemplate.objects.select_related("created_by"), pk=pk)
    versions = PromptTemplate.objects.versions_of(template.category, template.action).select_related("created_by")
    context = {
        "template": template,
        "variables": variables_of(template.variables),
        "preview": shown_preview(template),
        "page_obj": page_of(versions, request.GET.get("page", ""), size=items_per_page(request)),
    }
    return render(request, "prompts/detail.html", context)


def shown_preview(template: PromptTemplate) -> str:
    """Return the assembled prompt of a version with an example, or why there is none."""
    try:
        return preview_of(wording_of(template), str(EXAMPLE))
    except ValidationError as error:
        return " ".join(error.messages)


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make a template. `like` in the address begins with what another one says."""
    form, table = forms_for(request, named(request.GET.get("like", "")), is_new=True)
    if request.method == "POST" and "preview" not in request.POST:
        wording = form.wording(rows_of(table))
        if wording is not None:
            try:
                data = form.cleaned_data
                made = curation.create_template(
                    wording, user=user_of(request), active=data["active"], note=data["note"]
                )
            except ValidationError as error:
                form.tell(error)
            else:
                messages.success(request, _("Template made."))
                return redirect(made)
    return render_form(request, form, table)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the latest version; saving makes a new one, and the old ones stay."""
    template = get_object_or_404(PromptTemplate, pk=pk)
    form, table = forms_for(request, template)
    if request.method == "POST" and "preview" not in request.POST:
        wording = form.wording(rows_of(table))
        if wording is not None:
            data = form.cleaned_data
            try:
                saved = curation.edit_template(
                    template, wording, user=user_of(request), active=data["active"], note=data["note"]
                )
            except ValidationError as error:
                form.tell(error)
            else:
                is_new = saved.pk != template.pk
                said = (
                    _("Version %(version)s saved.") if is_new else _("No word was changed: version %(version)s stays.")
                )
                messages.success(request, said % {"version": saved.version})
                return redirect(saved)
    return render_form(request, form, table, template=template)


def forms_for(
    request: HttpRequest, template: PromptTemplate | None, *, is_new: bool = False
) -> "tuple[TemplateForm, BaseFormSet[VariableForm]]":
    """Return the form and the table of variables: as sent, or as a version has them."""
    kept = None if is_new else template
    if request.method == "POST":
        return TemplateForm(request.POST, template=kept), VariableFormSet(request.POST, prefix="variables")
    if template is None:
        initial: dict[str, Any] = {"category": request.GET.get("category", "")}
        return TemplateForm(initial=initial), VariableFormSet(prefix="variables")
    initial = {name: value for name, value in vars(wording_of(template)).items() if name != "variables"}
    initial["active"] = is_new or template.active
    if is_new:
        initial["action"] = ""
    return (
        TemplateForm(initial=initial, template=kept),
        VariableFormSet(initial=initial_rows(template), prefix="variables"),
    )


def render_form(
    request: HttpRequest,
    form: TemplateForm,
    table: "BaseFormSet[VariableForm]",
    template: PromptTemplate | None = None,
) -> HttpResponse:
    """Show the form with what it would ask; 422 if something is wrong with what was sent."""
    context = {
        "form": form,
        "table": table,
        "template": template,
        "categories": categories(),
        **preview_context(request, form, table, template),
    }
    is_wrong = request.method == "POST" and (bool(form.errors) or not table.is_valid())
    return render(request, "prompts/edit.html", context, status=422 if is_wrong else 200)


def preview_context(
    request: HttpRequest, form: TemplateForm, table: "BaseFormSet[VariableForm]", template: PromptTemplate | None = None
) -> dict[str, Any]:
    """Return the assembled prompt for what stands in the form, or what is wrong with it."""
    text = request.POST.get("example", str(EXAMPLE))[:10_000]
    if request.method != "POST":
        return {"example": text, "preview": shown_preview(template) if template else ""}
    wording = form.wording(rows_of(table))
    if wording is None:
        problems = [message for messages in form.errors.values() for message in messages]
        return {"example": text, "preview": "", "preview_problems": problems}
    return {"example": text, "preview": preview_of(wording, text)}


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Show what the form would ask, while somebody writes in it. Nothing is saved."""
    template = named(request.POST.get("template", ""))
    form, table = TemplateForm(request.POST, template=template), VariableFormSet(request.POST, prefix="variables")
    return render(request, "prompts/_preview.html", preview_context(request, form, table))


def named(raw: str) -> PromptTemplate | None:
    """Return the version that an address or a form names by its number; None if there is none."""
    is_number = raw.isascii() and raw.isdecimal() and len(raw) < 16
    return PromptTemplate.objects.filter(pk=int(raw)).first() if is_number else None


@require_GET
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what changed from one version to another; without `with`, from the one before."""
    new = get_object_or_404(PromptTemplate, pk=pk)
    versions = PromptTemplate.objects.versions_of(new.category, new.action)
    old = named(request.GET.get("with", "")) or versions.filter(pk__lt=new.pk).first()
    if old is not None and (old.category, old.action) != (new.category, new.action):
        raise Http404
    changes = differences_of(old, new) if old else []
    context = {"old": old, "new": new, "changes": changes, "versions": versions[:100]}
    return render(request, "prompts/compare.html", context)


@require_POST
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new version that equals this one."""
    template = get_object_or_404(PromptTemplate, pk=pk)
    try:
        again = curation.roll_back(template, user=user_of(request))
    except ValidationError as error:
        messages.info(request, " ".join(error.messages))
        return redirect(template)
    said = _("Version %(new)s says what version %(old)s said, and is in use.")
    messages.success(request, said % {"new": again.version, "old": template.version})
    return redirect(again)


@require_POST
def use(request: HttpRequest, pk: int) -> HttpResponse:
    """Use this version, or put it aside (`aside`)."""
    template = get_object_or_404(PromptTemplate, pk=pk)
    curation.set_active(template, active="aside" not in request.POST)
    said = _("Version %(version)s is in use.") if template.active else _("Version %(version)s is put aside.")
    messages.success(request, said % {"version": template.version})
    return redirect(template)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether a template is to be deleted, and delete it with all its versions."""
    template = get_object_or_404(PromptTemplate, pk=pk)
    if request.method == "POST":
        curation.delete_template(template)
        messages.success(request, _("Template deleted. What was written with it stays."))
        return redirect("prompts:list")
    count = PromptTemplate.objects.versions_of(template.category, template.action).count()
    return render(request, "prompts/delete.html", {"template": template, "count": count})
