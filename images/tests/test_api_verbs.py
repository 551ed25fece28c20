"""Pictures in the API after they were made: found, shown, changed, thrown away and taken back, fetched."""

import io
import uuid
import zipfile
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.tests.clients import make_api_client
from accounts.tests.factories import make_user
from images.models import GeneratedImage, ImageRequest
from images.services import ZIP_LIMIT
from images.tests.factories import make_image, make_request
from jobs.models import Charge, Phase, Status

pytestmark = pytest.mark.django_db
IMAGES = "/api/v1/images/"
REQUESTS = "/api/v1/image-requests/"


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


def address(image: GeneratedImage, verb: str = "") -> str:
    return f"{IMAGES}{image.pk}/{verb}"


def found(api: APIClient, **query: str) -> list[str]:
    answer = api.get(IMAGES, query)
    assert answer.status_code == 200, answer.json()
    return [row["title"] for row in answer.json()["results"]]


# --- The list ---


def make_gallery() -> None:
    """Make four pictures; "d" lies in the trash."""
    from django.utils import timezone  # noqa: PLC0415

    request = make_request(prompt="A quiet Überlingen at night")
    make_image(request, stored=False, title="a", rating=1, tags="sea, night", size="1024x1024")
    make_image(request, stored=False, title="b", rating=0, tags="seaside", size="1536x1024", model_used="gpt-image-2")
    make_image(request, stored=False, title="c", prompt="A 100% paper_boat", tags="boat,Sea")
    make_image(request, stored=False, title="d", tags="sea", deleted_at=timezone.now())


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, ["c", "b", "a"]),
        ({"ordering": "created_at"}, ["a", "b", "c"]),
        ({"ordering": "-title"}, ["c", "b", "a"]),
        ({"ordering": "title"}, ["a", "b", "c"]),
        ({"trashed": "true"}, ["d"]),
        ({"trashed": "false"}, ["c", "b", "a"]),
        ({"q": "QUIET night"}, ["b", "a"]),
        ({"q": "überlingen"}, ["b", "a"]),
        ({"q": "100%"}, ["c"]),
        ({"q": "r_b"}, ["c"]),
        ({"q": "seaside"}, ["b"]),
        ({"rating": "1"}, ["a"]),
        ({"rating": "0"}, ["b"]),
        ({"rating": "none"}, ["c"]),
        ({"tag": "sea"}, ["c", "a"]),
        ({"tag": " night "}, ["a"]),
        ({"tag": "nig"}, []),
        ({"size": "1536x1024"}, ["b"]),
        ({"model": "gpt-image-2"}, ["b"]),
        ({"created_after": "2100-01-01"}, []),
        ({"created_before": "2100-01-01", "rating": "1"}, ["a"]),
    ],
    ids=str,
)
def test_pictures_are_found_by(query: dict[str, str], titles: list[str], api: APIClient) -> None:
    make_gallery()
    assert found(api, **query) == titles


@pytest.mark.parametrize(
    "query", [{"rating": "2"}, {"trashed": "maybe"}, {"ordering": "cost"}, {"created_after": "soon"}, {"page": "0"}]
)
def test_what_cannot_be_asked_is_refused_by_field(query: dict[str, str], api: APIClient) -> None:
    answer = api.get(IMAGES, query)
    assert (answer.status_code, list(answer.json())) == (400, list(query))


def test_a_page_costs_the_same_with_one_picture_and_with_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    api = APIClient()
    api.force_authenticate(make_user())
    for _number in range(30):
        make_image(stored=False)
    with django_assert_num_queries(2):  # the ids of the page, its rows
        page = api.get(IMAGES).json()
    assert (len(page["results"]), page["previous"]) == (25, None)
    with django_assert_num_queries(2):
        assert len(api.get(page["next"]).json()["results"]) == 5
    with django_assert_num_queries(3):  # and their pictures
        assert len(api.get(REQUESTS).json()["results"]) == 25


# --- One picture ---


