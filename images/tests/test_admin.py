"""The console door to pictures: it calls the services, shows what it is about, and costs the same at any size."""

import html
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_owner, make_user
from images.models import GeneratedImage, ImageModel
from images.tests.factories import MODEL, make_image, make_request
from jobs.models import Charge, Phase, Status

pytestmark = pytest.mark.django_db
IMAGES = "/admin/images/generatedimage/"
REQUESTS = "/admin/images/imagerequest/"
MODELS = "/admin/images/imagemodel/"


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_owner())
    return client


def act(client: Client, action: str, *rows: Any, url: str = IMAGES, **fields: str) -> str:
    """Choose an action for rows of a list, and return the page that follows."""
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **fields}
    return client.post(url, data, follow=True).content.decode()


def page_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def list_form(row: Any, **fields: str) -> dict[str, str]:
    management = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(row.pk), "_save": "Save"}
    return management | {f"form-0-{name}": value for name, value in fields.items()}


# --- Pictures ---


def test_pictures_are_seen_in_the_list_on_their_page_and_on_their_requests_page(owner: Client) -> None:
    image = make_image(stored=False, title="A <b>lake</b>", width=1536, height=1024)
    source = f'<img src="{reverse("images:thumb", args=[image.pk, 320])}" alt="A &lt;b&gt;lake&lt;/b&gt;"'
    assert f'{source} width="96" height="64"' in page_of(owner, IMAGES)
    assert f'{source} width="320" height="213"' in page_of(owner, f"{IMAGES}{image.pk}/change/")
    assert source in page_of(owner, f"{REQUESTS}{image.request_id}/change/")


def test_a_picture_is_rated_in_the_list_and_nothing_else_of_it_is_touched(owner: Client) -> None:
    image = make_image(stored=False, prompt="Long words", sha256="a" * 64)
    for value, rating in (("1", 1), ("0", 0), ("", None)):
        owner.post(IMAGES, list_form(image, rating=value))
        after = GeneratedImage.objects.get()
        assert (after.rating, after.prompt, after.sha256) == (rating, "Long words", "a" * 64)


def test_the_page_edits_the_owners_notes_and_nothing_else(owner: Client) -> None:
    image = make_image(stored=False)
    data = {"title": "New", "tags": "calm", "rating": "1", "prompt": "hacked", "file_path": "secret_key"}
    assert owner.post(f"{IMAGES}{image.pk}/change/", data).status_code == 302
    after = GeneratedImage.objects.get()
    assert (after.title, after.tags, after.rating) == ("New", "calm", 1)
    assert (after.prompt, after.file_path) == (image.prompt, image.file_path)


def test_pictures_go_to_the_trash_and_come_back_each_with_its_note(owner: Client) -> None:
    first, second = make_image(stored=False, title="First"), make_image(stored=False, title="Second")
    page = act(owner, "move_to_trash", first, second)
    assert "2 pictures moved to the trash for 30 days." in page
    assert "First" not in page.partition("result_list")[2]
    trash = f"{IMAGES}?trash=yes"
    assert "First" in page_of(owner, trash)
    assert "1 picture is out of the trash." in act(owner, "restore", first, url=trash)
    assert list(GeneratedImage.objects.live()) == [first]
    assert LogEntry.objects.count() == 3


def test_pictures_are_neither_made_nor_deleted_for_good_by_hand(owner: Client) -> None:
    image = make_image(stored=False)
    assert owner.get(f"{IMAGES}add/").status_code == 403
    assert owner.post(f"{IMAGES}{image.pk}/delete/", {"post": "yes"}).status_code == 403
    act(owner, "delete_selected", image, post="yes")
    assert GeneratedImage.objects.count() == 1


def test_somebody_who_may_only_look_can_do_nothing(client: Client) -> None:
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    person = make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_generatedimage"))
    client.force_login(person)
    image = make_image(stored=False)
    act(client, "move_to_trash", image)
    owner_form = list_form(image, rating="1")
    client.post(IMAGES, owner_form)
    image.refresh_from_db()
    assert (image.deleted_at, image.rating) == (None, None)


def test_search_and_filters_find_pictures(owner: Client) -> None:
    make_image(stored=False, title="Rain", prompt="drops", rating=1, model_used="gpt-image-2")
    make_image(stored=False, title="Sun", tags="light", rating=0)
    for query, title in (
        ("q=drops", "Rain"),
        ("q=light", "Sun"),
        ("rating__exact=0", "Sun"),
        ("model=gpt-image-2", "Rain"),
    ):
        page = page_of(owner, f"{IMAGES}?{query}")
        assert f">{title}</a>" in page, query
        assert page.count('class="action-select"') == 1, query


