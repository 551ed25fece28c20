"""Promises of every door: other sites' scripts, the admin's address, headers, cookies."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.tests.factories import PASSWORD, make_owner, make_user

ROOT = Path(__file__).parent.parent.parent
OTHER = "https://other.example"
SONGS = "/api/v1/songs/"


def preflight(path: str, origin: str) -> dict[str, str]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    return dict(Client().options(path, headers=asked).headers)


@pytest.mark.django_db
def test_no_other_site_may_use_the_api_unless_it_is_named(settings: Settings) -> None:
    assert "access-control-allow-origin" not in preflight(SONGS, OTHER)
    settings.CORS_ALLOWED_ORIGINS = [OTHER]
    allowed = preflight(SONGS, OTHER)
    assert allowed["access-control-allow-origin"] == OTHER
    assert {"authorization", "idempotency-key"} <= set(allowed["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in allowed
    assert "access-control-allow-origin" not in preflight(SONGS, "https://evil.example")
    assert "access-control-allow-origin" not in preflight("/sign-in/", OTHER)
    answer = Client().get(SONGS, headers={"Origin": OTHER})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, OTHER)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/admin/", "/api/docs/", SONGS, "/nothing/", "/api/v1/nothing/"])
def test_every_answer_carries_the_headers(client: Client, path: str) -> None:
    client.force_login(make_owner())
    headers = client.get(path, headers={"Accept": "text/html"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [SONGS, "/api/v1/images/", "/api/v1/auth/token/", "/api/v1/queue/", "/api/v1/chat/presets/", "/api/docs/",
     "/api/v1/nothing/", "/admin/accounts/user/", "/admin/accounts/user/add/", "/admin/songs/song/",
     "/admin/accounts/failedsignin/", "/admin/login/", "/nothing/"],
)  # fmt: skip
def test_no_page_needs_anything_inline_that_the_policy_forbids(client: Client, path: str) -> None:
    client.force_login(make_owner())
    page = client.get(path, headers={"Accept": "text/html"}).content.decode()
    assert re.findall(r"<(?!svg|path)[a-z][^>]*\s(?:style|on[a-z]+)\s*=", page) == []
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]*(?:\ssrc=|application/json))[^>]*>", page) == []


@pytest.mark.django_db
def test_cookies_are_out_of_the_reach_of_scripts_and_of_other_sites(client: Client, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    make_user()
    client.get("/sign-in/")
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert {"sessionid", "csrftoken"} == set(client.cookies)
    for cookie in client.cookies.values():
        assert (bool(cookie["httponly"]), cookie["samesite"], bool(cookie["secure"])) == (True, "Lax", True)


@pytest.mark.django_db
def test_signing_in_changes_the_session_and_signing_out_ends_it(client: Client) -> None:
    make_user()
    client.get("/sign-in/")
    session = client.session
    session["before"] = 1
    session.save()
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    key = client.session.session_key
    assert key != session.session_key
    client.post("/sign-out/")
    client.cookies["sessionid"] = key or ""
    assert client.get(reverse("accounts:profile")).status_code == 302


MOVED = """
import django; django.setup()
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.tests.factories import make_owner
client = Client()
client.force_login(make_owner())
assert reverse("admin:index") == "/back/office/", reverse("admin:index")
pages = ("/back/office/", "/back/office/queue/", "/back/office/songs/song/", "/admin/")
for path, status in zip(pages, (200, 200, 200, 404)):
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    assert '"/admin/' not in answer.content.decode(), path
home = client.get("/account/").content.decode()
assert 'href="/back/office/"' in home and '"/admin/' not in home
assert Client().get("/back/office/").headers["Location"].startswith("/back/office/login/")
print("moved")
"""


def test_the_admin_moves_with_everything_that_leads_to_it(tmp_path: Path) -> None:
    own = {
        "ADMIN_PATH": "back/office",
        "ALLOWED_HOSTS": "testserver",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "macai.settings",
        "ENV_FILE": os.devnull,
        "PYTEST_XDIST_WORKER": "moved",  # or conftest.py would take these out again
        "REDIS_URL": "",
    }
    command = [sys.executable, "-c", "import conftest\n" + MOVED]
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.stdout == "moved\n", result.stderr[-2000:]


class Untouched:
    """A body that nobody may read."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize("session", ["", "madeup0123456789madeup0123456789"], ids=["no session", "a made-up session"])
@pytest.mark.parametrize(
    "path",
    [
        "/", "/images/new/", "/images/uploads/", "/songs/new/", "/account/", "/admin/songs/song/add/",
        "/api/v1/images/uploads/", "/api/v1/images/", "/nothing/",
    ],
)  # fmt: skip
def test_nothing_reads_what_a_stranger_sends(path: str, session: str) -> None:
    make_owner()
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32  # with it, Django compares it with one in the body
    if session:
        client.cookies["sessionid"] = session
    kind = "multipart/form-data; boundary=x"
    body: dict[str, Any] = {"wsgi.input": Untouched(), "CONTENT_LENGTH": str(40 * 1024**2), "CONTENT_TYPE": kind}
    answer = client.generic("POST", path, secure=True, **body)
    assert answer.status_code in {302, 401, 404}
