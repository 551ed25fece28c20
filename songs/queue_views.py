"""What is being made, what went wrong, and what our account at Mureka says."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from jobs import tasks as job_tasks
from jobs import turns
from jobs.models import Job, Phase, Status
from jobs.spending import month_start, spent_since
from songs.cards import Around, Card, songs_for_cards
from songs.models import Song, StemSeparation
from songs.tasks import MUREKA

SHOWN = 50
LAST_FAILURES = 10

Made = Song | StemSeparation


@never_cache
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """Show what runs and what waits, what is uncertain, and the last failures."""
    job_tasks.nudge_if_nobody_follows()
    songs, stems = songs_for_cards(), StemSeparation.objects.select_related("choice__song")
    active = [*songs.active().order_by("queued_at")[:SHOWN], *stems.active().order_by("queued_at")[:SHOWN]]
    # An uncertain job is a failed one, too, and by its status an index finds it.
    failures = (
        songs.live().filter(status=Status.FAILURE),
        stems.filter(status=Status.FAILURE, choice__song__deleted_at=None),
    )
    uncertain = [job for rows in failures for job in rows.uncertain()[:SHOWN]]
    failed = [job for rows in failures for job in rows.exclude(phase=Phase.UNCERTAIN)[:LAST_FAILURES]]
    failed.sort(key=lambda job: job.created_at, reverse=True)
    around = Around()
    context = {
        "active": in_order(active, around),
        "uncertain": [Card(job, around=around) for job in uncertain],
        "failed": [Card(job, around=around) for job in failed[:LAST_FAILURES]],
        "account": turns.account_of(MUREKA),
        "waiting": sum(model.objects.waiting().count() for model in (Song, StemSeparation)),
    }
    return render(request, "songs/jobs.html", context)


def in_order(active: list[Made], around: Around) -> list[Card]:
    """Return the cards of what runs, then of what waits with its place in line."""
    waiting = sorted(filter(is_waiting, active), key=lambda job: (job.queued_at, str(job.pk)))
    running = [Card(job, around=around) for job in active if not is_waiting(job)]
    return [*running, *(Card(job, place, around) for place, job in enumerate(waiting, start=1))][:SHOWN]


def is_waiting(job: Job) -> bool:
    """Tell whether a job waits for a turn."""
    return job.status == Status.PENDING and job.phase == Phase.WAITING


@never_cache
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show our account at Mureka as it was last read. Due again, it is read by a worker: the page does not wait."""
    is_being_read = turns.claim_account_check(MUREKA)
    if is_being_read:
        job_tasks.enqueue(job_tasks.read_account, MUREKA)
    found = turns.account_of(MUREKA)
    month = month_start()
    context = {
        "account": found,
        "is_being_read": is_being_read or (found.checked_at is None and not found.check_error),
        "is_backing_off": bool(found.backoff_until and found.backoff_until > timezone.now()),
        "month": month,
        "spending": spent_since(month, provider=MUREKA),
        "active": sum(model.objects.holding_a_turn(timezone.now()).count() for model in (Song, StemSeparation)),
    }
    return render(request, "songs/account.html", context)
