"""The index behind the search: PostgreSQL finds part of a word by it, and every searched column is in it."""

import pytest
from django.db import connection

from images.filters import ImageFilter
from images.models import GeneratedImage
from library.filters import LibraryFilter
from songs.filters import SongFilter
from songs.models import Song

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="an index of PostgreSQL"),
]


@pytest.mark.parametrize(("model", "filters"), [(Song, SongFilter), (GeneratedImage, ImageFilter)])
def test_part_of_a_word_is_found_by_the_index(model: type[Song], filters: type[LibraryFilter]) -> None:
    rows = filters().search(model._default_manager.order_by(), "q", "arbou")
    with connection.cursor() as cursor:
        # An empty table is quicker read than looked up, so reading it is made dear.
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.explain()

    assert plan.count(f"Bitmap Index Scan on {model._meta.db_table}_words") == len(filters.searched), plan
