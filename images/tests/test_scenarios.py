"""Every scenario of the imitated OpenAI, end to end: the right row, sentence and charge, and one submission."""

import hashlib
import socket
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from images import services
from images.models import GeneratedImage, ImageRequest
from images.services import Wish
from images.tasks import preview_key
from jobs import follower, submissions, tasks, turns
from jobs.kinds import KINDS
from jobs.models import Charge, Phase, ProviderAccount, Status
from jobs.tests.driving import be_quick, follow, fresh, told
from library import pictures
from prompts.models import MagicRun
from providers import openai_client
from providers.http import request_json
from providers.tests.serving import running_mock

pytestmark = pytest.mark.django_db
SMALL = "1024x1024"
MAYBE = "It may have been charged, so it was not repeated."

# number: status, phase, problem, charge, how the sentence begins and ends, requests that the mock accepted
ENDS: dict[str, tuple[str, str, str, str, str, str, int]] = {
    "0001": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", "", 1),
    "0002": (Status.FAILURE, Phase.ENDED, "bad_key", Charge.NO, "OpenAI does not accept the API key.",
             "Not charged.", 0),
    "0003": (Status.FAILURE, Phase.ENDED, "refused", Charge.NO,
             'OpenAI refused the request: "Your request was rejected by the safety system.', '" Not charged.', 0),
    "0004": (Status.FAILURE, Phase.UNCERTAIN, "uncertain", Charge.MAYBE, "OpenAI did not answer in time.", MAYBE, 1),
    "0005": (Status.FAILURE, Phase.UNCERTAIN, "uncertain", Charge.MAYBE, "OpenAI gave an answer that cannot be read.",
             MAYBE, 1),
    "0006": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", "", 1),
    "0007": (Status.SUCCESS, Phase.ENDED, "", Charge.YES, "", "", 1),
    "0008": (Status.FAILURE, Phase.ENDED, "out_of_money", Charge.NO, "The OpenAI account has no money left.",
             "Not charged.", 0),
    "0009": (Status.FAILURE, Phase.UNCERTAIN, "uncertain", Charge.MAYBE,
             "The connection to OpenAI broke before its answer was complete.", MAYBE, 1),
    "0010": (Status.FAILURE, Phase.ENDED, "refused", Charge.NO, "OpenAI refused the request: \"The model '",
             "does not exist.\" Not charged.", 0),
}  # fmt: skip


@pytest.fixture(scope="module")
def mock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mock(tmp_path_factory.mktemp("mock")) as address:
        yield f"{address}/openai"


