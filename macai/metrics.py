"""`/metrics` for Prometheus: the same figures as on the status page, and what all processes have counted together.

Nothing is kept in the memory of this process: whichever one answers tells the same.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from jobs import overview
from jobs.kinds import KINDS
from jobs.models import Lease, Phase, ProviderAccount, Status
from jobs.spending import month_start, spent_since
from macai import health
from macai.findings import Finding, State
from watch.counting import UNBOUNDED
from watch.models import Alert, Tally

LEVELS = {State.OK: 0, State.WARNING: 1, State.FAILING: 2}
# What a figure of a check is called, in Prometheus' base units: (check, its unit) -> (name, help, factor).
FIGURES: dict[tuple[str, str], tuple[str, str, float]] = {
    ("database", "ms"): ("macai_database_answer_seconds", "How long the database took to answer.", 0.001),
    ("cache", "ms"): ("macai_cache_answer_seconds", "How long the cache took to answer.", 0.001),
    ("broker", "tasks"): ("macai_queue_tasks", "Tasks in the queue.", 1),
    ("queue", "s"): ("macai_oldest_waiting_seconds", "How long the first job in line has waited.", 1),
    ("disk", "MB"): ("macai_disk_free_bytes", "Room on the disk.", 1024 * 1024),
    ("backup", "h"): ("macai_backup_age_seconds", "How old the newest backup is.", 3600),
}
TALLIES = {
    "call": ("macai_provider_call_seconds", "Calls of providers.", ["provider", "operation", "outcome"]),
    "request": ("macai_request_seconds", "Requests to the web server.", ["view", "method", "status"]),
}


@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer whoever has METRICS_TOKEN, or is signed in as staff."""
    if not may_read(request):
        return HttpResponse("", status=401, headers={"WWW-Authenticate": "Bearer"})
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Studio())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_read(request: HttpRequest) -> bool:
    """Tell whether the figures are for whoever asks. A token is compared in constant time."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        wanted: str = settings.METRICS_TOKEN
        return bool(wanted) and secrets.compare_digest(token.strip().encode(), wanted.encode())
    return request.user.is_active and request.user.is_staff


class Studio:
    """Collects the figures when they are asked for."""

    def collect(self) -> Iterator[Metric]:
        """Give all figures. Without a database there are those of the checks, which say so."""
        found = health.memory.look()
        yield from of_checks(found | health.providers())
        yield from of_figures(found)
        if found["database"].is_ok:
            yield from of_jobs()
            yield from of_money()
            yield from of_watch()
            for metric in TALLIES:
                yield of_tallies(metric)


def gauge(name: str, text: str, labels: list[str] | None = None) -> GaugeMetricFamily:
    """Make a figure that goes up and down."""
    return GaugeMetricFamily(name, text, labels=labels)


def of_checks(found: dict[str, Finding]) -> Iterator[Metric]:
    """Give the state of each check."""
    states = gauge("macai_check_state", "0 well, 1 needs a look, 2 fails.", ["check"])
    for name, finding in found.items():
        states.add_metric([name], LEVELS[finding.state])
    yield states


def of_figures(found: dict[str, Finding]) -> Iterator[Metric]:
    """Give the figures of the checks."""
    for (name, unit), (metric, text, factor) in FIGURES.items():
        finding = found[name]
        if finding.value is not None and finding.unit == unit:
            figure = gauge(metric, text)
            figure.add_metric([], finding.value * factor)
            yield figure


def of_jobs() -> Iterator[Metric]:
    """Give how many jobs there are of each kind in each phase that wants something, and who works."""
    jobs = gauge(
        "macai_jobs", "Jobs that want something: from the program, or (uncertain) from a person.", ["kind", "phase"]
    )
    for label, kind in KINDS.items():
        numbers: dict[str, int] = dict.fromkeys([phase.value for phase in Phase if phase != Phase.ENDED], 0)
        rows = kind.rows.active().order_by().values_list("phase").annotate(Count("pk"))
        numbers |= dict(rows)
        numbers[Phase.UNCERTAIN] = kind.rows.uncertain().filter(status=Status.FAILURE).count()
        for phase, number in numbers.items():
            jobs.add_metric([label, phase], number)
    yield jobs
    workers = gauge("macai_workers", "Worker processes that show life.")
    workers.add_metric([], sum(cluster.workers for cluster in overview.clusters()))
    yield workers


def of_money() -> Iterator[Metric]:
    """Give what this month cost, and what is left on the accounts."""
    spent = gauge(
        "macai_spent_this_month_dollars", "By our price list; maybe: the answer was lost.", ["provider", "charge"]
    )
    for provider in sorted({kind.provider for kind in KINDS.values()}):
        sums = spent_since(month_start(), provider=provider)
        spent.add_metric([provider, "yes"], float(sums.charged))
        spent.add_metric([provider, "maybe"], float(sums.maybe))
    yield spent
    balance = gauge("macai_account_balance_dollars", "As the provider last said.", ["provider"])
    for account in ProviderAccount.objects.exclude(balance=None):
        balance.add_metric([account.provider], (account.balance or 0) / 100)
    yield balance


def of_watch() -> Iterator[Metric]:
    """Give the leases' last signs of life, and what people are told of."""
    now = timezone.now()
    ages = gauge("macai_lease_beat_age_seconds", "How long ago a lease last showed life.", ["lease"])
    for name, beat in Lease.objects.values_list("name", "beat"):
        ages.add_metric([name], max(0.0, (now - beat).total_seconds()))
    yield ages
    alerts = gauge("macai_alert", "1 for what is red.", ["check"])
    for name, is_red in Alert.objects.values_list("check_name", "is_red"):
        alerts.add_metric([name], int(is_red))
    yield alerts


def of_tallies(metric: str) -> HistogramMetricFamily:
    """Give what all processes have counted together."""
    name, text, labels = TALLIES[metric]
    histogram = HistogramMetricFamily(name, text, labels=labels)
    found: dict[str, list[Tally]] = defaultdict(list)
    for tally in Tally.objects.filter(metric=metric).order_by("labels", "at_most"):
        found[tally.labels].append(tally)
    for key, tallies in found.items():
        values = (key.split("\t") + [""] * len(labels))[: len(labels)]
        histogram.add_metric(values, buckets=cumulated(tallies), sum_value=sum(tally.seconds for tally in tallies))
    return histogram


def cumulated(tallies: list[Tally]) -> list[Any]:
    """Return buckets as Prometheus wants them: each with all that took at most so long."""
    so_far, buckets = 0, []
    for tally in tallies:
        so_far += tally.count
        if tally.at_most < UNBOUNDED:
            buckets.append((str(tally.at_most), so_far))
    return [*buckets, ("+Inf", so_far)]
