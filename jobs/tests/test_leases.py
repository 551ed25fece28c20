"""Leases: one holder at a time, and none for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs import leases
from jobs.models import Lease

pytestmark = pytest.mark.django_db
FOR = timedelta(seconds=15)


def expire(name: str = "follow") -> None:
    Lease.objects.filter(name=name).update(until=timezone.now() - timedelta(seconds=1))


def test_only_one_takes_a_lease() -> None:
    assert leases.take("follow", "me", FOR)
    assert not leases.take("follow", "you", FOR)
    assert leases.is_held("follow")


def test_the_holder_renews_it() -> None:
    leases.take("follow", "me", timedelta(seconds=1))
    assert leases.take("follow", "me", FOR)
    assert Lease.objects.get(name="follow").until > timezone.now() + timedelta(seconds=10)


def test_an_expired_lease_is_taken_by_another_and_lost_by_the_first() -> None:
    leases.take("follow", "me", FOR)
    expire()
    assert not leases.is_held("follow")
    assert leases.take("follow", "you", FOR)
    assert not leases.take("follow", "me", FOR)


def test_a_dropped_lease_is_free_at_once() -> None:
    leases.take("follow", "me", FOR)
    leases.drop("follow", "me")
    assert not leases.is_held("follow")
    assert leases.take("follow", "you", FOR)


def test_nobody_drops_what_another_holds() -> None:
    leases.take("follow", "me", FOR)
    expire()
    leases.take("follow", "you", FOR)
    leases.drop("follow", "me")
    assert leases.is_held("follow")


def test_leases_of_different_names_do_not_meet() -> None:
    assert leases.take("follow", "me", FOR)
    assert leases.take("nudge", "you", FOR)


def test_owners_are_never_the_same() -> None:
    assert len({leases.new_owner() for _number in range(100)}) == 100


def test_a_beat_is_seen_without_anybody_following() -> None:
    assert leases.newest_beat() is None
    leases.beat()
    leases.beat()
    beat = leases.newest_beat()
    assert beat is not None
    assert timezone.now() - beat < timedelta(seconds=5)
    assert not leases.is_held(leases.FOLLOW)
