"""What a person sees when the studio itself fails: a mistake of ours, or a database or files that are away."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from jobs.endings import DATABASE_AWAY
from library.storage import StorageAwayError

RETRY_AFTER = 5  # seconds


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what nobody caught. Without the request's context: it may be what has failed."""
    error = sys.exc_info()[1]
    if isinstance(error, (*DATABASE_AWAY, StorageAwayError)):
        page = render_to_string("503.html", {"is_storage": isinstance(error, StorageAwayError)})
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
    return defaults.server_error(request)
