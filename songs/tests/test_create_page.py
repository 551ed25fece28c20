"""The page on which songs are asked for: prices, copies, double submits, and what is wrong with a form."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.tests.factories import signed_in
from jobs.models import Status
from library import prefill
from songs.models import LYRICS_LIMIT, PROMPT_LIMIT, Song, SongModel
from songs.tests.factories import make_instrumental, make_song

pytestmark = pytest.mark.django_db
URL = "/songs/new/"
CARD_URL = "/songs/new/card/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def asked(**overrides: Any) -> dict[str, Any]:
    fields = {"lyrics": "[Verse]\nRain", "prompt": "folk", "variants": "2", "model": "auto", "key": str(uuid.uuid4())}
    return fields | overrides


def test_the_page_has_a_form_with_the_price_of_the_defaults(client: Client) -> None:
    page = client.get(URL).content.decode()
    assert "Create 2 songs, about $0.30" in page
    assert page.count("<h1") == 1
    assert "audio-separation" not in page


def test_the_button_says_the_price_of_the_options_that_were_sent(client: Client) -> None:
    page = client.post(URL, asked(lyrics="", model="mureka-8", variants="3")).content.decode()
    assert "Create 3 songs, about $0.135" in page


def test_the_instrumental_form_works_without_script_under_its_own_address(client: Client) -> None:
    page = client.get(URL, {"kind": "instrumental"}).content.decode()
    assert "Create 2 instrumentals, about $0.30" in page
    assert 'name="lyrics"' not in page
    assert "mureka-o2" not in page  # it makes no instrumentals
    answer = client.post(f"{URL}?kind=instrumental", asked(title="Snow"))
    song = Song.objects.get()
    assert song.is_instrumental
    assert answer.url == song.get_absolute_url()  # type: ignore[attr-defined]


def test_a_form_sent_without_script_leads_to_the_songs_page(client: Client) -> None:
    answer = client.post(URL, asked(title="Rain", tags="a, b", gender="female", variants="3", lyrics="one\r\ntwo"))
    song = Song.objects.get()
    assert answer.status_code == 302
    assert answer.url == reverse("songs:detail", args=[song.pk])  # type: ignore[attr-defined]
    assert (song.title, song.tags, song.gender, song.variants) == ("Rain", "a, b", "female", 3)
    assert song.lyrics == "one\ntwo"
    assert song.status == Status.PENDING
    assert song.requested_by is not None


def test_a_form_sent_twice_makes_one_song(client: Client) -> None:
    wish = asked()
    first, second = client.post(URL, wish), client.post(URL, wish)
    assert Song.objects.count() == 1
    assert first.url == second.url  # type: ignore[attr-defined]


def test_the_card_of_a_new_song_brings_a_fresh_key_and_forgets_the_draft(client: Client) -> None:
    wish = asked(title="Rain")
    answer = client.post(CARD_URL, wish)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'id="job-{wish["key"]}"' in page
    assert "next in line" in page
    key = re.search(r'name="key" value="([0-9a-f-]+)" id="id_key" hx-swap-oob="true"', page)
    assert key is not None
    assert key[1] != wish["key"]
    assert "draft-done" in answer["HX-Trigger"]
    client.post(CARD_URL, wish)
    assert Song.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lyrics": " "}, "Write the lyrics, or make an instrumental."),
        ({"lyrics": "x" * (LYRICS_LIMIT + 1)}, "At most 5000 characters; this has 5001."),
        ({"prompt": ""}, "Describe the style."),
        ({"prompt": "x" * (PROMPT_LIMIT + 1)}, "At most 1024 characters; this has 1025."),
        ({"title": "x" * 501}, "At most 500 characters; this has 501."),
        ({"tags": "x" * 1001}, "At most 1000 characters; this has 1001."),
        ({"model": "chirp"}, "chirp is not one of the available choices"),
        ({"variants": "4"}, "4 is not one of the available choices"),
        ({"lyrics": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_what_is_wrong_stands_below_its_field(client: Client, change: dict[str, str], sentence: str) -> None:
    for url in (URL, CARD_URL):
        answer = client.post(url, asked(**change))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert 'aria-invalid="true"' in answer.content.decode()
    assert not Song.objects.exists()


def test_a_wrong_form_replaces_the_form_and_not_the_list(client: Client) -> None:
    answer = client.post(CARD_URL, asked(prompt=""))
    assert answer["HX-Retarget"] == "#song-form"
    assert answer.content.decode().count("<form") == 1


def test_a_missing_or_broken_key_is_refused(client: Client) -> None:
    assert client.post(URL, asked(key="")).status_code == 422
    assert client.post(URL, asked(key="7")).status_code == 422


def test_lyrics_of_exactly_the_limit_are_accepted_with_the_browsers_line_ends(client: Client) -> None:
    lyrics = "x\r\n" * (LYRICS_LIMIT // 2)
    assert client.post(URL, asked(lyrics=lyrics)).status_code == 302


def test_a_song_can_be_used_again(client: Client) -> None:
    song = make_song(title="Rain", lyrics="Old words", prompt="old style", model="mureka-8", variants=3, tags="wet")
    page = client.get(URL, {"from": str(song.pk)}).content.decode()
    for text in ("Old words", "old style", "wet", 'value="mureka-8" selected', "Create 3 songs, about $0.135"):
        assert text in page
    assert "data-draft" not in page  # a draft must not overwrite the copy


def test_a_copy_of_an_instrumental_is_one_and_of_a_model_no_longer_offered_takes_the_default(client: Client) -> None:
    song = make_instrumental(model="gone")
    page = client.get(URL, {"from": str(song.pk)}).content.decode()
    assert "Create 2 instrumentals, about $0.30" in page


@pytest.mark.parametrize("wanted", ["nonsense", "11111111-2222-4333-8444-555555555555"])
def test_a_copy_of_nothing_is_not_found(client: Client, wanted: str) -> None:
    assert client.get(URL, {"from": wanted}).status_code == 404


def test_examples_fill_the_form(client: Client) -> None:
    page = client.get(URL, {"lyrics": "La <la>", "prompt": "jazz", "title": "T"}).content.decode()
    assert "La &lt;la&gt;" in page
    assert 'value="T"' in page


def test_a_studio_without_any_model_says_so_and_does_not_break(client: Client) -> None:
    SongModel.objects.all().delete()
    assert client.get(URL).status_code == 200
    assert client.post(URL, asked()).status_code == 422


def test_a_page_from_the_history_is_not_shown_again_with_its_used_key(client: Client) -> None:
    assert "no-store" in client.get(URL)["Cache-Control"]


def test_the_mocks_scenarios_are_told_only_where_mureka_is_imitated(client: Client, settings: Any) -> None:
    assert "0009" in client.get(URL).content.decode()
    settings.MUREKA_API_KEY, settings.MUREKA_BASE_URL = "key", "https://api.mureka.ai"
    assert "0009" not in client.get(URL).content.decode()


def test_a_text_too_long_for_an_address_fills_the_form_from_the_session(client: Client) -> None:
    lyrics = "Rain <on> the roof\n" * 240
    request = RequestFactory().get("/")
    request.session = client.session
    key = prefill.keep(request, {"lyrics": lyrics, "key": "not a field to be filled"})
    request.session.save()
    page = client.get(URL, {"prefill": key, "title": "Long"}).content.decode()
    assert "Rain &lt;on&gt; the roof\n" * 240 in page
    assert 'value="Long"' in page
    assert "not a field to be filled" not in page
    assert "data-draft" not in page  # a draft must not overwrite it
    assert "is not kept any more" in client.get(URL, {"prefill": "guessed"}).content.decode()
