"""The studio as docker-compose.yml runs it, without containers: the same commands and settings, the same nginx.

PostgreSQL, Redis, the preparation, two apps (the second one is for updates), a worker, nginx with TLS, and beside them
the mock as the world outside.
"""

import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
import yaml
from requests.adapters import HTTPAdapter

from trials.servers import Nginx, Postgres, Redis
from trials.studio import ROOT, SECRET_KEY, Profile, Program, fresh_profile, mock_program
from trials.studio import owner_settings as owner

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
MANAGE = [sys.executable, "manage.py"]
NAME = "studio.example"
DATABASE = "macai_harbour"
PACE = 0.21  # seconds between two requests of a client that keeps within the API's limit


def compose_command(service: str) -> list[str]:
    """Return the command of a service, with our Python."""
    command = list(COMPOSE["services"][service]["command"])
    runners = {"python": [sys.executable], "gunicorn": [sys.executable, "-m", "gunicorn"]}
    return [*runners[command[0]], *command[1:]]


def compose_settings() -> dict[str, str]:
    """Return the settings that compose gives app and worker, but for those that name other containers and folders."""
    settings: dict[str, str] = COMPOSE["services"]["app"]["environment"]
    return {name: value for name, value in settings.items() if "${" not in value and not value.startswith("/")} | {
        "MEDIA_ACCEL": settings["MEDIA_ACCEL"]
    }


class TLS(HTTPAdapter):
    """Connections that trust the certificate which was made for the trial, and check the name in it."""

    def __init__(self, certificate: Path) -> None:
        self.context = ssl.create_default_context(cafile=str(certificate))
        super().__init__(pool_maxsize=64)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use our trust in every connection."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self.context)


