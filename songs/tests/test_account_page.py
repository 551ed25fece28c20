"""The page of our account at Mureka."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import signed_in
from jobs import turns
from jobs.models import Charge, ProviderAccount, Status
from songs.tests.factories import make_song

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def account_page(client: Client) -> str:
    return client.get("/songs/account/").content.decode()


def test_the_account_is_read_by_a_worker_and_not_by_the_page(
    client: Client, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        page = account_page(client)
    assert "is being read" in page
    assert 'hx-trigger="load delay:2s"' in page
    with django_capture_on_commit_callbacks(execute=True):
        account_page(client)
    assert len([task for task in enqueued if task.args == ("mureka",)]) == 1  # not once for every look


def test_an_account_out_of_reach_is_not_an_empty_one(client: Client) -> None:
    turns.account_of("mureka")
    rows = ProviderAccount.objects.filter(provider="mureka")
    rows.update(balance=2790, checked_at=timezone.now(), check_error="Mureka does not answer.")
    page = account_page(client)
    assert "$27.90" in page
    assert "Mureka does not answer." in page
    assert "says nothing about what is left" in page
    rows.update(balance=None, checked_at=None)
    page = account_page(client)
    assert "unknown" in page
    assert "$0.00<small>Not read" not in page


def test_an_empty_account_says_zero(client: Client) -> None:
    turns.account_of("mureka")
    ProviderAccount.objects.update(balance=0, checked_at=timezone.now())
    assert "<dd>$0.00<small>Read" in account_page(client)


def test_the_month_tells_what_was_charged_and_what_perhaps(client: Client) -> None:
    make_song(cost="0.30", charge=Charge.YES)
    make_song(cost="0.15", charge=Charge.MAYBE, status=Status.FAILURE)
    make_song(cost="9.00", charge=Charge.NO)
    page = account_page(client)
    assert "$0.30" in page
    assert "and perhaps $0.15, uncertain" in page
    assert "$9.00" not in page


def test_the_account_is_only_looked_at(client: Client) -> None:
    assert client.post("/songs/account/").status_code == 405
