"""Alerts: one message when something turns red, one when it is green again, whoever and however many look."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from providers import webhook
from providers.tests.stub import Stub, answer, reset, stub_server
from watch import alerts, sending
from watch.alerts import Reading
from watch.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)
RED = Reading(is_red=True, code="no_answer", message="It does not answer.")
GREEN = Reading(is_red=False)
Sent = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _ways(settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL = "https://hook.example/secret-path"
    settings.ALERT_EMAIL = []
    settings.ALERT_AFTER_SECONDS = 30


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the webhook got."""
    got: Sent = []
    monkeypatch.setattr("providers.webhook.post", lambda _url, body: got.append(body))
    return got


def pass_by(seconds: float) -> None:
    """Let time go by for every alert."""
    for alert in Alert.objects.all():
        Alert.objects.filter(pk=alert.pk).update(
            since=alert.since - timedelta(seconds=seconds),
            next_try_at=alert.next_try_at - timedelta(seconds=seconds),
        )


def look(seconds: float = 0, **readings: Reading) -> None:
    """Look at a studio that is like this, after a while."""
    pass_by(seconds)
    alerts.observe(readings)
    alerts.announce()


def events(sent: Sent) -> list[str]:
    return [f"{body['event']} {' '.join(line['check'] for line in body['checks'])}" for body in sent]


def test_one_message_when_it_turns_red_and_one_when_it_is_green_again(sent: Sent) -> None:
    look(database=GREEN, worker=RED)
    look(10, database=GREEN, worker=RED)
    assert sent == []  # a restart does not cry wolf
    for _look in range(5):
        look(30, database=GREEN, worker=RED)
    assert events(sent) == ["red worker"]
    look(10, database=GREEN, worker=GREEN)
    assert events(sent) == ["red worker"]
    for _look in range(5):
        look(30, database=GREEN, worker=GREEN)
    assert events(sent) == ["red worker", "green worker"]


def test_what_is_red_for_a_moment_only_is_no_news(sent: Sent) -> None:
    look(worker=RED)
    look(20, worker=GREEN)
    look(60, worker=GREEN)
    look(20, worker=RED)
    look(20, worker=GREEN)
    assert sent == []


def test_what_is_green_for_a_moment_only_is_no_news_either(sent: Sent) -> None:
    look(worker=RED)
    look(31, worker=RED)
    look(10, worker=GREEN)
    look(5, worker=RED)
    look(60, worker=RED)
    assert events(sent) == ["red worker"]
    look(5, worker=GREEN)
    look(15, worker=GREEN)
    assert events(sent) == ["red worker", "green worker"]


def test_what_breaks_together_is_one_message(sent: Sent) -> None:
    look(cache=RED, broker=GREEN, worker=GREEN)
    look(10, cache=RED, broker=RED, worker=GREEN)
    look(21, cache=RED, broker=RED, worker=GREEN)
    assert events(sent) == ["red broker cache"]


def test_what_cannot_be_seen_stays_as_it_was(sent: Sent) -> None:
    look(worker=RED)
    look(31, worker=RED)
    look(60)
    look(60)
    assert events(sent) == ["red worker"]
    assert Alert.objects.get().is_red


