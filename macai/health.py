"""Whether the studio is well, in one answer for whoever watches it: open to all, and nothing secret in it."""

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone
from django_q.brokers import get_broker
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import leases
from macai import pulse

logger = logging.getLogger(__name__)

PATIENCE = 1.8  # seconds for all checks together; one that has not answered by then has failed
FRESH = timedelta(seconds=15)  # a worker's own sign of life, where its heartbeat cannot be read
# Two answers' worth of threads: a disk that hangs may hold some for ever, but never more than these.
POOL = ThreadPoolExecutor(max_workers=10, thread_name_prefix="health")


def database_answers() -> bool:
    """Ask the database for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def cache_answers() -> bool:
    """Leave something in the cache and take it back."""
    token = uuid.uuid4().hex
    cache.set(f"health-{token}", token, timeout=10)
    found = cache.get(f"health-{token}")
    cache.delete(f"health-{token}")
    return bool(found == token)


def broker_answers() -> bool:
    """Ask the queue how long it is."""
    broker = get_broker()
    return bool(broker.ping()) and int(broker.queue_size()) >= 0


def worker_is_alive() -> bool:
    """Look for a worker's heartbeat, or for what it has just written into the database."""
    if pulse.worker_is_alive():
        return True
    beat = leases.newest_beat()
    return beat is not None and timezone.now() - beat < FRESH


CHECKS: dict[str, Callable[[], bool]] = {
    "database": database_answers,
    "cache": cache_answers,
    "broker": broker_answers,
    "worker": worker_is_alive,
    "storage": pulse.storage_is_writable,
}


def run(name: str) -> bool:
    """Run one check in a thread of its own, with database connections of its own."""
    try:
        return CHECKS[name]()
    except Exception as error:  # noqa: BLE001  # whatever it is, the thing is not well
        logger.warning("The health check of the %s failed: %s", name, type(error).__name__)
        return False
    finally:
        connections.close_all()


def look() -> dict[str, bool]:
    """Run all checks at once. One that takes longer than PATIENCE counts as failed."""
    answers: dict[str, Future[bool]] = {name: POOL.submit(run, name) for name in CHECKS}
    wait(answers.values(), timeout=PATIENCE)
    for answer in answers.values():
        answer.cancel()  # one that has not even begun need not
    return {name: answer.done() and not answer.cancelled() and answer.result() for name, answer in answers.items()}


class CheckSerializer(serializers.Serializer[Any]):
    """One thing that was looked at."""

    ok = serializers.BooleanField()


class ChecksSerializer(serializers.Serializer[Any]):
    """All things that were looked at."""

    database = CheckSerializer()
    cache = CheckSerializer()
    broker = CheckSerializer()
    worker = CheckSerializer()
    storage = CheckSerializer()


class HealthSerializer(serializers.Serializer[Any]):
    """Whether the studio is well."""

    status = serializers.ChoiceField(choices=["ok", "failing"])
    checks = ChecksSerializer()


class HealthView(APIView):
    """The studio's health, for whoever watches it."""

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="health_retrieve",
        tags=["studio"],
        summary="Tell whether the studio is well",
        auth=[],
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    def get(self, request: Request) -> Response:
        """Look at database, cache, queue, worker and storage: 200 if all are well, else 503. Takes 2 s at most."""
        checks = look()
        is_well = all(checks.values())
        answer = {"status": "ok" if is_well else "failing", "checks": {name: {"ok": ok} for name, ok in checks.items()}}
        code = status.HTTP_200_OK if is_well else status.HTTP_503_SERVICE_UNAVAILABLE
        return Response(answer, status=code, headers={"Cache-Control": "no-store"})
