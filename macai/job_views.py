"""The page of jobs: what runs and what waits, what is uncertain and what failed, of every kind."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from images.cards import Around as ImagesAround
from images.cards import ImageCard, requests_for_cards
from jobs import tasks as job_tasks
from jobs import turns
from jobs.kinds import KINDS, kind_of
from jobs.models import Job, JobQuerySet, Phase, Status
from songs.cards import Around as SongsAround
from songs.cards import Card, songs_for_cards
from songs.models import StemSeparation

SHOWN = 50
LAST_FAILURES = 10


class Maker(NamedTuple):
    """How the jobs of one kind are shown: their rows, with what a card needs, the card, and its template."""

    rows: JobQuerySet
    card: Callable[..., Any]
    template: str


class Shown(NamedTuple):
    """A job on the page."""

    job: Job
    card: Any
    template: str


def makers() -> tuple[Maker, ...]:
    """Return how each kind is shown. What cards have in common is asked for once for the page."""
    song_card = partial(Card, around=SongsAround())
    stems = StemSeparation.objects.select_related("choice__song").filter(choice__song__deleted_at=None)
    return (
        Maker(songs_for_cards().live(), song_card, "songs/_card.html"),
        Maker(stems, song_card, "songs/_card.html"),
        Maker(requests_for_cards(), partial(ImageCard, around=ImagesAround()), "images/_card.html"),
    )


@never_cache
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """Show what runs and what waits, what is uncertain, and the last failures."""
    job_tasks.nudge_if_nobody_follows()
    every = makers()
    active = [(job, maker) for maker in every for job in maker.rows.active().order_by("queued_at")[:SHOWN]]
    context = {
        "active": in_order(active),
        "uncertain": failures(every, Phase.UNCERTAIN, SHOWN),
        "failed": failures(every, Phase.ENDED, LAST_FAILURES),
        "limits": [(name, turns.account_of(provider).concurrent_request_limit) for provider, name in providers()],
        "waiting": sum(kind.rows.waiting().count() for kind in KINDS.values()),
    }
    return render(request, "jobs.html", context)


def providers() -> Iterable[tuple[str, str]]:
    """Return the providers that make something, and how they are called."""
    return {kind.provider: kind.provider_name for kind in KINDS.values()}.items()


def failures(every: Iterable[Maker], phase: Phase, most: int) -> list[Shown]:
    """Return the latest jobs that ended without a result. Uncertain ones are failed ones, too."""
    found = [
        Shown(job, maker.card(job), maker.template)
        for maker in every
        for job in maker.rows.filter(status=Status.FAILURE, phase=phase).order_by("-created_at")[:most]
    ]
    return sorted(found, key=lambda shown: shown.job.created_at, reverse=True)[:most]


def in_order(active: list[tuple[Job, Maker]]) -> list[Shown]:
    """Return what runs, then what waits with its place in line at its provider."""
    running = [Shown(job, maker.card(job), maker.template) for job, maker in active if not is_waiting(job)]
    waiting = [(job, maker) for job, maker in active if is_waiting(job)]
    places: dict[str, int] = {}
    for job, maker in sorted(waiting, key=lambda one: (one[0].queued_at, str(one[0].pk))):
        provider = kind_of(job).provider
        places[provider] = places.get(provider, 0) + 1
        running.append(Shown(job, maker.card(job, places[provider]), maker.template))
    return running[:SHOWN]


def is_waiting(job: Job) -> bool:
    """Tell whether a job waits for a turn."""
    return job.status == Status.PENDING and job.phase == Phase.WAITING
