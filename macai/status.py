"""The status page: how everything is, and what to do about what is not well."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from jobs import overview
from jobs.spending import dollars, month_start, spent_since
from macai import health, pulse
from macai.findings import Finding, State, worst
from watch import sending
from watch.models import Alert

NAMES: dict[str, str | Promise] = {
    "database": _("Database"),
    "migrations": _("Tables"),
    "cache": _("Cache"),
    "broker": _("Queue"),
    "worker": _("Worker"),
    "queue": _("Waiting jobs"),
    "storage": _("Storage"),
    "disk": _("Disk"),
    "backup": _("Backup"),
}
# What a person can do, by check and code; by check alone where it is the same for all.
ADVICE: dict[str, str | Promise] = {
    "database": _(
        "See that PostgreSQL runs, and that DATABASE_URL is right. Everything goes on by itself once it answers."
    ),
    "migrations": _("Run “manage.py migrate”, then restart the web server and the worker."),
    "cache": _("See that Redis runs, and that REDIS_URL is right. At home: see that DATA_DIR can be written."),
    "broker": _("See that Redis runs, and that REDIS_URL is right. Nothing is lost: jobs wait in the database."),
    "worker": _("Start the worker (“make run” at home, “docker compose up -d worker” in containers). Jobs only wait."),
    "queue.not_followed": _("The worker does not work. Restart it; waiting jobs are then taken up."),
    "queue.waits_long": _("The line is long, or the provider lets few run at once. See the page of jobs."),
    "storage": _(
        "See that the disk is there and DATA_DIR can be written, and the bucket if there is one. What is paid for "
        "comes home later."
    ),
    "disk": _("Make room: empty the trash, move old backups away. New files are refused before the database suffers."),
    "backup.none_yet": _("Make one in the admin, or by “manage.py backup”."),
    "backup.too_old": _("See in the admin why the last ones failed; the backup runs in the worker."),
    "backup.not_verified": _(
        "See in the admin what the verification found. Make a backup, which puts back what was damaged, and verify it."
    ),
    "down": _("Nothing to do if it passes. Else see the provider's own status page, or your network."),
    "never_answered": _("Set its address or its key in .env, or leave it: nothing else needs it."),
    "bad_key": _("Put the right key into .env and restart."),
    "no_money": _("Charge the account at the provider; jobs that were refused can be submitted again."),
    "too_slow": _("The machine is very busy, or a disk or a server hangs. Look again in a minute."),
}
PILLS = {State.OK: "done", State.WARNING: "running", State.FAILING: "failed"}


@dataclass(frozen=True)
class Line:
    """One thing as the page shows it."""

    name: str | Promise
    finding: Finding
    advice: str | Promise

    @property
    def pill(self) -> str:
        """The colour of the state."""
        return "waiting" if self.finding.code == "unknown" else PILLS[self.finding.state]

    @property
    def label(self) -> str | Promise:
        """The state in a word."""
        return _("Not known") if self.finding.code == "unknown" else self.finding.state.label


def advice_for(name: str, finding: Finding) -> str | Promise:
    """Return what to do about a finding; nothing where all is well or nothing is known."""
    if finding.state == State.OK or finding.code == "unknown":
        return ""
    keys = (f"{name}.{finding.code}", finding.code, name)
    return next((ADVICE[key] for key in keys if key in ADVICE), "")


def figures_of(found: dict[str, Finding]) -> dict[str, object]:
    """Return what else the page shows, which only the database knows."""
    if not found["database"].is_ok:
        return {}
    spending = spent_since(month_start())
    return {
        "counts": overview.counts(),
        "spent": dollars(spending.total),
        "alerts": Alert.objects.filter(is_red=True),
        "ways": sending.ways(),
    }


def context() -> dict[str, object]:
    """Look, and return what is shown."""
    found = health.memory.look()
    outside = {provider.name.lower(): provider.name for provider in pulse.providers()}
    providers = health.providers()
    return {
        "lines": [Line(NAMES[name], finding, advice_for(name, finding)) for name, finding in found.items()],
        "providers": [Line(outside[name], finding, advice_for(name, finding)) for name, finding in providers.items()],
        "state": worst(list(found.values())),
        "url": reverse("status-checks"),
        **figures_of(found),
    }


@never_cache
@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """Show how everything is."""
    return render(request, "status.html", context())


@never_cache
@require_GET
def status_checks(request: HttpRequest) -> HttpResponse:
    """Show it without the frame, for the page that refreshes itself."""
    return render(request, "components/status_checks.html", context())
