"""The page of jobs shows every kind: songs, stems and pictures, each in its own line."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import make_user, signed_in
from images.tests.factories import make_request
from jobs.models import Charge, Phase, Status
from songs.tests.factories import make_song, make_stems

pytestmark = pytest.mark.django_db
URL = "/jobs/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def jobs_page(client: Client) -> str:
    return client.get(URL).content.decode()


def test_nobody_sees_the_jobs_without_signing_in() -> None:
    make_user()
    assert Client().get(URL)["Location"].startswith("/sign-in/")


def test_the_jobs_are_only_looked_at(client: Client) -> None:
    assert client.post(URL).status_code == 405


def test_no_jobs_is_a_sentence_and_a_button(client: Client) -> None:
    make_song()
    make_request()
    page = jobs_page(client)
    assert "Nothing is running and nothing waits." in page
    assert page.count("<h1") == 1
    assert "OpenAI 4" in page


def test_jobs_stand_in_the_order_of_their_turns_at_each_provider(client: Client) -> None:
    now = timezone.now()
    make_song(title="Waits longer", status=Status.PENDING, queued_at=now)
    make_song(title="Runs", status=Status.PROGRESS, queued_at=now)
    make_stems(status=Status.PENDING, queued_at=now - timedelta(minutes=1))
    make_request(title="A picture", status=Status.PENDING, charge=Charge.NO, queued_at=now)
    page = jobs_page(client)
    assert page.index("Runs") < page.index("Stems of") < page.index("Waits longer")
    assert page.count("Waiting, next in line") == 2  # one at Mureka, one at OpenAI
    assert page.index("Waiting, second in line") > page.index("Waits longer")
    assert "A picture" in page


def test_uncertain_jobs_and_failures_are_told_apart(client: Client) -> None:
    make_song(title="Lost song", status=Status.FAILURE, phase=Phase.UNCERTAIN)
    make_request(title="Lost picture", status=Status.FAILURE, phase=Phase.UNCERTAIN, charge=Charge.MAYBE)
    make_song(title="Refused song", status=Status.FAILURE)
    make_request(title="Refused picture", status=Status.FAILURE)
    make_song(title="Thrown away", status=Status.FAILURE, deleted_at=timezone.now())
    lost, _title, refused = jobs_page(client).partition("Last failures")
    assert ("Lost song" in lost, "Lost picture" in lost, "Refused" in lost) == (True, True, False)
    assert ("Refused song" in refused, "Refused picture" in refused, "Lost" in refused) == (True, True, False)
    assert "Thrown away" not in lost + refused


def test_many_jobs_cost_a_constant_number_of_queries(client: Client, django_assert_num_queries: Any) -> None:
    def add() -> None:
        make_song(status=Status.PENDING)
        make_stems(status=Status.PENDING)
        for status, phase in ((Status.PENDING, Phase.WAITING), (Status.PENDING, Phase.SUBMITTING)):
            make_request(status=status, phase=phase, submitted_at=timezone.now())
        make_request(status=Status.FAILURE)

    add()
    jobs_page(client)
    with CaptureQueriesContext(connection) as few:
        jobs_page(client)
    for _number in range(5):
        add()
    with django_assert_num_queries(len(few)):
        jobs_page(client)
