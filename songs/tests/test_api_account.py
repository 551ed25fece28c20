"""Our account at Mureka in the API: never asked for while a client waits."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import turns
from jobs.kinds import AccountFigures
from jobs.models import Charge
from songs.tasks import MUREKA
from songs.tests.factories import make_api_client, make_choice, make_song, make_stems

pytestmark = pytest.mark.django_db
ACCOUNT = "/api/v1/mureka/account/"


def test_old_figures_are_shown_and_read_again_once_by_a_worker(
    enqueued: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    api = make_api_client()

    with django_capture_on_commit_callbacks(execute=True):
        first = api.get(ACCOUNT)
        second = api.get(ACCOUNT)

    assert (first.status_code, first.json()["balance"], first.json()["checked_at"]) == (200, None, None)
    assert second.json() == first.json()
    assert [task.args for task in enqueued] == [(MUREKA,)]


def test_the_figures_are_in_cents_and_the_spending_in_dollars() -> None:
    turns.account_of(MUREKA)
    turns.record_account(MUREKA, AccountFigures(10, balance=2970, total_recharge=3000, total_spending=30))
    long_ago = timezone.now() - timedelta(days=40)
    make_song(cost=Decimal("0.30"), submitted_at=timezone.now())
    make_song(cost=Decimal("0.15"), submitted_at=timezone.now(), charge=Charge.MAYBE)
    old_choice = make_choice(make_song(cost=Decimal("9.00"), submitted_at=long_ago))
    make_stems(old_choice, cost=Decimal("0.06"), submitted_at=timezone.now())

    figures = make_api_client().get(ACCOUNT).json()

    assert (figures["balance"], figures["concurrent_request_limit"]) == (2970, 10)
    assert figures["spending_this_month"] == {"charged": "0.3600", "maybe": "0.1500"}
