"""The page of one picture: its details and notes, its thumb, its neighbours, its files."""

import uuid
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user, signed_in
from images import services
from images.models import GeneratedImage
from images.tests.factories import make_image, make_request
from images.tests.pages import make_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def page_of(client: Client, image: GeneratedImage, **query: Any) -> str:
    return client.get(image.get_absolute_url(), query).content.decode()


def walk(client: Client, image: GeneratedImage, **query: Any) -> list[str]:
    """Return the titles that the arrows of a page lead to."""
    context = client.get(image.get_absolute_url(), query).context
    found = (context["before"], context["after"])
    return [GeneratedImage.objects.get(pk=one.pk).title if one else "" for one in found]


def test_nothing_of_a_picture_is_shown_without_signing_in() -> None:
    image = make_image()
    make_user()
    for url in (
        image.get_absolute_url(),
        image.local_url,
        reverse("images:thumb", args=[image.pk, 320]),
        reverse("images:set", args=[image.request_id]),
    ):
        assert Client().get(url)["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    "url",
    ["/images/{pk}/", "/images/{pk}/thumb-320.webp", "/images/files/{pk}.png", "/images/files/..%2Fsecret_key"],
)
def test_an_unknown_picture_is_not_found(client: Client, url: str) -> None:
    assert client.get(url.format(pk=uuid.uuid4())).status_code == 404


@pytest.mark.parametrize("verb", ["edit", "rate", "delete", "restore"])
def test_an_unknown_picture_cannot_be_changed(client: Client, verb: str) -> None:
    assert client.post(reverse(f"images:{verb}", args=[uuid.uuid4()])).status_code == 404
    assert client.get(reverse(f"images:{verb}", args=[make_row().pk])).status_code == 405


def test_the_page_says_what_was_asked_for_and_what_came_back(client: Client) -> None:
    request = make_request(prompt="A fox", prompt_written="fox", size="auto", quality="auto")
    image = make_image(
        request, stored=False, size="1024x1024", quality="high", width=1024, height=1024,
        revised_prompt="A red fox in snow", duration=12.34,
    )  # fmt: skip
    page = page_of(client, image)
    assert page.count("<h1") == 1
    for text in ("1024 \u00d7 1024", "asked for: auto", "12.3 s", "$0.0132", "As you wrote it", "A red fox in snow"):
        assert text in page
    assert "As magic made it" not in page
    plain = page_of(client, make_row(prompt="A fox"))
    assert "asked for:" not in plain
    assert "As the model changed it" not in plain


def test_title_and_tags_are_edited_in_place(client: Client) -> None:
    image = make_row()
    url = reverse("images:edit", args=[image.pk])
    answer = client.post(url, {"title": "Fox", "tags": "red, snow", "next": f"{image.get_absolute_url()}?q=a"})
    assert answer["Location"] == f"{image.get_absolute_url()}?q=a"
    image.refresh_from_db()
    assert (image.title, image.tag_list) == ("Fox", ["red", "snow"])
    wrong = client.post(url, {"title": "x" * 256, "tags": "kept"})
    assert wrong.status_code == 422
    assert "At most 255 characters" in wrong.content.decode()
    assert 'value="kept"' in wrong.content.decode()


def test_a_thumb_is_given_and_taken_back(client: Client) -> None:
    image = make_row()
    url = reverse("images:rate", args=[image.pk])
    for sent, rating in (("1", 1), ("0", 0), ("", None)):
        answer = client.post(url, {"rating": sent, "next": "/images/?q=a"})
        assert answer["Location"] == "/images/?q=a"
        image.refresh_from_db()
        assert image.rating == rating
    assert client.post(url, {"rating": "5"}).status_code == 422
    assert client.post(url, {"rating": "x"}).status_code == 422


def test_a_tile_gets_its_own_button_back(client: Client) -> None:
    image = make_row()
    headers = {"HX-Request": "true", "HX-Target": f"rate-{image.pk}"}
    answer = client.post(reverse("images:rate", args=[image.pk]), {"rating": "1"}, headers=headers)
    assert answer.content.decode().startswith("<button")
    assert 'aria-pressed="true"' in answer.content.decode()


