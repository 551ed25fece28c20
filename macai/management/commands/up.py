"""`manage.py up`: make everything ready, then run web and worker until Ctrl-C."""

import errno
import fcntl
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from macai.preparing import checks_must_pass, collect_static, create_owner_from_environment, give_up, migrate
from macai.supervisor import stop_leftovers

RUN_DIR = "run"
WEB = [sys.executable, "-m", "gunicorn", "-c", "python:macai.web", "--chdir", str(settings.BASE_DIR), "macai.wsgi"]
WORKER = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]


def take_lock(run_dir: Path) -> None:
    """Be the only one to run on this DATA_DIR, for as long as this process or the program it turns into lives."""
    lock = os.open(run_dir / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        give_up(f"Macai already runs on {settings.DATA_DIR}. Set DATA_DIR and PORT to run another one.")
    os.set_inheritable(lock, True)


def port_must_be_free(host: str, port: int) -> None:
    """Tell in a sentence why the web server could not listen there."""
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        with socket.socket(family, socket.SOCK_STREAM) as caller:  # macOS lets two bind to one port
            caller.settimeout(1)
            taken = caller.connect_ex(address) == 0
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            give_up(f"The web server cannot listen on HOST {host}, PORT {port}: {error.strerror}.")
        taken = True
    if taken:
        give_up(f"Port {port} is in use. Set PORT to another one.")


def plan(run_dir: Path) -> dict[str, Any]:
    """Return what the supervisor has to run."""
    web = {
        "name": "web",
        "command": WEB,
        "grace": settings.WEB_STOP_SECONDS + 5,
        "patience": "Waiting for open requests. Ctrl-C again stops at once.",
    }
    worker = {
        "name": "worker",
        "command": WORKER,
        "grace": settings.STOP_SECONDS + 5,
        "patience": "Waiting for the worker: a paid request may be on its way. Ctrl-C again stops at once.",
    }
    children = [web] if settings.MOCKAPI_ONLY else [web, worker]
    return {"run_dir": str(run_dir), "host": settings.HOST, "port": settings.PORT, "children": children}


class Command(BaseCommand):
    """Make everything ready, then turn into the supervisor."""

    help = "Prepares the database and runs the studio: web server and worker. Ctrl-C stops both."
    requires_system_checks = []  # run below, told in sentences

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is missing, in the order in which a person wants to hear about it."""
        checks_must_pass()
        run_dir = settings.DATA_DIR / RUN_DIR
        run_dir.mkdir(exist_ok=True)
        take_lock(run_dir)
        stop_leftovers(run_dir)
        port_must_be_free(settings.HOST, settings.PORT)
        migrate()
        create_owner_from_environment()
        collect_static()
        connection.close()
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "macai.supervisor", json.dumps(plan(run_dir))])  # noqa: S606
