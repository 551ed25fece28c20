"""The studio's home page."""

from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from images.models import GeneratedImage
from macai import pulse
from songs.models import Song

LATEST = 5
LATEST_PICTURES = 8


class Check(NamedTuple):
    """A line of the checklist: what is looked at, whether it is well, and what it means or what to do."""

    label: str
    is_well: bool
    advice: str


def home(request: HttpRequest) -> HttpResponse:
    """Show what is newest and where to go; before there is anything, and whenever something is wrong, the checklist."""
    checks = [*worker_and_storage(), *(provider_check(provider) for provider in pulse.providers())]
    songs = list(Song.objects.for_list().live()[:LATEST])
    pictures = list(GeneratedImage.objects.live().for_grid()[:LATEST_PICTURES])
    is_new = not songs and not pictures
    context = {
        "checks": checks if is_new or not all(check.is_well for check in checks) else [],
        "latest_songs": songs,
        "latest_pictures": pictures,
    }
    return render(request, "home.html", context)


def worker_and_storage() -> list[Check]:
    """Look at what the studio itself needs."""
    worker, storage = pulse.worker_is_alive(), pulse.storage_is_writable()
    return [
        Check(
            _("Worker"),
            worker,
            _("Running. It makes songs while you do something else.")
            if worker
            else _("Not running, so songs wait. Start the studio with “make run”."),
        ),
        Check(
            _("Storage"),
            storage,
            _("Songs are kept in %(path)s.") % {"path": settings.MEDIA_ROOT}
            if storage
            else _("%(path)s cannot be written. Make room there, or set DATA_DIR to another folder.")
            % {"path": settings.MEDIA_ROOT},
        ),
    ]


def provider_check(provider: pulse.Provider) -> Check:
    """Say whether a service is the real one. An imitated one is well, too: that is how a studio starts."""
    if provider.is_mock:
        advice = _("Imitated (MOCK): nothing is charged. Set %(variable)s in .env to use the real one.")
        return Check(provider.name, is_well=True, advice=advice % {"variable": provider.setting})
    advice = (
        _("The real service. What it makes costs money.") if provider.is_paid else _("The real one, free of charge.")
    )
    return Check(provider.name, is_well=True, advice=advice)
