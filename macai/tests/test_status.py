"""The status page for people and /metrics for Prometheus: the same figures, each for those whom they concern."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.tests.factories import make_owner, make_user, signed_in
from jobs import leases
from jobs.models import Charge, Phase
from macai import health, provider_health, status
from macai.findings import NONE_YET, NOT_VERIFIED, Finding, failing, unknown, warning, well
from providers.calls import Call
from songs.tests.factories import make_song
from watch import alerts, counting
from watch.alerts import Reading

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-some-length"
WELL: dict[str, Finding] = {name: well("Well.") for name in health.CHECKS}


@pytest.fixture(autouse=True)
def studio(monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    """What a look finds; without threads, which do not see what a test has not committed."""
    found = dict(WELL) | {"disk": well("There is room.", 2048, "MB"), "queue": well("A line.", 90, "s")}
    monkeypatch.setattr(health.memory, "look", lambda: dict(found))
    monkeypatch.setattr(provider_health, "last_known", lambda: {"mureka": well("Mureka answers.", 12, "ms")})
    return found


# --- The page -------------------------------------------------------------------------------------------------------


def test_the_page_shows_every_check_with_its_figure(studio: dict[str, Finding]) -> None:
    page = signed_in().get("/status/").content.decode()
    for name in status.NAMES.values():
        assert f"<strong>{name}</strong>" in page
    assert "All is well." in page
    assert "2,048 MB" in page
    assert "Mureka answers." in page
    assert 'class="advice"' not in page
    assert "Nobody is told" in page


def test_a_red_mark_says_what_to_do(studio: dict[str, Finding]) -> None:
    studio["worker"] = failing("no_heartbeat", "No worker is up, so jobs wait.", 75, "s")
    page = signed_in().get("/status/").content.decode()
    assert "Something does not work." in page
    assert "No worker is up, so jobs wait." in page
    assert "Start the worker" in page


def test_what_only_wants_a_look_is_no_failure_and_what_is_unknown_has_no_advice(studio: dict[str, Finding]) -> None:
    studio["backup"] = warning(NONE_YET, "There is no backup yet.")
    studio["worker"] = unknown("It cannot be known now.")
    page = signed_in().get("/status/").content.decode()
    assert "The studio works; something wants a look." in page
    assert "manage.py backup" in page
    assert "Start the worker" not in page
    assert "Not known" in page


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("database", "no_answer"), ("database", "too_slow"), ("migrations", "unapplied"), ("cache", "forgets"),
        ("broker", "no_answer"), ("worker", "no_heartbeat"), ("queue", "not_followed"), ("queue", "waits_long"),
        ("storage", "not_writable"), ("disk", "full"), ("disk", "low"), ("backup", "too_old"), ("backup", NONE_YET),
        ("backup", NOT_VERIFIED), ("mureka", "down"), ("openai", "bad_key"), ("mureka", "no_money"),
    ],
)  # fmt: skip
def test_there_is_advice_for_whatever_can_be_wrong(name: str, code: str) -> None:
    assert status.advice_for(name, failing(code, "It is wrong."))


def test_the_page_asks_for_itself_again_without_its_frame() -> None:
    client = signed_in()
    assert f'hx-get="{reverse("status-checks")}"' in client.get("/status/").content.decode()
    fragment = client.get("/status/checks/").content.decode()
    assert "<html" not in fragment
    assert 'id="status-checks"' in fragment


def test_without_a_database_the_page_shows_what_is_left(studio: dict[str, Finding]) -> None:
    studio["database"] = failing("no_answer", "It does not answer.")
    fragment = signed_in().get("/status/checks/").content.decode()
    assert "It does not answer." in fragment
    assert "Figures" not in fragment


def test_red_alerts_are_shown_with_whether_anybody_was_told(settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL = "https://hook.example/secret"
    alerts.observe({"disk": Reading(is_red=True, code="full", message="The disk is nearly full.")})
    page = signed_in().get("/status/").content.decode()
    assert "The disk is nearly full." in page
    assert "Messages go by webhook." in page
    assert "hook.example" not in page


# --- Prometheus -----------------------------------------------------------------------------------------------------


Figures = dict[str, list[tuple[dict[str, str], float]]]


def read(client: Client, **headers: str) -> Figures:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    found: Figures = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(found: Figures, name: str, **labels: str) -> float:
    (only,) = (figure for key, figure in found[name] if key == labels)
    return only


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_owner())
    return client


def test_prometheus_gets_the_figures_of_the_status_page(staff: Client, studio: dict[str, Finding]) -> None:
    studio["worker"] = failing("no_heartbeat", "No.")
    found = read(staff)
    assert value(found, "macai_check_state", check="worker") == 2
    assert value(found, "macai_check_state", check="mureka") == 0
    assert value(found, "macai_disk_free_bytes") == 2 * 1024**3
    assert value(found, "macai_oldest_waiting_seconds") == 90


def test_jobs_are_told_by_kind_and_phase_and_money_by_provider(staff: Client) -> None:
    make_song(status="PENDING")
    make_song(status="PENDING")
    make_song(status="PROGRESS", cost=Decimal("0.3"))
    make_song(status="FAILURE", phase=Phase.UNCERTAIN, charge=Charge.MAYBE, job_id="", cost=Decimal("0.2"))
    found = read(staff)
    assert value(found, "macai_jobs", kind="songs.song", phase="waiting") == 2
    assert value(found, "macai_jobs", kind="songs.song", phase="running") == 1
    assert value(found, "macai_jobs", kind="songs.song", phase="uncertain") == 1
    assert value(found, "macai_jobs", kind="images.imagerequest", phase="waiting") == 0
    assert value(found, "macai_spent_this_month_dollars", provider="mureka", charge="yes") == pytest.approx(0.3)
    assert value(found, "macai_spent_this_month_dollars", provider="mureka", charge="maybe") == pytest.approx(0.2)


def test_what_all_processes_counted_is_one_histogram(staff: Client) -> None:
    counting.counts.take()
    for seconds in (0.3, 0.4, 3.0, 1000.0):
        counting.count_call(Call("Mureka", "GET /v1/song/query/*", is_paid=False, seconds=seconds))
    counting.flush()
    found = read(staff)
    labels = {"provider": "Mureka", "operation": "GET /v1/song/query/*", "outcome": "ok"}
    assert value(found, "macai_provider_call_seconds_count", **labels) == 4
    assert value(found, "macai_provider_call_seconds_sum", **labels) == pytest.approx(1003.7)
    buckets = {key["le"]: figure for key, figure in found["macai_provider_call_seconds_bucket"]}
    assert (buckets["0.5"], buckets["5.0"], buckets["+Inf"]) == (2, 3, 4)


def test_requests_are_counted_by_view_and_status_and_nobody_can_make_up_labels(staff: Client) -> None:
    counting.counts.take()
    staff.get("/jobs/")
    staff.get("/jobs/")
    staff.get("/songs/00000000-0000-4000-8000-000000000000/")
    for number in range(3):
        staff.generic(f"M{number}", f"/nowhere-{number}/")
    counting.flush()
    found, name = read(staff), "macai_request_seconds_count"
    assert value(found, name, view="jobs", method="GET", status="200") == 2
    assert value(found, name, view="songs:detail", method="GET", status="404") == 1
    assert len([labels for labels, _figure in found[name] if labels["method"] == "other"]) == 1


def test_leases_and_alerts_are_told(staff: Client) -> None:
    leases.take(leases.FOLLOW, "somebody", timedelta(seconds=15))
    alerts.observe({"disk": Reading(is_red=True), "cache": Reading(is_red=False)})
    found = read(staff)
    assert value(found, "macai_lease_beat_age_seconds", lease="follow") < 60
    assert value(found, "macai_alert", check="disk") == 1
    assert value(found, "macai_alert", check="cache") == 0


def test_without_a_database_the_checks_are_told(staff: Client, studio: dict[str, Finding]) -> None:
    studio["database"] = failing("no_answer", "No.")
    found = read(staff)
    assert value(found, "macai_check_state", check="database") == 2
    assert "macai_jobs" not in found


def test_only_staff_or_the_token_may_read(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    user = make_user()
    person = Client()
    person.force_login(user)
    for client, header in ((Client(), ""), (person, ""), (Client(), "Bearer wrong"), (Client(), f"Token {TOKEN}"),
                           (Client(), "Bearer "), (Client(), "Bearer \xfc")):  # fmt: skip
        answer = client.get("/metrics", headers={"Authorization": header})
        assert (answer.status_code, answer.content) == (401, b""), header
    assert read(Client(), Authorization=f"Bearer {TOKEN}")


def test_without_a_token_nobody_gets_in_by_an_empty_one(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_more_jobs_cost_no_more_queries(staff: Client, django_assert_max_num_queries: Callable[..., Any]) -> None:
    for _number in range(5):
        make_song(status="PENDING", queued_at=timezone.now())
    with django_assert_max_num_queries(45):
        read(staff)
