"""What a person sees when the studio itself fails: a mistake of ours, or a database that is away for the moment."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from jobs.endings import DATABASE_AWAY

RETRY_AFTER = 5  # seconds


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what nobody caught. Without the request's context: it may be what has failed."""
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER)})
    return defaults.server_error(request)
