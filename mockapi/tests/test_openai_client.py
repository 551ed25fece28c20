"""The official client against the mock: nothing but its base address is changed."""

import base64
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx2
import numpy as np
import openai
import pytest
from PIL import Image
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from mockapi import waiting
from mockapi.models import OpenAISubmission

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "gpt-image-2.6-flare"
SMALL = "1024x640"  # the smallest the rules allow: quick to paint


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live_server.url}/mock/openai/v1", api_key="sk-any", max_retries=0) as it:
        yield it


def opened(text: str | None) -> Image.Image:
    assert text is not None
    picture = Image.open(BytesIO(base64.b64decode(text)))
    picture.load()
    return picture


def png(colour: tuple[int, ...] = (200, 30, 30), size: tuple[int, int] = (64, 40)) -> bytes:
    file = BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def generate(client: openai.OpenAI, prompt: str = "a quiet lake", **options: Any) -> Any:
    return client.images.generate(**{"model": MODEL, "prompt": prompt, "size": SMALL} | options)


def test_a_picture_of_the_default_size(client: openai.OpenAI) -> None:
    answer = client.images.generate(model=MODEL, prompt="a quiet lake")
    assert answer.data is not None
    picture = opened(answer.data[0].b64_json)
    assert (picture.format, picture.size, picture.mode) == ("PNG", (1024, 1024), "RGB")
    assert (answer.size, answer.quality, answer.background, answer.output_format) == (
        "1024x1024",
        "medium",
        "opaque",
        "png",
    )
    assert answer.data[0].url is None
    assert answer.data[0].revised_prompt is None
    assert answer.usage is not None
    assert (answer.usage.output_tokens, answer.usage.input_tokens_details.text_tokens) == (439, 3)


@pytest.mark.parametrize(
    ("options", "kind", "size"),
    [
        ({"output_format": "webp", "output_compression": 70}, "WEBP", (1024, 640)),
        ({"output_format": "jpeg"}, "JPEG", (1024, 640)),
        ({"size": "640x1024"}, "PNG", (640, 1024)),
        ({"size": "3840x2160", "output_format": "jpeg"}, "JPEG", (3840, 2160)),
    ],
)
def test_format_and_size_are_what_was_asked_for(
    client: openai.OpenAI, options: dict[str, Any], kind: str, size: tuple[int, int]
) -> None:
    picture = opened(generate(client, **options).data[0].b64_json)
    assert (picture.format, picture.size) == (kind, size)


def test_a_transparent_picture_is_clear_around_its_middle(client: openai.OpenAI) -> None:
    answer = generate(client, background="transparent", output_format="webp")
    picture = opened(answer.data[0].b64_json)
    assert answer.background == "transparent"
    assert picture.mode == "RGBA"
    alpha = picture.getchannel("A")
    assert (alpha.getpixel((2, 2)), alpha.getpixel((512, 320))) == (0, 255)


def test_several_pictures_differ_and_the_same_prompt_gives_the_same_again(client: openai.OpenAI) -> None:
    first = [item.b64_json for item in generate(client, n=3).data]
    assert len(set(first)) == 3
    assert [item.b64_json for item in generate(client, n=3).data] == first
    assert generate(client, prompt="a loud city").data[0].b64_json != first[0]


def test_compression_makes_a_smaller_file(client: openai.OpenAI) -> None:
    big, small = (generate(client, output_format="jpeg", output_compression=level) for level in (95, 20))
    assert len(small.data[0].b64_json) < len(big.data[0].b64_json) / 2


def test_early_versions_are_streamed_and_become_clearer(client: openai.OpenAI) -> None:
    stream = generate(client, stream=True, partial_images=2)
    *early, last = list(stream)
    assert [event.type for event in early] == ["image_generation.partial_image"] * 2
    assert [event.partial_image_index for event in early] == [0, 1]
    assert last.type == "image_generation.completed"
    assert 200 < last.usage.output_tokens < 439 + 200  # 100 for each early version
    pictures = [np.asarray(opened(event.b64_json), dtype=float) for event in [*early, last]]
    assert {picture.shape for picture in pictures} == {(640, 1024, 3)}
    far, near = (float(np.abs(picture - pictures[2]).mean()) for picture in pictures[:2])
    assert far > near > 0