@pytest.fixture(autouse=True)
def openai_url(mock_server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the studio use the mock, and wait for nothing longer than needed."""
    settings.OPENAI_BASE_URL = f"{mock_server}/v1"
    settings.OPENAI_API_KEY = "a-key"
    be_quick(monkeypatch)
    return mock_server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait half a second for an answer."""
    monkeypatch.setattr(openai_client, "TIMEOUT", httpx2.Timeout(connect=5.0, read=0.5, write=5.0, pool=5.0))


def ledger(url: str, mark: str) -> list[dict[str, Any]]:
    """Return what the mock accepted under this mark."""
    answer = request_json("GET", f"{url}/ledger", provider="Mock", key="a-key", timeout=(5.0, 5.0), paid=False)
    return [entry for entry in answer["submissions"] if mark in entry["prompt"]]


def ask_for(scenario: str, **wish: Any) -> tuple[ImageRequest, str]:
    mark = uuid.uuid4().hex
    prompt = f"{scenario} a quiet lake {mark}"
    return services.request_images(Wish(**({"prompt": prompt, "size": SMALL} | wish)), user=None), mark


@pytest.mark.parametrize("scenario", ENDS)
def test_scenario(scenario: str, openai_url: str, request: pytest.FixtureRequest) -> None:
    if scenario == "0004":
        request.getfixturevalue("impatient")
    row, mark = ask_for(scenario)
    follow()
    status, phase, problem, charge, begin, end, accepted = ENDS[scenario]
    after = fresh(row)
    assert (after.status, after.phase, after.problem, after.charge) == (status, phase, problem, charge)
    assert after.error_message.startswith(begin)
    assert after.error_message.endswith(end)
    assert bool(after.error_message) == bool(begin)
    assert len(ledger(openai_url, mark)) == accepted
    assert after.images.count() == (1 if status == Status.SUCCESS else 0)
    assert (after.slot_until is not None) == (phase == Phase.UNCERTAIN)
    assert after.next_poll_at is None
    assert after.completed_at is not None
    if begin:
        assert told(row)[-1] == after.error_message
        assert stored_names() == []


def stored_names() -> list[str]:
    """Return every picture that lies in the storage."""
    found = []
    for folder in ("images", "thumbs"):
        if default_storage.exists(folder):
            for place in default_storage.listdir(folder)[0]:
                found += [f"{folder}/{place}/{name}" for name in default_storage.listdir(f"{folder}/{place}")[1]]
    return sorted(found)


def test_a_picture_comes_home_with_all_that_is_known_of_it() -> None:
    run = MagicRun.objects.create(category="title", action="generate", input_text="water", output_text="Lake")
    row, mark = ask_for(
        "0001", title="Lake", tags="water, calm", prompt_written="lake", prompt_magic="a very quiet lake",
        title_run=run, quality="low",
    )  # fmt: skip
    follow()
    after = fresh(row)
    image = after.images.get()
    with default_storage.open(image.file_path) as file:
        content = file.read()
    assert hashlib.sha256(content).hexdigest() == image.sha256
    assert len(content) == image.bytes
    assert (image.width, image.height, image.size, image.format) == (1024, 1024, SMALL, "png")
    assert (image.quality, image.model_used, image.title, image.tags) == ("low", row.model, "Lake", "water, calm")
    assert (image.title_run, image.title_written, image.title_magic) == (run, "water", "Lake")
    assert image.file_path.endswith(f"/{image.filename}")
    assert image.filename in image.local_url
    assert (image.prompt, image.prompt_start) == (row.prompt, row.prompt[:200])
    assert mark in after.prompt
    assert (after.prompt_written, after.prompt_magic) == ("lake", "a very quiet lake")
    assert len(image.prompt_hash) == 32
    assert image.prompt_hash == after.prompt_hash
    assert image.duration > 0
    assert after.job_id.startswith("req_")
    assert "b64_json" not in str(after.openai_response)
    assert stored_names() == sorted(image.names)
    assert told(row) == ["Asked for.", "Done. 1 picture is home."]
    for name, side in ((image.thumb_320, 320), (image.thumb_640, 640)):
        with default_storage.open(name) as file:
            found = pictures.inspect(file)
        assert (found.format, found.width, found.height) == ("webp", side, side)


def test_the_cost_is_what_the_answer_counted_and_not_the_estimate() -> None:
    row, _mark = ask_for("0001", quality="high")
    follow()
    after = fresh(row)
    usage = after.openai_response["usage"]
    counted = (Decimal(usage["input_tokens"]) * 5 + Decimal(usage["output_tokens"]) * 30) / 1_000_000
    assert usage["input_tokens"] > 0
    assert after.images.get().cost == counted
    assert after.cost == counted.quantize(Decimal("0.0001"))


def test_three_pictures_of_one_request_are_three_rows_of_one_set(openai_url: str) -> None:
    row, mark = ask_for("0001", count=3)
    follow()
    images = list(fresh(row).images.order_by("position"))
    assert [image.position for image in images] == [0, 1, 2]
    assert len({image.filename for image in images}) == len({image.sha256 for image in images}) == 3
    total = sum(image.cost for image in images)
    assert abs(total - fresh(row).cost) < Decimal("0.0001")
    assert len(ledger(openai_url, mark)) == 1
    assert told(row)[-1] == "Done. 3 pictures are home."


@pytest.mark.parametrize("scenario", ["0004", "0005", "0009"])
@pytest.mark.usefixtures("impatient")
def test_what_is_uncertain_is_never_submitted_again_whoever_looks_for_work(scenario: str, openai_url: str) -> None:
    row, mark = ask_for(scenario)
    follow()
    ImageRequest.objects.update(slot_until=timezone.now())  # its turn is over, and still it is not sent again
    for _time in range(2):
        tasks.sweep()
        tasks.nudge_if_nobody_follows()
        tasks.follow()
        follow()
    assert fresh(row).is_uncertain
    assert len(ledger(openai_url, mark)) == 1


@pytest.mark.usefixtures("impatient")
def test_what_is_uncertain_and_submitted_again_by_a_person_is_in_the_books_twice(openai_url: str) -> None:
    row, mark = ask_for("0009")
    follow()
    services.submit_request_again(fresh(row))
    follow()
    after = fresh(row)
    assert after.is_uncertain
    assert after.cost == after.spent_before == row.cost > 0
    assert len(ledger(openai_url, mark)) == 2


def test_a_worker_killed_after_it_asked_leaves_a_request_in_doubt_that_is_never_repeated(openai_url: str) -> None:
    row, mark = ask_for("0001")
    (job,) = turns.claim_turns("openai", at_most=1)
    KINDS["images.imagerequest"].submit(job)  # the answer dies with the worker
    follower.look_back()
    assert fresh(row).phase == Phase.SUBMITTING, "somebody may still be at it"
    ImageRequest.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    follower.look_back()
    tasks.sweep()
    follow()
    after = fresh(row)
    assert (after.phase, after.charge) == (Phase.UNCERTAIN, Charge.MAYBE)
    assert after.error_message == f"No answer from OpenAI. {MAYBE}"
    assert len(ledger(openai_url, mark)) == 1


def test_an_answer_that_comes_after_it_was_given_up_ends_the_request(openai_url: str) -> None:
    row, mark = ask_for("0001")
    (job,) = turns.claim_turns("openai", at_most=1)
    kind = KINDS["images.imagerequest"]
    answer = kind.submit(job)
    submissions.mark_uncertain(kind, fresh(row))
    submissions.record_submission(kind, job, answer)
    after = fresh(row)
    assert (after.status, after.charge, after.error_message) == (Status.SUCCESS, Charge.YES, "")
    assert after.images.count() == 1
    assert len(ledger(openai_url, mark)) == 1


def test_an_answer_that_comes_after_a_person_submitted_again_is_kept_beside_the_new_one() -> None:
    row, _mark = ask_for("0001")
    (job,) = turns.claim_turns("openai", at_most=1)
    kind = KINDS["images.imagerequest"]
    late = kind.submit(job)
    submissions.mark_uncertain(kind, fresh(row))
    services.submit_request_again(fresh(row))
    (again,) = turns.claim_turns("openai", at_most=1)
    estimate = fresh(row).cost
    submissions.record_submission(kind, job, late)
    assert fresh(row).phase == Phase.SUBMITTING
    assert fresh(row).cost == estimate, "what the first one cost stands in the books already"
    submissions.record_submission(kind, again, kind.submit(again))
    after = fresh(row)
    assert after.status == Status.SUCCESS
    assert [image.position for image in after.images.order_by("position")] == [0, 1]
    assert "An earlier submission was answered after all, and is kept. It was charged." in told(row)
    assert all(default_storage.exists(name) for image in after.images.all() for name in image.names)


def test_a_full_disk_lets_a_request_wait_and_nothing_is_asked_for(
    openai_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("library.storage.has_room", lambda _size: False)
        full.setattr(follower, "RUN_FOR", 0.3)
        row, mark = ask_for("0001")
        follow()
    waiting = fresh(row)
    assert (waiting.status, waiting.phase, waiting.charge) == (Status.PENDING, Phase.WAITING, Charge.NO)
    assert waiting.error_message == "The disk is full, so nothing was asked for. Not charged."
    assert ledger(openai_url, mark) == []
    follow()
    assert fresh(row).status == Status.SUCCESS
    assert len(ledger(openai_url, mark)) == 1


def test_openai_down_lets_a_request_wait_until_it_is_back(
    settings: Settings, openai_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused, monkeypatch.context() as down:
        unused.bind(("127.0.0.1", 0))
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        down.setattr(follower, "RUN_FOR", 0.3)
        row, mark = ask_for("0001")
        follow()
    assert fresh(row).error_message == "OpenAI cannot be reached. Not charged."
    settings.OPENAI_BASE_URL = f"{openai_url}/v1"
    follow()
    assert fresh(row).status == Status.SUCCESS
    assert len(ledger(openai_url, mark)) == 1


def test_0007_is_told_once_and_taken_in_the_end() -> None:
    row, _mark = ask_for("0007")
    follow()
    assert told(row)[1] == "OpenAI asks to wait: too many requests at the moment. Not charged."
    assert ProviderAccount.objects.get(provider="openai").strikes == 0


def test_a_picture_is_made_from_a_picture_and_an_upload(openai_url: str) -> None:
    first, _mark = ask_for("0001")
    follow()
    image = fresh(first).images.get()
    with default_storage.open(image.file_path) as file:
        upload = services.take_reference(file, size=image.bytes)
    row, mark = ask_for("0001", references=[str(image.pk), upload], parent=image)
    assert row.references == [image.file_path, upload]
    follow()
    assert fresh(row).status == Status.SUCCESS, fresh(row).error_message
    assert fresh(row).images.get().parent == image
    assert [entry["endpoint"] for entry in ledger(openai_url, mark)] == ["edits"]


def test_a_reference_that_has_gone_is_refused_before_anything_is_sent(openai_url: str) -> None:
    first, _mark = ask_for("0001")
    follow()
    image = fresh(first).images.get()
    row, mark = ask_for("0001", references=[str(image.pk)])
    default_storage.delete(image.file_path)
    follow()
    after = fresh(row)
    assert (after.status, after.charge) == (Status.FAILURE, Charge.NO)
    assert after.error_message == "A reference picture is no longer there. Not charged."
    assert ledger(openai_url, mark) == []


def test_an_early_version_is_shown_while_the_picture_is_made() -> None:
    row, _mark = ask_for("0001", shows_partial=True)
    follow()
    assert fresh(row).status == Status.SUCCESS
    shown = cache.get(preview_key(str(row.pk)))
    assert shown[8:12] == b"WEBP"


def test_a_cache_that_is_away_costs_only_the_early_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("images.tasks.cache", None)
    row, _mark = ask_for("0001", shows_partial=True)
    follow()
    assert fresh(row).images.count() == 1


def test_more_requests_than_the_account_takes_at_once_are_all_made_and_none_twice(openai_url: str) -> None:
    mark = uuid.uuid4().hex
    for number in range(6):
        services.request_images(Wish(prompt=f"{number} {mark}", size=SMALL), user=None)
    follow()
    assert ImageRequest.objects.filter(status=Status.SUCCESS).count() == GeneratedImage.objects.count() == 6
    assert len(ledger(openai_url, mark)) == 6
