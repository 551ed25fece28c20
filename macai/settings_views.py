"""The page of settings: what a person likes, and whether everything is ready. Ollama is asked by fragments of it."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from macai import checklist, pulse
from macai.settings_forms import SettingsForm
from providers import ollama
from providers.errors import ProviderError


@never_cache
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the settings and the checklist; change the settings."""
    user = cast("User", request.user)  # only signed-in people come here
    # Another copy of the row: a form writes what was typed into it, right or wrong.
    form = SettingsForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.save_for(user):
        messages.success(request, _("Saved."))
        return redirect("settings")
    checks = [*checklist.worker_and_storage(), checklist.backup(), *checklist.providers()]
    asked = [ollama_line()] if request.GET.get("ask") == "ollama" else []
    context = {"form": form, "checks": checks + asked, "is_asked": bool(asked)}
    return render(request, "settings.html", context, status=422 if form.errors else 200)


def ollama_line() -> checklist.Check:
    """Ask Ollama, which may take seconds."""
    return checklist.ollama(pulse.ask_ollama(), is_mock=ollama.is_mock())


@require_GET
@never_cache
def ollama_check(request: HttpRequest) -> HttpResponse:
    """Ask Ollama now, for its line of the checklist."""
    return render(request, "settings_ollama.html", {"check": ollama_line()})


@require_GET
@never_cache
def ollama_models(request: HttpRequest) -> HttpResponse:
    """Offer the models that Ollama has, for the fields in which one is typed; none if it does not answer."""
    try:
        models = [model for model in ollama.list_models() if model.writes]
    except ProviderError:
        models = []
    return render(request, "settings_models.html", {"models": models})
