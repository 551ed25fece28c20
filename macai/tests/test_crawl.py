"""Every address, every method: nothing for a stranger, nothing of the console without staff, a 5xx for nobody."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from pytest_django import Settings

from accounts.models import FailedSignIn
from accounts.services import issue_token
from accounts.tests.factories import make_owner, make_user
from chat import answering
from chat.models import Conversation, Message
from chat.tests.desk import Desk
from images.tests.factories import make_image
from macai.tests.test_api import OPEN, OPEN_BELOW, addresses
from prompts import services
from prompts.models import PromptTemplate, SectionKind, SongStructure, StyleTerm
from prompts.writing import Ended, Pieces, Sink, Writing
from songs.models import SongFile
from songs.tests.factories import make_choice, make_finished_song, make_stems

pytestmark = pytest.mark.django_db
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
MARKER = "PRIVATE-marker-7431"  # stands in every row; a stranger's answer never holds it
SECRET = "owner-secret-9120"  # stands in what only the owner may see
# What `addresses` puts in place of a variable, or leaves of it.
SAMPLE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|<[^>]+>|(?<=/)(?:1|x)(?=/|$)")


def broken_off(pieces: Pieces, sink: Sink) -> Writing:
    """Stand where prompts.writing.write stands, whose threads cannot save into the transaction of a test."""
    writing = Writing(pieces, sink, wake=lambda: None)
    writing.tell_end(Ended("stopped"))
    return writing


@pytest.fixture(autouse=True)
def _nothing_outside(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMAGES_WAIT_SECONDS = 0
    settings.MUREKA_BASE_URL = settings.OPENAI_BASE_URL = settings.OLLAMA_BASE_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(answering, "write", Desk())
    monkeypatch.setattr(services, "write", broken_off)


@pytest.fixture
def rows() -> dict[str, str]:
    """One of everything, by the part of an address that it belongs to. The first that fits counts."""
    owner = make_owner(username="owner", email=f"{SECRET}@example.org")
    token, _text = issue_token(user=owner, name=SECRET)
    FailedSignIn.objects.create(username=SECRET, ip_address="192.0.2.7", user_agent="", failures_since_start=1)
    song = make_finished_song(title=MARKER, prompt=MARKER, lyrics=MARKER)
    choice = song.choices.first() or make_choice(song=song)
    make_stems(choice=choice)
    image = make_image(title=MARKER, prompt=MARKER)
    conversation = Conversation.objects.create(title=MARKER, user=owner)
    message = Message.objects.create(conversation=conversation, role="user", text=MARKER, position=1)
    return {
        "/choices/": str(choice.pk),
        "/song-choices/": str(choice.pk),
        "/songs/": str(song.pk),
        "/image-requests/": str(image.request_id),
        "/images/sets/": str(image.request_id),
        "/images/files/": image.filename,
        "/images/": str(image.pk),
        "/chat/messages/": str(message.pk),
        "/chat/presets/": "1",
        "/style-words/": str(StyleTerm.objects.values_list("pk", flat=True).first()),
        "/section-kinds/": str(SectionKind.objects.values_list("pk", flat=True).first()),
        "/song-structures/": str(SongStructure.objects.values_list("pk", flat=True).first()),
        "/chat/": str(conversation.pk),
        "/tokens/": str(token.token_key),
        "/prompt": str(PromptTemplate.objects.values_list("pk", flat=True).first()),
        "/songfile/": str(SongFile.objects.values_list("pk", flat=True).first()),
        "/user/": str(owner.pk),
        "/accesstoken/": str(token.pk),
    }


def crawled(rows: dict[str, str]) -> Iterator[str]:
    """Give every address of the site, with the ids of rows that exist."""
    for address in dict.fromkeys(addresses(get_resolver().url_patterns)):
        if not address.startswith(OPEN_BELOW):
            known = next((found for part, found in rows.items() if part in address), "")
            yield SAMPLE.sub(known, address) if known else address


def content(answer: Any) -> str:
    found: bytes = answer.getvalue() if answer.streaming else answer.content
    return found.decode("utf-8", "replace")


def broke(address: str, answer: Any) -> bool:
    """Whether the studio itself failed: health says 503 without a worker, and what asks Ollama that it is away."""
    has_words = answer.request["REQUEST_METHOD"] != "HEAD"
    is_away = "Ollama" in content(answer) or not has_words
    is_said = answer.status_code in {502, 503} and (address.startswith("/api/v1/health") or is_away)
    return answer.status_code >= 500 and not is_said


def test_a_stranger_gets_nothing_at_any_address_with_any_method(rows: dict[str, str]) -> None:
    client = Client(raise_request_exception=False)
    seen = set()
    for address in crawled(rows):
        if address in OPEN:
            continue
        seen.add(address)
        for method in METHODS:
            answer = getattr(client, method)(address)
            led = answer.headers.get("Location", "").startswith(("/sign-in/", "/admin/login/"))
            assert (answer.status_code == 302 and led) or answer.status_code == 401, (
                method,
                address,
                answer.status_code,
            )
            assert MARKER not in content(answer), (method, address)
            assert SECRET not in content(answer), (method, address)
    assert {f"/songs/{rows['/songs/']}/", f"/api/v1/images/{rows['/images/']}/file/", "/admin/songs/song/"} <= seen


def test_what_is_open_to_strangers_tells_them_nothing_and_breaks_at_nothing(rows: dict[str, str]) -> None:
    client = Client(raise_request_exception=False)
    for address in sorted(OPEN):
        for method in METHODS:
            answer = getattr(client, method)(address)
            assert not broke(address, answer), (method, address, answer.status_code)
            assert MARKER not in content(answer), (method, address)
            assert SECRET not in content(answer), (method, address)


def test_who_is_no_staff_gets_nothing_of_the_console_and_breaks_nothing(rows: dict[str, str]) -> None:
    client, user = Client(raise_request_exception=False), make_user(username="guest", email="guest@example.org")
    for address in crawled(rows):
        client.force_login(user)  # one of the addresses is the sign-out
        # The console asks who one is before anything else; the walk above takes all methods there.
        for method in ("get", "post") if address.startswith("/admin/") else METHODS:
            answer = getattr(client, method)(address)
            assert not broke(address, answer), (method, address, answer.status_code)
            assert SECRET not in content(answer), (method, address)
            if address.startswith("/admin/") and address not in OPEN:
                place = answer.headers.get("Location", "")
                is_refused = answer.status_code in {403, 404, 405} or place.startswith("/admin/login/")
                is_way_out = address in {"/admin/logout/", "/admin/login/"}
                assert is_refused or is_way_out, (method, address, answer.status_code)
