"""What nasm-ext read, held against what the other programs read of the same binary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .facts import Facts, Place, Reading, Value

Witnesses = Mapping[str, Reading]
"""Program to what it read."""

NEEDED = 2
"""Where the programs differ from each other, as many must agree with us."""


@dataclass(frozen=True)
class Difference:
    """A fact that some program tells otherwise than nasm-ext does."""

    place: Place
    fact: str
    ours: Value
    theirs: Mapping[str, Value]

    @property
    def agreeing(self) -> list[str]:
        return [name for name, value in self.theirs.items() if value == self.ours]

    @property
    def stands(self) -> bool:
        """Whether enough programs are on our side."""
        return len(self.agreeing) >= NEEDED

    def text(self) -> str:
        """One line: whom it sets apart, and in what."""
        member, part = self.place
        where = f"{member} ({part})" if part else member
        parts = [
            f"{name} {_change(self.ours, value)}" for name, value in self.theirs.items() if name not in self.agreeing
        ]
        return f"{where}: {self.fact}: {'; '.join(parts)}; as we do: {', '.join(self.agreeing) or 'nobody'}"


def differences(ours: Reading, witnesses: Witnesses) -> Iterator[Difference]:
    """Each fact of which two tell different things; a binary that a program does not see at all is one too."""
    for place in sorted(ours.keys() | {place for reading in witnesses.values() for place in reading}):
        theirs = {name: reading[place] for name, reading in witnesses.items() if place in reading}
        if place not in ours:
            yield Difference(place, "is there", frozenset(), {name: frozenset({"yes"}) for name in theirs})
            continue
        yield from _of_facts(place, ours[place], theirs)


def _of_facts(place: Place, ours: Facts, theirs: Mapping[str, Facts]) -> Iterator[Difference]:
    for fact, value in ours.items():
        told = {name: facts[fact] for name, facts in theirs.items() if fact in facts}
        if any(other != value for other in told.values()):
            yield Difference(place, fact, value, told)
        elif not told:
            yield Difference(place, f"{fact}, which no program told", value, {})
    for name, facts in theirs.items():
        unknown = facts.get("bound", frozenset()) - ours["imports"]
        if unknown:
            yield Difference(place, "imports, of which it binds", ours["imports"], {name: ours["imports"] | unknown})


def _change(ours: Value, value: Value) -> str:
    """What another program has more and less than we, a few of each."""
    parts = []
    for word, names in (("has", value - ours), ("lacks", ours - value)):
        if names:
            shown = [name or "nothing" for name in sorted(names)[:5]]
            parts.append(f"{word} {', '.join(shown)}{f' and {len(names) - 5} more' if len(names) > 5 else ''}")
    return " and ".join(parts)
