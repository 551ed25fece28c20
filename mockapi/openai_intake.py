"""Taking orders for pictures: what the scenario refuses at the door, and the ledger of what was accepted."""

import hashlib
import json
import socket
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mockapi import openai_errors as errors
from mockapi import scenarios
from mockapi.models import OpenAISubmission, OpenAITrouble
from mockapi.openai_rules import Body, Order
from mockapi.reset import client_socket

LONGEST_SECONDS = 600
# Without a duration in its prompt, a picture is done after MOCKAPI_SECONDS, at most this.
QUICK_SECONDS = 4
OVERLOADS, PACE_LIMITS = 2, 1
# A refused body that never comes back is forgotten after this.
TROUBLE_LIFE = timedelta(minutes=10)
# How often a waiting answer looks whether its client is still there.
GLANCE_SECONDS = 1.0


def accept(order: Order, body: Body, files: Collection[bytes], *, key: str, request_id: str) -> OpenAISubmission:
    """Note an order in the ledger, or raise what its scenario refuses it with. `files` are the digests of uploads."""
    scenario = scenarios.scenario_of({"prompt": order.prompt})
    if scenario == scenarios.INVALID_KEY:
        raise errors.wrong_key(key)
    if scenario == scenarios.FAILS:
        raise errors.moderated(request_id)
    if scenario == scenarios.QUOTA:
        raise errors.billing_limit()
    if scenario == scenarios.MISSING_FILES:
        raise errors.unknown_model(order.model)
    fingerprint = hashlib.sha256(json.dumps([order.endpoint, body], sort_keys=True).encode() + b"".join(files))
    if scenario == scenarios.OVERLOADED and _trouble(fingerprint.hexdigest(), OVERLOADS):
        raise errors.overloaded()
    if scenario == scenarios.RATE_LIMIT and _trouble(fingerprint.hexdigest(), PACE_LIMITS):
        raise errors.too_fast()
    now = timezone.now()
    return OpenAISubmission.objects.create(
        endpoint=order.endpoint,
        model=order.model,
        n=order.n,
        scenario=scenario,
        prompt=order.prompt,
        request={name: value for name, value in body.items() if name != "prompt"},
        created_at=now,
        ready_at=now + timedelta(seconds=seconds_of(order.prompt)),
    )


def seconds_of(prompt: str) -> int:
    """Return how long a picture takes: the first `30s` or `1m` in its prompt, else a few seconds."""
    return min(scenarios.seconds_of(prompt, min(settings.MOCKAPI_SECONDS, QUICK_SECONDS)), LONGEST_SECONDS)


def wait(environ: dict[str, Any], seconds: float) -> None:
    """Let time pass, as long as the client is there: no thread is held for somebody who has gone."""
    end, client = time.monotonic() + seconds, client_socket(environ)
    while (rest := min(end - time.monotonic(), GLANCE_SECONDS)) > 0:
        if client is not None and _has_gone(client):
            return
        time.sleep(rest)


def _has_gone(client: socket.socket) -> bool:
    """Whether the client has closed its side. What it may have sent already stays where it is."""
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _trouble(fingerprint: str, times: int) -> bool:
    """Whether a body is troubled once more; exact with any number of processes. Then it passes, and starts anew."""
    now = timezone.now()
    with transaction.atomic():
        row, _ = OpenAITrouble.objects.get_or_create(fingerprint=fingerprint, defaults={"given_at": now})
        row = OpenAITrouble.objects.select_for_update().get(pk=row.pk)
        given = row.given if row.given_at > now - TROUBLE_LIFE else 0
        if given >= times:
            row.delete()
            return False
        row.given, row.given_at = given + 1, now
        row.save()
        return True
