"""Who fails too often is kept out for a while, at every door, and nobody can lock the owner out for good."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import FailedSignIn
from accounts.proxies import client_address, client_network
from accounts.tests.factories import PASSWORD, make_owner, make_user

HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
PAGE, ADMIN, API = "/sign-in/", "/admin/login/", "/api/v1/auth/token/"


def try_at(door: str, name: str = "ada", password: str = "wrong", address: str = HOME, forwarded: str = "") -> Any:
    options: dict[str, Any] = {"REMOTE_ADDR": address}
    if forwarded:
        options["HTTP_X_FORWARDED_FOR"] = forwarded
    if door == API:
        options["content_type"] = "application/json"
    return Client().post(door, {"username": name, "password": password}, **options)


@pytest.mark.django_db
@pytest.mark.parametrize("door", [PAGE, ADMIN, API])
def test_the_fifth_failure_locks_the_name_out_from_there_at_every_door(door: str) -> None:
    make_owner()
    for _try in range(4):
        assert try_at(door).status_code in {200, 401, 422}
    assert try_at(door).status_code == 429
    for other in (PAGE, ADMIN, API):
        refused = try_at(other, password=PASSWORD)
        assert refused.status_code == 429
        assert 0 < int(refused["Retry-After"]) <= 900
        assert b"Try again in 15 minutes" in refused.content
        assert refused["Content-Type"].startswith("application/json" if other == API else "text/html")


@pytest.mark.django_db
def test_nobody_can_lock_the_owner_out_from_everywhere() -> None:
    make_owner()
    for _try in range(10):
        try_at(PAGE, address=ELSEWHERE)
    assert try_at(PAGE, password=PASSWORD, address=ELSEWHERE).status_code == 429
    assert try_at(PAGE, password=PASSWORD).status_code == 302
    assert try_at(API, password=PASSWORD).status_code == 201


@pytest.mark.django_db
def test_one_name_after_the_other_is_stopped_by_address(settings: Settings) -> None:
    settings.SIGN_IN_ATTEMPTS_BY_ADDRESS = 6
    make_user()
    answers = [try_at(API, name=f"guess{number}").status_code for number in range(7)]
    assert answers == [401] * 5 + [429] * 2
    assert try_at(API, password=PASSWORD).status_code == 429
    assert try_at(API, password=PASSWORD, address=ELSEWHERE).status_code == 201


@pytest.mark.django_db
def test_the_lock_ends_by_itself_and_trying_on_does_not_make_it_longer() -> None:
    make_user()
    for _try in range(5):
        try_at(PAGE)
    row = FailedSignIn.objects.get()
    try_at(PAGE)
    row.refresh_from_db()
    assert row.failures_since_start == 5
    assert row.is_locked
    FailedSignIn.objects.update(attempt_time=timezone.now() - timedelta(seconds=901))
    assert try_at(PAGE, password=PASSWORD).status_code == 302
    assert not FailedSignIn.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("door", [PAGE, API])
def test_who_gets_it_right_starts_anew_but_not_for_other_names(door: str) -> None:
    make_user()
    for _try in range(4):
        try_at(door)
    try_at(door, name="eve")
    assert try_at(door, password=PASSWORD).status_code in {201, 302}
    assert list(FailedSignIn.objects.values_list("username", flat=True)) == ["eve"]


@pytest.mark.django_db
def test_nothing_of_what_was_typed_is_kept_but_the_name() -> None:
    make_user()
    Client(REMOTE_ADDR=HOME).post(PAGE, {"username": "ada", "password": "hunter2", "passwort": "hunter2"})
    kept = " ".join(str(value) for value in FailedSignIn.objects.values().get().values())
    assert "hunter2" not in kept


@pytest.mark.django_db
def test_only_a_trusted_proxy_is_believed(settings: Settings) -> None:
    make_user()
    for number in range(5):
        try_at(PAGE, forwarded=f"203.0.113.{number}")
    assert try_at(PAGE, password=PASSWORD, forwarded="203.0.113.77").status_code == 429

    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    for _try in range(5):
        try_at(PAGE, address="10.0.0.2", forwarded=f"1.2.3.4, {ELSEWHERE}")
    assert try_at(PAGE, password=PASSWORD, address="10.0.0.2", forwarded=ELSEWHERE).status_code == 429
    assert try_at(PAGE, password=PASSWORD, address="10.0.0.2", forwarded="192.0.2.99").status_code == 302


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "6.6.6.6", "192.0.2.7"),
        ("10.0.0.2", "6.6.6.6", "6.6.6.6"),
        ("10.0.0.2", "9.9.9.9, 6.6.6.6", "6.6.6.6"),
        ("10.0.0.2", "9.9.9.9, 6.6.6.6, 10.0.0.3", "6.6.6.6"),
        ("10.0.0.2", "6.6.6.6:4711", "6.6.6.6"),
        ("10.0.0.2", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.2", "9.9.9.9, nonsense", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("::ffff:10.0.0.2", "6.6.6.6", "6.6.6.6"),
        ("", "9.9.9.9, 6.6.6.6", "6.6.6.6"),
        ("", "", None),
    ],
)
def test_the_client_is_whom_the_nearest_trusted_proxy_names(
    settings: Settings, remote: str, forwarded: str, found: str | None
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == found


def test_an_ipv6_client_is_counted_by_its_network() -> None:
    one, two = (RequestFactory().get("/", REMOTE_ADDR=f"2001:db8:1:2::{host}") for host in ("1", "ffff"))
    assert client_network(one) == client_network(two) == "2001:db8:1:2::"


@pytest.mark.django_db
def test_the_admin_lists_failures_and_unlocks(client: Client) -> None:
    client.force_login(make_owner())
    for _try in range(5):
        try_at(PAGE)
    row = FailedSignIn.objects.get()
    listed = client.get(reverse("admin:accounts_failedsignin_changelist"))
    assert HOME in listed.content.decode()
    assert 'alt="True"' in listed.content.decode()
    assert client.get(reverse("admin:accounts_failedsignin_change", args=[row.pk])).status_code == 200
    action = {"action": "unlock", "_selected_action": [row.pk]}
    assert client.post(reverse("admin:accounts_failedsignin_changelist"), action).status_code == 302
    assert try_at(PAGE, password=PASSWORD).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [["ada"], [HOME], ["--all"]])
def test_a_command_unlocks(arguments: list[str]) -> None:
    make_user()
    for _try in range(5):
        try_at(PAGE)
    listed = StringIO()
    call_command("unlock", stdout=listed)
    assert listed.getvalue() == f"ada\t{HOME}\t5 failed\tlocked\n"
    call_command("unlock", "somebody-else", stdout=listed)
    assert "Nothing was counted" in listed.getvalue()
    call_command("unlock", *arguments, stdout=listed)
    assert try_at(PAGE, password=PASSWORD).status_code == 302


@pytest.mark.django_db
def test_a_sign_in_without_a_request_is_nobodys_failure(client: Client) -> None:
    make_user()
    assert not client.login(username="ada", password="wrong")
    assert client.login(username="ada", password=PASSWORD)
    assert not FailedSignIn.objects.exists()
