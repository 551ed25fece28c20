"""What the OpenAI mock refuses, what it counts and what it remembers."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from mockapi import files, openai_intake, openai_rules, troubles
from mockapi.models import OpenAISubmission, Trouble
from mockapi.openai_errors import OpenAIRefusalError

pytestmark = pytest.mark.django_db
Body = dict[str, Any]


class OpenAI:
    """A client that sends bodies as they are."""

    def __init__(self) -> None:
        self.client = Client(headers={"authorization": "Bearer sk-some-long-key-1234"})

    def post(self, path: str, body: Any, status: int, kind: str = "application/json") -> Body:
        response = self.client.post(f"/mock/openai/v1/images/{path}", body, content_type=kind)
        return self.answer(response, status)

    def edit(self, fields: Body, status: int) -> Body:
        return self.answer(self.client.post("/mock/openai/v1/images/edits", fields), status)

    def answer(self, response: Any, status: int) -> Body:
        assert response.status_code == status, response.content
        assert response["x-request-id"].startswith("req_")
        answer: Body = response.json()
        return answer

    def ledger(self) -> list[Body]:
        rows: list[Body] = self.client.get("/mock/openai/ledger").json()["submissions"]
        return rows


@pytest.fixture
def api() -> OpenAI:
    return OpenAI()


def make_body(**overrides: Any) -> Body:
    body = {"model": "gpt-image-2.6-flare", "prompt": "a lake", "size": "1024x640"} | overrides
    return {name: value for name, value in body.items() if value is not ...}


REFUSED = [
    ({"model": "dall-e-3"}, "model", "invalid_value", "The model 'dall-e-3' does not exist."),
    ({"model": "gpt-image-1"}, "model", "invalid_value", "The model 'gpt-image-1' does not exist."),
    ({"model": "gpt-image-9"}, "model", "invalid_value", "does not exist"),
    ({"model": ...}, "model", "missing_required_parameter", "Missing required parameter: 'model'."),
    ({"prompt": ...}, "prompt", "missing_required_parameter", "Missing required parameter: 'prompt'."),
    ({"prompt": "  "}, "prompt", "missing_required_parameter", ""),
    ({"prompt": 5}, "prompt", "invalid_type", ""),
    ({"prompt": "x" * 32_001}, "prompt", "invalid_value", "maximum length 32000"),
    ({"response_format": "url"}, "response_format", "unknown_parameter", "Unknown parameter: 'response_format'."),
    ({"style": "vivid"}, "style", "unknown_parameter", ""),
    ({"input_fidelity": "high"}, "input_fidelity", "unknown_parameter", ""),
    ({"n": 0}, "n", "integer_below_min_value", ""),
    ({"n": 11}, "n", "integer_above_max_value", ""),
    ({"n": "2"}, "n", "invalid_type", ""),
    ({"n": True}, "n", "invalid_type", ""),
    ({"size": "big"}, "size", "invalid_value", ""),
    ({"size": "1000x1000"}, "size", "invalid_value", "divisible by 16"),
    ({"size": "3200x1024"}, "size", "invalid_value", "ratio"),
    ({"size": "4096x2160"}, "size", "invalid_value", "pixels"),
    ({"size": "512x512"}, "size", "invalid_value", "pixels"),
    ({"quality": "hd"}, "quality", "invalid_value", "'xhigh', and 'max'"),
    ({"model": "gpt-image-2", "quality": "max"}, "quality", "invalid_value", ""),
    ({"background": "blue"}, "background", "invalid_value", ""),
    ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value", ""),
    ({"output_format": "gif"}, "output_format", "invalid_value", ""),
    ({"output_format": "svg"}, "output_format", "invalid_value", ""),
    ({"output_compression": 50}, "output_compression", "invalid_value", ""),
    ({"output_format": "webp", "output_compression": 101}, "output_compression", "integer_above_max_value", ""),
    ({"moderation": "none"}, "moderation", "invalid_value", ""),
    ({"partial_images": 2}, "partial_images", "invalid_value", ""),
    ({"stream": True, "partial_images": 4}, "partial_images", "integer_above_max_value", ""),
    ({"stream": "yes"}, "stream", "invalid_type", ""),
    ({"model": "compat-x", "size": "1024x640"}, "size", "invalid_value", ""),
    ({"model": "compat-x", "background": "opaque"}, "background", "unknown_parameter", ""),
]


@pytest.mark.parametrize(("change", "param", "code", "words"), REFUSED)
def test_a_rule_that_is_broken_is_named(api: OpenAI, change: Body, param: str, code: str, words: str) -> None:
    error = api.post("generations", make_body(**change), 400)["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert words in error["message"]
    assert error["type"] in {"invalid_request_error", "image_generation_user_error"}
    assert api.ledger() == []


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"prompt": NaN', '{"prompt": "\\ud800"}', '{"prompt": "\\u0000"}'])
def test_a_body_that_is_no_json_object_is_refused(api: OpenAI, raw: str) -> None:
    assert "parse the JSON" in api.post("generations", raw, 400)["error"]["message"]


def test_old_models_know_three_sizes_and_end_on_their_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"model": "gpt-image-1.5", "prompt": "a lake", "size": "1536x1024", "input_fidelity": "high"}
    monkeypatch.setattr(openai_rules, "today", lambda: date(2026, 11, 30))
    assert openai_rules.check("edits", body).size == "1536x1024"
    with pytest.raises(OpenAIRefusalError, match="Supported values"):
        openai_rules.check("edits", body | {"size": "1024x640"})
    monkeypatch.setattr(openai_rules, "today", lambda: date(2026, 12, 1))
    with pytest.raises(OpenAIRefusalError, match=r"The model 'gpt-image-1\.5' does not exist\."):
        openai_rules.check("edits", body)


@pytest.mark.parametrize(
    ("model", "quality", "size", "tokens"),
    [
        ("gpt-image-2.6-flare", "low", "1024x1024", 196),
        ("gpt-image-2.6-flare", "auto", "auto", 439),
        ("gpt-image-2.5-sunburst", "high", "1024x1024", 1756),
        ("gpt-image-2.5-flare", "xhigh", "1024x1024", 3122),
        ("gpt-image-2.6-sunburst", "max", "1024x1024", 7024),
        ("gpt-image-2", "medium", "1024x1024", 1756),
    ],
)
def test_a_square_picture_counts_what_is_documented(model: str, quality: str, size: str, tokens: int) -> None:
    order = openai_rules.check("generations", make_body(model=model, quality=quality, size=size))
    assert openai_rules.usage(order, 0)["output_tokens"] == tokens


def test_several_pictures_early_versions_and_references_are_counted() -> None:
    body = make_body(quality="low", size="1024x1024", n=2, stream=True, partial_images=3, prompt="x" * 41)
    assert openai_rules.usage(openai_rules.check("generations", body), 2) == {
        "input_tokens": 11 + 646,
        "input_tokens_details": {"image_tokens": 646, "text_tokens": 11},
        "output_tokens": 2 * (196 + 300),
        "output_tokens_details": {"image_tokens": 992, "text_tokens": 0},
        "total_tokens": 11 + 646 + 992,
    }


def test_a_wide_picture_costs_less_than_a_square_as_the_prices_say() -> None:
    order = openai_rules.check("generations", make_body(model="gpt-image-2", quality="high", size="1536x1024"))
    assert openai_rules.usage(order, 0)["output_tokens"] * 30 / 1e6 == pytest.approx(0.165, abs=0.001)


# --- Uploads ---


def upload(name: str = "a.png", size: tuple[int, int] = (64, 40), mode: str = "RGB", kind: str = "PNG") -> Any:
    file = BytesIO()
    Image.new(mode, size).save(file, kind)
    return SimpleUploadedFile(name, file.getvalue(), "image/png")


UPLOADS = [
    ({}, "image", "missing_required_parameter"),
    ({"image": SimpleUploadedFile("a.png", b"no picture")}, "image", "invalid_image_file"),
    ({"image": upload(kind="GIF")}, "image", "invalid_image_file"),
    ({"image[]": [upload() for _ in range(17)]}, "image", "invalid_value"),
    ({"image": upload(), "mask": upload(mode="RGB")}, "mask", "invalid_image_file"),
    ({"image": upload(), "mask": upload(mode="RGBA", size=(8, 8))}, "mask", "invalid_image_file"),
    ({"image": upload(), "mask": upload(mode="RGBA", kind="WEBP")}, "mask", "invalid_image_file"),
    ({"image": upload(), "other": upload()}, "other", "unknown_parameter"),
    ({"image": upload(), "moderation": "low"}, "moderation", "unknown_parameter"),
    ({"image": upload(), "n": "many"}, "n", "invalid_type"),
]


@pytest.mark.parametrize(("fields", "param", "code"), UPLOADS)
def test_uploads_that_are_no_use_are_refused(api: OpenAI, fields: Body, param: str, code: str) -> None:
    for file in fields.values():
        for one in file if isinstance(file, list) else [file]:
            if hasattr(one, "seek"):
                one.seek(0)
    error = api.edit(make_body(**fields), 400)["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert api.ledger() == []


def test_a_reference_may_be_no_larger_than_documented(api: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockapi.openai_uploads.LARGEST_REFERENCE", 50)
    assert api.edit(make_body(image=upload()), 400)["error"]["code"] == "invalid_image_file"


@pytest.mark.parametrize("number", ["--5", "9" * 5000, "-", "٣", "5.0"])
def test_a_number_of_a_form_that_is_none_is_refused(api: OpenAI, number: str) -> None:
    error = api.edit(make_body(image=upload(), n=number), 400)["error"]
    assert error["param"] == "n"


def test_an_edit_without_a_form_is_refused(api: OpenAI) -> None:
    api.post("edits", {"prompt": "x"}, 400)
    assert api.post("edits", b"--x\r\nbroken", 400, "multipart/form-data; boundary=")["error"]["message"]


# --- Doors, ledger, time ---


def test_without_a_key_nothing_is_answered() -> None:
    response = Client().post("/mock/openai/v1/images/generations", make_body(), "application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (401, None)


def test_a_wrong_key_is_not_repeated_whole(api: OpenAI, settings: Settings) -> None:
    settings.MOCKAPI_KEY = "another"
    error = api.post("generations", make_body(), 401)["error"]
    assert "sk-s" in error["message"]
    assert "some-long-key" not in error["message"]


@pytest.mark.parametrize("path", ["v1/images/variations", "v1/images/generations/", "nothing", ""])
def test_other_addresses_are_answered_in_the_same_shape(api: OpenAI, path: str) -> None:
    response = api.client.post(f"/mock/openai/{path}")
    assert (response.status_code, set(response.json()["error"])) == (404, {"message", "type", "param", "code"})


def test_another_method_is_not_allowed(api: OpenAI) -> None:
    api.answer(api.client.get("/mock/openai/v1/images/generations"), 405)


def test_the_ledger_holds_every_accepted_request(api: OpenAI) -> None:
    api.post("generations", make_body(prompt="0001 first", n=2, quality="low"), 200)
    api.post("generations", make_body(prompt="0003 refused"), 400)
    api.edit(make_body(prompt="second", image=upload()), 200)
    assert [(row["kind"], row["endpoint"], row["prompt"], row["n"]) for row in api.ledger()] == [
        ("image", "generations", "0001 first", 2),
        ("image", "edits", "second", 1),
    ]
    assert OpenAISubmission.objects.first().request["quality"] == "low"  # type: ignore[union-attr]


def test_a_refused_body_is_forgotten_after_a_while(api: OpenAI) -> None:
    api.post("generations", make_body(prompt="0007"), 429)
    row = Trouble.objects.get()
    row.given_at -= troubles.TROUBLE_LIFE + timedelta(seconds=1)
    row.save()
    api.post("generations", make_body(prompt="0007"), 429)
    api.post("generations", make_body(prompt="0007"), 200)
    assert not Trouble.objects.exists()


@pytest.mark.parametrize(
    ("prompt", "setting", "seconds"),
    [("a lake", 8, 4), ("a lake", 1, 1), ("30s lake", 8, 30), ("0004 1m30s", 0, 90), ("50m", 0, 600)],
)
def test_a_duration_in_the_prompt_sets_how_long_a_picture_takes(
    settings: Settings, prompt: str, setting: int, seconds: int
) -> None:
    settings.MOCKAPI_SECONDS = setting
    assert openai_intake.seconds_of(prompt) == seconds


def test_an_address_is_good_for_an_hour(api: OpenAI) -> None:
    url = api.post("generations", make_body(model="compat-x", size="256x256"), 200)["data"][0]["url"]
    assert api.client.get(url).status_code == 200
    row = OpenAISubmission.objects.get()
    assert api.client.get(f"/mock/openai/files/{files.token('image', row.pk, 1)}.png").status_code == 404
    row.created_at -= timedelta(minutes=61)
    row.save()
    assert api.client.get(url).status_code == 403
