"""Whether Ollama answers, as a fragment of its own: no page waits for that."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from macai import pulse


@require_GET
@never_cache
def banner(request: HttpRequest) -> HttpResponse:
    """Ask Ollama now, and say so if it does not answer; otherwise the banner is empty."""
    return render(request, "components/ollama_answer.html", {"ollama": pulse.ask_ollama()})
