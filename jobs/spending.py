"""What jobs cost, by our price list, added up over every kind."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils import timezone

from jobs.kinds import KINDS, kinds_at
from jobs.models import Charge


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
    """Return what the jobs submitted since a moment cost, at one provider or at all."""
    # A job that waits to be submitted again has no submission now, but what it cost before.
    again = Q(submitted_at=None, queued_at__gte=moment, spent_before__gt=0)
    charged = maybe = Decimal(0)
    for kind in kinds_at(provider) if provider else KINDS.values():
        row = kind.rows.filter(Q(submitted_at__gte=moment) | again).aggregate(
            charged=Sum("cost", filter=Q(charge=Charge.YES)),
            maybe=Sum("cost", filter=Q(charge=Charge.MAYBE)),
            before=Sum("spent_before"),
        )
        charged += (row["charged"] or 0) + (row["before"] or 0)
        maybe += row["maybe"] or 0
    return Spending(charged, maybe)


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
