"""What a provider sends is judged before it is kept: hostile answers leave nothing behind, and say that they cost."""

import base64
import io
import socket
import time
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image, PngImagePlugin
from pytest_django import Settings

from accounts.tests.factories import make_owner, make_user
from images import keeping, services
from images.models import GeneratedImage, ImageModel, ImageRequest
from images.services import Wish
from images.tests.factories import make_image, make_request, picture_file
from jobs import submissions, tasks, turns
from jobs.follower import LONGEST_RUN, RUN_FOR
from jobs.kinds import KINDS
from jobs.models import Charge, Phase, Status
from jobs.tests.driving import be_quick, follow, fresh, told
from library import storage
from library.pictures import NotAPictureError
from library.trash import KEPT_FOR
from providers import openai
from providers.errors import DownloadError
from providers.tests.stub import Behaviour, Stub, answer, stub_server

pytestmark = pytest.mark.django_db
KEPT_NOTHING = "OpenAI answered, but the picture could not be kept."
USAGE = {"input_tokens": 10, "output_tokens": 439, "total_tokens": 449}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def stub(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """Let OpenAI answer what a test says."""
    be_quick(monkeypatch)
    with stub_server() as server:
        settings.OPENAI_BASE_URL = f"{server.url}/v1"
        settings.OPENAI_API_KEY = "a-key"
        yield server


class Clock:
    """Time in images.keeping: it passes only while somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.now = time.monotonic()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(keeping, "time", clock)
    return clock


@pytest.fixture
def inside() -> Iterator[Stub]:
    """A server inside the network, which nobody is to be led to."""
    with stub_server() as server:
        server.behaviour = answer(200, picture_file())
        yield server


def sends(*files: bytes, **more: Any) -> dict[str, Any]:
    return {
        "created": 1,
        "data": [{"b64_json": base64.b64encode(file).decode()} for file in files],
        "usage": USAGE,
        **more,
    }


def made(**wish: Any) -> ImageRequest:
    row = services.request_images(Wish(**({"prompt": "a quiet lake"} | wish)), user=None)
    follow()
    after: ImageRequest = fresh(row)
    return after


def files_in(media: Path) -> list[str]:
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


def huge_png() -> bytes:
    """Return a PNG of 50 million pixels: a bomb of a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (10_000, 5_000)).save(file, "PNG")
    return file.getvalue()


def chatty_png() -> bytes:
    """Return a PNG whose text chunk unpacks to 128 MB."""
    file, about = io.BytesIO(), PngImagePlugin.PngInfo()
    about.add(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(128 * 1024 * 1024), 9))
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=about)
    return file.getvalue()