def test_early_versions_come_while_the_picture_is_made(client: openai.OpenAI) -> None:
    begin = time.monotonic()
    times = [time.monotonic() - begin for _ in generate(client, prompt="5s lake", stream=True, partial_images=1)]
    assert times[0] < times[1] - 0.5  # the early one is due at half the time, and takes a while to be painted
    assert 4.9 < times[1] < 15


def test_an_edit_works_its_reference_in(client: openai.OpenAI) -> None:
    def edit(colour: tuple[int, int, int]) -> Any:
        files = [("one.png", png(colour), "image/png"), ("two.png", png(), "image/png")]
        return client.images.edit(model=MODEL, image=files, prompt="a quiet lake", size="1024x640", quality="low")

    answer = edit((255, 0, 0))
    red, blue = (
        np.asarray(opened(it.data[0].b64_json), dtype=float).mean((0, 1)) for it in (answer, edit((0, 0, 255)))
    )
    assert red[0] > blue[0] + 50
    assert blue[2] > red[2] + 50
    assert answer.usage.input_tokens_details.image_tokens == 2 * 323


def test_an_edit_with_a_mask_keeps_what_is_covered(client: openai.OpenAI) -> None:
    mask = Image.new("RGBA", (64, 40), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (32, 0, 64, 40))
    file = BytesIO()
    mask.save(file, "PNG")
    answer = client.images.edit(
        model=MODEL, image=png((255, 0, 0)), mask=file.getvalue(), prompt="a lake", size="1024x640"
    )
    assert answer.data is not None
    picture = opened(answer.data[0].b64_json)
    assert picture.getpixel((100, 300)) == (255, 0, 0)
    assert picture.getpixel((900, 300)) != (255, 0, 0)


def test_an_edit_is_streamed_too(client: openai.OpenAI) -> None:
    stream = client.images.edit(
        model=MODEL, image=png(), prompt="a lake", size="1024x640", stream=True, partial_images=1
    )
    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


def test_a_compatible_model_answers_addresses(client: openai.OpenAI) -> None:
    answer = client.images.generate(model="compat-dall-e-3", prompt="a lake", size="512x512", n=2)
    assert answer.data is not None
    for item in answer.data:
        assert item.b64_json is None
        assert item.revised_prompt
        file = httpx2.get(str(item.url))
        assert (file.status_code, file.headers["Content-Type"]) == (200, "image/png")
        assert Image.open(BytesIO(file.content)).size == (512, 512)
    assert httpx2.get(str(answer.data[0].url).replace(".png", "")[:-3] + "AAA.png").status_code == 404


def test_a_compatible_model_may_be_asked_for_files(client: openai.OpenAI) -> None:
    answer = client.images.generate(
        model="compat-dall-e-3", prompt="a lake", size="256x256", style="vivid", response_format="b64_json"
    )
    assert answer.data is not None
    assert opened(answer.data[0].b64_json).size == (256, 256)


def test_models_that_are_alive_are_listed_with_their_last_day(client: openai.OpenAI) -> None:
    found = {model.id: model.shutdown_date for model in client.models.list()}
    assert found["gpt-image-2.6-flare"] is None
    assert not {"dall-e-2", "dall-e-3", "gpt-image-1"} & set(found)
    assert client.models.retrieve("gpt-image-2").id == "gpt-image-2"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("dall-e-3")
    assert caught.value.code == "model_not_found"


# --- Scenarios ---


def test_0001_and_unknown_numbers_succeed(client: openai.OpenAI) -> None:
    for number in ("0001", "1984"):
        assert generate(client, prompt=f"{number} lake").data


