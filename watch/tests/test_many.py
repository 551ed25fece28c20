"""However many processes look and count: each message is sent once, and no count is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings

from watch.tests.many import MANY, watch_and_count

IS_POSTGRESQL = connection.vendor == "postgresql"
EXPECTED = {
    "broken": [],
    "sent": ["green disk", "green worker", "red disk", "red worker"],
    "counts": [MANY * 10] * 3,
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "__import__('django.db').db.connection.vendor != 'postgresql'",
    reason="threads of one process share SQLite's test database",
)
def test_on_postgresql(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_AFTER_SECONDS = "", 30  # put back after the test
    monkeypatch.setattr("providers.webhook.post", None)
    assert watch_and_count() == EXPECTED


@pytest.mark.skipif(
    "__import__('django.db').db.connection.vendor != 'sqlite'", reason="proves SQLite with a connection for each thread"
)
def test_on_one_sqlite_file(tmp_path: Path) -> None:
    environment = os.environ | {"DATA_DIR": str(tmp_path), "ENV_FILE": os.devnull, "DATABASE_URL": ""}
    command = [sys.executable, "-m", "watch.tests.many"]
    run = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    found: dict[str, Any] = json.loads(run.stdout or "{}")
    assert found == EXPECTED, run.stderr
