"""What every test starts from: no key, no setting but the database's, no real queue, files in a temporary place."""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import django
import pytest
import pytest_django

pytest_plugins = ["library.tests.buckets"]  # fixtures of more than one app

ROOT = Path(__file__).parent
KEPT = {"DATABASE_URL", "REDIS_URL"}  # the suite runs on SQLite and on PostgreSQL with Redis

if "PYTEST_XDIST_WORKER" not in os.environ:  # its workers inherit what is set here
    # A developer's real keys must never reach a test, nor the tests a developer's data.
    for name in re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE):
        if name not in KEPT:
            os.environ.pop(name, None)
            os.environ.pop(f"{name}_FILE", None)
    os.environ |= {
        "ENV_FILE": os.devnull,
        "DATA_DIR": tempfile.mkdtemp(prefix="macai-tests-"),
        "DJANGO_SETTINGS_MODULE": "macai.settings",
    }
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)


def make_settings_quick() -> None:
    """Change the settings that would only make tests slow, and separate the files of tests that run side by side."""
    from django.conf import settings

    settings.DATA_DIR = settings.DATA_DIR / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.BACKUP_DIR = settings.DATA_DIR / "backups"
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    settings.SLOW_PASSWORD_HASHERS = settings.PASSWORD_HASHERS  # for the tests that are about them
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.PRIVATE_HOSTS = ["127.0.0.1", "localhost"]  # where the servers of tests are
    settings.API_RATES = {}  # tests are many requests from one address
    settings.STORAGES |= {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


make_settings_quick()
django.setup()  # now: the conftest files of the apps, which are read next, import models


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Let nothing hold the test database at the end: PostgreSQL does not drop one that somebody still reads.

    A server's thread does, for as long as the pooled connection of a client is open.
    """
    yield
    from django.db import connection

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


class Enqueued(NamedTuple):
    """A task that would have gone to the queue."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    name: str


class RecordingBroker:
    """Stands where Django-Q's broker stands, and keeps what it is given. What cannot be packed fails, too."""

    list_key = "tests"

    def __init__(self) -> None:
        self.tasks: list[Enqueued] = []

    def enqueue(self, pack: str) -> int:
        """Keep a task, as the worker would unpack it."""
        from django_q.signing import SignedPackage

        task = SignedPackage.loads(pack)
        self.tasks.append(Enqueued(task["func"], tuple(task["args"]), task["kwargs"], task["name"]))
        return len(self.tasks)


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[Enqueued]:
    """Record what is enqueued instead of running it. Tests call the tasks themselves."""
    broker = RecordingBroker()
    monkeypatch.setattr("django_q.tasks.get_broker", lambda *_args: broker)
    return broker.tasks