class Harbour:
    """All processes of a studio around the clock."""

    def __init__(self, folder: Path, *, postgres: str, redis_url: str, own: bool = False, **settings: str) -> None:
        """`own` starts a PostgreSQL and a Redis for this trial alone; else those at the addresses are used."""
        self.folder = folder
        self.postgres = Postgres(folder) if own else None
        self.redis = Redis(folder, COMPOSE["services"]["redis"]["command"]) if own else None
        self.database_url = self.postgres.url if self.postgres else postgres
        self.redis_url = self.redis.url if self.redis else redis_url
        self.nginx = Nginx(folder)
        self.mock = mock_program(folder, MOCKAPI_CONCURRENT_LIMIT="10", MOCKAPI_AUDIO_SECONDS="2")
        (folder / "secret_key").write_text(SECRET_KEY, encoding="ascii")
        outside = f"{self.mock.url}/mock"
        self.settings = {
            **compose_settings(),
            "HOST": "127.0.0.1",
            "ALLOWED_HOSTS": f"{NAME},127.0.0.1,localhost",
            "SECRET_KEY_FILE": str(folder / "secret_key"),
            "STATIC_SHARE": str(folder / "static"),
            "BACKUP_DIR": str(folder / "backups"),
            "TRUSTED_PROXIES": "127.0.0.1",
            "MUREKA_BASE_URL": f"{outside}/mureka",
            "OPENAI_BASE_URL": f"{outside}/openai/v1",
            "OLLAMA_BASE_URL": f"{outside}/ollama",
            "PUBLIC_URL": self.url,
            "MOCKAPI_ENABLED": "false",
            **owner(),
            **settings,
        }
        self.profile = Profile("postgres", folder / "data", {})
        self.apps: list[Program] = []
        self.workers: list[Program] = []

    @property
    def url(self) -> str:
        """Return where a client finds the studio: at nginx."""
        return f"https://127.0.0.1:{self.nginx.port}"

    def program(self, name: str, cwd: Path = ROOT) -> Program:
        """Return a process of the studio, of the version in `cwd`, that is not started yet."""
        # As in the images: every version has its own collected files.
        settings = self.settings | {"STATIC_ROOT": str(self.folder / f"collected-{cwd.name}")}
        return Program(name, self.profile, settings, cwd=cwd)

    def start(self) -> None:
        """Start everything, in the order in which compose does."""
        for server in (self.postgres, self.redis):
            if server:
                server.start()
        self.mock.start()
        fresh = fresh_profile(
            "postgres", self.folder / "data", postgres=self.database_url, redis_url=self.redis_url, database=DATABASE
        )
        addresses = {"DATABASE_URL": f"{self.database_url}/{DATABASE}", "REDIS_URL": self.redis_url}
        self.profile = Profile(fresh.name, fresh.data_dir, addresses)
        self.prepare()
        self.apps = [self.program("app-1"), self.program("app-2")]
        app = self.apps[0]
        environment = app.environment
        self.nginx.configure(MANAGE, environment, ROOT, *(f"127.0.0.1:{each.port}" for each in self.apps))
        self.start_app(app)
        self.workers = [self.program("worker-1")]
        self.start_worker(self.workers[0])
        self.nginx.start()
        self.mock.wait_until_healthy("/mock/health")
        self.wait_until(200)

    def prepare(self, cwd: Path = ROOT) -> None:
        """Run what compose runs once before app and worker."""
        environment = self.program("prepare", cwd).environment
        subprocess.run(compose_command("prepare"), env=environment, cwd=cwd, check=True)  # noqa: S603

    def command(self, service: str) -> list[str]:
        """Return what compose runs."""
        return compose_command(service)

    def start_app(self, app: Program) -> None:
        """Start an app and wait until it is alive."""
        app.start(*self.command("app"))
        app.wait_until_healthy("/api/v1/health/live/")

    def start_worker(self, worker: Program) -> None:
        """Start a worker."""
        worker.start(*self.command("worker"))

    def session(self) -> requests.Session:
        """Return a client that trusts our certificate."""
        session = requests.Session()
        session.mount("https://", TLS(self.folder / "certificates" / "macai.crt"))
        return session

    def health(self) -> tuple[int, dict[str, bool]]:
        """Ask for the studio's health through nginx. Return the status (0: no answer) and what is well."""
        with suppress(requests.RequestException, ValueError), self.session() as session:
            answer = session.get(f"{self.url}/api/v1/health/", timeout=10)
            said = answer.json()
            checks = said.get("checks", {}) | said.get("providers", {})
            # A provider that is away is a warning: the studio itself is well.
            return answer.status_code, {name: check["state"] == "ok" for name, check in checks.items()}
        return 0, {}

    def wait_until(self, status: int, seconds: float = 60.0) -> float:
        """Wait until the studio's health has this status. Return how many seconds that took.

        Raises:
            RuntimeError: it never had.
        """
        started = time.monotonic()
        seen: tuple[int, dict[str, bool]] = (0, {})
        while (waited := time.monotonic() - started) < seconds:
            seen = self.health()
            if seen[0] == status:
                return waited
            time.sleep(0.5)
        raise RuntimeError(f"The studio's health is {seen} after {seconds:.0f} s; see {self.folder}.")

    def stop(self) -> None:
        """Stop everything, the doors first."""
        self.nginx.stop()
        for program in [*self.apps, *self.workers, self.mock]:
            program.stop(60)
            program.kill_all()
        for server in (self.redis, self.postgres):
            if server:
                server.stop()


@contextmanager
def harboured(name: str, **options: Any) -> Iterator[Harbour]:
    """Run a studio for one trial; its folder is kept after an error, because the logs are in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"macai-{name}-"))
    harbour = Harbour(folder, **options)
    try:
        harbour.start()
        yield harbour
    except BaseException:
        print(f"Logs, rows and files are kept in {folder}.", file=sys.stderr)  # noqa: T201
        raise
    finally:
        harbour.stop()
    subprocess.run(["rm", "-rf", str(folder)], check=True)  # noqa: S603, S607
