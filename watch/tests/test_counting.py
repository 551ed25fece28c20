"""Figures: counted in each process, added up in the database, by any number of processes at once."""

import pytest
from django.db import DatabaseError

from providers.calls import Call
from watch import counting
from watch.models import Tally

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    counting.counts.take()


def test_what_took_about_as_long_is_one_figure() -> None:
    for seconds in (0.3, 0.4, 7.0, 10_000.0):
        counting.count_call(Call("Mureka", "GET /v1/song/query/*", is_paid=False, seconds=seconds))
    counting.flush()
    counting.count_call(Call("Mureka", "GET /v1/song/query/*", is_paid=False, seconds=0.3))
    counting.flush()
    rows = Tally.objects.order_by("at_most").values_list("labels", "at_most", "count", "seconds")
    assert [(row[0].split("\t"), *row[1:3]) for row in rows] == [
        (["Mureka", "GET /v1/song/query/*", "ok"], 0.5, 3),
        (["Mureka", "GET /v1/song/query/*", "ok"], 10.0, 1),
        (["Mureka", "GET /v1/song/query/*", "ok"], counting.UNBOUNDED, 1),
    ]
    assert rows[0][3] == pytest.approx(1.0)


def test_a_database_that_is_away_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_args: object) -> None:
        raise DatabaseError

    counting.count("request", ("home", "GET", "200"), 0.03)
    with monkeypatch.context() as patch:
        patch.setattr(counting, "add_up", break_down)
        with pytest.raises(DatabaseError):
            counting.flush()
    counting.count("request", ("home", "GET", "200"), 0.03)
    counting.flush()
    assert Tally.objects.get().count == 2


def test_nothing_counted_writes_nothing(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        counting.flush()
