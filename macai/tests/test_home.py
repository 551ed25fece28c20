"""The home page: the latest songs and pictures, the checklist, and where to go."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import signed_in
from images.tests.factories import make_image
from macai import pulse
from macai.views import LATEST_PICTURES
from songs.tests.factories import make_finished_song

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def home(client: Client) -> str:
    return client.get("/").content.decode()


def test_an_empty_studio_speaks_of_songs_and_pictures_and_shows_the_checklist(client: Client) -> None:
    page = home(client)
    assert "hear two songs, or describe a picture" in page
    assert "Is everything ready?" in page
    assert "Latest pictures" not in page
    assert '<li><a href="/images/">' in page.partition("Where to?")[2]


def test_the_latest_pictures_stand_there_and_those_in_the_trash_do_not(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "worker_is_alive", lambda: True)
    oldest = make_image(title="Too old")
    for number in range(LATEST_PICTURES):
        make_image(title=f"Picture {number}")
    make_image(title="Thrown away", deleted_at=timezone.now())
    page = home(client)
    shown = page.partition("Latest pictures")[2]
    assert shown.count('class="small-picture"') == LATEST_PICTURES
    assert shown.index(f"Picture {LATEST_PICTURES - 1}") < shown.index("Picture 0")
    assert oldest.get_absolute_url() not in page
    assert "Thrown away" not in page
    assert "Is everything ready?" not in page  # somebody has made something already


def test_many_songs_and_pictures_cost_a_constant_number_of_queries(
    client: Client, django_assert_num_queries: Any
) -> None:
    make_finished_song()
    make_image()
    home(client)
    with CaptureQueriesContext(connection) as few:
        home(client)
    for _number in range(3):
        make_finished_song()
        make_image()
    with django_assert_num_queries(len(few)):
        home(client)
