"""What came over and what did not, told at the end."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

EXAMPLES = 20  # named one by one, for each reason


@dataclass
class Count:
    """How a move went for one kind of thing."""

    name: str
    found: int = 0
    brought: int = 0
    there: int = 0
    left: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[str]] = field(default_factory=dict)

    def leave(self, reason: str, what: str) -> None:
        """Note that something did not come over, and why."""
        self.left[reason] += 1
        self._name(reason, what)

    def tell(self, fact: str, what: str = "") -> None:
        """Note something about what came over that its owner should know."""
        self.facts[fact] += 1
        if what:
            self._name(fact, what)

    def _name(self, words: str, what: str) -> None:
        named = self.named.setdefault(words, [])
        if len(named) < EXAMPLES:
            named.append(what)

    def lines(self, *, dry_run: bool) -> Iterator[str]:
        """Give the lines of the report."""
        verb = "to bring" if dry_run else "brought"
        left = sum(self.left.values())
        yield f"{self.name}: {self.found} found, {self.brought} {verb}, {self.there} here already, {left} left behind"
        for mark, counted in (("-", self.left), ("+", self.facts)):
            for words, count in sorted(counted.items()):
                yield f"  {mark} {count} × {words}"  # noqa: RUF001  a multiplication sign
                named = self.named.get(words, [])
                yield from (f"      {what}" for what in named)
                if named and count > len(named):
                    yield f"      and {count - len(named)} more"


@dataclass
class Report:
    """How the whole move went."""

    counts: list[Count] = field(default_factory=list)

    def count(self, name: str) -> Count:
        """Begin to count one kind of thing."""
        self.counts.append(Count(name))
        return self.counts[-1]

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left behind."""
        return not any(count.left for count in self.counts)

    def lines(self, *, dry_run: bool) -> Iterator[str]:
        """Give the lines of the report."""
        for count in self.counts:
            yield from count.lines(dry_run=dry_run)
