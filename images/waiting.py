"""The synchronous answer for API clients: wait for a row that a worker finishes, without holding anything but a thread.

The row exists before anybody waits, so a client that hangs up, or a wait that is too short, costs nothing.
"""

import threading
import time
import uuid

from django.conf import settings
from rest_framework import status

from images.models import ImageRequest
from jobs.models import ACTIVE, Status
from providers.errors import Verdict

FIRST_LOOK, LONGEST_LOOK, GROWTH = 0.02, 0.05, 1.3  # seconds, seconds, factor

# At most half of a process's threads wait, so that the rest of the studio stays usable.
PLACES = threading.BoundedSemaphore(settings.WEB_THREADS // 2)

CODES = {
    Verdict.REFUSED.value: status.HTTP_422_UNPROCESSABLE_ENTITY,
    Verdict.OUT_OF_MONEY.value: status.HTTP_402_PAYMENT_REQUIRED,
    Verdict.BAD_KEY.value: status.HTTP_502_BAD_GATEWAY,
    Verdict.UNCERTAIN.value: status.HTTP_504_GATEWAY_TIMEOUT,
}


def wait_for_end(pk: uuid.UUID, seconds: float) -> bool:
    """Wait until a request has ended. False if it goes on after that many seconds, or nobody else may wait now."""
    if not PLACES.acquire(blocking=False):
        return False
    try:
        end, pause = time.monotonic() + seconds, FIRST_LOOK
        while ImageRequest.objects.filter(pk=pk, status__in=ACTIVE).exists():
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * GROWTH, LONGEST_LOOK)
        return True
    finally:
        PLACES.release()


def code_of(request: ImageRequest) -> int:
    """Return the HTTP status that says how a request ended."""
    if request.status == Status.SUCCESS:
        return status.HTTP_201_CREATED
    if request.status == Status.CANCELLED:
        return status.HTTP_409_CONFLICT
    return CODES.get(request.problem, status.HTTP_502_BAD_GATEWAY)
