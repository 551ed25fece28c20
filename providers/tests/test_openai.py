"""What is asked of OpenAI and how its answers are read."""

import base64
import json
from datetime import date
from email import message_from_bytes
from typing import Any

import pytest
from pytest_django import Settings

from providers import openai
from providers.errors import ProviderError, Verdict
from providers.openai import ImageRequest, Model, Picture, Reference, Usage
from providers.tests.stub import Behaviour, Stub, answer

PNG = b"\x89PNG\r\n\x1a\n-not-really"
B64 = base64.b64encode(PNG).decode()
USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens": 1756,
    "total_tokens": 1806,
}


@pytest.fixture
def openai_stub(stub: Stub, settings: Settings) -> Stub:
    settings.OPENAI_BASE_URL = f"{stub.url}/v1"
    settings.OPENAI_API_KEY = "sk-secret-key-1"
    stub.behaviour = answer(200, made())
    return stub


def made(**overrides: Any) -> dict[str, object]:
    return {
        "created": 1_795_000_000,
        "background": "opaque",
        "output_format": "png",
        "quality": "high",
        "size": "1024x1024",
        "data": [{"b64_json": B64}],
        "usage": USAGE,
    } | overrides


def make_request(**overrides: Any) -> ImageRequest:
    return ImageRequest(**{"prompt": "a quiet lake", "model": "gpt-image-2.6-flare"} | overrides)


def make_reference(**overrides: Any) -> Reference:
    return Reference(**{"name": "lake.png", "content": PNG, "content_type": "image/png"} | overrides)


def sent(stub: Stub) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(stub.requests[-1][1])
    return body


def parts(stub: Stub) -> list[tuple[str, str | None, bytes]]:
    """Name, file name and content of each part of a multipart body."""
    head, body = stub.requests[-1]
    kind = next(line for line in head.split("\r\n") if line.lower().startswith("content-type:"))
    message: Any = message_from_bytes(kind.encode() + b"\r\n\r\n" + body)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            bytes(part.get_payload(decode=True)),
        )
        for part in message.get_payload()
    ]


def events(*items: dict[str, Any] | str) -> Behaviour:
    """A stream of events that ends properly."""
    text = "".join(
        f"event: {item['type']}\ndata: {json.dumps(item)}\n\n" if isinstance(item, dict) else f"data: {item}\n\n"
        for item in items
    )
    return answer(200, text, Content_Type="text/event-stream")


PARTIAL = {"type": "image_generation.partial_image", "b64_json": B64, "partial_image_index": 0, "size": "1024x1024"}
COMPLETED = {"type": "image_generation.completed", "created_at": 1_795_000_001, **made(), "b64_json": B64}
COMPLETED.pop("data")
COMPLETED.pop("created")


def test_a_picture_comes_with_all_that_is_known_about_it(openai_stub: Stub) -> None:
    openai_stub.behaviour = answer(200, made(), x_request_id="req_1")
    picture = openai.generate(make_request())
    assert picture.pictures == (Picture(PNG, "", ""),)
    assert (picture.created, picture.size, picture.quality) == (1_795_000_000, "1024x1024", "high")
    assert (picture.background, picture.output_format, picture.request_id) == ("opaque", "png", "req_1")
    assert picture.usage == Usage(50, 1756, 1806, text_in=10, image_in=40, text_out=0, image_out=1756)
    head, _body = openai_stub.requests[0]
    assert head.startswith("POST /v1/images/generations ")
    assert "authorization: bearer sk-secret-key-1" in head.lower()


def test_what_is_kept_of_the_answer_has_no_picture_in_it(openai_stub: Stub) -> None:
    openai_stub.behaviour = answer(200, made(data=[{"b64_json": B64, "note": "nul \x00"}], odd=1e400))
    raw = openai.generate(make_request()).raw
    assert B64 not in json.dumps(raw)
    assert raw["data"] == [{"note": "nul "}]
    assert raw["odd"] is None
    assert raw["usage"] == USAGE


def test_only_what_differs_from_the_default_is_sent(openai_stub: Stub) -> None:
    openai.generate(make_request())
    assert sent(openai_stub) == {"model": "gpt-image-2.6-flare", "prompt": "a quiet lake"}


