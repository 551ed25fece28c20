"""Lyrics timed word by word, in Mureka's shape."""

import itertools

import pytest

from mockapi.lyrics import continue_lyrics, timed_sections, write_lyrics
from mockapi.tests.driving import LYRICS


def types_of(lyrics: str) -> list[str]:
    return [section["section_type"] for section in timed_sections(lyrics, 30_000)]


def test_sections_follow_the_tags_with_an_intro_and_an_outro_without_lines() -> None:
    sections = timed_sections(LYRICS, 30_000)
    assert [section["section_type"] for section in sections] == ["intro", "verse", "chorus", "outro"]
    assert "lines" not in sections[0]
    assert [line["text"] for line in sections[1]["lines"]] == ["Walking down the empty road", "Home is far away"]
    assert [line["text"] for line in sections[2]["lines"]] == ["Sing with me"]


def test_words_keep_their_trailing_space_and_make_up_the_line() -> None:
    line = timed_sections(LYRICS, 30_000)[1]["lines"][0]
    assert [word["text"] for word in line["words"]] == ["Walking ", "down ", "the ", "empty ", "road"]


@pytest.mark.parametrize("duration", [1000, 31_337])
@pytest.mark.parametrize("lyrics", [LYRICS, "la", "0003", "[Intro]\n[Verse]\nla la", "a\n\nb\nc", "[Solo]"])
def test_times_never_run_backwards_and_fill_the_piece(lyrics: str, duration: int) -> None:
    sections = timed_sections(lyrics, duration)
    assert (sections[0]["start"], sections[-1]["end"]) == (0, duration)
    for one, following in itertools.pairwise(sections):
        assert one["end"] == following["start"]
    spans = [
        (span["start"], span["end"])
        for section in sections
        for line in section.get("lines", [])
        for span in line["words"]
    ]
    assert all(start <= end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


@pytest.mark.parametrize(
    ("tag", "section_type"),
    [
        ("Verse 2", "verse"),
        ("Pre-Chorus", "pre-chorus"),
        ("CHORUS", "chorus"),
        ("Bridge", "bridge"),
        ("Hook", "chorus"),
    ],
)
def test_tags_become_the_provider_s_section_types(tag: str, section_type: str) -> None:
    assert types_of(f"[{tag}]\nla") == ["intro", section_type, "outro"]


def test_the_lyrics_own_intro_and_outro_are_not_doubled() -> None:
    assert types_of("[Intro]\n[Verse]\nla\n[Outro]\nbye") == ["intro", "verse", "outro"]


def test_without_tags_empty_lines_part_the_verses() -> None:
    assert types_of("one\ntwo\n\n\nthree") == ["intro", "verse", "verse", "outro"]


def test_the_scenario_number_is_not_sung() -> None:
    assert types_of("0001\n[Verse]\nla") == ["intro", "verse", "outro"]


def test_the_same_request_gets_the_same_words_and_another_gets_others() -> None:
    assert write_lyrics("rain") == write_lyrics("rain")
    assert write_lyrics("rain") != write_lyrics("snow")
    assert continue_lyrics("[Verse]\nla la").endswith("[Outro]\nla la")
