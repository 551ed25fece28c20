"""Deleting songs and taking them back: the question, the trash, and the way out of it."""

import uuid

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.preferences import items_per_page
from jobs.pages import uuids_among
from library.paging import page_of
from library.trash import KEPT_FOR, with_undo
from songs import curation
from songs.models import HEAVY, Song


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask whether a song is to be deleted, and move it to the trash."""
    song = get_object_or_404(Song, pk=pk)
    if request.method == "POST":
        deletion = curation.delete_songs([song])
        tell_deletion(request, deletion)
        return redirect(song) if deletion.kept else redirect("songs:list")
    return render_question(request, [song], page_url=song.get_absolute_url())


@require_POST
def bulk_delete(request: HttpRequest) -> HttpResponse:
    """Ask whether the chosen songs are to be deleted; asked already (`confirmed`), move them to the trash."""
    songs = chosen_songs(request.POST)
    if not songs:
        messages.info(request, _("No song was chosen."))
        return redirect("songs:list")
    if request.POST.get("confirmed"):
        tell_deletion(request, curation.delete_songs(songs))
        return redirect("songs:list")
    return render_question(request, list(songs))


def render_question(request: HttpRequest, songs: list[Song], *, page_url: str = "") -> HttpResponse:
    """Ask whether songs are to be deleted, and say which would stay."""
    rows = Song.objects.live().deletable().filter(pk__in=[song.pk for song in songs])
    deletable = set(rows.values_list("pk", flat=True))
    context = {
        "songs": songs,
        "protected": [song for song in songs if song.pk not in deletable],
        "count": len(deletable),
        "days": KEPT_FOR.days,
        "page_url": page_url,
    }
    return render(request, "songs/delete.html", context)


def chosen_songs(data: QueryDict) -> QuerySet[Song]:
    """Return the songs whose ids were sent; what is no id is passed over."""
    return Song.objects.filter(pk__in=uuids_among(data.getlist("song"))).defer(*HEAVY)


def tell_deletion(request: HttpRequest, deletion: curation.Deletion) -> None:
    """Say how many songs are in the trash and where to take them back, and which were kept and why."""
    if deletion.deleted:
        text = ngettext(
            "%(count)d song moved to the trash for %(days)d days.",
            "%(count)d songs moved to the trash for %(days)d days.",
            deletion.deleted,
        ) % {"count": deletion.deleted, "days": KEPT_FOR.days}
        messages.success(request, with_undo(text, reverse("songs:trash")))
    for title, why in deletion.kept:
        messages.warning(request, _("“%(title)s” was kept. %(why)s") % {"title": title, "why": why})


@require_GET
def trash(request: HttpRequest) -> HttpResponse:
    """Show the trash, what was deleted last first."""
    page = page_of(Song.objects.for_list().trashed(), request.GET.get("page", ""), size=items_per_page(request))
    return render(request, "songs/trash.html", {"page_obj": page, "days": KEPT_FOR.days})


@require_POST
def restore(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a song out of the trash, and show it."""
    song = get_object_or_404(Song, pk=pk)
    tell_restored(request, curation.restore_songs([song]))
    return redirect(song)


@require_POST
def bulk_restore(request: HttpRequest) -> HttpResponse:
    """Take the chosen songs out of the trash."""
    songs = chosen_songs(request.POST)
    tell_restored(request, curation.restore_songs(songs))
    return redirect("songs:trash")


def tell_restored(request: HttpRequest, count: int) -> None:
    """Say how many songs are back."""
    if count:
        text = ngettext("%(count)d song is back in the library.", "%(count)d songs are back in the library.", count)
        messages.success(request, text % {"count": count})
    else:
        messages.info(request, _("Nothing was taken out of the trash."))
