"""A database that is away, of which no row can tell: who tells people, and what they were told, is kept in a file.

Whoever holds the file's lock is on duty, whether it was before or has only just been started. What it told stays in the
file, so whoever comes after it tells nothing twice, and does not forget to tell that the database is back.
"""

import fcntl
import json
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from watch import alerts
from watch.alerts import Reading

logger = logging.getLogger(__name__)

CHECK = "database"


def record() -> Path:
    """Return the file. It is empty while nobody was told of anything."""
    return Path(settings.DATA_DIR) / "run" / "database-away"


class Outage:
    """What one process knows of it."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self.told_by: set[str] = set()  # the ways that the message has gone
        self.file: TextIO | None = None  # while this process is on duty

    def tell(self) -> bool:
        """Have people told, if the database has been away for long enough. False if another process is on duty."""
        now = timezone.now()
        self.since = self.since or now
        if not self.take_duty():
            return False
        if now - self.since >= timedelta(seconds=settings.ALERT_AFTER_SECONDS):
            reading = Reading(is_red=True, code="no_answer", message=_("The database does not answer."))
            known = len(self.told_by)
            alerts.tell_without_database(CHECK, reading, self.since, self.told_by)
            if len(self.told_by) > known:
                self.keep(json.dumps({"since": self.since.isoformat(), "told_by": sorted(self.told_by)}))
        return True

    def end(self) -> None:
        """Write down what was told while the database was away, so that its return is told, too."""
        if self.file is None and not self.told_by and not was_told():
            self.since = None
            return
        if not self.take_duty():
            return  # whoever is on duty has yet to see that the database is back
        if self.told_by and self.since:
            alerts.remember_told(CHECK, self.since)
            self.keep("")
        self.since = None
        self.told_by.clear()
        self.leave()

    def take_duty(self) -> bool:
        """Be on duty, unless another process is, and know what those before have told."""
        if self.file is not None:
            return True
        try:
            record().parent.mkdir(exist_ok=True)
            file = record().open("a+", encoding="ascii")
        except OSError:
            logger.warning("What is told of the database cannot be kept: each process tells for itself.")
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self.file = file
        file.seek(0)
        with suppress(ValueError, KeyError):  # empty, or cut off by the end of the machine
            told = json.load(file)
            self.since, self.told_by = datetime.fromisoformat(told["since"]), set(told["told_by"])
        return True

    def keep(self, text: str) -> None:
        """Replace what is in the file. On a full disk this process still knows it."""
        if self.file is not None:
            with suppress(OSError):
                self.file.truncate(0)
                self.file.write(text)  # at the end, wherever that is
                self.file.flush()

    def leave(self) -> None:
        """Let another process be on duty."""
        if self.file is not None:
            self.file.close()
            self.file = None


def was_told() -> bool:
    """Tell whether anybody was told of an outage whose end nobody was told of."""
    with suppress(OSError):
        return record().stat().st_size > 0
    return False
