"""Leases: rights that one process at a time holds, renews, and loses by itself when it dies."""

import os
import socket
import uuid
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from jobs.models import Lease

FOLLOW = "follow"
NUDGE = "nudge"
WORK = "work"  # never taken, only beaten: the newest sign of life of any worker


def new_owner() -> str:
    """Return a name for the calling process that no other has ever had."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def take(name: str, owner: str, duration: timedelta) -> bool:
    """Take the lease, or renew it, in one conditional UPDATE. False if somebody else holds it."""
    now = timezone.now()
    free = Lease.objects.filter(Q(until__lt=now) | Q(owner=owner), name=name)
    if free.update(owner=owner, until=now + duration, beat=now):
        return True
    _lease, created = Lease.objects.get_or_create(
        name=name, defaults={"owner": owner, "until": now + duration, "beat": now}
    )
    return created


def drop(name: str, owner: str) -> None:
    """Give the lease back, if it still is ours."""
    Lease.objects.filter(name=name, owner=owner).update(owner="", until=timezone.now() - timedelta(seconds=1))


def owner_of(name: str) -> str:
    """Return who holds the lease, or held it and died without giving it back; "" if it was given back."""
    return Lease.objects.filter(name=name).values_list("owner", flat=True).first() or ""


def is_held(name: str) -> bool:
    """Tell whether anybody holds the lease now."""
    return Lease.objects.filter(name=name, until__gte=timezone.now()).exists()


def beat() -> None:
    """Note that a worker is alive and works."""
    now = timezone.now()
    if not Lease.objects.filter(name=WORK).update(beat=now):
        Lease.objects.get_or_create(name=WORK, defaults={"beat": now, "until": now})


def newest_beat() -> datetime | None:
    """Return when a worker last showed life, if ever."""
    return Lease.objects.filter(name__in=[WORK, FOLLOW]).order_by("-beat").values_list("beat", flat=True).first()
