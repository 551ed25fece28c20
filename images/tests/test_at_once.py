"""The same picture asked for by two tabs in the same moment: one is asked whether it is really wanted twice."""

import threading
import uuid
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.tests.factories import make_user
from images import services
from images.models import ImageModel, ImageRequest

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'", reason="threads of one process share SQLite's test database"
    ),
]
PATIENCE = 20  # seconds


@pytest.fixture(autouse=True)
def model() -> ImageModel:
    """A model of our own: a test of this kind may find the tables empty."""
    fields: dict[str, Any] = {"sizes": ["1024x1024"], "qualities": ["medium"], "is_default": True}
    ImageModel.objects.all().delete()
    return ImageModel.objects.create(name="one", **fields)


def test_of_two_tabs_that_ask_for_the_same_at_once_one_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    both_have_looked = threading.Barrier(2)
    find_same = services.find_same

    def look(wish: services.Wish) -> services.Same | None:
        found = find_same(wish)
        with suppress(threading.BrokenBarrierError):
            both_have_looked.wait(1)  # which they never have, if one comes after the other
        return found

    monkeypatch.setattr(services, "find_same", look)
    codes: list[int] = []

    def ask() -> None:
        try:
            client = Client()
            client.force_login(user)
            wish = {"prompt": "A lake", "model": "one", "size": "1024x1024", "quality": "medium", "count": "1"}
            sent = wish | {"moderation": "auto", "key": str(uuid.uuid4())}
            codes.append(client.post("/images/new/", sent).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(codes) == [302, 422]
    assert ImageRequest.objects.count() == 1
