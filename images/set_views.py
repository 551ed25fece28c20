"""The pages of one request: how it stands, its set of pictures, its card."""

import uuid
from functools import partial

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from images import services
from images.cards import ImageCard, requests_for_cards
from images.models import ImageRequest
from images.tasks import preview_key
from jobs import tasks as job_tasks
from jobs.models import Status
from jobs.pages import ask_or_submit_again, cancel_and_tell, render_card
from prompts.origins import story_of


@require_GET
def image_set(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a request: its pictures, what was asked for, what happened and what it cost."""
    rows = requests_for_cards().select_related("parent", "requested_by")
    job: ImageRequest = get_object_or_404(rows, pk=pk)
    card = ImageCard(job)
    context = {
        "job": job,
        "images": card.pictures,
        "card": None if job.status == Status.SUCCESS else card,
        "history": job.history(),
        "story": story_of(job, "prompt", _("How this prompt came about")),
        "title_story": story_of(job, "title", _("How this title came about")),
    }
    return render(request, "images/set.html", context)


@never_cache
@require_GET
def card(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how the request stands. The card asks for itself again while the pictures are being made."""
    job_tasks.nudge_if_nobody_follows()
    job: ImageRequest = get_object_or_404(requests_for_cards(), pk=pk)
    return render_card(request, "images/_card.html", ImageCard(job))


@never_cache
@require_GET
def preview(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Send the early version of a picture that is being made."""
    content = cache.get(preview_key(str(pk)))
    if not content:
        raise Http404
    return HttpResponse(content, content_type="image/webp")


@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel a request that waits."""
    job = get_object_or_404(ImageRequest, pk=pk)
    return cancel_and_tell(request, ImageCard(job), partial(services.cancel_request, job))


@require_http_methods(["GET", "POST"])
def submit_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what once more would cost, and submit the request again."""
    job: ImageRequest = get_object_or_404(requests_for_cards(), pk=pk)
    return ask_or_submit_again(request, ImageCard(job), partial(services.submit_request_again, job))
