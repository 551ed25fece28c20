"""What our account at Mureka says."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from jobs import tasks as job_tasks
from jobs import turns
from jobs.spending import month_start, spent_since
from songs.models import Song, StemSeparation
from songs.tasks import MUREKA


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
