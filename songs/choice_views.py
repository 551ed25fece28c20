"""The pages of one choice: its thumb, its files, its words, its stems."""

import uuid
from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from jobs import services as job_services
from jobs import tasks as job_tasks
from jobs.pages import ask_or_submit_again, back, render_card, told
from library.serving import serve_file
from songs import curation, services
from songs.cards import Card
from songs.models import SongChoice, StemSeparation
from songs.panels import download_name


@require_POST
def rate(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a choice a thumb up (`rating=1`), down (0) or none (empty)."""
    choice = get_object_or_404(SongChoice.objects.defer("lyrics_sections").select_related("song"), pk=pk)
    sent = request.POST.get("rating", "")
    rating = int(sent) if sent.isascii() and sent.isdecimal() else None if sent == "" else -1
    with told(request):
        try:
            curation.rate_choice(choice, rating)
        except ValidationError as error:
            return HttpResponse(" ".join(error.messages), status=422, content_type="text/plain")
    return back(request, choice.song.get_absolute_url())


@require_safe
def file(request: HttpRequest, pk: uuid.UUID, kind: str) -> HttpResponseBase:
    """Send a file of a choice, whole or in part; `?download=1` has the browser save it."""
    choice = get_object_or_404(SongChoice.objects.for_list().select_related("song"), pk=pk)
    found = choice.file_at_home(kind)
    if found is None:
        raise Http404
    return serve_file(
        request,
        found.name,
        content_type=found.content_type,
        etag=found.sha256,
        filename=download_name(choice, found),
        download=bool(request.GET.get("download")),
    )


@require_GET
def lyrics(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Send the words with their times in milliseconds, for the player."""
    return JsonResponse({"sections": get_object_or_404(SongChoice, pk=pk).lyrics_sections})


@require_POST
def stems(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the stems of a choice."""
    choice = get_object_or_404(SongChoice.objects.select_related("song"), pk=pk)
    with told(request):
        try:
            services.request_stems(choice, user=request.user, model=request.POST.get("model", ""))  # type: ignore[arg-type]  # only signed-in people come here
            messages.success(request, _("Stems are being made."))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    return redirect(choice.song)


@never_cache
@require_GET
def stems_card(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how the separation stands; see songs.views.card."""
    job_tasks.nudge_if_nobody_follows()
    return render_card(request, "songs/_card.html", Card(find_stems(pk)))


@require_POST
def stems_cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel a separation that waits."""
    found = find_stems(pk)
    with told(request):
        job_services.cancel_job(found)
    return redirect(found.choice.song)


@require_http_methods(["GET", "POST"])
def stems_submit_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what once more would cost, and submit the separation again."""
    found = find_stems(pk)
    return ask_or_submit_again(request, Card(found), partial(services.submit_stems_again, found))


def find_stems(choice_pk: uuid.UUID) -> StemSeparation:
    """Return the separation of a choice, or answer that there is none."""
    found: StemSeparation = get_object_or_404(
        StemSeparation.objects.select_related("choice__song"), choice_id=choice_pk
    )
    return found
