"""Where a backup is restored to: nobody must use it, nothing must be in it, and its version must fit."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import ForeignObjectRel
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.status import Stat

from backups.errors import BackupError
from backups.manifest import Manifest
from backups.media import walk
from jobs import leases
from jobs.kinds import KINDS
from library import holdings

ALIVE = timedelta(seconds=15)
LOOK_SECONDS = 0.5
GOING_SECONDS = 3

Tell = Callable[[str], None]


@contextmanager
def studio_stopped(tell: Tell = lambda _text: None) -> Iterator[None]:
    """Make sure that nobody uses the studio, and keep `manage.py up` from starting it meanwhile.

    Raises:
        BackupError: it runs.
    """
    folder = settings.DATA_DIR / "run"
    folder.mkdir(exist_ok=True)
    lock = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)  # the one that `manage.py up` holds
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(_("The studio runs. Stop it first.")) from None
        if worker_lives(tell) or stay_connected():
            raise BackupError(_("The studio runs. Stop it first."))
        yield
    finally:
        os.close(lock)


def worker_lives(tell: Tell = lambda _text: None) -> bool:
    """Tell whether a worker lives. One that has just ended is given the time in which its last sign of life ages."""
    if not has_shown_life():
        return False
    beat = last_beat()
    tell(
        _("A worker has just shown life. Looking for %(seconds)d s whether it still does ...")
        % {"seconds": ALIVE.seconds}
    )
    give_up_at = time.monotonic() + ALIVE.total_seconds()
    while time.monotonic() < give_up_at:
        time.sleep(LOOK_SECONDS)
        if not has_shown_life():
            return False
        if last_beat() != beat:
            return True
    return has_shown_life()


def has_shown_life() -> bool:
    """Tell whether a worker has shown life just now, in the cache or in the database."""
    with suppress(Exception):  # the cache is away, so nobody shows life there
        if Stat.get_all() or Stat.get_all():
            return True
    beat = last_beat()
    return beat is not None and timezone.now() - beat < ALIVE


def last_beat() -> datetime | None:
    """Return when a worker last showed life in the database, if ever."""
    try:
        return leases.newest_beat()
    except DatabaseError:  # no tables yet
        connections["default"].close()
        return None


def stay_connected() -> bool:
    """Tell whether others are connected to the database for longer than a process takes to end."""
    for _try in range(GOING_SECONDS):
        if not others_are_connected():
            return False
        time.sleep(1)
    return others_are_connected()


def others_are_connected() -> bool:
    """Tell whether anybody else is connected to the PostgreSQL database."""
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return bool(cursor.fetchone()[0])


def must_be_empty() -> None:
    """Raise BackupError if there is anything that a restore would replace."""
    if database_is_used() or next(walk(), None) is not None:
        raise BackupError(
            _(
                "The studio is not empty: it has an account, jobs or files. Nothing was touched. With --force they are "
                "replaced; make a backup of them first."
            )
        )


def database_is_used() -> bool:
    """Tell whether the database holds more than a new installation has of itself."""
    connection = connections["default"]
    try:
        if not connection.introspection.table_names():
            return False
        return (
            somebody_uses_it()
            or any(kind.rows.exists() for kind in KINDS.values())
            or any(holder.model._base_manager.exists() for holder in holdings.HOLDERS.values())
        )
    except DatabaseError:  # tables of another version, or somebody else's
        connection.close()
        return True


def somebody_uses_it() -> bool:
    """Tell whether there is an account, other than the owner's as the preparation makes it.

    That one has never signed in and has nothing: DJANGO_SUPERUSER_USERNAME makes it again at any time.
    """
    accounts = get_user_model()._default_manager.all()[:2]
    if len(accounts) != 1:
        return bool(accounts)
    (owner,) = accounts
    return owner.last_login is not None or not owner.is_superuser or has_something(owner)


def has_something(owner: AbstractBaseUser) -> bool:
    """Tell whether any row, of whatever kind, is somebody's."""
    return any(
        field.related_model._base_manager.filter(**{field.field.name: owner}).exists()
        for field in owner._meta.get_fields(include_hidden=True)
        if isinstance(field, ForeignObjectRel)
    )


def must_fit(manifest: Manifest, *, exactly: bool) -> None:
    """Raise BackupError if this version of Macai cannot take in the backup.

    Its own dump may be older: it is brought up to date. Rows that go into another database must fit `exactly`.
    """
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    made = set(manifest.migrations)
    if made - known:
        raise BackupError(
            _("The backup was made by a newer version of Macai (%(version)s). Restore it with that one.")
            % {"version": manifest.version}
        )
    if exactly and known - made:
        raise BackupError(
            _("To go into another kind of database, the backup must be restored with the version of Macai that made it "
              "(%(version)s). Update after that.") % {"version": manifest.version}
        )  # fmt: skip