HOSTILE = {
    "a page": b"<!doctype html><title>Welcome to nginx</title>",
    "an SVG with a script": SVG,
    "a PNG of 50 megapixels": huge_png(),
    "a PNG that is cut off": picture_file((400, 300))[:300],
    "a PNG in name only": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "a PNG whose text unpacks to 128 MB": chatty_png(),
    "a GIF": picture_file(kind="GIF", mode="P"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_is_no_picture_of_ours_is_refused_and_was_charged(name: str, stub: Stub, media: Path) -> None:
    stub.behaviour = answer(200, sends(HOSTILE[name]))
    row = made()
    assert (row.status, row.phase, row.charge, row.problem) == (Status.FAILURE, Phase.ENDED, Charge.YES, "answer")
    assert row.error_message.startswith(KEPT_NOTHING)
    assert row.error_message.endswith("It was charged.")
    assert files_in(media) == []
    assert not row.images.exists()
    assert len(stub.requests) == 1


def test_of_several_pictures_those_that_are_pictures_are_kept(stub: Stub, media: Path) -> None:
    stub.behaviour = answer(200, sends(SVG, picture_file(), huge_png()))
    row = made(count=3)
    assert (row.status, row.charge, row.images.count()) == (Status.SUCCESS, Charge.YES, 1)
    assert told(row)[-1] == (
        "Done. 1 picture is home. This is not a PNG, JPEG or WebP picture. The picture has too many pixels."
    )
    assert files_in(media) == sorted(row.images.get().names)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    left = iter(behaviours)

    def behave(connection: socket.socket) -> None:
        next(left)(connection)

    return behave


def by_address(address: str) -> dict[str, Any]:
    return {"created": 1, "data": [{"url": address}]}


def test_a_compatible_server_that_answers_with_an_address_of_its_own_is_followed(stub: Stub) -> None:
    content = picture_file((16, 9))
    stub.behaviour = in_turn(answer(200, by_address(f"{stub.url}/files/a.png")), answer(200, content))
    row = made()
    assert row.status == Status.SUCCESS, row.error_message
    image = row.images.get()
    assert (image.width, image.height, image.size, image.bytes) == (16, 9, "16x9", len(content))
    assert "Authorization" not in stub.requests[1][0]


def test_a_file_that_is_not_there_yet_is_asked_for_again_after_a_while(stub: Stub, clock: Clock) -> None:
    late = [answer(503, "Not yet.")] * 3
    stub.behaviour = in_turn(answer(200, by_address(f"{stub.url}/files/a.png")), *late, answer(200, picture_file()))
    row = made()
    assert row.status == Status.SUCCESS, row.error_message
    assert clock.slept == [2, 5, 15]


def test_a_file_that_never_comes_is_asked_for_four_times(stub: Stub, clock: Clock) -> None:
    stub.behaviour = in_turn(answer(200, by_address(f"{stub.url}/files/a.png")), *[answer(503, "Not yet.")] * 4)
    row = made()
    assert row.error_message.startswith(f"{KEPT_NOTHING} The file's server has a problem (HTTP 503).")
    assert len(stub.requests) == 5


def test_a_file_that_is_gone_is_not_asked_for_again(stub: Stub, clock: Clock) -> None:
    stub.behaviour = in_turn(answer(200, by_address(f"{stub.url}/files/a.png")), answer(404, "Gone."))
    assert "no longer there" in made().error_message
    assert clock.slept == []


def test_a_file_that_trickles_in_is_given_up_when_the_time_is_over(clock: Clock) -> None:
    given = keeping.in_time(iter([b"a", b"b"]), clock.now + 1)
    assert next(given) == b"a"
    clock.now += 2
    with pytest.raises(DownloadError, match="in time"):
        next(given)


def test_the_owner_names_other_hosts_that_files_may_be_fetched_from(
    stub: Stub, inside: Stub, settings: Settings
) -> None:
    stub.behaviour = answer(200, by_address(f"{inside.url}/files/a.png"))
    assert made().status == Status.FAILURE
    assert inside.connections == 0
    settings.OPENAI_FILE_HOSTS = [inside.url.removeprefix("http://").upper()]
    row = made()
    assert row.status == Status.SUCCESS, row.error_message


@pytest.mark.parametrize("is_redirect", [False, True])
def test_an_address_inside_the_network_is_never_asked(is_redirect: bool, stub: Stub, inside: Stub, media: Path) -> None:
    first = f"{stub.url}/files/a.png" if is_redirect else f"{inside.url}/admin"
    leads = answer(302, "", Location=f"{inside.url}/admin")
    stub.behaviour = in_turn(answer(200, by_address(first)), leads)
    row = made()
    assert (row.status, row.charge) == (Status.FAILURE, Charge.YES)
    assert row.error_message.startswith(f"{KEPT_NOTHING} The file's address is not one that files may be fetched from.")
    assert inside.connections == 0
    assert files_in(media) == []


def test_texts_and_sizes_that_no_column_takes_do_not_cost_the_picture(stub: Stub) -> None:
    item = {"b64_json": base64.b64encode(picture_file()).decode(), "revised_prompt": "a \x00 lake \ud83d"}
    stub.behaviour = answer(200, {"created": 1, "data": [item], "size": "x" * 99, "quality": "q" * 99, "usage": USAGE})
    row = made()
    assert row.status == Status.SUCCESS, row.error_message
    image = row.images.get()
    assert (image.size, image.quality, image.revised_prompt) == ("8x6", "q" * 20, "a  lake ?")


def test_an_answer_without_usage_costs_what_was_reckoned(stub: Stub) -> None:
    stub.behaviour = answer(200, {"created": 1, "data": sends(picture_file())["data"]})
    row = made()
    assert row.cost == row.images.get().cost > 0


@pytest.mark.parametrize("counted", [{"output_tokens": 10**13}, {"output_tokens": 1, "input_tokens": 2**53 - 1}])
def test_absurd_counts_are_not_believed(counted: dict[str, int], stub: Stub, client: Client) -> None:
    stub.behaviour = answer(200, sends(picture_file(), usage=counted))
    row = made()
    image = row.images.get()
    assert row.cost == image.cost == ImageModel.objects.get(is_default=True).estimate(size="auto", quality="medium")
    client.force_login(make_owner())
    for page in (reverse("images:list"), image.get_absolute_url(), reverse("admin:images_generatedimage_changelist")):
        assert client.get(page).status_code == 200


def test_small_versions_are_made_once_and_no_larger_than_the_picture(stub: Stub) -> None:
    stub.behaviour = answer(200, sends(picture_file((500, 400))))
    image = made().images.get()
    sizes = []
    for name in (image.thumb_320, image.thumb_640):
        with default_storage.open(name) as file, Image.open(file) as small:
            sizes.append((small.format, small.size))
    assert sizes == [("WEBP", (320, 256)), ("WEBP", (500, 400))]


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("WEBP", "RGBA")]
)
def test_pictures_of_every_mode_come_home(kind: str, mode: str, stub: Stub) -> None:
    colour = {"RGBA": (9, 9, 9, 90), "CMYK": (9, 9, 9, 9)}.get(mode, 9)
    stub.behaviour = answer(200, sends(picture_file(kind=kind, mode=mode, colour=colour)))
    row = made()
    assert row.status == Status.SUCCESS, row.error_message
    assert row.images.get().format == kind.lower()


