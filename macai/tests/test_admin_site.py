"""The admin's home and queue page: the machine's pulse, with and without workers, for staff only."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Task

from jobs import leases, schedule
from jobs.models import Charge, Phase
from macai.admin import clock
from songs.tests.factories import make_song, make_stems, make_user

pytestmark = pytest.mark.django_db
QUEUE = "/admin/queue/"


@pytest.fixture
def owner(client: Client) -> Client:
    cache.clear()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    stat = SimpleNamespace(
        cluster_id="c", host="studio-mac", pid=4711, status="Idle", workers=[1, 2, 3], tob=now - timedelta(hours=2),
        timestamp=now, task_q_size=1, done_q_size=0, reincarnations=5,
    )  # fmt: skip
    monkeypatch.setattr("jobs.overview.Stat", SimpleNamespace(get_all=lambda: [stat]))


@pytest.fixture
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.overview.Stat", SimpleNamespace(get_all=list))


def make_one_of_each() -> None:
    make_song(title="Waits", status="PENDING")
    make_song(title="Leaves", status="PENDING", phase=Phase.SUBMITTING, submitted_at=timezone.now())
    make_song(title="Runs", status="PROGRESS")
    make_song(title="Comes home", status="PROGRESS", phase=Phase.SAVING)
    make_song(title="Unsure", status="FAILURE", phase=Phase.UNCERTAIN, charge=Charge.MAYBE, job_id="")
    make_song(title="Refused", status="FAILURE", error_message="Too rude. Not charged.")
    make_stems(status="PROGRESS")


@pytest.mark.usefixtures("_worker")
def test_the_queue_page_shows_workers_and_jobs_of_every_phase_with_links(owner: Client) -> None:
    make_one_of_each()
    schedule.install()
    leases.take(leases.FOLLOW, "studio-mac:1:abc", timedelta(seconds=15))
    now = timezone.now()
    Task.objects.create(id="a" * 32, name="sweep 1", func="f", started=now, stopped=now, success=False, result="boom")
    page = owner.get(QUEUE).content.decode()
    for text in ("studio-mac", "4711", "studio-mac:1:abc", "Waits", "Leaves", "Runs", "Comes home", "Unsure",
                 "Too rude. Not charged.", "boom", "jobs.tasks.sweep", "stem separation"):  # fmt: skip
        assert text in page, text
    links = re.findall(r'href="(/admin/(?:songs|django_q)/\w+/[^"]+/change/)"', page)
    assert len(links) == 9, "seven jobs, one of which is uncertain and so stands in two tables, and one task"
    assert all(owner.get(link).status_code == 200 for link in links)


@pytest.mark.usefixtures("_no_worker")
def test_the_queue_page_of_an_empty_studio_without_workers_says_so(owner: Client) -> None:
    page = owner.get(QUEUE).content.decode()
    for text in ("No worker is up.", "Nothing waits.", "Nothing runs.", "Nothing is uncertain.", "No job has failed.",
                 "No task has broken.", "Nobody has followed a job yet."):  # fmt: skip
        assert text in page, text


@pytest.mark.usefixtures("_worker")
def test_the_home_of_the_admin_shows_the_pulse(owner: Client) -> None:
    make_one_of_each()
    page = owner.get("/admin/").content.decode()
    figures = dict(re.findall(r"<dt>([^<]+)</dt>\s*<dd>(?:<strong>([^<]+)</strong>)?", page))
    assert figures["Waiting"] == figures["Being submitted"] == figures["Saving files"] == figures["Uncertain"] == "1"
    assert figures["Running"] == "2"
    assert figures["Spent this month"].startswith("$")
    assert "heartbeat 0 s ago" in page
    assert f'href="{QUEUE}"' in page
    assert "Mock" in page


@pytest.mark.usefixtures("_no_worker")
def test_the_home_of_the_admin_is_there_without_workers(owner: Client) -> None:
    assert "Jobs wait until one is up." in owner.get("/admin/").content.decode()


@pytest.mark.parametrize("url", ["/admin/", QUEUE])
def test_nobody_but_staff_sees_the_console(client: Client, url: str) -> None:
    assert client.get(url).status_code == 302
    client.force_login(make_user())
    assert client.get(url).status_code == 302
    client.force_login(make_user(is_staff=True))
    assert client.get(url).status_code == 200


@pytest.mark.usefixtures("_no_worker")
def test_the_queue_page_asks_the_same_number_of_queries_for_few_jobs_as_for_many(owner: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            owner.get(QUEUE)
        return len(captured)

    make_one_of_each()
    queries()
    few = queries()
    for _number in range(4):
        make_one_of_each()
    assert queries() == few


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize("url", ["/admin/", QUEUE, "/admin/songs/song/", "/admin/songs/songchoice/"])
def test_the_console_needs_no_inline_style_or_script(owner: Client, url: str) -> None:
    make_one_of_each()
    response: Any = owner.get(url)
    page = response.content.decode()
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert not re.search(r"<script(?![^>]*\s(src|type=\"application/json\"))[^>]*>", page)


def test_spans_of_time_read_like_a_clock() -> None:
    assert [clock(timedelta(seconds=n)) for n in (0, 47, 725, 93_610)] == ["0:00", "0:47", "12:05", "26:00:10"]
    assert clock(None) == ""
