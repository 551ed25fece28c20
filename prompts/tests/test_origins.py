"""Where a text comes from: told truthfully, however often magic was used and whatever was written afterwards."""

from typing import Any

import pytest

from prompts.models import MagicRun, RunState
from prompts.origins import is_made_of, origin_of, run_named

pytestmark = pytest.mark.django_db
WRITTEN = "a lighthouse in the fog"
MAGIC = "A lonely lighthouse stands in thick fog, warm light in its windows, oil painting"


def make_run(**overrides: Any) -> MagicRun:
    fields = {"category": "images", "action": "enhance", "version": "1", "state": RunState.DONE}
    return MagicRun.objects.create(**fields | {"input_text": WRITTEN, "output_text": MAGIC} | overrides)


def test_a_text_that_magic_made_remembers_both_texts() -> None:
    run = make_run()
    origin = origin_of(MAGIC, run)
    assert (origin.written, origin.magic, origin.run) == (WRITTEN, MAGIC, run)


@pytest.mark.parametrize(
    "text",
    [
        f"{MAGIC}, at night, seen from the sea",
        MAGIC.removesuffix(", oil painting"),
        f"{WRITTEN}\n\n{MAGIC}",
        MAGIC.upper(),
    ],
)
def test_what_was_written_on_still_comes_from_magic(text: str) -> None:
    assert origin_of(text, make_run()).magic == MAGIC


def test_a_field_that_was_cleared_and_written_anew_owes_magic_nothing() -> None:
    assert origin_of("Three cats asleep on a red sofa, seen from above", make_run()).run is None


def test_without_magic_there_is_no_origin() -> None:
    assert origin_of(MAGIC, None).run is None


def test_a_run_that_wrote_nothing_made_nothing() -> None:
    assert origin_of(MAGIC, make_run(output_text="", state=RunState.FAILED)).run is None


def test_magic_made_of_magic_leads_back_to_what_a_person_wrote() -> None:
    first = make_run()
    again = make_run(output_text="Another lighthouse altogether, in charcoal", previous=first)
    last = make_run(input_text=f"{again.output_text}, at dawn", output_text="Ein ganz anderer Turm", previous=again)
    assert origin_of("Ein ganz anderer Turm", last).written == WRITTEN


def test_an_earlier_run_of_another_text_is_no_beginning() -> None:
    other = make_run(input_text="cats", output_text="Three cats asleep on a red sofa")
    run = make_run(previous=other)
    assert origin_of(MAGIC, run).written == WRITTEN


def test_a_circle_of_runs_ends() -> None:
    run = make_run()
    MagicRun.objects.filter(pk=run.pk).update(previous=run)
    run.refresh_from_db()
    assert origin_of(MAGIC, run).written == WRITTEN


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("Rain", "Rain on the roof", True),
        ("Rain", "Snow", False),
        ("", "Rain", False),
        ("   ", "Rain", False),
        ("灯台は霧の中に立っている、油絵、暖かい光", "灯台は霧の中に立っている、水彩画", True),
        ("灯台は霧の中に立っている、油絵", "赤いソファの上で眠る三匹の猫", False),
        ("x" * 200_000, "x" * 100_000, True),
    ],
)
def test_likeness_is_told_in_any_script_and_length(one: str, two: str, expected: bool) -> None:
    assert is_made_of(one, two) is expected
    assert is_made_of(two, one) is expected


@pytest.mark.parametrize("name", ["", "nonsense", "a\x00b", "\ud800", "5e1e2a6c-0d1f-4c2b-9b0e-3a7f6d1c8b42"])
def test_a_name_of_no_run_finds_none(name: str) -> None:
    assert run_named(name) is None


def test_a_run_is_found_by_its_name() -> None:
    run = make_run()
    assert run_named(str(run.pk)) == run
