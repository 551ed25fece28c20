"""Taking orders for pictures: what the scenario refuses at the door, and the ledger of what was accepted."""

import hashlib
import json
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from mockapi import openai_errors as errors
from mockapi import scenarios
from mockapi.models import OpenAISubmission
from mockapi.openai_rules import Body, Order
from mockapi.troubles import trouble

LONGEST_SECONDS = 600
# Without a duration in its prompt, a picture is done after MOCKAPI_SECONDS, at most this.
QUICK_SECONDS = 4
OVERLOADS, PACE_LIMITS = 2, 1


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
    if scenario == scenarios.OVERLOADED and trouble(fingerprint.hexdigest(), OVERLOADS):
        raise errors.overloaded()
    if scenario == scenarios.RATE_LIMIT and trouble(fingerprint.hexdigest(), PACE_LIMITS):
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
