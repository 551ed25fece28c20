"""The page and the card of a request: how it stands, its early version, what may be done about it."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import signed_in
from images.models import GeneratedImage, ImageRequest
from images.tasks import preview_key
from images.tests.factories import make_image, make_request, picture_file
from jobs.models import Charge, Phase, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def make_running(**overrides: Any) -> ImageRequest:
    """Make a request whose one call is under way, since 65 seconds."""
    since = timezone.now() - timedelta(seconds=65)
    fields = {"status": Status.PENDING, "phase": Phase.SUBMITTING, "submitted_at": since}
    return make_request(**(fields | overrides))


def card_of(client: Client, request: ImageRequest) -> str:
    return client.get(reverse("images:card", args=[request.pk])).content.decode()


def url_of(verb: str, request: ImageRequest) -> str:
    return reverse(f"images:{verb}", args=[request.pk])


@pytest.mark.parametrize("page", ["set", "card", "preview", "submit-again"])
def test_an_unknown_request_is_not_found(client: Client, page: str) -> None:
    assert client.get(reverse(f"images:{page}", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("verb", ["cancel", "submit-again"])
def test_an_unknown_request_cannot_be_changed(client: Client, verb: str) -> None:
    assert client.post(reverse(f"images:{verb}", args=[uuid.uuid4()])).status_code == 404


def test_a_set_shows_its_pictures_its_history_and_its_cost(client: Client) -> None:
    request = make_request(count=2, title="Foxes")
    request.tell("Asked for.")
    images = [make_image(request, stored=False) for _number in range(2)]
    page = client.get(request.get_absolute_url()).content.decode()
    assert page.count("<h1") == 1
    for image in images:
        assert f'href="{image.get_absolute_url()}"' in page
    for text in ("Asked for.", "$0.0132", "Foxes", ">Done<"):
        assert text in page
    GeneratedImage.objects.all().throw_away()
    assert "Its pictures lie in the trash." in client.get(request.get_absolute_url()).content.decode()


def test_a_waiting_card_says_its_place_and_can_be_cancelled(client: Client) -> None:
    request = make_request(status=Status.PENDING, charge=Charge.NO)
    card = card_of(client, request)
    assert "Waiting, next in line" in card
    assert 'hx-trigger="every 2s"' in card
    answer = client.post(url_of("cancel", request), follow=True)
    assert "Cancelled. Not charged." in answer.content.decode()
    request.refresh_from_db()
    assert request.status == Status.CANCELLED
    assert "nothing to cancel" in client.post(url_of("cancel", request), follow=True).content.decode()


def test_a_running_request_cannot_be_stopped_and_says_so(client: Client) -> None:
    request = make_running()
    answer = client.post(url_of("cancel", request), follow=True)
    assert "OpenAI cannot stop a job, so its result is kept." in answer.content.decode()
    assert "OpenAI cannot stop a job" in card_of(client, request)


def test_a_running_card_counts_the_time_and_knows_what_is_usual(client: Client) -> None:
    running = make_running()
    assert re.search(r"Running 1:0[56]", card_of(client, running))
    assert "<progress aria-label" in card_of(client, running)  # nothing to compare with yet
    now = timezone.now()
    for seconds in (80, 90, 100, 110):
        make_request(submitted_at=now - timedelta(seconds=seconds), completed_at=now)
    card = card_of(client, running)
    assert "Usually 90 to 111 s." in card
    assert re.search(r'<progress max="100" value="5[89]"', card)


def test_the_early_version_grows_in_the_card(client: Client) -> None:
    running = make_running(shows_partial=True)
    assert "preview.webp" not in card_of(client, running)
    assert client.get(url_of("preview", running)).status_code == 404
    addresses = set()
    for colour in (10, 200):
        content = picture_file(kind="WEBP", colour=colour)
        cache.set(preview_key(str(running.pk)), content)
        found = re.search(r'src="(/images/sets/[^"]+preview\.webp\?v=\d+)"', card_of(client, running))
        assert found
        addresses.add(found[1])
        answer = client.get(found[1])
        assert (answer.content, answer["Content-Type"]) == (content, "image/webp")
    assert len(addresses) == 2  # the browser asks again only for another picture
    cache.clear()


def test_a_finished_card_shows_the_pictures_and_asks_no_more(client: Client) -> None:
    image = make_image(make_request(shows_partial=True), stored=False)
    cache.set(preview_key(str(image.request_id)), b"old")
    answer = client.get(url_of("card", image.request))
    card = answer.content.decode()
    assert "hx-trigger" not in card
    assert answer["HX-Trigger"] == '{"job-ended": {}}'
    assert f'href="{image.get_absolute_url()}"' in card
    assert "preview.webp" not in card
    cache.clear()


def test_a_failure_says_what_happened_and_what_can_be_done(client: Client) -> None:
    request = make_request(
        status=Status.FAILURE, charge=Charge.NO, count=2, error_message="OpenAI refused it. Not charged.",
        error_detail="<b>raw</b>",
    )  # fmt: skip
    page = client.get(request.get_absolute_url()).content.decode()
    assert "OpenAI refused it. Not charged." in page
    assert "&lt;b&gt;raw" in page
    assert "Submit again, about $0.0264" in page
    assert f"/images/new/?request={request.pk}" in page
    answer = client.post(url_of("submit-again", request), follow=True)
    assert "Submitted again." in answer.content.decode()
    request.refresh_from_db()
    assert request.status == Status.PENDING
    assert "Only a job that failed" in client.post(url_of("submit-again", request), follow=True).content.decode()


def test_what_may_cost_twice_is_asked_first(client: Client) -> None:
    request = make_request(status=Status.FAILURE, phase=Phase.UNCERTAIN, charge=Charge.MAYBE)
    card = card_of(client, request)
    assert "Submit again…" in card
    assert "Submit again, about" not in card
    page = client.get(url_of("submit-again", request)).content.decode()
    assert "Nobody knows whether the last try was charged." in page
    assert "Submit again, about $0.0132" in page


def test_a_model_that_is_not_offered_any_more_is_not_submitted_to_again(client: Client) -> None:
    request = make_request(status=Status.FAILURE, charge=Charge.NO, model="gone")
    assert "Submit again" not in card_of(client, request)
    assert "not offered any more" in client.post(url_of("submit-again", request), follow=True).content.decode()
