"""./dev prove: what takes too long for every change. A proof is one entry in PROOFS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .environments import Environment
from .shell import DevelopmentError, Stopwatch, say


@dataclass(frozen=True)
class Proof:
    """One long check: what it shows, and how; it raises DevelopmentError when it does not hold."""

    shows: str
    run: Callable[[Environment], None]


def run_all(development: Environment, names: Sequence[str]) -> bool:
    """Runs the named proofs, or all, each to its end, and says which hold."""
    unknown = [name for name in names if name not in PROOFS]
    if unknown:
        raise DevelopmentError(f"no proof is named {', '.join(unknown)}; there are {', '.join(PROOFS)}")
    results: list[tuple[str, str]] = []
    for name in names or PROOFS:
        proof = PROOFS[name]
        try:
            with Stopwatch(f"{name}: {proof.shows}"):
                proof.run(development)
            results.append((name, "holds"))
        except DevelopmentError as error:
            results.append((name, f"does not hold: {error}"))
    for name, result in results:
        say(f"{name}: {result}")
    return all(result == "holds" for _, result in results)


PROOFS: dict[str, Proof] = {}
