"""The library: searched, filtered, ordered, paged, rated and cleared up, all in the address."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import signed_in
from jobs.models import Phase, Status
from library import paging
from songs.models import Workflow
from songs.tests.factories import make_finished_song, make_instrumental, make_song

pytestmark = pytest.mark.django_db
URL = "/songs/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def titles(client: Client, **query: Any) -> list[str]:
    page = client.get(URL, query).context["page_obj"]
    return [song.title for song in page.rows]


def test_an_empty_library_offers_the_first_song(client: Client) -> None:
    page = client.get(URL).content.decode()
    assert "No songs yet." in page
    assert page.count("/songs/new/?") == 3  # three examples


def test_a_search_without_a_match_can_be_cleared(client: Client) -> None:
    make_song()
    page = client.get(URL, {"q": "xyzzy"}).content.decode()
    assert "No song matches." in page
    assert "No songs yet." not in page


def test_songs_are_found_by_title_lyrics_tags_status_workflow_and_kind(client: Client) -> None:
    make_song(title="A", lyrics="moon", workflow=Workflow.IN_USE)
    make_instrumental(title="B", tags="moon")
    make_song(title="C", status=Status.FAILURE, phase=Phase.UNCERTAIN)
    assert titles(client, q="moon", ordering="title") == ["A", "B"]
    assert titles(client, kind="instrumental") == ["B"]
    assert titles(client, status="FAILURE") == ["C"]
    assert titles(client, is_uncertain="true") == ["C"]
    assert titles(client, workflow="inUse") == ["A"]
    assert titles(client, ordering="-title") == ["C", "B", "A"]


def test_chips_keep_the_rest_of_the_address_and_can_be_taken_back(client: Client) -> None:
    make_song()
    page = client.get(URL, {"q": "song", "status": "SUCCESS", "page": "1"}).content.decode()
    assert 'href="/songs/?q=song"' in page  # the chip that is on leads to the list without it
    assert 'href="/songs/?q=song&amp;status=FAILURE"' in page
    assert '<input type="hidden" name="status" value="SUCCESS">' in page  # a search keeps the filter


def test_the_list_has_a_real_next_page_and_counts_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    now = timezone.now()
    for number in range(5):
        make_song(title=str(number), created_at=now - timedelta(minutes=number))
    assert titles(client) == ["0", "1"]
    assert 'rel="next" href="/songs/?q=&amp;page=2"' in client.get(URL, {"q": ""}).content.decode()
    assert titles(client, page="3") == ["4"]
    assert 'rel="next"' not in client.get(URL, {"page": "3"}).content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "²", ""])
def test_a_page_number_that_is_none_shows_the_first_page(client: Client, page: str) -> None:
    make_song(title="A")
    assert titles(client, page=page) == ["A"]


def test_a_page_beyond_the_end_is_no_error(client: Client) -> None:
    make_song()
    assert client.get(URL, {"page": "9999999"}).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_songs(
    client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    make_finished_song()
    with django_assert_max_num_queries(14) as few:
        client.get(URL)
    for _number in range(29):
        make_finished_song()
    with django_assert_num_queries(len(few.captured_queries)) as many:
        client.get(URL)
    assert not any("COUNT(" in query["sql"] and "song_choices" in query["sql"] for query in many.captured_queries)
    assert not any('"lyrics"' in query["sql"] for query in many.captured_queries)


def test_a_row_plays_rates_and_leads_to_its_song(client: Client) -> None:
    song = make_finished_song(title="Rain")
    page = client.get(URL).content.decode()
    assert page.count('data-src="/songs/choices/') == 2
    assert page.count("Thumb up for choice") == 2
    assert f'href="{song.get_absolute_url()}"' in page
    assert page.count("<h1") == 1


@pytest.mark.parametrize(
    "url", [URL, "/songs/new/", "/jobs/", "/songs/account/", "/songs/bulk-delete/", "/songs/trash/"]
)
def test_strangers_sign_in_first(url: str) -> None:
    assert Client().get(url).status_code == 302