def test_a_picture_is_changed_by_what_is_sent_and_nothing_else(api: APIClient) -> None:
    image = make_image(stored=False, title="Old", tags="sea", rating=1)
    row = api.patch(address(image), {"title": "New"}).json()
    assert (row["title"], row["tags"], row["rating"]) == ("New", "sea", 1)
    row = api.patch(address(image), {"rating": None, "tags": ""}).json()
    assert (row["title"], row["tags"], row["rating"]) == ("New", "", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "x" * 256}, "title"),
        ({"tags": "x" * 2001}, "tags"),
        ({"rating": 2}, "rating"),
        ({"rating": "up"}, "rating"),
        ({"title": None}, "title"),
    ],
)
def test_a_wrong_change_is_refused_whole(api: APIClient, change: dict[str, Any], field: str) -> None:
    image = make_image(stored=False, title="Old", rating=0)
    answer = api.patch(address(image), {"title": "New", "rating": 1} | change)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    image.refresh_from_db()
    assert (image.title, image.rating) == ("Old", 0)


def test_deleting_is_the_trash_and_is_undone(api: APIClient) -> None:
    image = make_image()
    assert api.delete(address(image)).status_code == 204
    assert api.delete(address(image)).status_code == 204
    assert api.get(IMAGES).json()["results"] == []
    row = api.get(address(image)).json()
    assert row["deleted_at"] < row["gone_at"]
    assert api.get(row["file_url"]).status_code == 200
    assert api.post(address(image, "restore/")).json()["deleted_at"] is None
    assert [row["id"] for row in api.get(IMAGES).json()["results"]] == [str(image.pk)]


# --- Files ---


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_original_is_served_whole_in_part_and_for_saving(api: APIClient) -> None:
    image = make_image(title="A lake / ..\\night")
    with default_storage.open(image.file_path) as file:
        original = file.read()
    answer = api.get(address(image, "file/"), headers={"Accept": "image/png"})
    assert (answer.status_code, answer["Content-Type"], content_of(answer)) == (200, "image/png", original)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert api.get(address(image, "file/"), headers={"If-None-Match": f'"{image.sha256}"'}).status_code == 304
    part = api.get(address(image, "file/"), headers={"Range": "bytes=2-5"})
    assert (part.status_code, content_of(part)) == (206, original[2:6])
    saved = api.get(address(image, "file/"), {"download": "1"})
    assert saved["Content-Disposition"].startswith("attachment")
    assert "/" not in saved["Content-Disposition"]


def test_small_versions_are_served_by_their_side(api: APIClient) -> None:
    image = make_image()
    for side in ("320", "640"):
        answer = api.get(address(image, "thumbnail/"), {"side": side})
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert content_of(answer)[8:12] == b"WEBP"
    assert api.get(address(image, "thumbnail/")).status_code == 200
    for side in ("1", "640.0", "x"):
        answer = api.get(address(image, "thumbnail/"), {"side": side})
        assert (answer.status_code, list(answer.json())) == (400, ["side"])


def test_a_file_that_is_gone_is_404(api: APIClient) -> None:
    for image in (make_image(stored=False), make_image(stored=False, thumb_320="")):
        for verb in ("file/", "thumbnail/"):
            assert api.get(address(image, verb)).status_code == 404


