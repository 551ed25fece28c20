"""The gallery: stacked, searched, filtered, ordered, paged, changed in bulk and cleared up, all in the address."""

import io
import re
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import make_user, signed_in
from images import gallery, services
from images.models import GeneratedImage
from images.tests.factories import make_image, make_request
from images.tests.pages import make_row
from library.trash import KEPT_FOR

pytestmark = pytest.mark.django_db
URL = "/images/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def make_set(*titles: str) -> list[GeneratedImage]:
    """Make a request with several pictures."""
    request = make_request(count=len(titles))
    return [make_image(request, stored=False, title=title) for title in titles]


def titles(client: Client, **query: Any) -> list[str]:
    return [image.title for image in client.get(URL, query).context["page_obj"].rows]


def bulk(client: Client, action: str, **data: Any) -> Any:
    return client.post("/images/bulk/", {"action": action, **data}, follow=True)


@pytest.mark.parametrize("url", [URL, "/images/trash/", "/images/bulk/", "/images/zip/"])
def test_nobody_sees_the_gallery_without_signing_in(url: str) -> None:
    make_user()
    assert Client().get(url)["Location"].startswith("/sign-in/")


def test_an_empty_gallery_offers_the_first_picture(client: Client) -> None:
    page = client.get(URL).content.decode()
    assert "No pictures yet." in page
    assert page.count("/images/new/?") == 3  # three examples
    assert page.count("<h1") == 1


def test_a_search_without_a_match_can_be_cleared(client: Client) -> None:
    make_row()
    page = client.get(URL, {"q": "xyzzy"}).content.decode()
    assert "No picture matches." in page
    assert "No pictures yet." not in page


def test_a_set_is_one_stack_with_its_count(client: Client) -> None:
    first, *_others = make_set("A", "B", "C")
    alone = make_row("D")
    page = client.get(URL)
    assert sorted(image.title for image in page.context["page_obj"].rows) == ["A", "D"]
    text = page.content.decode()
    assert f'href="/images/sets/{first.request_id}/"' in text
    assert f'href="{alone.get_absolute_url()}"' in text
    assert re.search(r'class="tile-count">3<', text)
    assert text.count("tile-count") == 1


def test_a_stack_goes_on_without_the_pictures_in_the_trash(client: Client) -> None:
    first, second, _third = make_set("A", "B", "C")
    services.delete_images([first])
    assert titles(client) == ["B"]
    assert 'class="tile-count">2<' in client.get(URL).content.decode()
    services.delete_images([second])
    assert titles(client) == ["C"]
    assert "tile-count" not in client.get(URL).content.decode()


def test_a_search_finds_single_pictures_of_a_set(client: Client) -> None:
    make_set("A", "moon", "C")
    assert titles(client, q="moon") == ["moon"]


def test_pictures_are_found_by_words_model_size_rating_tag_and_date(client: Client) -> None:
    make_row("A", prompt="the moon at sea", minutes=1)
    make_row("B", tags="moon, red", rating=1, model_used="gpt-image-2", minutes=2)
    make_row("C", size="1536x1024", rating=0, minutes=60 * 24 * 10)
    assert titles(client, q="MOON") == ["A", "B"]
    assert titles(client, q="moon", ordering="title") == ["A", "B"]
    assert titles(client, tag="red") == ["B"]
    assert titles(client, model="gpt-image-2") == ["B"]
    assert titles(client, size="1536x1024") == ["C"]
    assert titles(client, rating="1") == ["B"]
    assert titles(client, rating="0") == ["C"]
    assert titles(client, rating="none") == ["A"]
    assert titles(client, created_after=(timezone.localdate() - timedelta(days=2)).isoformat()) == ["A", "B"]
    assert titles(client, ordering="created_at") == ["C", "B", "A"]
    assert titles(client, ordering="-title") == ["C", "B", "A"]


def test_what_is_wrong_in_the_address_is_passed_over(client: Client) -> None:
    make_row("A")
    assert titles(client, ordering="nonsense", rating="7", created_after="soon", page="²", trashed="true") == ["A"]


def test_chips_and_tiles_keep_the_rest_of_the_address(client: Client) -> None:
    image = make_row("A", tags="red", rating=1)
    page = client.get(URL, {"q": "a", "rating": "1", "page": "1"}).content.decode()
    assert 'href="/images/?q=a"' in page  # the chip that is on leads to the list without it
    assert 'href="/images/?q=a&amp;rating=1&amp;tag=red"' in page
    assert '<input type="hidden" name="rating" value="1">' in page  # a search keeps the filter
    assert f'href="{image.get_absolute_url()}?q=a&amp;rating=1"' in page