@pytest.mark.parametrize("url", [IMAGES, REQUESTS])
def test_a_list_asks_the_same_number_of_queries_for_one_row_as_for_many(owner: Client, url: str) -> None:
    make_image(stored=False)
    page_of(owner, url)
    counts = []
    for _time in range(2):
        with CaptureQueriesContext(connection) as queries:
            page_of(owner, url)
        counts.append(len(queries))
        for _number in range(5):
            make_image(stored=False, parent=GeneratedImage.objects.first())
    assert counts[0] == counts[1]
    assert not any('"openai_response"' in query["sql"] or '"revised_prompt"' in query["sql"] for query in queries)


# --- Requests ---


def test_a_request_is_cancelled_and_submitted_again_by_the_same_verbs(owner: Client) -> None:
    waits, failed = make_request(status="PENDING"), make_request(status="FAILURE", charge=Charge.NO, cost="0.5")
    act(owner, "cancel", waits, url=REQUESTS)
    act(owner, "submit_again", failed, url=REQUESTS)
    waits.refresh_from_db()
    failed.refresh_from_db()
    assert waits.status == Status.CANCELLED
    assert (failed.status, failed.phase, f"{failed.cost:.4f}") == (Status.PENDING, Phase.WAITING, "0.0132")


def test_a_request_that_may_have_been_paid_for_is_submitted_again_only_after_the_sum_is_confirmed(
    owner: Client,
) -> None:
    lost = make_request(status="FAILURE", phase=Phase.UNCERTAIN, charge=Charge.MAYBE, count=2)
    gone = make_request(status="FAILURE", charge=Charge.YES, model="dall-e-2")
    page = act(owner, "submit_again", lost, gone, url=REQUESTS)
    lost.refresh_from_db()
    assert lost.status == Status.FAILURE, "nothing may be spent before the confirmation"
    assert "This costs $0.0264." in page
    page = act(owner, "submit_again", lost, gone, url=REQUESTS, confirmed="$0.0264")
    lost.refresh_from_db()
    assert lost.status == Status.PENDING
    assert "The model dall-e-2 is not offered any more." in page


def test_a_requests_page_shows_its_history_and_answer_and_changes_nothing(owner: Client) -> None:
    request = make_request(openai_response={"usage": "<all>"}, prompt_magic="Magic words")
    request.tell("Asked <for>.")
    page = page_of(owner, f"{REQUESTS}{request.pk}/change/")
    for text in ("Asked &lt;for&gt;.", "&lt;all&gt;", "Magic words", MODEL):
        assert text in page
    assert 'name="_save"' not in page
    assert 'value="ask_again"' not in page, "OpenAI cannot be asked about a picture"


# --- Models ---


def test_the_owner_edits_what_a_model_can_do_and_costs(owner: Client) -> None:
    model = ImageModel.objects.get(name="gpt-image-2")
    old = ImageModel.objects.get(is_default=True)
    data = {
        "name": model.name, "position": "4", "is_default": "on", "is_active": "on", "most_pictures": "2",
        "prompt_limit": "1000", "retires_on": "2031-01-31", "sizes": '["1024x1024"]', "qualities": '["low"]',
        "backgrounds": "[]", "formats": '["png"]', "tokens": '{"low": 1000}', "fixed_prices": "{}",
        "text_in_price": "1", "image_in_price": "2", "image_out_price": "3.5",
    }  # fmt: skip
    assert owner.post(f"{MODELS}{model.pk}/change/", data).status_code == 302
    old.refresh_from_db()
    model.refresh_from_db()
    assert (old.is_default, model.is_default, model.sizes, model.can_edit) == (False, True, ["1024x1024"], False)
    assert f"{model.estimate(size='1024x1024', quality='low'):.4f}" == "0.0035"


def model_data(model: ImageModel, **changes: str) -> dict[str, str]:
    """Return what the form of a model sends, with `changes`."""
    lists = ("sizes", "qualities", "backgrounds", "formats", "tokens", "fixed_prices")
    return {
        "name": model.name, "position": "4", "is_active": "on", "most_pictures": "2", "prompt_limit": "1000",
        "text_in_price": "1", "image_in_price": "2", "image_out_price": "3.5",
        **{name: json.dumps(getattr(model, name)) for name in lists},
    } | changes  # fmt: skip


