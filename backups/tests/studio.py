"""A studio of its own in other processes: real files, a real database, the commands as a person gives them."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Studio:
    """A DATA_DIR and a database; the commands run in processes of their own."""

    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def media(self) -> Path:
        """Where its files lie."""
        return self.data_dir / "media"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of its processes: none of our own settings."""
        names = re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
        kept = {name: value for name, value in os.environ.items() if name not in names}
        own = {"ENV_FILE": os.devnull, "DATA_DIR": str(self.data_dir), "SECRET_KEY": "the key of this studio " * 3}
        return kept | own | self.settings

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a management command and wait for it."""
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def do(self, *command: str) -> str:
        """Run a management command that must succeed. Return what it said."""
        done = self.manage(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, script: str) -> str:
        """Run Python inside of the studio's Django. Return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{script}"],
            cwd=ROOT, env=self.environment | {"DJANGO_SETTINGS_MODULE": "macai.settings"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, script: str) -> "subprocess.Popen[str]":
        """Start Python inside of the studio's Django, which goes on meanwhile."""
        return subprocess.Popen(
            [sys.executable, "-c", f"import django; django.setup()\n{script}"],
            cwd=ROOT, env=self.environment | {"DJANGO_SETTINGS_MODULE": "macai.settings"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    @property
    def backups(self) -> list[Path]:
        """Return the backups in its folder, the newest first."""
        folder = Path(self.settings.get("BACKUP_DIR", self.data_dir / "backups"))
        return sorted((path for path in folder.iterdir() if re.match(r"\d{8}T", path.name)), reverse=True)


def postgres_url(name: str) -> str:
    """Return the address of a database beside the one that the suite runs on; "" where that is SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    return urlsplit(url)._replace(path=f"/{name}").geturl() if url.startswith("postgres") else ""


def make_database(name: str) -> None:
    """Make an empty database on the suite's server."""
    drop_database(name)
    with psycopg.connect(postgres_url("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())


def drop_database(name: str) -> None:
    """Drop a database of the suite's server."""
    with suppress(psycopg.OperationalError), psycopg.connect(postgres_url("postgres"), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
