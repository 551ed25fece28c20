"""Turns: how many jobs a provider lets us run at once, counted in rows under a lock on the account's row."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.kinds import AccountFigures, kind_of, kinds_at
from jobs.models import Job, Phase, ProviderAccount, Status, TransitionError, new_token, storable
from providers.errors import ProviderError

FIRST_BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(seconds=60)
CHECK_EVERY = timedelta(minutes=2)
BIGGEST = 2**31 - 1  # of an integer column of PostgreSQL


def account_of(provider: str) -> ProviderAccount:
    """Return our account at a provider; until the provider or the owner has said, its limit is that of the kinds."""
    at_once = max((kind.at_once for kind in kinds_at(provider)), default=1)
    defaults = {"concurrent_request_limit": at_once}
    return ProviderAccount.objects.get_or_create(provider=provider, defaults=defaults)[0]


def claim_turns(provider: str, *, at_most: int, time_left: timedelta = timedelta.max) -> list[Job]:
    """Give waiting jobs the free turns at a provider, first come first served.

    Each is `SUBMITTING` with a new token when this returns, and committed: only now may its paid request leave. Kinds
    whose paid request could last longer than `time_left` have to wait for another caller.
    """
    now = timezone.now()
    kinds = kinds_at(provider)
    ready = [kind for kind in kinds if kind.submit_timeout <= time_left and kind.rows.due(now).waiting().exists()]
    if not ready:
        return []
    for kind in ready:
        kind.prepare()
    now = timezone.now()  # preparing may have taken seconds, and a claim counts from when it is made
    lines = [kind.rows.due(now).waiting() for kind in ready]
    account_of(provider)
    with transaction.atomic():
        account = ProviderAccount.objects.select_for_update().get(provider=provider)
        if account.backoff_until and account.backoff_until > now:
            return []
        held = sum(kind.rows.holding_a_turn(now).count() for kind in kinds)
        free = min(account.concurrent_request_limit - held, at_most)
        if free <= 0:
            return []
        waiting: list[Any] = [job for line in lines for job in line[:free]]
        waiting.sort(key=lambda job: (job.queued_at, str(job.pk)))
        return [job for job in waiting[:free] if claim(job, now)]


def claim(job: Job, now: datetime) -> bool:
    """Mark a waiting job as being submitted. False if somebody moved it meanwhile, by cancelling it for example."""
    kind = kind_of(job)
    try:
        job.move_to(
            Status.PENDING,
            when={"phase": Phase.WAITING, "task_id": job.task_id},
            phase=Phase.SUBMITTING,
            task_id=new_token(),
            submitted_at=now,
            slot_until=now + kind.slot,
            next_poll_at=now + kind.submit_timeout,
        )
    except TransitionError:
        return False
    return True


def back_off(provider: str, error: ProviderError) -> datetime:
    """Leave a provider alone for as long as it says, or for a growing while. Return until when."""
    with transaction.atomic():
        account_of(provider)
        account = ProviderAccount.objects.select_for_update().get(provider=provider)
        now = timezone.now()
        if error.retry_after is not None:
            pause = timedelta(seconds=max(1.0, error.retry_after))
        else:
            pause = min(FIRST_BACKOFF * 2 ** min(account.strikes, 10), LONGEST_BACKOFF)
        if account.backoff_until is None or account.backoff_until <= now:
            # Several requests refused in the same moment are one strike, not many.
            account.strikes += 1
        account.backoff_until = max(account.backoff_until or now, now + pause)
        account.backoff_reason = storable(error.message)
        account.save(update_fields=["strikes", "backoff_until", "backoff_reason"])
    return account.backoff_until


def forgive(provider: str) -> None:
    """Forget the strikes: the provider took something."""
    ProviderAccount.objects.filter(provider=provider, strikes__gt=0).update(strikes=0, backoff_reason="")


def claim_account_check(provider: str, *, now: datetime | None = None) -> bool:
    """Tell whether it is this caller's turn to read the account's figures, and put the next reading off."""
    account_of(provider)
    now = now or timezone.now()
    due = ProviderAccount.objects.filter(provider=provider, check_after__lte=now)
    return bool(due.update(check_after=now + CHECK_EVERY))


def record_account(provider: str, outcome: AccountFigures | Exception) -> None:
    """Write down what the provider says of our account. An unreachable account is not an empty one: figures stay."""
    rows = ProviderAccount.objects.filter(provider=provider)
    account_of(provider)
    if isinstance(outcome, AccountFigures):
        rows.update(
            concurrent_request_limit=max(1, min(outcome.concurrent_request_limit, BIGGEST)),
            balance=within(outcome.balance),
            total_recharge=within(outcome.total_recharge),
            total_spending=within(outcome.total_spending),
            account_id=outcome.account_id[:100],
            checked_at=timezone.now(),
            check_error="",
        )
    else:
        message = outcome.message if isinstance(outcome, ProviderError) else _("The account could not be read.")
        rows.update(check_error=storable(message))


def within(cents: int) -> int:
    """Return the nearest number that its column can hold."""
    return max(-BIGGEST, min(cents, BIGGEST))


def place_in_line(job: Job) -> int:
    """Return how many jobs the provider will take before this one, plus one."""
    before = 1
    for kind in kinds_at(kind_of(job).provider):
        before += kind.rows.waiting().filter(queued_at__lt=job.queued_at).count()
    return before
