"""The page on which pictures are asked for: prices, models, references, the same request twice, what is wrong."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import signed_in
from images.models import GeneratedImage, ImageModel, ImageRequest, hash_of
from images.offers import about
from images.references import Reference, of_image, read_token
from images.services import Wish, price_again, request_images
from images.tests.factories import MODEL, make_image, make_request, picture_file
from jobs.models import Charge, Status
from library import prefill

pytestmark = pytest.mark.django_db
URL = "/images/new/"
CARD_URL = "/images/new/card/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def asked(**overrides: Any) -> dict[str, Any]:
    fields = {"prompt": "A lighthouse", "model": MODEL, "size": "1024x1024", "quality": "medium", "count": "1"}
    return fields | {"moderation": "auto", "key": str(uuid.uuid4())} | overrides


def same_as_asked() -> GeneratedImage:
    """Make a picture that the request of `asked()` would make once more."""
    made = make_request(
        prompt="A lighthouse",
        prompt_hash=hash_of(
            prompt="A lighthouse", model=MODEL, size="1024x1024", quality="medium", background="auto",
            output_format="png",
        ),
    )  # fmt: skip
    return make_image(made)


def upload_of(content: bytes, name: str = "a.png", kind: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type=kind)


def test_nobody_asks_for_pictures_without_signing_in() -> None:
    for url in (URL, CARD_URL, "/images/uploads/"):
        assert Client().post(url, asked())["Location"].startswith("/sign-in/")
    assert not ImageRequest.objects.exists()


def test_the_page_has_a_form_with_the_price_of_the_defaults(client: Client) -> None:
    page = client.get(URL).content.decode()
    assert "Create 1 picture, about $0.01" in page
    assert page.count("<h1") == 1
    assert "dall-e-3" not in page  # not offered


def test_the_button_says_the_price_of_the_options_that_were_sent(client: Client) -> None:
    page = client.post(URL, asked(prompt="", count="2")).content.decode()
    assert "Create 2 pictures, about $0.03" in page


def test_early_versions_are_in_the_price(client: Client) -> None:
    """Each has 100 tokens: of three, at $30 a million, $0.009."""
    page = client.post(URL, asked(prompt="", shows_partial="on")).content.decode()
    assert "Create 1 picture, about $0.02" in page  # 0.0132 + 0.009
    models = json.loads(client.get(URL).context["form"].models_json)
    assert float(models[MODEL]["early_price"]) == 0.009
    assert float(models["gpt-image-1.5"]["early_price"]) == 0  # paid by picture
    client.post(URL, asked(shows_partial="on"))
    one = ImageRequest.objects.get()
    assert f"{one.cost:.4f}" == "0.0222"
    assert price_again(one) == one.cost
    several = client.post(URL, asked(prompt="", shows_partial="on", count="2")).content.decode()
    assert "Create 2 pictures, about $0.03" in several  # for a single picture only


def test_a_price_below_a_cent_is_not_rounded_away() -> None:
    model = ImageModel.objects.get(name=MODEL)
    each = model.estimate(size="1024x1024", quality="low")
    assert each is not None
    assert about(each) == "0.0059"
    assert about(each * 2) == "0.01"


def test_another_model_brings_its_own_options_without_script(client: Client) -> None:
    ImageModel.objects.filter(name="gpt-image-2").update(
        sizes=["512x512"], qualities=["rough"], backgrounds=[], most_pictures=2
    )
    page = client.get(URL, {"model": "gpt-image-2"}).content.decode()
    assert '<option value="512x512">' in page
    assert "1536x1024</option>" not in page
    typed = client.post(URL, asked(model="gpt-image-2", prompt="Half a prompt", reload="yes"))
    assert typed.status_code == 200
    assert "Half a prompt" in typed.content.decode()
    assert "512x512" in typed.content.decode()
    assert not ImageRequest.objects.exists()


def test_a_model_that_retires_soon_says_so(client: Client) -> None:
    day = timezone.localdate() + timedelta(days=8)
    ImageModel.objects.filter(name="gpt-image-1.5").update(retires_on=day)
    ImageModel.objects.filter(name="gpt-image-1-mini").update(retires_on=day - timedelta(days=9))
    words = f"retires on {day.day} {day:%B}"
    assert f"gpt-image-1.5, {words}" in client.get(URL).content.decode()
    page = client.get(URL, {"model": "gpt-image-1.5"}).content.decode()
    assert f"This model {words}." in page
    assert "gpt-image-1-mini" not in page  # it is gone


def test_the_script_knows_the_prices_of_every_model(client: Client) -> None:
    models = json.loads(client.get(URL).context["form"].models_json)
    assert models[MODEL]["prices"]["1024x1024"]["medium"] == "0.0132"
    assert models[MODEL]["count"] == list(range(1, 11))
    assert models["gpt-image-2"]["can"]["edit"] is True


def test_a_form_sent_without_script_leads_to_the_set(client: Client) -> None:
    answer = client.post(
        URL,
        asked(title="Light", tags="sea, night", count="3", prompt="one\r\ntwo", output_format="webp",
              output_compression="70", background="opaque", moderation="low"),
    )  # fmt: skip
    made = ImageRequest.objects.get()
    assert answer.status_code == 302
    assert answer.url == reverse("images:set", args=[made.pk])  # type: ignore[attr-defined]
    assert (made.title, made.tags, made.count, made.prompt) == ("Light", "sea, night", 3, "one\ntwo")
    assert (made.output_format, made.output_compression, made.background) == ("webp", 70, "opaque")
    assert made.moderation == "low"


def test_the_prompt_alone_is_enough(client: Client) -> None:
    client.post(URL, {"prompt": "A fox", "model": MODEL, "count": "1", "moderation": "auto", "key": uuid.uuid4()})
    made = ImageRequest.objects.get()
    assert (made.size, made.quality, made.output_format) == ("1024x1024", "medium", "png")


def test_the_same_form_twice_asks_once(client: Client) -> None:
    fields = asked()
    client.post(URL, fields)
    client.post(URL, fields)
    assert ImageRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"prompt": "  "}, "Describe the picture."),
        ({"model": "nothing"}, "There is no such model."),
        ({"size": "1x1"}, "Choose one of: 1024x1024"),
        ({"count": "11"}, "Choose 1 to 10."),
        ({"prompt": "a\x00b"}, "Null characters are not allowed."),
        ({"title": "x" * 256}, "At most 255 characters"),
        ({"output_format": "jpeg", "background": "transparent"}, "A transparent background needs png or webp."),
        ({"output_format": "webp", "output_compression": "101"}, "Choose 0 to 100."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_asked_for(client: Client, wrong: dict[str, str], sentence: str) -> None:
    for url in (URL, CARD_URL):
        answer = client.post(url, asked(**wrong), headers={"HX-Request": "true"} if url == CARD_URL else {})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert not ImageRequest.objects.exists()


def test_the_card_comes_with_a_new_key(client: Client) -> None:
    key = str(uuid.uuid4())
    answer = client.post(CARD_URL, asked(key=key), headers={"HX-Request": "true"})
    made = ImageRequest.objects.get()
    page = answer.content.decode()
    assert str(made.pk) == key
    assert f'id="job-{key}"' in page
    fresh = re.search(r'name="key" value="([0-9a-f-]{36})"', page)
    assert fresh
    assert fresh[1] != key
    assert "draft-done" in answer["HX-Trigger"]


def test_a_picture_that_exists_is_shown_before_it_is_paid_for_again(client: Client) -> None:
    image = same_as_asked()
    for url in (URL, CARD_URL):
        answer = client.post(url, asked())
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "You have this picture already." in page
        assert f'href="{image.get_absolute_url()}"' in page
        assert "Make it again anyway" in page
    assert ImageRequest.objects.count() == 1
    assert client.post(URL, asked(confirm="1")).status_code == 302
    assert ImageRequest.objects.count() == 2


def test_a_picture_in_the_trash_is_no_reason_to_ask(client: Client) -> None:
    image = same_as_asked()
    GeneratedImage.objects.filter(pk=image.pk).throw_away()
    assert client.post(URL, asked()).status_code == 302


@pytest.mark.parametrize("url", [URL, CARD_URL])
def test_what_is_being_made_already_is_not_asked_for_again_unasked(client: Client, url: str) -> None:
    assert client.post(URL, asked(title="Fog")).status_code == 302
    answer = client.post(url, asked())
    page = answer.content.decode()
    first = ImageRequest.objects.get()
    assert answer.status_code == 422
    assert "This picture is being made already." in page
    assert "Fog" in page
    assert first.get_absolute_url() in page
    client.post(url, asked(confirm="1"))
    assert ImageRequest.objects.count() == 2


def test_a_request_that_has_ended_without_a_picture_is_no_reason_to_ask(client: Client) -> None:
    client.post(URL, asked())
    ImageRequest.objects.update(status=Status.FAILURE)
    assert client.post(URL, asked()).status_code == 302
    assert ImageRequest.objects.count() == 2


def test_an_uploaded_picture_becomes_a_reference(client: Client) -> None:
    answer = client.post("/images/uploads/", {"files": [upload_of(picture_file())]})
    token = re.search(r'name="references" value="([^"]+)"', answer.content.decode())
    assert token
    small = client.get(reverse("images:reference", args=[token[1]]))
    assert (small.status_code, small["Content-Type"]) == (200, "image/webp")
    client.post(URL, asked(references=[token[1]]))
    reference = read_token(token[1])
    assert reference
    assert ImageRequest.objects.get().references == [reference.name]
    assert reference.name.startswith("uploads/")


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"GIF89a" + bytes(100)],
)
def test_an_upload_that_is_no_picture_is_refused(client: Client, content: bytes) -> None:
    answer = client.post("/images/uploads/", {"files": [upload_of(content)]})
    assert answer.status_code == 422
    assert answer["HX-Reswap"] == "none"
    assert "not a PNG" in answer["HX-Trigger"] or "No picture was chosen." in answer["HX-Trigger"]


def test_pictures_sent_along_with_the_form_are_kept_when_it_comes_back(client: Client) -> None:
    answer = client.post(URL, asked(prompt="", files=[upload_of(picture_file()), upload_of(picture_file())]))
    assert answer.status_code == 422
    assert len(re.findall(r'name="references" value="[^"]+" checked', answer.content.decode())) == 2


def test_a_reference_is_unpacked_once_however_often_it_is_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = reverse("images:reference", args=[of_image(make_image()).token])
    first = client.get(address)
    monkeypatch.setattr("library.pictures.thumbnails", lambda *_args: pytest.fail("It was unpacked again."))
    assert client.get(address).content == first.content


def test_a_mask_needs_a_reference_and_is_kept(client: Client) -> None:
    mask = picture_file(mode="RGBA", colour=(0, 0, 0, 0))
    alone = client.post(URL, asked(mask_file=upload_of(mask)))
    assert alone.status_code == 422
    assert "A mask needs a reference picture." in alone.content.decode()
    token = re.search(r'name="mask" value="([^"]+)"', alone.content.decode())
    assert token
    assert client.post(URL, asked(mask=token[1], files=[upload_of(picture_file())])).status_code == 302
    assert ImageRequest.objects.get().mask.startswith("uploads/")
    opaque = client.post(URL, asked(mask_file=upload_of(picture_file()), files=[upload_of(picture_file())]))
    assert "A mask is a PNG with transparent parts." in opaque.content.decode()


@pytest.mark.parametrize("name", ["songs/ab/0123.mp3", "../../etc/passwd", "uploads/../secret_key", "secret_key"])
def test_no_other_file_can_be_named_as_a_reference(client: Client, name: str) -> None:
    forged = Reference(name).token  # rightly signed, and still no picture of ours
    for token in (forged, forged[:-2] + "xx", name):
        client.post(URL, asked(references=[token], key=str(uuid.uuid4()), confirm="1"))
        assert read_token(token) is None
    assert {tuple(made.references) for made in ImageRequest.objects.all()} == {()}
    assert client.get(reverse("images:reference", args=[forged])).status_code == 404


def test_a_picture_is_used_again_as_reference_or_as_variation(client: Client) -> None:
    image = make_image(make_request(prompt="A fox", quality="high", output_format="webp", count=4), tags="red")
    again = client.get(URL, {"from": str(image.pk)}).context["form"]
    assert (again["prompt"].value(), again["quality"].value(), again["count"].value()) == ("A fox", "high", 1)
    assert again["tags"].value() == "red"
    assert again.references == []
    used = client.get(URL, {"reference": str(image.pk)}).context["form"]
    assert used["prompt"].value() is None
    assert [one.name for one in used.references] == [image.file_path]
    varied = client.get(URL, {"variation": str(image.pk)}).context["form"]
    assert varied["prompt"].value() == "A fox"
    token = of_image(image).token
    client.post(URL, asked(parent=str(image.pk), references=[token]))
    made = ImageRequest.objects.latest("created_at")
    assert (made.parent, made.references) == (image, [image.file_path])
    whole = client.get(URL, {"request": str(image.request_id)}).context["form"]
    assert whole["count"].value() == 4


@pytest.mark.parametrize("name", ["from", "reference", "variation", "request"])
@pytest.mark.parametrize("value", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_picture_in_the_address_is_not_found(client: Client, name: str, value: str) -> None:
    assert client.get(URL, {name: value}).status_code == 404


def test_what_was_written_is_shown_as_text(client: Client) -> None:
    evil = "</textarea><script>alert(1)</script>"
    request_images(Wish(prompt=evil, title=evil), user=None)
    for page in (client.get(URL, {"prompt": evil}), client.post(URL, asked(prompt=evil, size="x"))):
        assert "<script>alert" not in page.content.decode()
        assert "&lt;script&gt;alert(1)" in page.content.decode()


def test_the_latest_requests_stand_beside_the_form(client: Client) -> None:
    done = make_image(make_request(prompt="A done one")).request
    make_request(prompt="A lost one", status=Status.FAILURE, charge=Charge.NO, error_message="It went wrong.")
    page = client.get(URL).content.decode()
    assert f'id="job-{done.pk}"' in page
    assert "It went wrong." in page
    assert "Submit again, about $0.0132" in page


def test_without_a_model_the_form_says_why_it_cannot_be_sent(client: Client) -> None:
    ImageModel.objects.update(is_active=False)
    page = client.get(URL).content.decode()
    assert "No model is offered: add one in the admin." in page
    assert client.post(URL, asked()).status_code == 422


def test_a_text_too_long_for_an_address_fills_the_form_from_the_session(client: Client) -> None:
    prompt = "A lighthouse & the sea. " * 500
    request = RequestFactory().get("/")
    request.session = client.session
    key = prefill.keep(request, {"prompt": prompt, "parent": "not a field to be filled"})
    request.session.save()
    page = client.get(URL, {"prefill": key, "title": "Long"}).content.decode()
    assert "A lighthouse &amp; the sea. " * 500 in page
    assert 'value="Long"' in page
    assert "not a field to be filled" not in page
    assert "is not kept any more" in client.get(URL, {"prefill": "guessed"}).content.decode()