def test_the_message_says_what_since_when_and_holds_no_address(sent: Sent, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://studio.example"
    look(worker=RED)
    look(300, worker=RED)
    look(0, worker=GREEN)
    look(15, worker=GREEN)
    red, green = sent
    assert red.keys() == {"id", "event", "sent_at", "text", "checks"}
    assert red["text"] == "Macai needs you: worker\n\nworker: It does not answer.\n\nhttps://studio.example"
    (line,) = red["checks"]
    assert (line["check"], line["code"], line["green_since"]) == ("worker", "no_answer", None)
    assert "well again after" in green["text"]
    assert green["checks"][0]["red_since"] == line["red_since"]
    assert red["id"] != green["id"]


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from providers.webhook import WebhookError  # noqa: PLC0415

    def refuse(_url: str, _body: object) -> None:
        raise WebhookError("The webhook cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr("providers.webhook.post", refuse)
        yield


def test_a_message_that_cannot_be_sent_is_tried_again_and_sent_once(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(worker=RED)
    with failing(monkeypatch):
        look(31, worker=RED)
        alert = Alert.objects.get()
        assert (alert.attempts, alert.error) == (1, "The webhook cannot be reached.")
        look(1, worker=RED)
        assert Alert.objects.get().attempts == 1  # not at every look
        look(60, worker=RED)
        assert Alert.objects.get().attempts == 2
    look(3600, worker=RED)
    look(3600, worker=RED)
    assert events(sent) == ["red worker"]
    alert = Alert.objects.get()
    assert (alert.attempts, alert.error) == (0, "")


def test_what_could_not_be_told_while_it_was_red_is_told_with_its_end(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(network=RED)
    with failing(monkeypatch):
        look(31, network=RED)
    look(60, network=GREEN)
    look(60, network=GREEN)
    assert events(sent) == ["green network"]
    assert "well again after" in sent[0]["text"]


def test_each_way_gets_each_message_once_though_the_other_fails(
    monkeypatch: pytest.MonkeyPatch, sent: Sent, settings: Settings
) -> None:
    settings.ALERT_EMAIL = ["me@home.example"]
    look(worker=RED)
    with failing(monkeypatch):
        look(31, worker=RED)
        look(60, worker=RED)
    assert [message.subject for message in mail.outbox] == ["Macai needs you: worker"]
    assert Alert.objects.get().sent_by == "email"
    look(60, worker=RED)
    assert (events(sent), len(mail.outbox)) == (["red worker"], 1)
    look(0, worker=GREEN)
    look(15, worker=GREEN)
    assert (events(sent), len(mail.outbox)) == (["red worker", "green worker"], 2)
    assert Alert.objects.get().sent_by == ""


def test_who_has_heard_that_it_is_green_hears_when_it_is_red_once_more(
    monkeypatch: pytest.MonkeyPatch, sent: Sent, settings: Settings
) -> None:
    settings.ALERT_EMAIL = ["me@home.example"]
    look(worker=RED)
    look(31, worker=RED)
    look(0, worker=GREEN)
    with failing(monkeypatch):
        look(15, worker=GREEN)  # the e-mail goes, the webhook does not
    look(1, worker=RED)
    look(31, worker=RED)
    assert [message.subject.partition(":")[0] for message in mail.outbox] == [
        "Macai needs you", "Macai is well again", "Macai needs you",
    ]  # fmt: skip


def test_without_a_way_nothing_is_sent_and_what_is_red_is_told_once_there_is_one(
    sent: Sent, settings: Settings
) -> None:
    way, settings.ALERT_WEBHOOK_URL = settings.ALERT_WEBHOOK_URL, ""
    look(worker=RED)
    look(600, worker=RED)
    assert Alert.objects.get().attempts == 0
    settings.ALERT_WEBHOOK_URL = way
    look(1, worker=RED)
    assert events(sent) == ["red worker"]


def test_one_who_dies_while_sending_leaves_it_to_another(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_way: str, _message: object) -> None:
        raise KeyboardInterrupt

    look(worker=RED)
    with monkeypatch.context() as patch:
        patch.setattr(alerts, "send_by", die)
        with pytest.raises(KeyboardInterrupt):
            look(31, worker=RED)
    look(1, worker=RED)
    assert sent == []  # the one who claimed it may still be at it
    look(60, worker=RED)
    assert events(sent) == ["red worker"]


# --- The ways -------------------------------------------------------------------------------------------------------


@pytest.fixture
def hook(settings: Settings) -> Iterator[Stub]:
    with stub_server() as server:
        settings.ALERT_WEBHOOK_URL = f"{server.url}/hook?token=secret"
        yield server


def test_the_webhook_gets_json_and_an_answer_of_2xx_is_enough(hook: Stub) -> None:
    hook.behaviour = answer(204, "")
    assert sending.send_test() == {"webhook": ""}
    head, body = hook.requests[0]
    assert head.startswith("POST /hook?token=secret HTTP/1.1")
    assert "application/json" in head
    assert b'"event": "test"' in body


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answer(500, "sorry"), "refused the message (HTTP 500)"),
        (answer(302, "", Location="https://elsewhere.example/"), "refused the message (HTTP 302)"),
        (reset, "cannot be reached"),
    ],
    ids=["500", "redirect", "reset"],
)
def test_a_webhook_that_does_not_take_it_is_a_sentence_without_its_address(
    behaviour: Any, words: str, hook: Stub
) -> None:
    hook.behaviour = behaviour
    problem = sending.send_test()["webhook"]
    assert words in problem
    assert "secret" not in problem
    assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "is_there"),
    [(answer(200, "{}"), True), (answer(503, "{}"), False), (reset, False)],
    ids=["200", "503", "reset"],
)
def test_the_public_address_answers_or_not(behaviour: Any, is_there: bool, settings: Settings) -> None:
    with stub_server() as server:
        settings.PUBLIC_URL = server.url
        server.behaviour = behaviour
        assert webhook.answers(f"{server.url}/api/v1/health/live/") is is_there


def test_a_mail_server_that_is_away_is_a_sentence(settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_EMAIL = "", ["me@home.example"]
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = 1
    assert sending.send_test() == {"email": "The e-mail was not taken (ConnectionRefusedError)."}


def test_the_command_says_which_way_works(sent: Sent, settings: Settings) -> None:
    out = StringIO()
    call_command("send_test_alert", stdout=out)
    assert (out.getvalue(), events(sent)) == ("webhook: sent\n", ["test "])
    settings.ALERT_WEBHOOK_URL = ""
    with pytest.raises(CommandError, match="Neither"):
        call_command("send_test_alert")


def test_the_admin_shows_alerts_and_sends_a_test(sent: Sent, client: Client) -> None:
    look(worker=RED)
    client.force_login(get_user_model().objects.create_superuser("ada"))
    page = client.get("/admin/watch/alert/").content.decode()
    assert "It does not answer." in page
    assert "hook.example" not in page
    answered = client.post("/admin/watch/alert/test/", follow=True)
    assert "The test message went by webhook." in answered.content.decode()
    assert events(sent) == ["test "]
    assert client.get("/admin/watch/alert/test/").status_code == 405


def test_nobody_without_the_right_sends_a_test(sent: Sent, client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("bob", is_staff=True))
    assert client.post("/admin/watch/alert/test/").status_code == 403
    assert sent == []


def test_a_message_that_was_told_without_rows_is_ended_by_rows(sent: Sent) -> None:
    since, told_by = timezone.now(), set[str]()
    for _look in range(3):
        alerts.tell_without_database("database", RED, since, told_by)
    assert (events(sent), told_by) == (["red database"], {"webhook"})
    alerts.remember_told("database", since)
    look(11, database=GREEN)
    look(60, database=GREEN)
    assert events(sent) == ["red database", "green database"]
