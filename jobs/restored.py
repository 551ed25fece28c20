"""What becomes of jobs that come out of a backup: nothing that the past had not yet paid for is paid for again.

A job that waited when the backup was made may have been submitted since, by the studio that is lost. Nobody knows, and
that is what "uncertain" means: it is shown as such, a person submits it again or enters the job id. A job that was
being submitted is the same. One that ran has its job id, so it is asked about and goes on by itself.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from jobs.endings import with_charge
from jobs.kinds import KINDS
from jobs.models import Charge, JobEvent, Lease, Phase, Status

PROBLEM = "restored"
Statement = tuple[str, list[Any]]


def held_sentence() -> str:
    """Return what a person is told of a job that is held."""
    message = _(
        "It waited for its turn when the backup was made that the studio was restored from. "
        "Whether it was submitted after that is not known."
    )
    return with_charge(message, Charge.MAYBE)


def statements(connection: BaseDatabaseWrapper, now: datetime, *, release_waiting: bool) -> Iterator[Statement]:
    """Return the SQL that settles the past of a restored database, to be run before anybody sees it.

    SQL, because it has to be part of the transaction in which PostgreSQL's own program restores; it is the one place
    beside `Job.move_to` that writes `status`, along `TRANSITIONS` too. With `release_waiting`, jobs that waited go on
    waiting: for who knows that nothing was submitted after the backup.
    """
    quote, moment = connection.ops.quote_name, connection.ops.adapt_datetimefield_value(now)
    phases = [Phase.SUBMITTING.value] if release_waiting else [Phase.WAITING.value, Phase.SUBMITTING.value]
    sentence = held_sentence()
    where = f"WHERE status = %s AND phase IN ({', '.join(['%s'] * len(phases))})"
    which = [Status.PENDING.value, *phases]
    columns = {
        "status": Status.FAILURE.value,
        "phase": Phase.UNCERTAIN.value,
        "charge": Charge.MAYBE.value,
        "problem": PROBLEM,
        "error_message": sentence,
        "next_poll_at": None,
        "slot_until": None,
        "completed_at": moment,
        "updated_at": moment,
    }
    events = quote(JobEvent._meta.db_table)
    for kind in KINDS.values():
        table = quote(kind.model._meta.db_table)
        told = f"INSERT INTO {events} (kind, job_pk, at, text) SELECT %s, id, %s, %s FROM {table} {where}"  # noqa: S608  # our own names
        yield told, [kind.label, moment, sentence, *which]
        held = f"UPDATE {table} SET {', '.join(f'{column} = %s' for column in columns)} {where}"  # noqa: S608  # the same
        yield held, [*columns.values(), *which]
    yield f"DELETE FROM {quote(Lease._meta.db_table)}", []  # noqa: S608  # nobody who held one lives


def count_held() -> int:
    """Return how many jobs are held since a restore."""
    return sum(kind.rows.uncertain().filter(problem=PROBLEM).count() for kind in KINDS.values())
