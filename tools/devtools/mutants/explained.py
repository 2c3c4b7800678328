"""Mutants that run badly and are not found, looked into by hand. One that no row explains fails the proof.

DECIDED are no fault of the verifier: what running shows is not, or not certainly, a break of the convention. OPEN are:
the convention is broken and nothing says so yet. They fail the proof, and stand here so that the tests know them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .judge import Verdict


@dataclass(frozen=True)
class Row:
    """Why mutants are not found: patterns of their function, their kind and what was done."""

    function: str
    kind: str
    what: str
    why: str
    broken: str = ".*"
    """What running shows, with commas between."""

    def fits(self, verdict: Verdict) -> bool:
        mutant = verdict.mutant
        pairs = (
            (self.function, mutant.function.name),
            (self.kind, mutant.kind),
            (self.what, mutant.what),
            (self.broken, ",".join(verdict.broken)),
        )
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


DECIDED = (
    Row(
        "detect_level",
        "swap saves or restores",
        "pop rbx becomes pop rbp",
        "A local function, whose callers keep nothing in rbx: it has a convention of its own.",
    ),
    Row(
        ".*",
        "read a volatile register",
        r".*\brdx\b.*",
        "Behind a call through a pointer, or of a function of the module: rdx may be a second result.",
    ),
    Row(
        "ms_pass_eight|counter_repr",
        "remove shadow space",
        "import PyUnicode_FromFormat with 16 bytes less",
        "Arguments on the stack are 16 bytes off, so others are passed. How many `...` stands for is not known.",
    ),
    Row(
        "sv_.*",
        "use another place",
        ".*",
        "Above the return address lie arguments, which are the function's own. How many it has is not known.",
        "callers-stack",
    ),
    Row(
        "multiply",
        "use another place",
        r"lea .*",
        "A callee is given the address of a saved register. How much it writes there is not known.",
    ),
    Row(
        "sv_mxcsr",
        "use another place",
        ".*",
        "ldmxcsr faults, since what it loads is no value of MXCSR: another value, and no convention.",
        "died-of-signal-11",
    ),
    Row(
        ".*",
        "falsify unwind data",
        "without its unwind data",
        "On Linux no row is no false row: System V does not ask for one.",
        "unwind",
    ),
)

OPEN: tuple[Row, ...] = ()


def unexplained(verdicts: Iterable[Verdict], rows: Sequence[Row] = (*DECIDED, *OPEN)) -> list[str]:
    """The missed mutants that no row explains."""
    return [one.mutant.title for one in verdicts if one.is_missed and not any(row.fits(one) for row in rows)]


def idle(verdicts: Sequence[Verdict], rows: Sequence[Row] = (*DECIDED, *OPEN)) -> list[Row]:
    """The rows that explain nothing any more."""
    return [row for row in rows if not any(one.is_missed and row.fits(one) for one in verdicts)]
