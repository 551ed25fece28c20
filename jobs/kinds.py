"""What the engine must know of a kind of job: how it is submitted, asked about, kept and brought home."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from jobs.models import Charge, Job, JobQuerySet

J = TypeVar("J", bound=Job)


@dataclass(frozen=True)
class Accepted:
    """The provider took the job and works on it. `fields` are columns of the kind to save with it."""

    job_id: str
    cost: Decimal  # US dollars
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """The provider is still at it."""

    progress: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The provider is done; `answer` is what `Kind.keep` stores. A synchronous call names its job id as well."""

    answer: Any
    fields: Mapping[str, Any] = field(default_factory=dict)
    job_id: str = ""
    cost: Decimal | None = None  # US dollars
    is_home: bool = False  # the files came with the answer and are stored: there is nothing left to fetch
    told: str = ""  # the line of history for an answer that is home


@dataclass(frozen=True)
class Ended:
    """The provider ended the job without a result."""

    message: str
    problem: str
    charge: Charge
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountFigures:
    """What a provider says of our account. Money in US cents."""

    concurrent_request_limit: int
    balance: int
    total_recharge: int
    total_spending: int
    account_id: str = ""


class Kind(ABC, Generic[J]):
    """A kind of job. `submit` and `ask` run in threads and do HTTP only; everything else runs with the database."""

    model: type[J]
    provider: str
    provider_name: str
    submit_timeout: timedelta  # after this, a submission without an answer is uncertain
    slot: timedelta  # how long a job whose fate is unknown counts against the provider's limit
    deadline: timedelta  # after this, a job that is asked about and has no result ends as failed
    at_once: int = 1  # jobs that the account takes at once, until the provider or the owner says otherwise
    is_askable: bool = True  # whether the provider can be asked about a job again
    wish: tuple[str, ...] = ()  # columns that say what was asked for; with them, an earlier submission gets its own row

    @property
    def label(self) -> str:
        """Return the name under which the kind is known in the queue."""
        return self.model._meta.label_lower

    @property
    def rows(self) -> JobQuerySet:
        """Return all jobs of the kind."""
        return self.model._default_manager.all()  # type: ignore[return-value]  # every kind has a JobQuerySet

    def prepare(self) -> None:  # most kinds need nothing
        """Load what submitting needs, before a job is claimed: a process that dies while it loads has lost nothing."""

    @abstractmethod
    def submit(self, job: J) -> Accepted | Finished | Ended:
        """Send the paid request, once. Raises ProviderError, whose verdict decides; anything else is uncertain."""

    @abstractmethod
    def ask(self, job: J) -> Running | Finished | Ended:
        """Ask how the job stands. Raises ProviderError; only a refusal ends the job, everything else means later."""

    @abstractmethod
    def keep(self, job: J, answer: Any) -> None:
        """Store the answer's rows. Called inside the transaction that moves the job on."""

    @abstractmethod
    def bring_home(self, job_pk: str) -> None:
        """Fetch the files of a job in `Phase.SAVING`, and end it when they are home. Called in a task of its own."""

    def sweep(self) -> None:  # a kind without leftovers needs none
        """Look after what no running job covers, once a minute."""


KINDS: dict[str, Kind[Any]] = {}
ACCOUNT_READERS: dict[str, Callable[[], AccountFigures]] = {}


def register(kind: Kind[Any]) -> None:
    """Make the engine care for a kind of job."""
    KINDS[kind.label] = kind


def register_account(provider: str, read: Callable[[], AccountFigures]) -> None:
    """Tell the engine how to read the figures of our account at a provider."""
    ACCOUNT_READERS[provider] = read


def kind_of(job: Job) -> Kind[Any]:
    """Return the kind of a job."""
    return KINDS[job._meta.label_lower]


def kinds_at(provider: str) -> list[Kind[Any]]:
    """Return the kinds that share the account at a provider."""
    return [kind for kind in KINDS.values() if kind.provider == provider]


def is_anything_active() -> bool:
    """Tell whether any job of any kind still wants something done."""
    return any(kind.rows.active().exists() for kind in KINDS.values())
