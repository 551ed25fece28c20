"""The console door to the engine: accounts, leases, Django-Q's own pages, and the overview behind the queue page."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Task

from jobs import overview, schedule, tasks
from jobs.admin import JobAdmin, listed
from jobs.kinds import ACCOUNT_READERS, KINDS
from jobs.models import Job, Lease, Phase, ProviderAccount
from jobs.spending import dollars

pytestmark = pytest.mark.django_db


def make_person(**overrides: Any) -> Any:
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    fields: dict[str, Any] = {
        "username": "owner",
        "password": "a long and quiet river",
        "is_staff": True,
        "is_superuser": True,
    }
    return get_user_model().objects.create_user(**(fields | overrides))


def make_job(**overrides: Any) -> Job:
    """Make a job of the first kind there is, whatever it is about."""
    model = next(kind.model for kind in KINDS.values() if not any(f.is_relation for f in required(kind.model)))
    job: Job = model._default_manager.create(**overrides)
    return job


def required(model: type[Job]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.is_relation and not field.null]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_person())
    return client


def test_every_kind_of_job_is_managed_by_the_shared_admin() -> None:
    for model in apps.get_models():
        if issubclass(model, Job):
            assert isinstance(admin.site.get_model_admin(model), JobAdmin), model


def test_no_engine_column_can_be_edited(rf: Any) -> None:
    engine = {field.name for field in Job._meta.get_fields()}
    request = rf.get("/")
    request.user = make_person()
    for kind in KINDS.values():
        form = admin.site.get_model_admin(kind.model).get_form(request, kind.model())
        assert not engine & set(form.base_fields), kind.label


def test_accounts_are_listed_and_one_without_a_reader_is_told(owner: Client) -> None:
    provider = next(iter(ACCOUNT_READERS))
    ProviderAccount.objects.create(provider=provider, balance=2970, concurrent_request_limit=7)
    ProviderAccount.objects.create(provider="elsewhere")
    assert "$29.70" in owner.get("/admin/jobs/provideraccount/").content.decode()
    data = {"action": "read_figures", "_selected_action": [provider, "elsewhere"]}
    page = owner.post("/admin/jobs/provideraccount/", data, follow=True).content.decode()
    assert "Elsewhere: there is nothing to read its figures with." in page


def test_reading_the_account_enqueues_one_task(
    owner: Client, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    provider = next(iter(ACCOUNT_READERS))
    ProviderAccount.objects.create(provider=provider)
    with django_capture_on_commit_callbacks(execute=True):
        owner.post("/admin/jobs/provideraccount/", {"action": "read_figures", "_selected_action": [provider]})
    assert [(task.func, task.args) for task in enqueued] == [(tasks.read_account, (provider,))]


@pytest.mark.parametrize("name", ["lease", "provideraccount"])
def test_what_the_engine_writes_is_read_only(owner: Client, name: str) -> None:
    one = next(iter(ACCOUNT_READERS))
    Lease.objects.create(name=one)
    ProviderAccount.objects.create(provider=one)
    base = f"/admin/jobs/{name}/"
    assert owner.get(base).status_code == 200
    assert owner.get(f"{base}{one}/change/").status_code == 200
    assert owner.post(f"{base}{one}/change/", {"owner": "me", "concurrent_request_limit": "9"}).status_code == 403
    assert owner.get(f"{base}add/").status_code == 403
    assert owner.post(f"{base}{one}/delete/", {"post": "yes"}).status_code == 403


def test_the_limit_of_an_account_that_nobody_can_read_is_the_owners(owner: Client, client: Client) -> None:
    ProviderAccount.objects.create(provider="openai", concurrent_request_limit=4, strikes=2)
    page = "/admin/jobs/provideraccount/openai/change/"
    assert 'name="concurrent_request_limit"' in owner.get(page).content.decode()
    assert owner.post(page, {"concurrent_request_limit": "7", "strikes": "0"}).status_code == 302
    account = ProviderAccount.objects.get(provider="openai")
    assert (account.concurrent_request_limit, account.strikes) == (7, 2)
    for wrong in ("0", "-1", "10001", ""):
        assert owner.post(page, {"concurrent_request_limit": wrong}).status_code == 200
    assert ProviderAccount.objects.get(provider="openai").concurrent_request_limit == 7
    client.force_login(make_person(is_superuser=False, username="staff"))
    assert client.post(page, {"concurrent_request_limit": "8"}).status_code == 403


def test_the_schedule_can_be_seen_and_thrown_away_but_not_written(owner: Client) -> None:
    schedule.install()
    row = Schedule.objects.get(name="jobs.sweep")
    base = "/admin/django_q/schedule/"
    assert row.func in owner.get(base).content.decode()
    assert owner.get(f"{base}add/").status_code == 403
    assert owner.post(f"{base}{row.pk}/change/", {"args": "bad("}).status_code == 403
    assert owner.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Schedule.objects.filter(pk=row.pk).exists()


def test_only_a_superuser_throws_a_schedule_away(client: Client) -> None:
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    person = make_person(is_superuser=False)
    person.user_permissions.add(*Permission.objects.filter(content_type__app_label="django_q"))
    client.force_login(person)
    schedule.install()
    row = Schedule.objects.get(name="jobs.sweep")
    assert client.post(f"/admin/django_q/schedule/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Schedule.objects.filter(pk=row.pk).exists()


def test_queued_tasks_are_only_looked_at(owner: Client) -> None:
    if not admin.site.is_registered(OrmQ):
        pytest.skip("the queue lies in Redis")
    assert owner.get("/admin/django_q/ormq/").status_code == 200
    assert owner.get("/admin/django_q/ormq/add/").status_code == 403


def test_money_and_titles_read_as_a_person_writes_them() -> None:
    from decimal import Decimal  # noqa: PLC0415

    assert [dollars(Decimal(text)) for text in ("0.3", "3", "0.0455", "12.5000")] == [
        "$0.30",
        "$3.00",
        "$0.0455",
        "$12.50",
    ]
    assert listed(["a", "b"]) == "“a”, “b”"
    assert listed(list("abcdefg")) == "“a”, “b”, “c”, “d”, “e” and 2 more"


# --- The overview ---


def test_jobs_that_wait_have_a_place_in_the_line() -> None:
    now = timezone.now()
    late, early = make_job(queued_at=now), make_job(queued_at=now - timedelta(minutes=1))
    make_job(phase=Phase.SUBMITTING)
    assert [(line.place, line.job) for line in overview.waiting()] == [(1, early), (2, late)]


def test_jobs_are_counted_by_what_they_want() -> None:
    make_job()
    make_job(phase=Phase.SUBMITTING)
    make_job(status="PROGRESS", phase=Phase.SAVING, job_id="1")
    unsure = make_job(status="FAILURE", phase=Phase.UNCERTAIN)
    make_job(status="FAILURE", phase=Phase.ENDED)
    make_job(status="SUCCESS", phase=Phase.ENDED)
    assert overview.counts() == {"waiting": 1, "submitting": 1, "running": 0, "saving": 1, "uncertain": 1}
    assert overview.uncertain() == [unsure]
    assert len(overview.failures()) == 2


def test_the_overview_survives_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any) -> Any:
        raise ConnectionError

    monkeypatch.setattr("django_q.status.get_broker", away)
    monkeypatch.setattr("django_q.tasks.get_broker", away)
    assert overview.clusters() == []
    assert overview.tasks_queued() is None


def test_a_broken_task_is_told_in_one_line() -> None:
    now = timezone.now()
    result = "disk full : Traceback (most recent call last):\n  File"
    Task.objects.create(
        id="a" * 32, name="bring_home 1", func="f", started=now, stopped=now, success=False, result=result
    )
    assert Failure.objects.count() == 1
    assert [(task.name, task.reason) for task in overview.task_failures()] == [("bring_home 1", "disk full")]