def test_a_disk_that_breaks_while_storing_is_a_failure_that_was_charged(
    stub: Stub, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_options: Any) -> None:
        raise OSError(5, "Input/output error")

    stub.behaviour = answer(200, sends(picture_file()))
    monkeypatch.setattr("library.storage._place", broken)
    row = made()
    assert (row.status, row.phase, row.charge) == (Status.FAILURE, Phase.ENDED, Charge.YES)
    assert row.error_message == f"{KEPT_NOTHING} It could not be stored. It was charged."
    assert files_in(media) == []


def failing(monkeypatch: pytest.MonkeyPatch, folder: str, error: Exception, times: int = 10**6) -> None:
    """Let the storage refuse what goes into a folder, so many times."""
    store, left = storage.store, iter(range(times))

    def refuse(*args: Any, **options: Any) -> Any:
        if options["folder"] == folder and next(left, None) is not None:
            raise error
        return store(*args, **options)

    monkeypatch.setattr("images.keeping.storage.store", refuse)


@pytest.mark.parametrize("error", [storage.StorageFullError(), OSError(5, "Input/output error")])
def test_a_paid_picture_is_held_until_the_disk_takes_it(
    error: Exception, stub: Stub, media: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    failing(monkeypatch, "images", error, times=3)
    stub.behaviour = answer(200, sends(picture_file()))
    row = made()
    assert row.status == Status.SUCCESS, row.error_message
    assert files_in(media) == sorted(row.images.get().names)
    assert clock.slept == [1, 2, 4]
    assert len(stub.requests) == 1


def test_a_picture_that_is_damaged_is_not_tried_again(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    failing(monkeypatch, "images", storage.DamagedFileError("No."))
    stub.behaviour = answer(200, sends(picture_file()))
    assert made().error_message == f"{KEPT_NOTHING} No. It was charged."
    assert clock.slept == []


def test_a_full_disk_is_tried_for_no_longer_than_the_call_may_take(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    failing(monkeypatch, "images", storage.StorageFullError())
    stub.behaviour = answer(200, sends(picture_file()))
    row = made()
    assert row.error_message == (f"{KEPT_NOTHING} The disk is full: there is no room for the file. It was charged.")
    allowed = KINDS["images.imagerequest"].submit_timeout.total_seconds()
    assert allowed / 2 < sum(clock.slept) < allowed


def test_a_picture_is_kept_even_if_its_small_versions_cannot_be_stored(
    stub: Stub, media: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    failing(monkeypatch, "thumbs", storage.StorageFullError())
    stub.behaviour = answer(200, sends(picture_file()))
    row = made()
    assert row.status == Status.SUCCESS, row.error_message
    image = row.images.get()
    assert (image.thumb_320, image.thumb_640) == ("", "")
    assert files_in(media) == [image.file_path]
    client.force_login(make_user())
    small = client.get(reverse("images:thumb", args=[image.pk, 320]))
    assert (small.status_code, small["Location"]) == (302, image.local_url)
    for page in (reverse("images:list"), image.get_absolute_url(), row.get_absolute_url()):
        assert client.get(page).status_code == 200


@pytest.mark.parametrize("error", [MemoryError(), NotAPictureError("The picture is damaged.")])
def test_a_picture_is_kept_even_if_it_cannot_be_unpacked_here_and_is_made_small_later(
    error: Exception, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("library.pictures.thumbnails", refuse)
        stub.behaviour = answer(200, sends(picture_file((500, 400))))
        image = made().images.get()
    assert image.thumb_320 == image.thumb_640 == ""
    tasks.sweep()
    image.refresh_from_db()
    for name, size in ((image.thumb_320, (320, 256)), (image.thumb_640, (500, 400))):
        with default_storage.open(name) as file, Image.open(file) as small:
            assert small.size == size


def test_what_can_never_be_made_small_does_not_stop_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    make_image(thumb_320="", thumb_640="", stored=False)
    broken = make_image(thumb_320="", thumb_640="", stored=False)
    default_storage.save(broken.file_path, ContentFile(b"no picture"))
    old = make_image(deleted_at=timezone.now() - KEPT_FOR * 2)
    tasks.sweep()
    assert not GeneratedImage.objects.filter(pk=old.pk).exists()


def test_an_answer_that_comes_between_submit_again_and_the_next_claim_is_kept(stub: Stub) -> None:
    stub.behaviour = answer(200, sends(picture_file()))
    row = services.request_images(Wish(prompt="a quiet lake"), user=None)
    (job,) = turns.claim_turns("openai", at_most=1)
    kind = KINDS["images.imagerequest"]
    late = kind.submit(job)
    submissions.mark_uncertain(kind, fresh(row))
    services.submit_request_again(fresh(row))
    submissions.record_submission(kind, job, late)
    assert fresh(row).images.count() == 1
    submissions.record_submission(kind, job, late)
    assert fresh(row).images.count() == 1, "the same answer twice is one picture"


# --- Turns ---


def test_a_call_in_the_air_keeps_its_turn_for_as_long_as_it_may_last() -> None:
    for _number in range(8):
        make_request(status=Status.PENDING, phase=Phase.WAITING)
    assert len(turns.claim_turns("openai", at_most=16)) == 4
    for seconds in (130, openai.CALL_SECONDS):
        earlier = timezone.now() - timedelta(seconds=seconds)
        ImageRequest.objects.in_phase(Phase.SUBMITTING).update(
            submitted_at=earlier, slot_until=earlier + KINDS["images.imagerequest"].slot
        )
        assert turns.claim_turns("openai", at_most=16) == []


def test_a_lost_request_does_not_hold_up_the_others_for_long() -> None:
    kind = KINDS["images.imagerequest"]
    for _number in range(4):
        make_request(status=Status.PENDING, phase=Phase.WAITING)
    lost, *others = turns.claim_turns("openai", at_most=16)
    submissions.mark_uncertain(kind, lost)
    waiting = make_request(status=Status.PENDING, phase=Phase.WAITING)
    tasks.sweep()
    assert turns.claim_turns("openai", at_most=16) == []
    ImageRequest.objects.filter(pk=lost.pk).update(completed_at=timezone.now() - timedelta(seconds=125))
    tasks.sweep()
    assert [job.pk for job in turns.claim_turns("openai", at_most=16)] == [waiting.pk]
    assert ImageRequest.objects.holding_a_turn(timezone.now()).count() == len(others) + 1


def test_a_submission_is_given_up_only_after_the_longest_call_and_while_a_follower_may_still_begin_one() -> None:
    assert openai.CALL_SECONDS < KINDS["images.imagerequest"].submit_timeout.total_seconds() < LONGEST_RUN - RUN_FOR


# --- The trash ---


def test_the_trash_is_emptied_after_thirty_days_files_included(media: Path) -> None:
    request = make_request()
    old, young, live = (make_image(request) for _number in range(3))
    services.delete_images([old, young])
    assert len(files_in(media)) == 9, "what lies in the trash keeps its files"
    GeneratedImage.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    tasks.sweep()
    assert set(request.images.all()) == {young, live}
    assert files_in(media) == sorted([*young.names, *live.names])
    tasks.sweep()
    assert request.images.count() == 2


def test_what_is_taken_back_stays(media: Path) -> None:
    image = make_image()
    services.delete_images([image])
    GeneratedImage.objects.update(deleted_at=timezone.now() - KEPT_FOR + timedelta(minutes=1))
    tasks.sweep()
    assert services.restore_images([image]) == 1
    GeneratedImage.objects.update(created_at=timezone.now() - KEPT_FOR * 2)
    tasks.sweep()
    assert GeneratedImage.objects.live().get() == image
    assert files_in(media) == sorted(image.names)


def test_a_picture_without_files_is_swept_like_any_other() -> None:
    image = make_image(stored=False, deleted_at=timezone.now() - KEPT_FOR * 2)
    child = make_image(parent=image)
    tasks.sweep()
    child.refresh_from_db()
    assert child.parent is None
    assert GeneratedImage.objects.get() == child


def test_the_client_library_is_loaded_before_a_picture_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    request = make_request(status=Status.PENDING, phase=Phase.WAITING)
    seen: list[str] = []
    monkeypatch.setattr(openai, "load", lambda: seen.append(ImageRequest.objects.get(pk=request.pk).phase))
    claimed = turns.claim_turns("openai", at_most=1)
    assert [job.pk for job in claimed] == [request.pk]
    assert seen == [Phase.WAITING]


def test_a_claim_counts_from_after_the_client_library_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    make_request(status=Status.PENDING, phase=Phase.WAITING)
    loaded_at: list[Any] = []
    monkeypatch.setattr(openai, "load", lambda: loaded_at.append(timezone.now()))
    [claimed] = turns.claim_turns("openai", at_most=1)
    assert claimed.submitted_at is not None
    assert claimed.submitted_at >= loaded_at[0]
