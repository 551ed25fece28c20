"""Taking orders: refusals at submission, the concurrency limit and the balance, in one transaction."""

import hashlib
import json
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mockapi import errors, rules, scenarios
from mockapi.models import Kind, MurekaAccount, MurekaRefusal, MurekaTask

# A refused body that never comes back is forgotten after this.
REFUSAL_LIFE = timedelta(minutes=10)


def order(kind: Kind, body: rules.Body, *, model: str, n: int) -> MurekaTask:
    """Accept and charge a song or an instrumental, or raise what scenario, limit or balance refuse it with."""
    scenario = scenarios.scenario_of(body)
    if scenario == scenarios.INVALID_KEY:
        raise errors.RefusedError(401, errors.INVALID_AUTHENTICATION)
    if scenario == scenarios.QUOTA:
        raise errors.RefusedError(429, errors.OVER_QUOTA)
    fingerprint = hashlib.sha256(json.dumps([kind, body], sort_keys=True).encode()).hexdigest()
    if scenario == scenarios.RATE_LIMIT:
        refuse_once(fingerprint)
    seconds = scenarios.seconds_of(body.get("prompt"), settings.MOCKAPI_SECONDS)
    with transaction.atomic():
        charge(rules.price(model, n))  # first: its UPDATE locks the account, so that the count below is exact
        now = timezone.now()
        if MurekaTask.objects.in_flight(now).count() >= settings.MOCKAPI_CONCURRENT_LIMIT:
            raise errors.RefusedError(429, errors.RATE_LIMITED)
        if scenario == scenarios.RATE_LIMIT:
            MurekaRefusal.objects.filter(fingerprint=fingerprint).delete()
        return MurekaTask.objects.create(
            kind=kind,
            model=model,
            n=n,
            scenario=scenario,
            request=body,
            cents=rules.price(model, n),
            audio_ms=settings.MOCKAPI_AUDIO_SECONDS * 1000,
            created_at=now,
            ready_at=now + timedelta(seconds=seconds),
        )


def record(kind: Kind, request: rules.Body, *, model: str, cents: int, seconds: int = 0) -> MurekaTask:
    """Charge and note a call that is answered in `seconds` (stems, lyrics); it does not count against the limit."""
    with transaction.atomic():
        charge(cents)
        now = timezone.now()
        return MurekaTask.objects.create(
            kind=kind,
            model=model,
            scenario=scenarios.SUCCESS,
            request=request,
            cents=cents,
            audio_ms=settings.MOCKAPI_AUDIO_SECONDS * 1000,
            created_at=now,
            ready_at=now + timedelta(seconds=seconds),
        )


def charge(cents: int) -> None:
    """Take the money or refuse."""
    if not MurekaAccount.current().charge(cents):
        raise errors.RefusedError(429, errors.OVER_QUOTA)


def refuse_once(fingerprint: str) -> None:
    """Refuse a body the first time it is seen, in whichever process; the next time it passes."""
    now = timezone.now()
    if MurekaRefusal.objects.filter(fingerprint=fingerprint, refused_at__gt=now - REFUSAL_LIFE).exists():
        return
    MurekaRefusal.objects.update_or_create(fingerprint=fingerprint, defaults={"refused_at": now})
    raise errors.RefusedError(429, errors.RATE_LIMITED)
