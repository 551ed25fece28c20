"""Which rows speak of which files. Each product says so for its own; who looks after all files need know no product."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True, slots=True)
class Held:
    """A file that a row speaks of: its name in storage, and what the row knows of it ("" and None if nothing)."""

    label: str  # of the row's model
    pk: Any
    column: str
    name: str
    sha256: str = ""
    size: int | None = None  # bytes


class Holder(ABC):
    """A kind of row that speaks of files."""

    model: type[models.Model]

    @property
    def label(self) -> str:
        """Return the name of the kind."""
        return self.model._meta.label_lower

    @abstractmethod
    def held(self, using: str) -> Iterator[Held]:
        """Return every file that rows in the database `using` speak of, a few rows in memory at a time."""

    def make_again(self, held: Held) -> bool:
        """Make a file anew that can be made from another one, such as a small version. False if it cannot."""
        return False

    def fetch_again(self, held: Held) -> bool:
        """Have a file fetched again from where it came. False if it is not to be had there any more."""
        return False


HOLDERS: dict[str, Holder] = {}


def register(holder: Holder) -> None:
    """Tell what looks after all files of a kind of row that has some."""
    HOLDERS[holder.label] = holder


def everything_held(using: str) -> Iterator[Held]:
    """Return every file that any row in a database speaks of. The same file may come more than once."""
    for holder in HOLDERS.values():
        yield from holder.held(using)
