"""The page of settings and its API: what a person likes is kept and honoured, and the checklist says what to do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import make_user
from backups.models import Backup, State
from images.tests.factories import make_image
from macai import health, pulse
from providers.tests.stub import answer, stub_server
from songs.models import SongModel
from songs.tests.factories import make_finished_song

pytestmark = pytest.mark.django_db
URL = "/settings/"
API = "/api/v1/settings/"
NOTHING: dict[str, Any] = {
    "chat_model": "",
    "text_model": "",
    "song_model": "",
    "image_model": "",
    "items_per_page": "",
    "theme": "auto",
}


@pytest.fixture
def user(client: Client) -> User:
    user = make_user()
    client.force_login(user)
    return user


def song_model() -> str:
    return str(SongModel.objects.filter(is_active=True, is_default=False).values_list("name", flat=True)[0])


def page(client: Client, **query: str) -> str:
    return client.get(URL, query).content.decode()


def test_settings_are_kept(client: Client, user: User) -> None:
    sent = NOTHING | {
        "chat_model": "qwen3:8b",
        "song_model": song_model(),
        "items_per_page": "50",
        "theme": "dark",
    }
    assert client.post(URL, sent).status_code == 302
    user.refresh_from_db()
    assert (user.chat_model, user.song_model, user.items_per_page, user.theme) == (
        "qwen3:8b",
        song_model(),
        50,
        "dark",
    )
    shown = page(client)
    assert "Saved." in shown
    assert 'data-theme="dark"' in shown
    assert client.post(URL, NOTHING).status_code == 302
    user.refresh_from_db()
    assert (user.chat_model, user.items_per_page, user.theme) == ("", None, "auto")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"items_per_page": "9"}, "greater than or equal to 10"),
        ({"items_per_page": "201"}, "less than or equal to 200"),
        ({"items_per_page": "many"}, "whole number"),
        ({"theme": "pink"}, "not one of the available choices"),
        ({"song_model": "nothing"}, "not one of the available choices"),
        ({"chat_model": "x" * 256}, "at most 255 characters"),
        ({"chat_model": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_changed(
    client: Client, user: User, wrong: dict[str, str], words: str
) -> None:
    answered = client.post(URL, NOTHING | {"text_model": "llama3.2"} | wrong)
    assert answered.status_code == 422
    assert words in answered.content.decode()
    user.refresh_from_db()
    assert user.text_model == ""


def test_forms_begin_with_the_models_that_a_person_likes(client: Client, user: User) -> None:
    user.song_model = song_model()
    user.image_model = "gone"
    user.save()
    assert f'<option value="{song_model()}" selected>' in client.get(reverse("songs:create")).content.decode()
    assert client.get(reverse("images:create")).status_code == 200


def test_a_new_conversation_begins_with_the_model_that_a_person_likes(client: Client, user: User) -> None:
    user.chat_model = "qwen3:8b"
    user.save()
    assert "<option selected>qwen3:8b</option>" in client.get(reverse("chat:list")).content.decode()


def test_lists_are_as_long_as_a_person_likes(client: Client, user: User) -> None:
    for _number in range(12):
        make_finished_song()
        make_image()
    user.items_per_page = 10
    user.save()
    for name in ("songs:list", "images:list"):
        found = client.get(reverse(name)).context["page_obj"]
        assert (len(found.rows), found.has_next) == (10, True)


def test_the_api_reads_and_changes_settings(client: Client, user: User) -> None:
    assert client.get(API).json() == NOTHING | {"items_per_page": None}
    changed = client.patch(API, {"theme": "light", "items_per_page": 20}, content_type="application/json")
    assert changed.json() == NOTHING | {"items_per_page": 20, "theme": "light"}
    user.refresh_from_db()
    assert (user.theme, user.items_per_page) == ("light", 20)
    assert client.patch(API, {"items_per_page": None}, content_type="application/json").json()["items_per_page"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"theme": "pink"}, "theme"),
        ({"items_per_page": 1}, "items_per_page"),
        ({"song_model": "nothing"}, "song_model"),
        ({"image_model": "nothing"}, "image_model"),
        ({"chat_model": 5}, "chat_model"),
        ({"text_model": "\x00"}, "text_model"),
    ],
)
def test_the_api_refuses_a_wrong_setting_by_its_name(
    client: Client, user: User, wrong: dict[str, Any], field: str
) -> None:
    refused = client.patch(API, wrong, content_type="application/json")
    assert (refused.status_code, list(refused.json())) == (400, [field])


def test_everybody_has_settings_of_their_own(client: Client, user: User) -> None:
    other = make_user(username="ben")
    client.patch(API, {"theme": "dark"}, content_type="application/json")
    other.refresh_from_db()
    assert other.theme == "auto"
    client.logout()
    assert client.get(API).status_code == 401
    assert client.get(URL).status_code == 302


def test_the_page_never_waits_for_ollama(client: Client, user: User, settings: Settings) -> None:
    with stub_server() as stub:
        settings.OLLAMA_BASE_URL = stub.url
        shown = page(client)
        assert stub.connections == 0
    assert reverse("settings-ollama") in shown
    assert reverse("settings-models") in shown


def test_the_checklist_tells_what_to_do_about_each_red_mark(
    client: Client, user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "worker_is_alive", lambda: False)
    monkeypatch.setattr(pulse, "storage_is_writable", lambda: False)
    monkeypatch.setattr(health, "newest_backup_at", lambda: None)
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:1"
    shown = page(client, ask="ollama")
    assert shown.count('class="is-missing"') == 4
    for words in ("make run", "set DATA_DIR", "manage.py backup", "set OLLAMA_BASE_URL", "http://127.0.0.1:1"):
        assert words in shown


def test_a_fresh_backup_is_a_green_mark_and_an_old_one_is_not(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "newest_backup_at", lambda: timezone.now() - timedelta(hours=5))
    assert "It is 5 hours old. Kept in" in page(client)
    monkeypatch.setattr(health, "newest_backup_at", lambda: timezone.now() - timedelta(days=3))
    assert "It is 72 hours old. Make one with" in page(client)


def test_a_backup_that_is_damaged_is_no_green_mark(client: Client, user: User) -> None:
    Backup.objects.create(state=State.DONE, name="fresh")
    Backup.objects.create(state=State.FAILED, name="damaged", verify_failed_at=timezone.now())
    assert "is damaged. Make one with" in page(client)


def test_ollamas_line_tells_how_many_models_it_has(client: Client, user: User, settings: Settings) -> None:
    with stub_server() as stub:
        settings.OLLAMA_BASE_URL = stub.url
        stub.behaviour = answer(200, {"models": [{"name": "a"}, {"name": "b<script>"}]})
        line = client.get(reverse("settings-ollama")).content.decode()
        offered = client.get(reverse("settings-models")).content.decode()
    assert f"2 models at {stub.url} (real)." in line
    assert "Test again" in line
    assert offered.count("<option") == 2
    assert "<script>" not in offered


def test_ollamas_line_names_the_address_tried(client: Client, user: User, settings: Settings) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:1"
    line = client.get(reverse("settings-ollama")).content.decode()
    assert "Ollama does not answer at http://127.0.0.1:1." in line
    assert 'class="is-missing"' in line
    assert "<option" not in client.get(reverse("settings-models")).content.decode()
