"""What a look at one thing has found: how it is, in a word, a sentence and a figure."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    """How bad it is."""

    OK = "ok", _("Well")
    WARNING = "warning", _("Needs a look")  # the studio works
    FAILING = "failing", _("Fails")  # the studio does not work as it should


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look has found. Anybody may read it, so there is no path, address, name or foreign text in it.

    `code` is a short word for programs, `message` one sentence for people, `value` a figure in `unit` if there is one.
    """

    state: State
    code: str
    message: str
    value: float | None = None
    unit: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the studio works as far as this is concerned."""
        return self.state != State.FAILING

    @property
    def is_worth_an_alert(self) -> bool:
        """Whether somebody should be told. What is not known, or not yet there, is no news."""
        return self.state != State.OK and self.code not in {UNKNOWN, NONE_YET, NEVER}


WELL = "ok"
UNKNOWN = "unknown"
NONE_YET = "none_yet"
NEVER = "never_answered"
NOT_VERIFIED = "not_verified"


def well(message: str, value: float | None = None, unit: str = "") -> Finding:
    """Return that all is well."""
    return Finding(State.OK, WELL, message, value, unit)


def warning(code: str, message: str, value: float | None = None, unit: str = "") -> Finding:
    """Return that something wants somebody's eye."""
    return Finding(State.WARNING, code, message, value, unit)


def failing(code: str, message: str, value: float | None = None, unit: str = "") -> Finding:
    """Return that something does not work."""
    return Finding(State.FAILING, code, message, value, unit)


def unknown(message: str) -> Finding:
    """Return that nothing can be said of it now."""
    return Finding(State.WARNING, UNKNOWN, message)


def worst(findings: list[Finding]) -> State:
    """Return the worst state of all."""
    states = {finding.state for finding in findings}
    return next((state for state in (State.FAILING, State.WARNING) if state in states), State.OK)
