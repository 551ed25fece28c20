"""The watchman: one process at a time looks at the studio every few seconds, and has people told of what is wrong.

It lives in a web process, since a dead worker cannot report itself. Should all web processes be dead, the worker's
schedule takes its place, once a minute.
"""

import logging
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import leases
from jobs.models import Lease
from macai import health, provider_health
from macai.findings import UNKNOWN, Finding, failing, well
from macai.outage import Outage
from providers import webhook
from watch import alerts
from watch.alerts import Reading

logger = logging.getLogger(__name__)

LOOK_EVERY = 10.0  # seconds
LEASE = timedelta(seconds=35)
WATCH, WEB = "watch", "web"
WEB_SILENT = timedelta(seconds=60)
ASK_PROVIDERS_EVERY = {True: 15.0, False: 60.0}  # seconds; imitated or at home, and real ones


class Watchman:
    """Looks, if nobody else does. `is_web` for one that lives in the web server."""

    def __init__(self, *, is_web: bool) -> None:
        self.owner = leases.new_owner()
        self.is_web = is_web
        self.is_on_duty = False
        self.asked_at = float("-inf")
        self.asking: threading.Thread | None = None
        self.outage = Outage()

    def look(self) -> bool:
        """Look once. False if somebody else is on duty."""
        try:
            self.is_on_duty = leases.take(WATCH, self.owner, LEASE)
            self.outage.end()  # also by one who has been replaced meanwhile
            if not self.is_on_duty:
                return False
            if self.is_web:
                beat_of_web()
            readings = read_all(is_web=self.is_web)
            alerts.observe(readings)
            alerts.announce()
        except DatabaseError:
            connections.close_all()
            self.is_on_duty = self.outage.tell()
        return self.is_on_duty

    def ask_providers(self) -> None:
        """Have the providers asked beside, since one that hangs must hold up nothing."""
        pause = ASK_PROVIDERS_EVERY[provider_health.is_free_of_charge()]
        if time.monotonic() - self.asked_at < pause or (self.asking and self.asking.is_alive()):
            return
        self.asked_at = time.monotonic()
        self.asking = threading.Thread(target=ask_quietly, name="ask providers", daemon=True)
        self.asking.start()

    def keep_watch(self) -> None:
        """Look for as long as the process lives."""
        while True:
            try:
                if self.look():
                    self.ask_providers()
            except Exception:
                logger.exception("The watchman stumbled.")
            finally:
                connections.close_all()
            time.sleep(LOOK_EVERY)


def ask_quietly() -> None:
    """Ask the providers. A cache that is away is told of elsewhere."""
    try:
        provider_health.ask_all()
    except Exception:  # noqa: BLE001
        logger.warning("What the providers said could not be kept.")
    finally:
        connections.close_all()


def read_all(*, is_web: bool) -> dict[str, Reading]:
    """Look at all that may be told of. What cannot be known is left out."""
    found = health.look() | health.providers()
    if not is_web:
        found |= web_server()
    if settings.PUBLIC_URL:
        found["front"] = front()
    return {
        name: Reading(finding.is_worth_an_alert, finding.code, finding.message)
        for name, finding in found.items()
        if finding.code != UNKNOWN
    }


def beat_of_web() -> None:
    """Note that the web server lives, and if it was told to be dead, that it is well."""
    now = timezone.now()
    if not Lease.objects.filter(name=WEB).update(beat=now):
        Lease.objects.get_or_create(name=WEB, defaults={"beat": now, "until": now})
    alerts.observe({"web": Reading(is_red=False)})


def web_server() -> dict[str, Finding]:
    """Look whether any web process has shown life; nothing if there never was one."""
    beat = Lease.objects.filter(name=WEB).values_list("beat", flat=True).first()
    if beat is None:
        return {}
    if timezone.now() - beat > WEB_SILENT:
        return {"web": failing("no_heartbeat", _("The web server shows no life."))}
    return {"web": well(_("The web server lives."))}


def front() -> Finding:
    """Look whether the studio answers where people find it, which is through whatever stands in front of it."""
    if webhook.answers(f"{settings.PUBLIC_URL}/api/v1/health/live/"):
        return well(_("The studio answers at its public address."))
    return failing("no_answer", _("The studio does not answer at its public address."))


def look_from_worker() -> None:
    """Look once, if no web process does: what Django-Q's schedule runs."""
    leases.beat()
    watchman = Watchman(is_web=False)
    if watchman.look():
        ask_quietly()
    leases.drop(WATCH, watchman.owner)


def start() -> None:
    """Keep watch in a thread of this process."""
    threading.Thread(target=Watchman(is_web=True).keep_watch, name="watchman", daemon=True).start()
