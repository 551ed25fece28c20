"""The page of jobs and the page of our account at Mureka."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import turns
from jobs.models import Charge, Phase, ProviderAccount, Status
from songs.tests.factories import make_song, make_stems, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(make_user())
    return signed_in


def jobs_page(client: Client) -> str:
    return client.get("/songs/jobs/").content.decode()


def account_page(client: Client) -> str:
    return client.get("/songs/account/").content.decode()


def test_no_jobs_is_a_sentence_and_a_button(client: Client) -> None:
    make_song()
    page = jobs_page(client)
    assert "Nothing is running and nothing waits." in page
    assert page.count("<h1") == 1


def test_jobs_stand_in_the_order_of_their_turns(client: Client) -> None:
    now = timezone.now()
    make_song(title="Waits longer", status=Status.PENDING, queued_at=now)
    make_song(title="Runs", status=Status.PROGRESS, queued_at=now)
    make_stems(status=Status.PENDING, queued_at=now - timedelta(minutes=1))
    page = jobs_page(client)
    assert page.index("Runs") < page.index("Stems of") < page.index("Waits longer")
    assert page.index("Waiting, next in line") < page.index("Waiting, second in line")


def test_uncertain_jobs_and_failures_are_told_apart(client: Client) -> None:
    make_song(title="Lost", status=Status.FAILURE, phase=Phase.UNCERTAIN)
    make_song(title="Refused", status=Status.FAILURE)
    page = jobs_page(client)
    assert page.index("Lost") < page.index("Last failures") < page.index("Refused")


def test_many_jobs_cost_a_constant_number_of_queries(client: Client, django_assert_num_queries: Any) -> None:
    def add() -> None:
        make_song(status=Status.PENDING)
        make_song(status=Status.PROGRESS, phase=Phase.SUBMITTING, job_id="1" + str(timezone.now().timestamp()))
        make_stems(status=Status.PENDING)

    add()
    jobs_page(client)
    with CaptureQueriesContext(connection) as few:
        jobs_page(client)
    for _number in range(5):
        add()
    with django_assert_num_queries(len(few)):
        jobs_page(client)


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


@pytest.mark.parametrize("url", ["/songs/jobs/", "/songs/account/"])
def test_these_pages_are_only_looked_at(client: Client, url: str) -> None:
    assert client.post(url).status_code == 405