def test_0002_is_an_invalid_key(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        generate(client, prompt="0002 lake")
    assert caught.value.code == "invalid_api_key"


def test_0003_is_refused_by_moderation_with_its_categories(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        generate(client, prompt="0003 lake")
    assert (caught.value.code, caught.value.type) == ("moderation_blocked", "image_generation_user_error")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["moderation_details"] == {"moderation_stage": "input", "categories": ["violence"]}
    assert str(caught.value.request_id) in str(caught.value)


def test_0004_never_answers_and_lets_go_when_the_client_leaves(
    client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "GLANCE_SECONDS", 0.05)
    left = threading.Event()
    wait = waiting.wait

    def watched(environ: dict[str, Any], seconds: float) -> None:
        wait(environ, seconds)
        left.set()

    monkeypatch.setattr(waiting, "wait", watched)
    with pytest.raises(openai.APITimeoutError):
        generate(client, prompt="0004 lake", timeout=0.5)
    assert left.wait(3)
    assert OpenAISubmission.objects.count() == 1


def test_0005_is_broken_json(client: openai.OpenAI) -> None:
    with pytest.raises(ValueError, match="Unterminated string"):
        generate(client, prompt="0005 lake")


def test_0005_breaks_a_stream_off(client: openai.OpenAI) -> None:
    events = list(generate(client, prompt="0005 lake", stream=True, partial_images=1))
    assert [event.type for event in events] == ["image_generation.partial_image"]


def test_0006_is_overloaded_twice_then_succeeds(client: openai.OpenAI) -> None:
    for _ in range(2):
        with pytest.raises(openai.InternalServerError) as caught:
            generate(client, prompt="0006 lake")
        assert (caught.value.status_code, caught.value.code) == (503, "server_is_overloaded")
    assert generate(client, prompt="0006 lake").data
    assert OpenAISubmission.objects.count() == 1


def test_0007_is_refused_once_with_a_time_to_wait(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        generate(client, prompt="0007 lake")
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["Retry-After"] == "2"
    assert generate(client, prompt="0007 lake").data
    with pytest.raises(openai.RateLimitError):
        generate(client, prompt="0007 lake")  # the same another time starts anew
    assert OpenAISubmission.objects.count() == 1


def test_0008_has_reached_its_billing_limit(client: openai.OpenAI) -> None:
    for _ in range(2):
        with pytest.raises(openai.BadRequestError) as caught:
            generate(client, prompt="0008 lake")
        assert caught.value.code == "billing_hard_limit_reached"


@pytest.mark.parametrize("stream", [False, True])
def test_0009_takes_the_work_and_resets_the_connection(client: openai.OpenAI, *, stream: bool) -> None:
    with pytest.raises((openai.APIConnectionError, httpx2.ReadError)) as caught:
        list(generate(client, prompt="0009 lake", stream=stream))
    assert not isinstance(caught.value, openai.APITimeoutError)
    assert OpenAISubmission.objects.count() == 1
    assert generate(client).data


def test_0010_is_an_unknown_model(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=r"The model 'gpt-image-2\.6-flare' does not exist\."):
        generate(client, prompt="0010 lake")


def test_scenarios_work_for_edits_too(client: openai.OpenAI) -> None:
    def edit(colour: tuple[int, int, int]) -> Any:
        return client.images.edit(model=MODEL, image=png(colour), prompt="0007 lake", size="1024x640")

    for colour in ((1, 2, 3), (4, 5, 6)):  # each body has its own count
        with pytest.raises(openai.RateLimitError):
            edit(colour)
    assert edit((1, 2, 3)).data


def test_a_configured_key_is_required(client: openai.OpenAI, settings: Settings) -> None:
    settings.MOCKAPI_KEY = "the-key"
    with pytest.raises(openai.AuthenticationError):
        generate(client)
    assert generate(client.with_options(api_key="the-key")).data
