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

    def fits(self, verdict: Verdict) -> bool:
        mutant = verdict.mutant
        pairs = ((self.function, mutant.function.name), (self.kind, mutant.kind), (self.what, mutant.what))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


DECIDED = (
    Row(
        "ms_pass_eight|counter_repr",
        "remove shadow space",
        "import PyUnicode_FromFormat with 16 bytes less",
        "Arguments on the stack are 16 bytes off, so others are passed. How many `...` stands for is not known.",
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
        "The stack moves in each turn of a loop: what rsp is modulo 16 differs between the ways that meet.",
    ),
    Row(
        ".*_helper_calls",
        "keep in a volatile register",
        ".*",
        "A call in a helper destroyed the register.",
    ),
    Row(
        ".*_pointer|counter_dealloc|measure",
        "(read|keep in) a volatile register",
        ".*",
        "The call goes through a pointer.",
    ),
    Row(
        ".*_(collatz|all_kept|checked|frame_saves|all|advance|traverse)",
        "keep in a volatile register",
        ".*",
        "The call is on one of two ways that meet.",
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
        r"(mov rbx, \[rbp - 8\] becomes mov rbp, \[rbp - 8\]|pop rbx becomes pop rbp)",
        "rsp becomes what was saved of another register: not followed.",
    ),
    Row(
        ".*_realign.*",
        "remove alignment",
        "and rsp, .* becomes and rsp, -8",
        "rsp was 8 off before, and this changes nothing.",
    ),
    Row(
        ".*_variable",
        "remove alignment",
        "and rax, -16 becomes and rax, -8",
        "What rsp is modulo 16 is not known.",
    ),
    Row(
        ".*",
        "drop vzeroupper",
        ".*",
        "There is no rule for the upper halves of ymm registers.",
    ),
    Row(
        "ms_(frame_saves|scale|add_bytes|xor_avx2)",
        "remove shadow space",
        ".* bytes of stack become .*",
        "The return address is overwritten.",
    ),
    Row(
        "ms_(add_bytes|xor_avx2)",
        "remove alignment",
        ".*",
        "An aligned access to the stack, 8 bytes off.",
    ),
    Row(
        "ms_realign",
        "remove shadow space",
        "64 bytes of stack become .*",
        "A store above the place where rsp was aligned.",
    ),
    Row(
        "ms_variable",
        "remove shadow space",
        ".*",
        "The callee's 32 bytes hold a variable part of the stack.",
    ),
    Row(
        "ms_(frame|scale|realign)",
        "remove shadow space",
        ".*",
        "The callee's 32 bytes hold locals.",
    ),
    Row(
        ".*",
        "falsify unwind data",
        ".*",
        "There is no rule for unwind data.",
    ),
)


def unexplained(verdicts: Iterable[Verdict], rows: Sequence[Row] = (*DECIDED, *OPEN)) -> list[str]:
    """The missed mutants that no row explains."""
    return [one.mutant.title for one in verdicts if one.is_missed and not any(row.fits(one) for row in rows)]


def idle(verdicts: Sequence[Verdict], rows: Sequence[Row] = (*DECIDED, *OPEN)) -> list[Row]:
    """The rows that explain nothing any more."""
    return [row for row in rows if not any(one.is_missed and row.fits(one) for one in verdicts)]