def test_pictures_come_as_one_archive(api: APIClient) -> None:
    images = [make_image(title="Boat"), make_image(title="../../Boat"), make_image(stored=False), make_image(title="")]
    answer = api.post(f"{IMAGES}zip/", {"ids": [str(image.pk) for image in images] + [str(uuid.uuid4())]})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer.streaming
    with zipfile.ZipFile(io.BytesIO(content_of(answer))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == 3, "one has gone meanwhile"
        assert not any("/" in name or "\\" in name or name.startswith(".") for name in names)
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        with default_storage.open(images[0].file_path) as file:
            assert file.read() in {archive.read(name) for name in names}


def test_an_archive_of_nothing_and_of_too_much_is_refused(api: APIClient) -> None:
    ids = [str(uuid.uuid4()) for _number in range(ZIP_LIMIT + 1)]
    assert api.post(f"{IMAGES}zip/", {"ids": ids}).status_code == 400
    assert api.post(f"{IMAGES}zip/", {"ids": []}).status_code == 400
    assert api.post(f"{IMAGES}zip/", {"ids": ids[:1]}).status_code == 404


# --- Many at once ---


def bulk(api: APIClient, images: list[GeneratedImage], action: str, **more: Any) -> Any:
    return api.post(f"{IMAGES}bulk/", {"ids": [str(image.pk) for image in images], "action": action, **more})


def test_many_pictures_are_tagged_rated_deleted_and_restored(api: APIClient) -> None:
    images = [make_image(stored=False, tags="Sea"), make_image(stored=False)]
    rows = GeneratedImage.objects.order_by("created_at")
    assert bulk(api, images, "tag", value="sea").json() == {"changed": 2}
    assert list(rows.values_list("tags", flat=True)) == ["Sea", "sea"]
    for value, rating in ((1, 1), ("0", 0), (None, None)):
        assert bulk(api, images, "rate", value=value).json() == {"changed": 2}
        assert set(rows.values_list("rating", flat=True)) == {rating}
    assert bulk(api, images[:1], "delete").json() == {"changed": 1}
    assert bulk(api, images, "delete").json() == {"changed": 1}
    assert rows.live().count() == 0
    assert bulk(api, images, "restore").json() == {"changed": 2}
    assert rows.live().count() == 2


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"action": "tag", "value": " , "}, "value"),
        ({"action": "tag"}, "value"),
        ({"action": "rate", "value": "2"}, "value"),
        ({"action": "rate", "value": [1]}, "value"),
        ({"action": "purge"}, "action"),
        ({"action": "delete", "ids": []}, "ids"),
        ({"action": "delete", "ids": ["x"]}, "ids"),
        ({"action": "delete", "ids": ["11111111-2222-4333-8444-555555555555"] * 501}, "ids"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_wish_for_many_is_refused_by_field(api: APIClient, sent: dict[str, Any], field: str) -> None:
    image = make_image(stored=False, rating=1)
    answer = api.post(f"{IMAGES}bulk/", {"ids": [str(image.pk)]} | sent)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    image.refresh_from_db()
    assert (image.tags, image.rating, image.deleted_at) == ("", 1, None)


def test_a_tag_that_finds_no_room_in_one_picture_is_added_to_none(api: APIClient) -> None:
    images = [make_image(stored=False, tags="a"), make_image(stored=False, tags="x" * 1999)]
    assert bulk(api, images, "tag", value="sea").status_code == 400
    images[0].refresh_from_db()
    assert images[0].tags == "a"


# --- Requests ---


def test_requests_are_listed_by_status_and_phase(api: APIClient) -> None:
    waits, lost = make_request(status="PENDING"), make_request(status="FAILURE", phase=Phase.UNCERTAIN)
    make_image(stored=False)
    for query, expected in (({"status": "PENDING"}, waits), ({"phase": "uncertain"}, lost)):
        (row,) = api.get(REQUESTS, query).json()["results"]
        assert row["id"] == str(expected.pk)
        assert "openai_response" not in row
    assert len(api.get(REQUESTS).json()["results"]) == 3
    assert api.get(REQUESTS, {"status": "DONE"}).status_code == 400


def test_a_request_that_waits_is_cancelled_and_one_that_runs_goes_on(api: APIClient) -> None:
    waits = make_request(status="PENDING")
    sent = make_request(status="PENDING", phase=Phase.SUBMITTING)
    done = make_request()
    answers = [api.post(f"{REQUESTS}{row.pk}/cancel/") for row in (waits, sent, done)]
    assert [answer.status_code for answer in answers] == [200, 202, 409]
    assert answers[0].json()["status"] == Status.CANCELLED
    assert "cannot stop" in answers[1].json()["detail"]
    assert answers[1].json()["cancel_requested_at"]
    assert answers[2].json()["detail"]


def test_a_request_that_failed_is_submitted_again_at_todays_price(api: APIClient) -> None:
    failed = make_request(status="FAILURE", charge=Charge.MAYBE, cost="0.5")
    answer = api.post(f"{REQUESTS}{failed.pk}/submit-again/")
    assert answer.status_code == 202
    row = answer.json()
    assert (row["status"], row["spent_before"], row["cost"]) == ("PENDING", "0.5000", "0.0132")
    assert api.post(f"{REQUESTS}{failed.pk}/submit-again/").status_code == 409
    history = api.get(f"{REQUESTS}{failed.pk}/history/").json()
    assert [event["text"] for event in history] == ["Submitted again by hand."]


def test_a_request_whose_model_is_no_more_is_not_submitted_again(api: APIClient) -> None:
    failed = make_request(status="FAILURE", model="dall-e-2")
    answer = api.post(f"{REQUESTS}{failed.pk}/submit-again/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "The model dall-e-2 is not offered any more.")
    assert ImageRequest.objects.get().status == Status.FAILURE
