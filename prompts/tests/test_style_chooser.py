"""The style chooser as a piece of a page, and the words behind it in the console."""

import pytest
from django.test import Client

from accounts.tests.factories import make_user, signed_in
from prompts.models import SectionKind, SongStructure, StyleTerm

pytestmark = pytest.mark.django_db
URL = "/prompts/styles/"


def test_the_words_on_offer_are_shown_by_kind() -> None:
    StyleTerm.objects.create(kind="mood", word="<b>sunny</b>")
    StyleTerm.objects.filter(word="folk").update(is_active=False)
    page = signed_in().get(URL, {"field": 'id_"prompt'}).content.decode()
    assert page.index('aria-label="Genre"') < page.index('aria-label="Mood"') < page.index('aria-label="Voice"')
    assert 'data-word="&lt;b&gt;sunny&lt;/b&gt;"' in page
    assert 'data-word="folk"' not in page
    assert 'data-chooser="id_&quot;prompt"' in page
    assert "Edit the words" not in page  # for staff only


def test_without_words_it_says_so() -> None:
    StyleTerm.objects.all().delete()
    assert "No words are offered." in signed_in().get(URL).content.decode()


def test_strangers_are_sent_to_the_sign_in(client: Client) -> None:
    make_user()
    assert client.get(URL).status_code == 302


def test_the_number_of_queries_does_not_grow_with_the_words(django_assert_num_queries: object) -> None:
    client = signed_in()
    with django_assert_num_queries(3):  # type: ignore[operator]  # session, user, words
        client.get(URL)


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        ("styleterm", {"kind": "mood", "word": "warm, soft"}, "Commas separate the words of a style."),
        ("sectionkind", {"label": "[Verse 9]"}, "The brackets are added in the lyrics."),
        ("songstructure", {"name": "Mine", "sections": "Verse\nNowhere"}, "There is no kind of section “Nowhere”."),
    ],
)
def test_the_owner_adds_words_and_is_told_what_cannot_be(
    client: Client, name: str, wrong: dict[str, str], sentence: str
) -> None:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert client.get(f"/admin/prompts/{name}/").status_code == 200
    url = f"/admin/prompts/{name}/add/"
    page = client.post(url, wrong | {"position": "1", "is_active": "on"}).content.decode()
    assert sentence in page
    right = {"kind": "mood", "word": "sunny", "label": "Solo", "name": "Mine", "sections": "Verse\nChorus"}
    assert client.post(url, right | {"position": "1", "is_active": "on"}).status_code == 302
    rows = {"styleterm": StyleTerm, "sectionkind": SectionKind, "songstructure": SongStructure}
    assert rows[name]._default_manager.filter(position=1, is_active=True).exists()
