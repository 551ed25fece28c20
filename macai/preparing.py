"""What must be done before the studio can start: tables, the owner's account, static files."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.services import create_owner
from macai.supervisor import say

PREPARING = 7_225_018_421  # the number of our lock in PostgreSQL, drawn once
SHARED_FOR = timedelta(days=30)  # how long nginx has the static files of an earlier version


def give_up(sentence: str) -> NoReturn:
    """End with one sentence and status 1."""
    raise SystemExit(f"macai: {sentence}")


def checks_must_pass() -> None:
    """Give up with the first thing that Django's or our own system checks call an error."""
    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        give_up("\nmacai: ".join(str(message.msg) for message in errors))


def migrate() -> None:
    """Bring the tables up to date, if there is anything to do."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            say("Preparing the database ...")
            call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        give_up(f"The database does not answer: {str(error).strip().splitlines()[0]}.")


def create_owner_from_environment() -> None:
    """Create the owner's account if the environment names it and nobody has an account yet."""
    if not settings.DJANGO_SUPERUSER_USERNAME or get_user_model().objects.exists():
        return
    try:
        create_owner(
            username=settings.DJANGO_SUPERUSER_USERNAME,
            password=settings.DJANGO_SUPERUSER_PASSWORD,
            email=settings.DJANGO_SUPERUSER_EMAIL,
        )
    except ValidationError as error:
        give_up("The account of DJANGO_SUPERUSER_USERNAME cannot be made: " + " ".join(error.messages))


def static_fingerprint() -> str:
    """Return a hash that changes when any static file does."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static() -> None:
    """Gather, name by content and compress the static files, if they changed since the last time."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    if settings.DEBUG:  # WhiteNoise then serves them from where they are
        return
    if not os.access(root, os.W_OK):  # in the image, where they have been collected at its making
        return
    stamp = root / ".fingerprint"
    fingerprint = static_fingerprint()
    if not stamp.exists() or stamp.read_text(encoding="ascii") != fingerprint:
        say("Collecting static files ...")
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(fingerprint, encoding="ascii")


def share_static() -> None:
    """Copy the static files to where nginx finds them, and remove what no version has had for long.

    A page of the version before may still ask for its own files: they have other names, and stay.
    """
    if not settings.STATIC_SHARE:
        return
    source, share = Path(settings.STATIC_ROOT), Path(settings.STATIC_SHARE)
    for path in source.rglob("*"):
        target = share / path.relative_to(source)
        if path.is_file() and not path.name.startswith("."):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.{os.getpid()}")  # a half file is never served
            shutil.copyfile(path, part)
            part.replace(target)
    long_ago = time.time() - SHARED_FOR.total_seconds()
    for path in share.rglob("*"):
        if path.is_file() and path.stat().st_mtime < long_ago:
            path.unlink(missing_ok=True)


@contextmanager
def alone() -> Iterator[None]:
    """Be the only one who prepares, of all that use the same database: a second one waits for the first."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [PREPARING])  # gone with the connection, however that ends
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [PREPARING])
    else:
        with (settings.DATA_DIR / "prepare.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
