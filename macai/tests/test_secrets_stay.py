"""No secret leaves the studio: every secret setting holds a marker, which no page, answer or line of a log has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from pytest_django import Settings

ROOT = Path(__file__).parent.parent.parent
NAMES = sorted(
    set(re.findall(r'secret\("([A-Z0-9_]+)"\)', (ROOT / "macai" / "settings.py").read_text(encoding="utf-8")))
)
# Addresses that a marker makes of use: the rest may be any text.
SHAPES = {
    "ALERT_WEBHOOK_URL": "https://hooks.example/{}",
    "EMAIL_URL": "smtp+tls://user:{}@mail.example:587",
}
ELSEWHERE = {"DATABASE_URL", "REDIS_URL"}  # need a server that takes the password: see test_setup.py, and below

WALK = """
import django; django.setup()
import logging, os
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
call_command("migrate", verbosity=0)
from accounts.tests.factories import make_owner
from macai.tests.test_api import addresses
from songs.tests.factories import make_choice, make_song
make_choice(song=make_song(status="FAILURE"))
client = Client(raise_request_exception=False)
client.force_login(make_owner())
markers, values = os.environ["MARKERS"].split(), os.environ["VALUES"].split()
seen = 0

def look(answer, where):
    global seen
    seen += 1
    body = answer.getvalue() if answer.streaming else answer.content
    text = body.decode("utf-8", "replace") + repr(answer.headers)
    for marker in markers:
        assert marker not in text, (where, marker)

for address in dict.fromkeys(addresses(get_resolver().url_patterns)):
    if not address.startswith(("/static/", "/sign-out", "/admin/logout")):
        look(client.get(address), address)
for address in ("/", "/nothing/", "/api/v1/nothing/"):
    look(Client().get(address), address)

def break_down(*_args, **_kwargs):
    raise RuntimeError("It broke with " + " ".join(values))

from macai import job_views
from songs import curation
job_views.job_tasks.nudge_if_nobody_follows = break_down
curation.edit_song = break_down
page = client.get("/jobs/")
assert page.status_code == 500
look(page, "the page that broke")
from songs.models import Song
answer = client.patch(f"/api/v1/songs/{Song.objects.get().pk}/", {"title": "x"}, content_type="application/json")
assert answer.status_code == 500
look(answer, "the answer that broke")
logging.getLogger("songs").warning("Told to the log: %s", " ".join(values))
logging.getLogger("django.request").error("An error", extra={"key": values[0]})
assert seen > 150, seen
print("walked", flush=True)
"""


@pytest.mark.own_database
def test_no_secret_is_in_any_page_answer_error_or_log(tmp_path: Path) -> None:
    markers = {name: f"MARK-{name.lower().replace('_', '-')}-5e0f{number}" for number, name in enumerate(NAMES)}
    set_names = [name for name in NAMES if name not in ELSEWHERE]
    markers["SECRET_KEY"] += "-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789"
    values = {name: SHAPES.get(name, "{}").format(markers[name]) for name in set_names}
    own = values | {
        "ALLOWED_HOSTS": "testserver",
        "DATABASE_URL": "",
        "DATA_DIR": str(tmp_path),
        "DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "macai.settings",
        "ENV_FILE": os.devnull,
        "HTTPS": "false",
        "MARKERS": " ".join(markers[name] for name in set_names),
        "MUREKA_BASE_URL": "http://127.0.0.1:9",
        "VALUES": " ".join(values.values()),
        "OPENAI_BASE_URL": "http://127.0.0.1:9",
        "PYTEST_XDIST_WORKER": "marked",  # or conftest.py would take these out again
        "REDIS_URL": "",
    }
    command = [sys.executable, "-c", "import conftest\n" + WALK]
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.stdout.endswith("walked\n"), result.stderr[-3000:]
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in tmp_path.rglob("*.log")]
    said = "\n".join([result.stdout, result.stderr, *logs])
    assert "It broke with" in said
    assert [name for name in set_names if markers[name] in said] == []


def test_there_are_secrets_to_look_for() -> None:
    assert {"SECRET_KEY", "MUREKA_API_KEY", "OPENAI_API_KEY", "DATABASE_URL", "REDIS_URL", "DATABASE_PASSWORD"} <= set(
        NAMES
    )


def test_the_technical_page_of_developers_shows_none_either(settings: Settings) -> None:
    settings.DEBUG = True
    settings.DATABASE_URL = "postgres://me:MARK-1@127.0.0.1/x"
    settings.REDIS_URL = "redis://:MARK-2@127.0.0.1/0"
    settings.CACHES = {"default": {"BACKEND": "x", "LOCATION": "redis://:MARK-3@127.0.0.1/0"}}
    settings.Q_CLUSTER = {"redis": "redis://:MARK-4@127.0.0.1/0"}
    settings.ALERT_WEBHOOK_URL = "https://hooks.example/MARK-5"
    settings.EMAIL_URL = "smtp://me:MARK-6@mail.example"
    settings.MUREKA_API_KEY = "MARK-7"
    settings.MEDIA_S3_SECRET_ACCESS_KEY = "MARK-8"
    settings.STORAGES = settings.STORAGES | {"probe": {"OPTIONS": {"access_key": "MARK-9", "secret_key": "MARK-9"}}}
    for accept in ("text/html", "text/plain"):
        request = RequestFactory().get("/", headers={"Accept": accept})
        reporter = ExceptionReporter(request, RuntimeError, RuntimeError("x"), None)
        for page in (reporter.get_traceback_html(), reporter.get_traceback_text()):
            assert "MUREKA_API_KEY" in page
            assert re.findall(r"MARK-\d", page) == []
