"""Asking for pictures through the API: answered when they are there, and one wish is paid for once."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.tests.clients import make_api_client
from images import services, waiting
from images.models import GeneratedImage, ImageModel, ImageRequest
from images.tests.factories import MODEL, make_image, make_request
from jobs.models import Charge, Phase, Status

pytestmark = pytest.mark.django_db
IMAGES = "/api/v1/images/"
WISH = {"prompt": "A lighthouse in the fog"}
NO_WAIT = {"Prefer": "respond-async"}


@pytest.fixture
def api() -> APIClient:
    return make_api_client()


@pytest.fixture
def meanwhile(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[ImageRequest], Any]], None]]:
    """Let something become of the request while the client waits: on the second look at the row."""
    happenings: list[Callable[[ImageRequest], Any]] = []
    outside = len(connection.atomic_blocks)  # the test's own

    def sleep(_seconds: float) -> None:
        assert len(connection.atomic_blocks) == outside, "nothing is held while waiting"
        if happenings:
            happenings.pop(0)(ImageRequest.objects.get())

    monkeypatch.setattr("images.waiting.time.sleep", sleep)
    yield happenings.append
    assert happenings == [], "nobody waited"


def finish(request: ImageRequest) -> None:
    make_image(request)
    end(request, Status.SUCCESS, charge=Charge.YES)


def end(request: ImageRequest, status: Status, **fields: Any) -> None:
    fields = {"phase": Phase.ENDED, "job_id": f"req-{request.pk}"} | fields
    ImageRequest.objects.filter(pk=request.pk).update(status=status, next_poll_at=None, **fields)


def test_the_answer_is_the_finished_picture(api: APIClient, meanwhile: Any) -> None:
    meanwhile(finish)
    answer = api.post(IMAGES, WISH | {"title": "Fog", "tags": "sea, night"})

    row = answer.json()
    request = ImageRequest.objects.get()
    image = request.images.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"http://testserver/api/v1/image-requests/{request.pk}/"
    assert api.get(answer["Location"]).json() == row
    assert (row["status"], row["n"], row["prompt"], row["requested_by"]) == (
        "SUCCESS", 1, WISH["prompt"], request.requested_by.username,  # type: ignore[union-attr]
    )  # fmt: skip
    (shown,) = row["images"]
    assert (shown["id"], shown["local_url"], shown["title"]) == (str(image.pk), image.local_url, "Fog")
    assert shown["file_url"] == f"{IMAGES}{image.pk}/file/"
    for address in (shown["file_url"], *shown["thumbnail_urls"].values()):
        assert api.get(address).status_code == 200


@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        ("FAILURE", {"problem": "refused"}, 422),
        ("FAILURE", {"problem": "out_of_money"}, 402),
        ("FAILURE", {"problem": "bad_key"}, 502),
        ("FAILURE", {"problem": "uncertain", "phase": Phase.UNCERTAIN, "charge": Charge.MAYBE}, 504),
        ("FAILURE", {"problem": "answer", "charge": Charge.YES}, 502),
        ("CANCELLED", {}, 409),
    ],
)
def test_how_it_ended_badly_is_told_by_the_code_and_in_a_sentence(
    api: APIClient, meanwhile: Any, status: str, fields: dict[str, Any], code: int
) -> None:
    sentence = "It went wrong. Not charged."
    meanwhile(lambda row: end(row, Status(status), error_message=sentence, **fields))
    answer = api.post(IMAGES, WISH)

    assert answer.status_code == code
    assert answer.json()["detail"] == sentence
    assert answer.json()["request"]["status"] == status
    assert answer["Location"].endswith(f"/{ImageRequest.objects.get().pk}/")


@pytest.mark.parametrize("preference", ["respond-async", "wait=5, Respond-Async", "respond-async; x=1"])
def test_a_client_that_does_not_want_to_wait_is_answered_at_once(
    api: APIClient, preference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("images.request_api.wait_for_end", lambda *_args: pytest.fail("It waited."))
    answer = api.post(IMAGES, WISH, headers={"Prefer": preference})

    assert (answer.status_code, answer["Preference-Applied"]) == (202, "respond-async")
    assert (answer.json()["phase"], answer.json()["images"]) == (Phase.WAITING, [])


def test_a_request_that_outlasts_the_wait_goes_on_and_says_where_to_follow_it(
    api: APIClient, settings: Settings
) -> None:
    settings.IMAGES_WAIT_SECONDS = 0.05
    answer = api.post(IMAGES, WISH, headers={"Prefer": "wait=60"})

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer
    finish(ImageRequest.objects.get())
    assert len(api.get(answer["Location"]).json()["images"]) == 1


def test_when_half_of_the_threads_wait_the_next_client_is_told_to_come_back(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(waiting, "PLACES", places)
    places.acquire()
    assert api.post(IMAGES, WISH).status_code == 202
    places.release()
    monkeypatch.setattr("images.waiting.time.sleep", lambda _seconds: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        waiting.wait_for_end(ImageRequest.objects.get().pk, 1)
    assert places.acquire(blocking=False), "a wait that broke gives its place back"


def test_every_field_reaches_the_row(api: APIClient) -> None:
    parent = make_image()
    sent = {
        "prompt": "A paper boat", "model": "gpt-image-2.6-sunburst", "n": 3, "size": "1536x1024", "quality": "high",
        "background": "opaque", "output_format": "webp", "output_compression": 80, "moderation": "low",
        "title": "Boat", "tags": "paper", "reference_ids": [str(parent.pk)], "parent": str(parent.pk),
        "prompt_written": "boat", "prompt_magic": "A paper boat, folded", "shows_partial": True, "colour": "red",
    }  # fmt: skip
    row = api.post(IMAGES, sent, headers=NO_WAIT).json()

    request = ImageRequest.objects.get(pk=row["id"])
    for name in sent.keys() - {"n", "reference_ids", "parent", "shows_partial", "colour"}:
        assert row[name] == getattr(request, name) == sent[name], name
    assert (row["n"], request.count, row["shows_partial"]) == (3, 3, False)
    assert row["reference_ids"] == request.references == [parent.file_path]
    assert row["parent"] == str(parent.pk)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"prompt": "a\x00"}, "prompt"),
        ({"prompt": "a \ud83d"}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"prompt_written": "x" * 32_001}, "prompt_written"),
        ({"prompt_magic": "a \ud83d"}, "prompt_magic"),
        ({"title": "x" * 256}, "title"),
        ({"tags": 7}, "tags"),
        ({"model": "none such"}, "model"),
        ({"model": "dall-e-3"}, "model"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": "two"}, "n"),
        ({"n": 10**400}, "n"),
        ({"size": "1x1"}, "size"),
        ({"quality": "best"}, "quality"),
        ({"background": "red"}, "background"),
        ({"background": "transparent", "output_format": "jpeg"}, "output_format"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"moderation": "none"}, "moderation"),
        ({"parent": "7"}, "parent"),
        ({"parent": "00000000-0000-4000-8000-000000000000"}, "parent"),
        ({"reference_ids": "abc"}, "reference_ids"),
        ({"reference_ids": ["00000000-0000-4000-8000-000000000000"]}, "reference_ids"),
        ({"reference_ids": ["../../etc/passwd"]}, "reference_ids"),
        ({"reference_ids": ["/etc/passwd"]}, "reference_ids"),
        ({"reference_ids": ["macai.sqlite3"]}, "reference_ids"),
        ({"reference_ids": ["uploads/../../macai.sqlite3"]}, "reference_ids"),
        ({"reference_ids": [f"uploads/aa/{'a' * 32}.png"]}, "reference_ids"),
        ({"reference_ids": [f"uploads/aa/{'a' * 32}.png\n"]}, "reference_ids"),
        ({"reference_ids": [""]}, "reference_ids"),
        ({"reference_ids": ["a"] * 17}, "reference_ids"),
        ({"mask_id": "../secret_key"}, "mask_id"),
        ({"unless_exists": "perhaps"}, "unless_exists"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_wrong_is_told_by_field_and_nothing_is_made(api: APIClient, change: dict[str, Any], field: str) -> None:
    body = json.dumps(WISH | change)  # as JSON may carry it: half a character too
    answer = api.post(IMAGES, body, content_type="application/json", headers=NO_WAIT)

    assert answer.status_code == 400
    assert field in answer.json()
    assert not ImageRequest.objects.exists()


def test_files_of_the_studio_that_are_no_pictures_cannot_be_sent_out(api: APIClient, media: Any) -> None:
    for name in ("songs/aa/" + "a" * 32 + ".png", "secret.png", "thumbs/aa/" + "a" * 32 + ".webp"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(b"secret")
        answer = api.post(IMAGES, WISH | {"reference_ids": [name]}, headers=NO_WAIT)
        assert (answer.status_code, list(answer.json())) == (400, ["reference_ids"])


def test_a_picture_in_the_trash_is_no_reference(api: APIClient) -> None:
    image = make_image()
    services.delete_images([image])
    for name in (str(image.pk), image.file_path):
        assert api.post(IMAGES, WISH | {"reference_ids": [name]}, headers=NO_WAIT).status_code == 400


def test_the_same_key_again_returns_the_same_request(api: APIClient, meanwhile: Any) -> None:
    meanwhile(finish)
    first = api.post(IMAGES, WISH, headers={"Idempotency-Key": "wish 1"})
    ImageModel.objects.update(is_active=False)  # what is not offered any more was asked for already
    second = api.post(IMAGES, {"prompt": "Other"}, headers={"Idempotency-Key": "wish 1"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert ImageRequest.objects.count() == 1


def test_another_key_and_another_persons_key_are_other_wishes(api: APIClient) -> None:
    for client, key in ((api, "1"), (api, "2"), (make_api_client(), "1"), (api, None)):
        client.post(IMAGES, WISH, headers=NO_WAIT | ({"Idempotency-Key": key} if key else {}))

    assert ImageRequest.objects.count() == 4


@pytest.mark.parametrize("key", ["", "   ", "k" * 201])
def test_a_key_that_names_nothing_is_refused(api: APIClient, key: str) -> None:
    answer = api.post(IMAGES, WISH, headers={"Idempotency-Key": key})

    assert (answer.status_code, list(answer.json())) == (400, ["Idempotency-Key"])
    assert not ImageRequest.objects.exists()


def test_the_same_request_again_is_stopped_only_if_the_client_asks_for_it(api: APIClient) -> None:
    image = make_image(make_request(prompt=WISH["prompt"]))
    stopped = api.post(IMAGES, {"prompt": f"  {WISH['prompt']}\n", "unless_exists": True}, headers=NO_WAIT)
    assert (stopped.status_code, stopped.json()["image"]["id"]) == (409, str(image.pk))
    assert ImageRequest.objects.count() == 1

    for change in ({}, {"unless_exists": True, "quality": "high"}, {"unless_exists": True, "prompt": "Other"}):
        assert api.post(IMAGES, WISH | change, headers=NO_WAIT).status_code == 202
    services.delete_images([image])
    ImageRequest.objects.update(status=Status.FAILURE)  # none is at work any more
    assert api.post(IMAGES, WISH | {"unless_exists": True}, headers=NO_WAIT).status_code == 202


def test_a_request_that_is_at_work_is_told_of_instead(api: APIClient) -> None:
    first = api.post(IMAGES, WISH, headers=NO_WAIT).json()
    stopped = api.post(IMAGES, WISH | {"unless_exists": True}, headers=NO_WAIT)
    assert stopped.status_code == 409
    body = stopped.json()
    assert (body["detail"], body["image"]) == ("The same request is at work already.", None)
    assert body["request"]["id"] == first["id"]
    assert ImageRequest.objects.count() == 1


def test_a_picture_made_from_another_is_not_the_same_as_one_from_words(api: APIClient) -> None:
    image = make_image(make_request(prompt=WISH["prompt"], references=["uploads/aa/b.png"]))
    assert api.post(IMAGES, WISH | {"unless_exists": True}, headers=NO_WAIT).status_code == 202
    sent = WISH | {"unless_exists": True, "reference_ids": [str(image.pk)]}
    assert api.post(IMAGES, sent, headers=NO_WAIT).status_code == 202


def test_the_models_come_with_what_they_can_do_and_cost(api: APIClient) -> None:
    ImageModel.objects.filter(name="gpt-image-2").update(retires_on="2020-01-01")
    models = {row["name"]: row for row in api.get(f"{IMAGES}models/").json()}

    assert models[MODEL]["is_default"] is True
    assert models[MODEL]["retires_soon"] is False
    assert models[MODEL]["picture_prices"]["medium"] == "0.0132"
    assert "1024x1024" in models[MODEL]["sizes"]
    assert not {"gpt-image-2", "dall-e-3"} & models.keys(), "neither one that has retired, nor one that is not offered"


def test_a_model_that_retires_soon_says_so(api: APIClient) -> None:
    ImageModel.objects.filter(name=MODEL).update(retires_on=timezone.localdate() + timedelta(days=9))
    (row,) = (row for row in api.get(f"{IMAGES}models/").json() if row["name"] == MODEL)
    assert row["retires_soon"] is True
    assert GeneratedImage.objects.count() == 0
