"""The pages of songs: create, library, a song, its card. Each view calls a service and shows what came of it."""

import uuid
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget, trigger_client_event

from accounts.preferences import items_per_page, preferred_model
from jobs import tasks as job_tasks
from jobs.models import Status
from jobs.pages import ask_or_submit_again, cancel_and_tell, render_card, told, uuid_or_404
from library import prefill
from library.paging import page_of
from prompts.origins import story_of
from songs import services
from songs.cards import Around, Card, songs_for_cards
from songs.examples import EXAMPLES
from songs.filters import KINDS, ORDERING_LABELS, SongFilter
from songs.forms import PREFILLED, EditForm, SongForm, copy_of
from songs.models import Song, Workflow
from songs.panels import panels_of

RECENT = 5


# --- Create ---------------------------------------------------------------------------------------------------------


@never_cache  # a page from the history would bring back a key that has been used
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Show the form for a song or an instrumental; sent without a script, it leads to the song's page."""
    form = form_of(request)
    if request.method == "POST":
        song = form.request(request.user)  # type: ignore[arg-type]  # only signed-in people come here
        if song is not None:
            return redirect(song)
    around = Around()
    recent = [Card(song, around=around) for song in songs_for_cards().live()[:RECENT]]
    context = {"form": form, "recent": recent, "is_prefilled": bool(form.initial), "examples": EXAMPLES}
    return render(request, "songs/create.html", context, status=422 if form.errors else 200)


@require_POST
def request_card(request: HttpRequest) -> HttpResponse:
    """Ask for a song and answer with its card, for the top of the list beside the form, and a key for the next one."""
    form = form_of(request)
    song = form.request(request.user)  # type: ignore[arg-type]  # only signed-in people come here
    if song is None:
        response = render(request, "songs/_form.html", {"form": form}, status=422)
        return reswap(retarget(response, "#song-form"), "outerHTML")
    context = {"card": Card(song), "fresh_key": uuid.uuid4()}
    response = render(request, "songs/_requested.html", context)
    kind = "instrumental" if form.is_instrumental else "song"
    trigger_client_event(response, "toast", {"text": _("It is in line."), "kind": "success"})
    return trigger_client_event(response, "draft-done", {"value": kind})


def form_of(request: HttpRequest) -> SongForm:
    """Return the form as it was sent, or filled with a song to use again (`from`) or with what the address says.

    `prefill` names texts that are too long for an address; see library.prefill.
    """
    kind = request.GET.get("kind", "")
    if request.method == "POST":
        return SongForm(request.POST, is_instrumental=kind == "instrumental")
    initial: dict[str, Any] = {name: value for name, value in request.GET.items() if name in PREFILLED}
    if request.GET.get("from"):
        song = get_object_or_404(Song, pk=uuid_or_404(request.GET["from"]))
        initial = copy_of(song)
        kind = kind or ("instrumental" if song.is_instrumental else "song")
    initial |= {name: text for name, text in prefill.read(request).items() if name in PREFILLED}
    liked = preferred_model(request, "song")
    return SongForm(is_instrumental=kind == "instrumental", initial=initial, liked_model=liked)


# --- Library --------------------------------------------------------------------------------------------------------


@require_GET
def song_list(request: HttpRequest) -> HttpResponse:
    """Show the library: searched, filtered, ordered and paged by what stands in the address."""
    if request.GET.get("trashed") == "true":
        return redirect("songs:trash")
    filters = SongFilter(request.GET, queryset=Song.objects.for_list())
    page = page_of(filters.qs, request.GET.get("page", ""), size=items_per_page(request))
    context = {
        "page_obj": page,
        "is_filtered": any(request.GET.get(name) for name in ("q", "status", "workflow", "kind", "is_uncertain")),
        "kinds": KINDS,
        "statuses": Status.choices,
        "workflows": Workflow.choices,
        "orderings": ORDERING_LABELS,
        "ordering": request.GET.get("ordering", ""),
        "examples": EXAMPLES,
    }
    return render(request, "songs/list.html", context)


# --- A song ---------------------------------------------------------------------------------------------------------


@require_GET
def song_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a song: its choices, its words, what happened and what it cost."""
    return render_detail(request, find(pk))


def find(pk: uuid.UUID) -> Song:
    """Return a song with choices and files, or answer that there is none."""
    song: Song = get_object_or_404(Song.objects.with_choices(), pk=pk)
    return song


def render_detail(request: HttpRequest, song: Song, form: EditForm | None = None) -> HttpResponse:
    """Render the song's page, with the notes as they are or as they were sent."""
    notes = {"title": song.title, "tags": song.tags, "workflow": song.workflow, "title_run": song.title_run_id}
    panels = panels_of(song)
    cards = [panel.stems_card for panel in panels if panel.stems_card]
    context = {
        "song": song,
        "card": None if song.status == Status.SUCCESS else Card(song),
        "is_changing": song.is_active or any(card.job.is_active for card in cards),
        "panels": panels,
        "missing": [file for panel in panels for file in panel.missing] if song.status == Status.SUCCESS else [],
        "form": form or EditForm(initial=notes),
        "history": song.history(),
        "lyrics_story": story_of(song, "lyrics", _("How these lyrics came about")),
        "style_story": story_of(song, "prompt", _("How this style came about")),
        "title_story": story_of(song, "title", _("How this title came about")),
    }
    return render(request, "songs/detail.html", context, status=422 if form and form.errors else 200)


@require_POST
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Change title, tags or workflow."""
    song = find(pk)
    form = EditForm(request.POST)
    with told(request):
        if not form.save(song):
            return render_detail(request, song, form)
        messages.success(request, _("Saved."))
    return redirect(song)


@never_cache
@require_GET
def card(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how the song stands. The card asks for itself again while the song is being made."""
    job_tasks.nudge_if_nobody_follows()
    return render_card(request, "songs/_card.html", Card(get_object_or_404(songs_for_cards(), pk=pk)))


@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel a song that waits."""
    song = get_object_or_404(Song, pk=pk)
    return cancel_and_tell(request, Card(song), partial(services.cancel_song, song))


@require_http_methods(["GET", "POST"])
def submit_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what once more would cost, and submit the song again."""
    song = get_object_or_404(Song, pk=pk)
    return ask_or_submit_again(request, Card(song), partial(services.submit_song_again, song))


@require_POST
def refresh(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Have Mureka asked about a song now; `job_id` names the job of one whose answer was lost."""
    song = get_object_or_404(Song, pk=pk)
    with told(request):
        song = services.ask_about_song(song, job_id=request.POST.get("job_id", ""))
        messages.success(request, _("Mureka is asked again."))
    return redirect(song)
