"""The words beside the fields: a new studio has plenty, and the owner cannot make ones that break a style or lyrics."""

import pytest
from django.core.exceptions import ValidationError

from prompts.models import SectionKind, SongStructure, StyleTerm
from prompts.vocabulary import SECTIONS_LIMIT, StyleKind

pytestmark = pytest.mark.django_db


def test_a_new_studio_offers_words_of_every_kind() -> None:
    grouped = StyleTerm.objects.by_kind()
    assert [kind for kind, _terms in grouped] == list(StyleKind)
    assert all(len(terms) >= 20 for _kind, terms in grouped)
    for _kind, terms in grouped:
        for term in terms:
            term.full_clean()


def test_a_word_that_is_switched_off_is_not_offered() -> None:
    StyleTerm.objects.filter(kind=StyleKind.TEMPO).update(is_active=False)
    StyleTerm.objects.filter(word="folk").update(is_active=False)
    grouped = dict(StyleTerm.objects.by_kind())
    assert StyleKind.TEMPO not in grouped
    assert "folk" not in [term.word for term in grouped[StyleKind.GENRE]]


def test_every_structure_of_a_new_studio_is_made_of_known_sections() -> None:
    structures = list(SongStructure.objects.offered())
    assert {"Classic pop", "Ballad", "Rap", "Folk"} <= {structure.name for structure in structures}
    for structure in structures:
        structure.full_clean()
    assert structures[0].labels[:4] == ["Intro", "Verse", "Pre-chorus", "Chorus"]


@pytest.mark.parametrize("word", ["warm, soft", ",", "x" * 61])
def test_a_word_that_would_break_a_style_is_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        StyleTerm(kind=StyleKind.MOOD, word=word).full_clean()


def test_spaces_around_a_word_are_no_part_of_it() -> None:
    term = StyleTerm(kind=StyleKind.MOOD, word="  very \n warm ")
    term.full_clean()
    assert term.word == "very warm"


def test_brackets_in_a_section_are_refused() -> None:
    with pytest.raises(ValidationError):
        SectionKind(label="[Verse]").full_clean()


@pytest.mark.parametrize("sections", ["Verse\nSolo of the owner", "Verse\n" * (SECTIONS_LIMIT + 1), ""])
def test_a_structure_of_unknown_too_many_or_no_sections_is_refused(sections: str) -> None:
    with pytest.raises(ValidationError):
        SongStructure(name="Mine", sections=sections).full_clean()
