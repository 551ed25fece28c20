"""The words beside the fields as an API: everybody reads them, owners add, change, order and take away."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.tests.clients import make_api_client
from accounts.tests.factories import make_owner
from prompts.models import SectionKind, SongStructure, StyleTerm
from prompts.vocabulary import SECTIONS_LIMIT, StyleKind

pytestmark = pytest.mark.django_db

WORDS, KINDS, STRUCTURES = "/api/v1/style-words/", "/api/v1/section-kinds/", "/api/v1/song-structures/"
EACH = [
    (WORDS, {"kind": "mood", "word": "sun-drenched"}, {"word": "moonlit", "is_active": False}),
    (KINDS, {"label": "Rap verse", "hint": "Spoken"}, {"hint": "Spoken in rhythm", "position": 7}),
    (STRUCTURES, {"name": "Very short", "sections": ["Verse", "Chorus"]}, {"sections": ["Intro", "Verse", "Chorus"]}),
]


@pytest.fixture
def owner() -> APIClient:
    return make_api_client(make_owner())


def found(api: APIClient, address: str, **query: str) -> list[Any]:
    rows: list[Any] = api.get(address, query).json()["results"]
    return rows


@pytest.mark.parametrize(("address", "made", "changed"), EACH)
def test_an_owner_adds_changes_and_deletes(
    owner: APIClient, address: str, made: dict[str, Any], changed: dict[str, Any]
) -> None:
    answer = owner.post(address, made)
    assert answer.status_code == 201
    row = answer.json()
    assert row == {**row, **made, "is_active": True, "position": 0}
    one = f"{address}{row['id']}/"
    assert owner.patch(one, changed).json() == {**row, **changed}
    assert owner.get(one).json() == {**row, **changed}
    assert owner.put(one, made).status_code == 405
    assert owner.delete(one).status_code == 204
    assert owner.get(one).status_code == 404


@pytest.mark.parametrize(("address", "made", "changed"), EACH)
def test_who_may_not_use_the_admin_only_reads(address: str, made: dict[str, Any], changed: dict[str, Any]) -> None:
    member = make_api_client()
    row = found(member, address)[0]
    one = f"{address}{row['id']}/"
    assert member.get(one).json() == row
    for answer in (member.post(address, made), member.patch(one, changed), member.delete(one)):
        assert answer.status_code == 403
    assert APIClient().get(address).status_code == 401


@pytest.mark.parametrize(
    ("address", "sent", "field", "sentence"),
    [
        (WORDS, {"kind": "mood", "word": "warm, soft"}, "word", "Commas separate the words of a style."),
        (WORDS, {"kind": "mood", "word": " "}, "word", "may not be blank"),
        (WORDS, {"kind": "mood", "word": ""}, "word", "may not be blank"),
        (WORDS, {"kind": "mood", "word": 7}, "word", "Not a valid string"),
        (WORDS, {"kind": "mood", "word": "x" * 61}, "word", "no more than 60 characters"),
        (WORDS, {"kind": "colour", "word": "red"}, "kind", "not a valid choice"),
        (WORDS, {"kind": "genre", "word": "folk"}, "non_field_errors", "already exists"),
        (KINDS, {"label": "[Verse]"}, "label", "The brackets are added in the lyrics."),
        (KINDS, {"label": "Verse"}, "label", "already exists"),
        (KINDS, {"label": "Rap", "position": -1}, "position", "greater than or equal to 0"),
        (STRUCTURES, {"name": "Mine", "sections": []}, "sections", "may not be empty"),
        (STRUCTURES, {"name": "Mine", "sections": "Verse"}, "sections", "Expected a list"),
        (STRUCTURES, {"name": "Mine", "sections": ["Verse", "Solo"]}, "sections", "no kind of section “Solo”"),
        (STRUCTURES, {"name": "Mine", "sections": ["Verse"] * (SECTIONS_LIMIT + 1)}, "sections", "no more than 40"),
        (STRUCTURES, {"name": "Folk", "sections": ["Verse"]}, "name", "already exists"),
    ],
)
def test_what_would_break_a_style_or_lyrics_is_refused_in_words(
    owner: APIClient, address: str, sent: dict[str, Any], field: str, sentence: str
) -> None:
    answer = owner.post(address, sent)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert sentence in str(answer.json()[field])


def test_a_structure_takes_as_many_sections_as_a_song_has(owner: APIClient) -> None:
    sections = ["Pre-chorus"] * SECTIONS_LIMIT
    made = owner.post(STRUCTURES, {"name": "Long", "sections": sections})
    assert (made.status_code, made.json()["sections"]) == (201, sections)


def test_a_change_is_checked_with_all_that_the_row_says_already(owner: APIClient) -> None:
    waltz = StyleTerm.objects.create(kind=StyleKind.TEMPO, word="very folk")
    one = f"{WORDS}{waltz.pk}/"
    assert owner.patch(one, {"word": "  very \n\n folk "}).json()["word"] == "very folk"  # itself is in nobody's way
    StyleTerm.objects.create(kind=StyleKind.MOOD, word="very folk")
    assert owner.patch(one, {"kind": "mood"}).status_code == 400
    assert owner.patch(one, {}).json()["kind"] == "tempo"


def test_words_are_found_by_kind_by_letters_and_by_whether_they_are_offered(owner: APIClient) -> None:
    StyleTerm.objects.filter(word="folk").update(is_active=False)
    for number in range(100):  # more than one page
        StyleTerm.objects.create(kind=StyleKind.VOICE, word=f"take {number:03}", position=number)
    takes = found(owner, WORDS, kind="voice", q="take", page_size="100")
    assert [row["word"] for row in takes] == [f"take {number:03}" for number in range(100)]
    assert found(owner, WORDS, kind="genre", is_active="false")[0]["word"] == "folk"
    assert "folk" not in [row["word"] for row in found(owner, WORDS, is_active="true", kind="genre", page_size="100")]
    assert owner.get(WORDS).json()["next"]
    assert len(found(owner, WORDS, page_size="7")) == 7
    for query in ({"kind": "colour"}, {"ordering": "price"}, {"page": "0"}, {"is_active": "maybe"}):
        answer = owner.get(WORDS, query)
        assert (answer.status_code, list(answer.json())) == (400, list(query))


def test_rows_come_in_the_order_of_the_fields_or_by_name(owner: APIClient) -> None:
    assert [row["label"] for row in found(owner, KINDS)] == [row.label for row in SectionKind.objects.all()]
    names = [row["name"] for row in found(owner, STRUCTURES, ordering="name")]
    assert names == list(SongStructure.objects.order_by("name").values_list("name", flat=True))
    words = [row["word"] for row in found(owner, WORDS, ordering="name")]
    assert words == list(StyleTerm.objects.order_by("word", "kind").values_list("word", flat=True)[:25])
    assert found(owner, STRUCTURES, q="refrain")[0]["name"] == "Folk"


@pytest.mark.parametrize("address", [WORDS, KINDS, STRUCTURES])
def test_a_list_asks_as_many_questions_for_one_row_as_for_many(owner: APIClient, address: str) -> None:
    owner.get(address)  # the token notes its first use
    counts = []
    for size in ("1", "20"):
        with CaptureQueriesContext(connection) as questions:
            owner.get(address, {"page_size": size})
        counts.append(len(questions))
    assert counts[0] == counts[1]
