"""Dates at the edge of what a calendar holds: refused in the API, left out on pages, a wrong filter in the console."""

import pytest
from django.test import Client

from accounts.tests.factories import make_owner

pytestmark = pytest.mark.django_db
EDGES = [
    ("created_after", "0001-01-01T00:00:00+14:00"),
    ("created_before", "9999-12-31T23:59:59-14:00"),
    ("created_after", "9999-12-31T23:59:59.999999-00:01"),
]
INSIDE = [("created_after", "0001-01-01T00:00:00Z"), ("created_before", "9999-12-31T23:59:59Z")]
PAGES = ["/songs/", "/images/", "/chat/"]
API = ["/api/v1/songs/", "/api/v1/images/"]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_owner())
    return client


@pytest.mark.parametrize(("name", "moment"), EDGES)
def test_a_moment_that_is_none_in_utc_is_refused(owner: Client, name: str, moment: str) -> None:
    for url in PAGES:
        assert owner.get(url, {name: moment}).status_code == 200, url
    for url in API:
        answer = owner.get(url, {name: moment})
        assert (answer.status_code, list(answer.json())) == (400, [name]), url


@pytest.mark.parametrize(("name", "moment"), INSIDE)
def test_the_first_and_the_last_moment_can_be_asked_for(owner: Client, name: str, moment: str) -> None:
    for url in (*PAGES, *API):
        assert owner.get(url, {name: moment}).status_code == 200, url


@pytest.mark.parametrize("moment", [moment for _name, moment in EDGES])
@pytest.mark.parametrize("table", ["songs/song", "images/generatedimage", "images/imagerequest"])
def test_it_is_a_wrong_filter_in_the_console(owner: Client, table: str, moment: str) -> None:
    for lookup in ("created_at__gte", "created_at__lt"):
        answer = owner.get(f"/admin/{table}/", {lookup: moment}, follow=True)
        assert answer.status_code == 200
