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

OPEN = (
    Row(
        ".*_helper.*|sv_ipa",
        "move rsp by 8",
        ".* (before ret|becomes add rsp, .*)",
        "A helper that returns with its stack out of balance.",
    ),
    Row(
        "frames_all|multiply|distance_with",
        "move rsp by 8",
        "(sub|add) rsp, 8 before import .*",
        "The stack moves in each turn of a loop: the ways that meet differ in what rsp is modulo 16.",
    ),
    Row(
        "sv_realign_16",
        "keep in a volatile register",
        ".*",
        "rsp is restored from the register: not followed.",
    ),
    Row(
        ".*",
        "read a volatile register",
        r".*\b(rdx|xmm1)\b.*",
        "The callee may have a second result, for all that is known of it.",
    ),
    Row(
        ".*",
        "swap saves or restores",
        "pop rbx becomes pop rbp",
        "rsp becomes what was saved of another register: not followed.",
    ),
    Row(
        "ms_(frame|scale|realign)",
        "remove shadow space",
        ".*",
        "The callee's 32 bytes hold locals.",
    ),
    Row(
        ".*",
        "read flags behind a call",
        ".*",
        "What a call does to flags is not known.",
    ),
    Row(
        ".*",
        "leave DF set",
        "pushfq; .*",
        "popfq is taken to restore what pushfq saved.",
    ),
    Row(
        ".*_realign",
        "use another place",
        "vmovdqa .*",
        "An aligned access of 32 bytes, 8 or 16 bytes off.",
    ),
    Row(
        "sv_mxcsr",
        "(use another place|drop a restore)",
        ".*",
        "There is no rule for the control bits of MXCSR.",
        "control",
    ),
    Row(
        ".*",
        "falsify unwind data",
        ".*(off|another register)",
        "Rows that tell where registers lie are not looked at.",
    ),
)


def unexplained(verdicts: Iterable[Verdict], rows: Sequence[Row] = (*DECIDED, *OPEN)) -> list[str]:
    """The missed mutants that no row explains."""
    return [one.mutant.title for one in verdicts if one.is_missed and not any(row.fits(one) for row in rows)]


def idle(verdicts: Sequence[Verdict], rows: Sequence[Row] = (*DECIDED, *OPEN)) -> list[Row]:
    """The rows that explain nothing any more."""
    return [row for row in rows if not any(one.is_missed and row.fits(one) for one in verdicts)]