def test_a_gpt_image_model_gets_everything_it_knows(openai_stub: Stub) -> None:
    wanted = {
        "n": 3,
        "size": "1536x1024",
        "quality": "max",
        "background": "transparent",
        "output_format": "webp",
        "output_compression": 80,
        "moderation": "low",
    }
    openai.generate(make_request(**wanted))
    assert sent(openai_stub) == {"model": "gpt-image-2.6-flare", "prompt": "a quiet lake", **wanted}


def test_png_is_not_compressed(openai_stub: Stub) -> None:
    openai.generate(make_request(output_compression=50))
    assert "output_compression" not in sent(openai_stub)


@pytest.mark.parametrize(("model", "more"), [("dall-e-3", {"response_format": "b64_json"}), ("flux-fast", {})])
def test_other_models_get_only_what_dall_e_knew(openai_stub: Stub, model: str, more: dict[str, str]) -> None:
    openai.generate(make_request(model=model, size="1792x1024", quality="hd", background="opaque", moderation="low"))
    assert sent(openai_stub) == {
        "model": model,
        "prompt": "a quiet lake",
        "size": "1792x1024",
        "quality": "hd",
        **more,
    }


def test_a_compatible_server_may_answer_an_address(openai_stub: Stub) -> None:
    url = "https://files.example/1.png?sig=abc"
    openai_stub.behaviour = answer(200, {"created": 1, "data": [{"url": url, "revised_prompt": "A lake."}]})
    picture = openai.generate(make_request(model="dall-e-3"))
    assert picture.pictures == (Picture(None, url, "A lake."),)
    assert picture.usage is None
    assert picture.size == ""


def test_of_several_pictures_those_that_can_be_read_are_kept(openai_stub: Stub) -> None:
    data = [{"b64_json": "%%%"}, {"b64_json": B64}, None, {"url": "ftp://x"}, {"url": 5}, {"b64_json": ""}]
    openai_stub.behaviour = answer(200, made(data=data))
    assert openai.generate(make_request(n=6)).pictures == (Picture(PNG, "", ""),)


@pytest.mark.parametrize("odd", [None, 5, "x", [], {}, {"output_tokens": "many"}, {"output_tokens": True}])
def test_usage_of_a_wrong_shape_is_no_usage(openai_stub: Stub, odd: object) -> None:
    openai_stub.behaviour = answer(200, made(usage=odd, size=5, created="now", quality=None))
    picture = openai.generate(make_request())
    assert (picture.usage, picture.size, picture.created, picture.quality) == (None, "", None, "")


def test_usage_without_details_is_text_in_and_picture_out(openai_stub: Stub) -> None:
    openai_stub.behaviour = answer(200, made(usage={"input_tokens": 7, "output_tokens": 196}))
    assert openai.generate(make_request()).usage == Usage(7, 196, 203, text_in=7, image_in=0, text_out=0, image_out=196)


# --- Edits ---


def test_references_are_edited(openai_stub: Stub) -> None:
    second = make_reference(name="sky.webp", content=b"webp", content_type="image/webp")
    request = make_request(references=(make_reference(), second), mask=b"mask", moderation="low", n=2, size="1024x1024")
    assert openai.generate(request).pictures[0].content == PNG
    assert openai_stub.requests[0][0].startswith("POST /v1/images/edits ")
    assert sorted(parts(openai_stub)) == [
        ("image[]", "lake.png", PNG),
        ("image[]", "sky.webp", b"webp"),
        ("mask", "mask.png", b"mask"),
        ("model", None, b"gpt-image-2.6-flare"),
        ("n", None, b"2"),
        ("prompt", None, b"a quiet lake"),
        ("size", None, b"1024x1024"),
    ]


def test_a_reference_cannot_write_its_own_headers(openai_stub: Stub) -> None:
    name = 'a"\r\nContent-Type: text/html\r\n\r\nb.png'
    openai.generate(make_request(references=(make_reference(name=name),)))
    assert [field for field, _name, _content in parts(openai_stub)].count("image[]") == 1
    assert b"\r\nContent-Type: text/html" not in openai_stub.requests[0][1]


# --- Streams ---


def test_early_versions_are_handed_on_while_the_picture_grows(openai_stub: Stub) -> None:
    openai_stub.behaviour = events(PARTIAL, PARTIAL | {"partial_image_index": 1}, COMPLETED)
    seen: list[tuple[int, bytes]] = []
    picture = openai.generate(make_request(partial_images=2), on_partial=lambda index, file: seen.append((index, file)))
    assert seen == [(0, PNG), (1, PNG)]
    assert picture.pictures == (Picture(PNG, "", ""),)
    assert (picture.created, picture.size, picture.quality) == (1_795_000_001, "1024x1024", "high")
    assert picture.usage is not None
    assert picture.usage.image_in == 40
    assert B64 not in json.dumps(picture.raw)
    assert sent(openai_stub) | {"stream": True, "partial_images": 2} == sent(openai_stub)


