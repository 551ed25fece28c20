"""What the views of every kind of job do alike."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from jobs.cards import JobCard
from jobs.kinds import kind_of
from jobs.services import JobError


@contextmanager
def told(request: HttpRequest) -> Iterator[None]:
    """Tell the person why a job did not do what was asked of it."""
    try:
        yield
    except JobError as error:
        messages.error(request, str(error))


def back(request: HttpRequest, page: str) -> HttpResponseRedirect:
    """Go back to where the form stood (its field `next`), or to a page."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(wanted if is_ours else page)


def uuid_or_404(text: str) -> uuid.UUID:
    """Read an id from an address; one that is none leads nowhere."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def uuids_among(texts: Iterable[str]) -> list[uuid.UUID]:
    """Read the ids that were chosen in a list; what is no id is passed over."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def render_card(request: HttpRequest, template: str, card: JobCard) -> HttpResponse:
    """Render a job's card; one that has ended tells the page around it."""
    response = render(request, template, {"card": card})
    return response if card.job.is_active else trigger_client_event(response, "job-ended")


def cancel_and_tell(request: HttpRequest, card: JobCard, cancel: Callable[[], bool]) -> HttpResponse:
    """Cancel a job, say what came of it, and lead to the page of what it makes."""
    with told(request):
        if cancel():
            messages.success(request, _("Cancelled. Not charged."))
        else:
            words = _("%(provider)s cannot stop a job, so its result is kept.")
            messages.warning(request, words % {"provider": kind_of(card.job).provider_name})
    return HttpResponseRedirect(card.page_url)


def ask_or_submit_again(request: HttpRequest, card: JobCard, submit: Callable[[], None]) -> HttpResponse:
    """Say what once more would cost (GET), or submit the job again and lead to the page of what it makes (POST)."""
    if request.method == "GET":
        return render(request, "components/submit_again.html", {"card": card})
    with told(request):
        submit()
        messages.success(request, _("Submitted again."))
    return HttpResponseRedirect(card.page_url)
