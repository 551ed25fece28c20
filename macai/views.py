"""The studio's home page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from images.models import GeneratedImage
from macai.checklist import providers, worker_and_storage
from songs.models import Song

LATEST = 5
LATEST_PICTURES = 8


def home(request: HttpRequest) -> HttpResponse:
    """Show what is newest and where to go; before there is anything, and whenever something is wrong, the checklist."""
    checks = [*worker_and_storage(), *providers()]
    songs = list(Song.objects.for_list().live()[:LATEST])
    pictures = list(GeneratedImage.objects.live().for_grid()[:LATEST_PICTURES])
    is_new = not songs and not pictures
    context = {
        "checks": checks if is_new or not all(check.is_well for check in checks) else [],
        "latest_songs": songs,
        "latest_pictures": pictures,
    }
    return render(request, "home.html", context)