def test_edits_are_streamed_too(openai_stub: Stub) -> None:
    openai_stub.behaviour = events(
        PARTIAL | {"type": "image_edit.partial_image"}, COMPLETED | {"type": "image_edit.completed"}
    )
    seen: list[int] = []
    request = make_request(partial_images=1, references=(make_reference(),))
    assert openai.generate(request, on_partial=lambda index, _file: seen.append(index)).pictures[0].content == PNG
    assert seen == [0]


def test_a_preview_that_cannot_be_shown_does_not_cost_the_picture(
    openai_stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_index: int, _file: bytes) -> None:
        raise RuntimeError("disk full")

    openai_stub.behaviour = events(PARTIAL, {**PARTIAL, "b64_json": "%%%"}, COMPLETED)
    assert openai.generate(make_request(partial_images=2), on_partial=fail).pictures[0].content == PNG
    assert [record.message for record in caplog.records if record.exc_info] == [
        "An early version of a picture could not be shown."
    ]


@pytest.mark.parametrize("change", [{"n": 2}, {"partial_images": 0}, {"model": "dall-e-3"}])
def test_nothing_else_is_streamed(openai_stub: Stub, change: dict[str, Any]) -> None:
    seen: list[int] = []
    request = make_request(**{"partial_images": 2} | change)
    openai.generate(request, on_partial=lambda index, _file: seen.append(index))
    assert "stream" not in sent(openai_stub)
    assert "partial_images" not in sent(openai_stub)
    assert seen == []


def test_without_a_listener_nothing_is_streamed(openai_stub: Stub) -> None:
    openai.generate(make_request(partial_images=2))
    assert "stream" not in sent(openai_stub)


# --- Models, and where things are ---


def test_models_come_with_the_day_they_end(openai_stub: Stub) -> None:
    data = [
        {"id": "gpt-image-1.5", "object": "model", "shutdown_date": "2026-12-01"},
        {"id": "gpt-image-2.6-flare", "object": "model", "shutdown_date": None},
        {"id": "odd", "shutdown_date": "soon"},
        {"object": "model"},
        None,
    ]
    openai_stub.behaviour = answer(200, {"object": "list", "data": data})
    assert openai.list_models() == (
        Model("gpt-image-1.5", date(2026, 12, 1)),
        Model("gpt-image-2.6-flare", None),
        Model("odd", None),
    )
    assert openai_stub.requests[0][0].startswith("GET /v1/models ")


def test_a_list_of_models_that_is_none_is_asked_for_again(openai_stub: Stub) -> None:
    openai_stub.behaviour = answer(200, {"data": "none"})
    with pytest.raises(ProviderError) as caught:
        openai.list_models()
    assert caught.value.verdict is Verdict.LATER


@pytest.mark.parametrize(
    ("key", "mock_key", "expected"),
    [("", "", "mock"), ("", "mock-key", "mock-key"), ("sk-real-key", "m", "sk-real-key")],
)
def test_the_mock_is_asked_with_a_key_of_its_own(
    stub: Stub, settings: Settings, key: str, mock_key: str, expected: str
) -> None:
    settings.OPENAI_BASE_URL = f"{stub.url}/mock/openai/v1"
    settings.OPENAI_API_KEY, settings.MOCKAPI_KEY = key, mock_key
    stub.behaviour = answer(200, made())
    assert openai.is_mock()
    openai.generate(make_request())
    assert f"authorization: bearer {expected}\r\n" in stub.requests[0][0].lower()


def test_a_compatible_server_may_want_no_key(openai_stub: Stub, settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    assert not openai.is_mock()
    assert openai.generate(make_request()).pictures


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://api.openai.com/v1", "api.openai.com"),
        ("http://127.0.0.1:5050/mock/openai/v1", "127.0.0.1:5050"),
        ("http://Studio.local/v1", "studio.local:80"),
    ],
)
def test_pictures_may_be_fetched_from_the_server_that_made_them(settings: Settings, base: str, host: str) -> None:
    settings.OPENAI_BASE_URL = base
    assert openai.file_hosts() == {host}
