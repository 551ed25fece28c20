"""The chat in the admin: presets are edited, conversations only read and found."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_owner
from chat import services
from chat.models import SystemPreset
from chat.tests.desk import Desk, end_of, talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_owner())
    return client


def test_a_preset_is_edited(owner: Client) -> None:
    preset = SystemPreset.objects.get(name="Songwriter")
    data = {"name": "Poet", "description": "", "text": "You are a poet.", "temperature": "0.5", "position": "1"}

    answer = owner.post(f"/admin/chat/systempreset/{preset.pk}/change/", data)

    assert answer.status_code == 302
    preset.refresh_from_db()
    assert (preset.name, preset.temperature, preset.is_active) == ("Poet", 0.5, False)


def test_a_temperature_out_of_bounds_is_refused(owner: Client) -> None:
    preset = SystemPreset.objects.get(name="Songwriter")
    data = {"name": "Poet", "text": "You are a poet.", "temperature": "3", "position": "1"}

    answer = owner.post(f"/admin/chat/systempreset/{preset.pk}/change/", data)

    assert answer.status_code == 200
    preset.refresh_from_db()
    assert preset.name == "Songwriter"


def test_conversations_are_found_by_title_and_by_what_was_said(owner: Client, desk: Desk) -> None:
    talk(desk, "A lighthouse"), talk(desk, "Something else", "about an arboretum")

    found = owner.get("/admin/chat/conversation/?q=arbore").content.decode()

    assert "Something else" in found
    assert "A lighthouse" not in found


def test_conversations_and_messages_are_read_and_not_changed(owner: Client, desk: Desk) -> None:
    conversation = talk(desk, "A lighthouse")
    answer = end_of(conversation)

    for kind, row in (("conversation", conversation), ("message", answer)):
        page = owner.get(f"/admin/chat/{kind}/{row.pk}/change/")
        assert page.status_code == 200
        assert b'name="_save"' not in page.content
        assert owner.post(f"/admin/chat/{kind}/{row.pk}/change/", {"title": "x"}).status_code == 403
        assert owner.post(f"/admin/chat/{kind}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert owner.get(f"/admin/chat/{kind}/add/").status_code == 403
    messages = owner.get(f"/admin/chat/message/?conversation__id__exact={conversation.pk}").content.decode()
    assert "Good morning." in messages


def test_the_lists_ask_a_constant_number_of_queries(owner: Client, desk: Desk) -> None:
    conversation = talk(desk, "A lighthouse")
    for address in ("/admin/chat/conversation/", "/admin/chat/message/"):
        owner.get(address)
        with CaptureQueriesContext(connection) as few:
            owner.get(address)
        for number in range(3):
            services.send(conversation, text=f"More {number}")
            talk(desk, f"Another {number}")
        with CaptureQueriesContext(connection) as many:
            owner.get(address)
        assert len(many) == len(few), address
