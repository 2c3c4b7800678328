"""The ABI verifier against an oracle that runs: correct functions pass, and of their mutants those that break are found.

./dev prove mutants takes every mutant; here are some of each function, the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from devtools.mutants import corpus, explained, judge, mutations, oracle, proof, report
from devtools.mutants.batch import Batch, Copy
from devtools.mutants.corpus import CONVENTIONS, SYSTEM_V, WIN64, Convention, Function
from devtools.mutants.mutations import Mutant

FEWER = {"written": 9, "macros": 150}
"""One mutant of so many."""
COUNTS = {"system_v": (189, 170), "win64": (206, 193)}
"""How many these are, and how many of them break their convention when they run."""


def some(function: Function) -> Iterator[Mutant]:
    step = FEWER[function.origin]
    if function.name in proof.BY_PROCESSOR:
        return iter(())
    return islice(mutations.mutants(function), len(function.name) % step, None, step)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda one: one.name)
def test_the_correct_functions_are_correct(convention: Convention, nasm_ext: Path, tmp_path: Path) -> None:
    """They keep to their convention when they run, inputs reach every instruction of theirs, and nothing is found."""
    assert proof.look_at_originals(judge.Judge(nasm_ext, convention, tmp_path)) == []


def test_there_are_enough_functions() -> None:
    counts = {one.name: sum(len(source.functions) for source in corpus.sources(one)) for one in CONVENTIONS}
    assert counts == {"system_v": 39, "win64": 30}


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda one: one.name)
def test_mutants_that_break_are_found(convention: Convention, nasm_ext: Path) -> None:
    verdicts = judge.judge_all(nasm_ext, convention, some)
    assert explained.unexplained(verdicts) == []
    count = report.counts(verdicts)
    assert (count["mutants"], count["broken"]) == COUNTS[convention.name]
    assert {one.mutant.kind for one in verdicts if one.broken and one.found} >= {
        "drop a save",
        "drop a restore",
        "swap saves or restores",
        "move rsp by 8",
        "clobber on one way",
        "read a volatile register",
        "leave DF set",
    }


# -- the oracle itself -------------------------------------------------------------------------------------------------
BROKEN = {
    (SYSTEM_V, "xor ebx, ebx; ret"): "register",
    (SYSTEM_V, "std; ret"): "direction-at-return",
    (SYSTEM_V, "mov [rsp + 8], rax; ret"): "callers-stack",
    (SYSTEM_V, "fld1; ret"): "control",
    (SYSTEM_V, "vpcmpeqd ymm0, ymm0, ymm0; ret"): "upper-at-return",
    (SYSTEM_V, "import PyErr_Occurred; ret"): "alignment",
    (SYSTEM_V, "sub rsp, 8; std; import PyErr_Occurred; cld; add rsp, 8; ret"): "direction-at-call",
    (SYSTEM_V, "sub rsp, 8; vpcmpeqd ymm0, ymm0, ymm0; import PyErr_Occurred; add rsp, 8; ret"): "upper-at-call",
    (SYSTEM_V, "pop rcx; add rsp, 8; jmp rcx"): "balance",
    (SYSTEM_V, "mov [rsp - 136], rbx; mov rbx, [rsp - 136]; ret"): "register",
    (SYSTEM_V, "mov [rsp - 128], rbx; mov rbx, [rsp - 128]; ret"): "intact",
    (SYSTEM_V, "push rax; ret"): "died-of-signal-11",
    (SYSTEM_V, "jmp $"): "died-of-steps",
    (WIN64, "mov [rsp + 32], rdi; xor edi, edi; mov rdi, [rsp + 32]; ret"): "intact",
    (WIN64, "xor edi, edi; ret"): "register",
    (WIN64, "xorps xmm6, xmm6; ret"): "vector",
    (WIN64, "mov [rsp - 8], rbx; mov rbx, [rsp - 8]; ret"): "register",
    (WIN64, "push rbx; import PyErr_Occurred; pop rbx; ret"): "died-of-signal-11",
}


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda one: one.name)
def test_the_oracle_sees_what_breaks(convention: Convention, tmp_path: Path) -> None:
    codes = {code: said for (one, code), said in BROKEN.items() if one is convention}
    prelude = ('%include "convention.inc"', "imports PyErr_Occurred")
    copies = [Copy("f", ("f",), ("function f", *code.split("; ")), "int64", ("-",)) for code in codes]
    ran = oracle.ask(oracle.build(convention, tmp_path), Batch(convention, prelude, copies), tmp_path)
    assert [",".join(one.broken) or "intact" for one in ran] == list(codes.values())


def test_a_mutant_that_passes_is_missed(tmp_path: Path) -> None:
    """The other way round: where a check finds nothing, mutants are missed, and what was decided by hand hides none."""
    silent = tmp_path / "nasm-ext"
    silent.write_text('#!/bin/sh\nfor word; do test "$last" = --output && report=$word; last=$word; done\n'
                      'echo \'{"files": [{"findings": [], "not_checked": []}]}\' > "$report"\n')  # fmt: skip
    silent.chmod(0o755)
    verdicts = judge.judge_all(silent, SYSTEM_V, lambda one: mutations.mutants(one) if one.name == "sv_sum" else ())
    missed = [one.mutant.title for one in verdicts if one.broken]
    assert missed == [
        "system_v/registers.asm:19: move rsp by 8: sub rsp, 8 before ret",
        "system_v/registers.asm:19: move rsp by 8: add rsp, 8 before ret",
        "system_v/registers.asm:13: clobber on one way: xor ebx, ebx before .next:",
        "system_v/registers.asm:14: clobber on one way: mov rbp, 1 before add rax, [rdi]",
        "system_v/registers.asm:18: clobber on one way: mov r12b, 7 before .end:",
        "system_v/registers.asm:19: clobber on one way: inc r13 before ret",
        "system_v/registers.asm:19: leave DF set: std before ret",
        "system_v/registers.asm:19: leave DF set: pushfq; or qword [rsp], 0x400; popfq before ret",
    ]
    assert explained.unexplained(verdicts, explained.DECIDED) == missed
