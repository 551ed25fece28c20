"""Texts that are handed over to a form: whole, to the same session only, for a day, and not without end."""

import time
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.test import RequestFactory

from library import prefill


def request_of(session: Any = None, key: str = "") -> HttpRequest:
    request = RequestFactory().get("/form/", {"prefill": key} if key else {})
    request.session = SessionStore() if session is None else session
    request._messages = SessionStorage(request)  # type: ignore[attr-defined]
    return request


def messages_of(request: HttpRequest) -> list[str]:
    return [str(message) for message in get_messages(request)]


def test_a_text_is_handed_over_whole_as_often_as_the_page_is_read() -> None:
    text = "[Verse]\r\n  Grüße, \u202eright to left \U0001f3b5\n" * 500
    first = request_of()
    key = prefill.keep(first, {"lyrics": text, "title": "T"})
    for _reading in range(2):
        second = request_of(first.session, key)
        assert prefill.read(second) == {"lyrics": text, "title": "T"}
        assert messages_of(second) == []


def test_another_session_gets_nothing_and_is_told_so() -> None:
    key = prefill.keep(request_of(), {"prompt": "secret"})
    stranger = request_of(key=key)
    assert prefill.read(stranger) == {}
    assert messages_of(stranger) == ["The text for this form is not kept any more. Send it again from where it stands."]


def test_without_a_key_nothing_is_filled_in_and_nothing_is_said() -> None:
    request = request_of()
    prefill.keep(request, {"prompt": "x"})
    again = request_of(request.session)
    assert prefill.read(again) == {}
    assert messages_of(again) == []


def test_keys_cannot_be_guessed() -> None:
    keys = {prefill.keep(request_of(), {"prompt": "x"}) for _number in range(20)}
    assert len(keys) == 20
    assert all(len(key) >= 22 for key in keys)


def test_the_oldest_gives_way_to_the_newest() -> None:
    first = request_of()
    keys = [prefill.keep(first, {"prompt": str(number)}) for number in range(prefill.AT_MOST + 1)]
    found = [prefill.read(request_of(first.session, key)) for key in keys]
    assert found == [{}, *({"prompt": str(number)} for number in range(1, prefill.AT_MOST + 1))]


def test_a_text_is_gone_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    first = request_of()
    key = prefill.keep(first, {"prompt": "x"})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + prefill.KEPT_FOR + 2)
    assert prefill.read(request_of(first.session, key)) == {}


@pytest.mark.parametrize("text", ["x" * (prefill.LIMIT + 1), "a\x00b", "half a character \ud800"])
def test_what_no_form_could_take_is_refused(text: str) -> None:
    request = request_of()
    with pytest.raises(ValidationError):
        prefill.keep(request, {"prompt": text})
    assert prefill.IN_SESSION not in request.session
