"""The words beside the fields, as pieces of pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from prompts.models import StyleTerm


@require_GET
def style_chooser(request: HttpRequest) -> HttpResponse:
    """Show the words that a style can be put together from, for the field whose id is `field` (static/js/styles.js)."""
    context = {"groups": StyleTerm.objects.by_kind(), "field_id": request.GET.get("field", "id_prompt")}
    return render(request, "prompts/_style_chooser.html", context)