def test_the_arrows_walk_through_the_search(client: Client) -> None:
    new = make_row("new", minutes=1, prompt="moon")
    middle = make_row("middle", minutes=2, prompt="sun")
    old = make_row("old", minutes=3, prompt="moon")
    assert walk(client, middle) == ["new", "old"]
    assert walk(client, new) == ["", "middle"]
    assert walk(client, old, q="moon") == ["new", ""]
    assert walk(client, middle, ordering="created_at") == ["old", "new"]
    assert walk(client, new, ordering="title") == ["middle", "old"]
    assert walk(client, new, ordering="-title") == ["old", "middle"]
    assert f'href="{old.get_absolute_url()}?q=moon"' in page_of(client, new, q="moon")


def test_the_arrows_meet_every_picture_once_even_where_times_and_titles_are_the_same(client: Client) -> None:
    moment = timezone.now()
    images = [make_image(stored=False, title="same", created_at=moment) for _number in range(5)]
    for ordering in ("", "created_at", "title", "-title"):
        query = {"ordering": ordering} if ordering else {}
        at = GeneratedImage.objects.order_by(
            *{"title": ["-id"], "created_at": ["id"], "-title": ["id"]}.get(ordering, ["-id"])
        )
        seen, image = [], at.first()
        while image:
            seen.append(image.pk)
            assert len(seen) <= len(images)
            image = client.get(image.get_absolute_url(), query).context["after"]
        assert seen == list(at.values_list("pk", flat=True))


def test_the_page_asks_the_same_number_of_questions_among_many(client: Client) -> None:
    def questions(image: GeneratedImage) -> int:
        with CaptureQueriesContext(connection) as asked:
            page_of(client, image)
        return len(asked)

    image = make_row("A", minutes=100)
    make_row("B", minutes=101)
    make_row("C", minutes=99)
    few = questions(image)
    for number in range(40):
        make_row(str(number), minutes=number)
    assert questions(image) == few


def test_a_picture_shows_its_set_and_its_family(client: Client) -> None:
    parent = make_row("parent")
    request = make_request(count=2, parent=parent)
    child = make_image(request, stored=False, parent=parent, title="child")
    sibling = make_image(request, stored=False, parent=parent, title="sibling")
    page = page_of(client, child)
    assert f'href="{parent.get_absolute_url()}"' in page
    assert f'href="{sibling.get_absolute_url()}"' in page
    assert f'href="{child.get_absolute_url()}"' in page_of(client, parent)
    services.delete_images([child])
    assert f'href="{child.get_absolute_url()}"' not in page_of(client, parent)


def test_a_deleted_picture_is_told_of_and_comes_back(client: Client) -> None:
    image = make_row("Fox")
    answer = client.post(reverse("images:delete", args=[image.pk]), follow=True)
    assert "1 picture moved to the trash." in answer.content.decode()
    assert answer.redirect_chain[-1][0] == "/images/"
    page = page_of(client, image)
    assert "it goes for good" in page
    assert "data-walk" not in page
    back = client.post(reverse("images:restore", args=[image.pk]), follow=True)
    assert "1 picture is back." in back.content.decode()
    assert "it goes for good" not in back.content.decode()


def test_the_original_is_sent_and_saved_under_its_title(client: Client) -> None:
    image = make_image(title='A/b "c"')
    answer = client.get(image.local_url)
    with default_storage.open(image.file_path) as original:
        assert b"".join(answer.streaming_content) == original.read()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "image/png"
    saved = client.get(image.local_url, {"download": "1"})
    assert saved["Content-Disposition"] == 'attachment; filename="A_b _c_.png"'


def test_thumbnails_are_kept_by_the_browser_and_by_nobody_else(client: Client) -> None:
    image = make_image()
    for side in (320, 640):
        answer = client.get(reverse("images:thumb", args=[image.pk, side]))
        assert answer["Content-Type"] == "image/webp"
        assert answer["ETag"] == f'"{image.sha256}-{side}"'
        assert set(answer["Cache-Control"].split(", ")) == {"private", "max-age=31536000", "immutable"}
    assert client.get(f"/images/{image.pk}/thumb-100.webp").status_code == 404


def test_what_was_written_is_shown_as_text(client: Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    request = make_request(prompt=evil, prompt_written=f"{evil}1", prompt_magic=f"{evil}2", title=evil)
    image = make_image(request, stored=False, tags=evil, revised_prompt=f"{evil}3")
    assert "<img src=x" not in page_of(client, image)
    assert "<img src=x" not in client.get(request.get_absolute_url()).content.decode()