def test_the_list_has_a_real_next_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "PAGE_SIZE", 2)
    for number in range(5):
        make_row(str(number), minutes=number)
    assert titles(client) == ["0", "1"]
    assert 'rel="next" href="/images/?q=&amp;page=2"' in client.get(URL, {"q": ""}).content.decode()
    assert titles(client, page="3") == ["4"]
    assert 'rel="next"' not in client.get(URL, {"page": "3"}).content.decode()


def test_the_gallery_asks_as_many_questions_for_forty_pictures_as_for_one(client: Client) -> None:
    def questions(**query: Any) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(URL, query)
        return len(asked)

    make_set("A", "B")
    few, few_found = questions(), questions(q="A")
    for number in range(20):
        make_set(f"A{number}", f"A{number}b")
    assert (questions(), questions(q="A")) == (few, few_found)


def test_titles_are_shown_as_text(client: Client) -> None:
    make_row('"><script>alert(1)</script>', tags="<b>x</b>")
    page = client.get(URL).content.decode()
    assert "<script>alert" not in page
    assert "<b>x" not in page


def test_chosen_pictures_are_rated_and_tagged(client: Client) -> None:
    one, two = make_row("A", tags="old"), make_row("B")
    left = make_row("C")
    assert "2 pictures changed." in bulk(client, "up", image=[one.pk, two.pk, "x", uuid.uuid4()]).content.decode()
    bulk(client, "tag", tag="sea", image=[one.pk, two.pk])
    rows = {row.title: row for row in GeneratedImage.objects.all()}
    assert [rows[title].rating for title in "ABC"] == [1, 1, None]
    assert [rows[title].tags for title in "ABC"] == ["old, sea", "sea", left.tags]
    bulk(client, "unrate", image=[one.pk])
    bulk(client, "down", image=[two.pk])
    assert list(GeneratedImage.objects.filter(title__in="AB").order_by("title").values_list("rating")) == [
        (None,),
        (0,),
    ]


@pytest.mark.parametrize(
    ("action", "sentence"),
    [("tag", "Write a tag."), ("burn", "Choose what to do with them."), ("", "Choose what to do with them.")],
)
def test_what_cannot_be_done_with_the_chosen_is_said(client: Client, action: str, sentence: str) -> None:
    assert sentence in bulk(client, action, image=[make_row().pk]).content.decode()


def test_nothing_chosen_is_said(client: Client) -> None:
    make_row()
    assert "No picture was chosen." in bulk(client, "delete").content.decode()
    assert "Choose 1 to 500 pictures." in client.post("/images/zip/", {}, follow=True).content.decode()


def test_a_chosen_stack_is_the_whole_set_and_comes_back_from_the_trash(client: Client) -> None:
    first, second = make_set("A", "B")
    page = bulk(client, "delete", set=[first.request_id]).content.decode()
    assert "2 pictures moved to the trash." in page
    assert 'href="/images/trash/"' in page  # the way to undo it
    assert titles(client) == []
    trash = client.get("/images/trash/").content.decode()
    gone = timezone.localtime() + KEPT_FOR
    assert f"Gone on {gone.day} {gone:%B}" in trash
    assert "2 pictures are back." in bulk(client, "restore", image=[first.pk, second.pk]).content.decode()
    assert titles(client) == ["A"]
    assert "The trash is empty." in client.get("/images/trash/").content.decode()


def test_what_lies_in_the_trash_is_not_changed_in_bulk(client: Client) -> None:
    image = make_row()
    services.delete_images([image])
    bulk(client, "up", image=[image.pk])
    assert GeneratedImage.objects.get().rating is None


def test_the_chosen_come_as_one_zip_of_the_originals(client: Client) -> None:
    one, two = make_image(title="Same / name"), make_image(title="Same / name")
    gone = make_image(title="Gone")
    default_storage.delete(gone.file_path)
    answer = client.post("/images/zip/", {"image": [one.pk, two.pk, gone.pk]})
    assert answer["Content-Disposition"] == 'attachment; filename="pictures.zip"'
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["Same _ name 2.png", "Same _ name.png"]
        with default_storage.open(one.file_path) as original:
            assert archive.read("Same _ name.png") == original.read()


def test_a_bulk_action_leads_back_to_where_it_was_asked_and_nowhere_else(client: Client) -> None:
    image = make_row()
    ours = client.post("/images/bulk/", {"action": "up", "image": [image.pk], "next": "/images/?q=a"})
    theirs = client.post("/images/bulk/", {"action": "up", "image": [image.pk], "next": "https://example.org/"})
    assert (ours["Location"], theirs["Location"]) == ("/images/?q=a", "/images/")