LISTED = "Write a list of short texts, such as"
SIZED = "Write a list of sizes, such as"
FIGURES = "Write figures by quality, such as"
MISTAKES = [
    ("sizes", "5", SIZED),
    ("sizes", '{"a": 1}', SIZED),
    ("sizes", "[1024]", SIZED),
    ("sizes", '["1024"]', "1024 is no size that we keep."),
    ("sizes", '["0x5"]', "0x5 is no size that we keep."),
    ("sizes", '["9999x9999"]', "9999x9999 is no size that we keep."),
    ("sizes", '["99999999999999999x99999999999999"]', SIZED),
    ("qualities", '{"a": 1}', LISTED),
    ("qualities", f'["{"long" * 6}"]', LISTED),
    ("backgrounds", '"auto"', LISTED),
    ("formats", '["gif"]', "Write a list of some of: png, jpeg, webp."),
    ("tokens", "[1]", FIGURES),
    ("tokens", '{"medium": "abc"}', "The figure of medium is no number from 0 to 10000000."),
    ("tokens", '{"medium": NaN}', "The figure of medium is no number from 0 to 10000000."),
    ("tokens", '{"medium": true}', "The figure of medium is no number from 0 to 10000000."),
    ("fixed_prices", '{"medium": "zz"}', "The figure of medium is no number from 0 to 1000."),
    ("fixed_prices", '{"medium": -1}', "The figure of medium is no number from 0 to 1000."),
    ("fixed_prices", '{"medium": [1]}', "The figure of medium is no number from 0 to 1000."),
]


@pytest.mark.parametrize(("field", "value", "sentence"), MISTAKES)
def test_a_typing_mistake_in_the_price_list_is_refused_with_a_sentence(
    field: str, value: str, sentence: str, owner: Client
) -> None:
    model = ImageModel.objects.get(name="gpt-image-2")
    answer = owner.post(f"{MODELS}{model.pk}/change/", model_data(model, **{field: value}))
    assert sentence in html.unescape(answer.content.decode())
    before = getattr(model, field)
    model.refresh_from_db()
    assert getattr(model, field) == before


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, value, _sentence in MISTAKES])
def test_a_mistake_that_is_in_the_price_list_already_takes_no_page_down(field: str, value: str, owner: Client) -> None:
    if "NaN" in value:
        return  # no database holds it
    ImageModel.objects.filter(name="gpt-image-2").update(**{field: json.loads(value)})
    request = make_request(model="gpt-image-2", status="FAILURE", size="1024x1024")
    for url in (MODELS, f"{REQUESTS}{request.pk}/change/", "/images/new/", request.get_absolute_url()):
        assert owner.get(url).status_code == 200
    assert owner.get("/images/new/", {"model": "gpt-image-2"}).status_code == 200
    assert owner.get("/api/v1/images/models/").status_code == 200
    listed = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save"}
    pk = ImageModel.objects.get(name="gpt-image-2").pk
    row = {"form-0-id": str(pk), "form-0-is_active": "on", "form-0-position": "77"}
    assert owner.post(f"{MODELS}?q=gpt-image-2", listed | row).status_code in {200, 302}


def test_what_is_left_empty_is_an_empty_list(owner: Client) -> None:
    model = ImageModel.objects.get(name="gpt-image-2")
    empty = {"backgrounds": "", "formats": "", "tokens": "", "fixed_prices": ""}
    assert owner.post(f"{MODELS}{model.pk}/change/", model_data(model, **empty)).status_code == 302
    model.refresh_from_db()
    assert (model.backgrounds, model.formats, model.tokens, model.fixed_prices) == ([], [], {}, {})
    assert owner.get("/images/new/", {"model": "gpt-image-2"}).status_code == 200


def test_more_pictures_than_anybody_makes_are_no_number_of_pictures(owner: Client) -> None:
    model = ImageModel.objects.get(name="gpt-image-2")
    for number in ("0", "101"):
        answer = owner.post(f"{MODELS}{model.pk}/change/", model_data(model, most_pictures=number))
        assert "Choose 1 to 100." in answer.content.decode()


def test_a_model_that_retires_soon_stands_out_in_the_list(owner: Client) -> None:
    ImageModel.objects.update(retires_on=None)
    assert (
        "icon-yes" not in page_of(owner, f"{MODELS}?q={MODEL}").partition("field-retires_soon")[2].partition("</td>")[0]
    )
    ImageModel.objects.filter(name=MODEL).update(retires_on=timezone.localdate() + timedelta(days=5))
    assert "icon-yes" in page_of(owner, f"{MODELS}?q={MODEL}").partition("field-retires_soon")[2].partition("</td>")[0]
