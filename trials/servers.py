"""Servers of a trial's own, on ports of their own, so that they may be stopped: PostgreSQL, Redis, nginx."""

import grp
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from trials.studio import free_port

START_SECONDS = 60.0
# As in the containers, nginx is a user of its own and reads the media as a member of the app's group.
MAIN = """
{user}
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    include conf.d/*.conf;
}}
"""


@dataclass
class Server:
    """A server in the foreground, in a session of its own."""

    name: str
    folder: Path
    command: list[str]
    user: str = ""
    port: int = field(default_factory=free_port)
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  the command is ours
                self.command, stdout=log, stderr=log, start_new_session=True, user=self.user or None, cwd="/"
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not answer; see {self.folder}.")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Postgres(Server):
    """A PostgreSQL cluster made anew. Root is not let run one, so it belongs to the system's user for it."""

    def __init__(self, folder: Path) -> None:
        user = "postgres" if os.geteuid() == 0 else ""
        data = folder / "postgres"
        data.mkdir()
        if user:
            shutil.chown(data, user)
            folder.chmod(0o755)  # tempfile's folders are root's alone
        binaries = Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())  # noqa: S607
        if not (binaries / "initdb").exists():
            binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
        initdb = [str(binaries / "initdb"), "--pgdata", str(data), "--username", "postgres", "--auth", "trust"]
        subprocess.run([*initdb, "--no-sync"], check=True, user=user or None, stdout=subprocess.DEVNULL, cwd="/")  # noqa: S603
        super().__init__("postgres", folder, [], user, stop_signal=signal.SIGINT)  # "fast": ends every session
        options = ["-c", f"unix_socket_directories={data}", "-c", "listen_addresses=127.0.0.1", "-p", str(self.port)]
        self.command = [str(binaries / "postgres"), "-D", str(data), *options]
        self.url = f"postgres://postgres@127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        with suppress(psycopg.OperationalError), psycopg.connect(f"{self.url}/postgres", connect_timeout=2):
            return True
        return False


class Redis(Server):
    """A Redis with the options of docker-compose.yml."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        super().__init__("redis", folder, [])
        data = folder / "redis"
        data.mkdir()
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(data)]
        self.command = [shutil.which(command[0]) or command[0], *command[1:], *own]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        """Tell whether it answers PING; while it loads its file it does not."""
        with suppress(redis.RedisError):
            return bool(redis.Redis.from_url(self.url, socket_timeout=2).ping())
        return False


class Nginx(Server):
    """Debian's nginx, with the project's templates as `manage.py nginx` renders them."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        super().__init__("nginx", folder, [], stop_signal=signal.SIGQUIT)
        self.plain_port = free_port()
        self.main = folder / "nginx.conf"
        user = f"user www-data {grp.getgrgid(os.getegid()).gr_name};" if os.geteuid() == 0 else ""
        self.main.write_text(MAIN.format(folder=folder, user=user), encoding="ascii")
        self.command = [binary, "-c", str(self.main)]
        folder.chmod(0o755)

    def configure(self, manage: list[str], environment: Mapping[str, str], cwd: Path, *apps: str) -> None:
        """Make a certificate, render the configuration and have nginx test it. Raises CalledProcessError."""
        certificates = self.folder / "certificates"
        own = {**environment, "CERTIFICATES": str(certificates)}
        subprocess.run([str(cwd / "nginx/certificate"), "studio.example"], env=own, check=True)  # noqa: S603
        options = ["--http", str(self.plain_port), "--https", str(self.port), "--logs", str(self.folder)]
        options += ["--certificate", str(certificates / "macai.crt"), "--key", str(certificates / "macai.key")]
        where = [part for app in apps for part in ("--app", app)]
        render = [*manage, "nginx", str(self.folder / "conf.d"), *options, *where]
        subprocess.run(render, env=environment, cwd=cwd, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        subprocess.run([*self.command, "-t", "-q"], check=True)  # noqa: S603

    def answers(self) -> bool:
        """Tell whether it listens."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        """Stop it at once: what it has open is cut, as when its container is killed."""
        self.stop_signal = signal.SIGTERM
        super().stop()
