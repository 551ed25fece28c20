"""What jobs cost, by our price list, added up over every kind."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils import timezone

from jobs.kinds import KINDS, kinds_at
from jobs.models import Charge, EarlierSubmission, Job


@dataclass(frozen=True)
class Spending:
    """A sum in US dollars: what was charged, and what may have been."""

    charged: Decimal = Decimal(0)
    maybe: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Return the most that it can have been."""
        return self.charged + self.maybe


def spent_since(moment: datetime, *, provider: str = "") -> Spending:
    """Return what was submitted since a moment cost, at one provider or at all.

    `Job.spent_before` is for whoever looks at the job; here each submission counts when it was made.
    """
    kinds = kinds_at(provider) if provider else list(KINDS.values())
    earlier = EarlierSubmission.objects.filter(kind__in=[kind.label for kind in kinds])
    charged = maybe = Decimal(0)
    for rows in (earlier, *(kind.rows for kind in kinds)):
        row = rows.filter(submitted_at__gte=moment).aggregate(
            charged=Sum("cost", filter=Q(charge=Charge.YES)), maybe=Sum("cost", filter=Q(charge=Charge.MAYBE))
        )
        charged += row["charged"] or 0
        maybe += row["maybe"] or 0
    return Spending(charged, maybe)


def note_charged(job: Job) -> None:
    """Note that the earlier submission whose token `job` has was charged: what was a doubt has been answered."""
    EarlierSubmission.objects.filter(job_pk=job.pk, task_id=job.task_id).update(charge=Charge.YES)


def month_start() -> datetime:
    """Return when the current month began, in the studio's time zone."""
    return timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def format_price(price: Decimal) -> str:
    """Return dollars with two decimals, or up to four where they matter."""
    text = f"{price:.4f}".rstrip("0")
    whole, _point, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def dollars(amount: Decimal) -> str:
    """Return an amount as a person reads it: "$0.045"."""
    return f"${format_price(amount)}"
