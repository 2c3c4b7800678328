"""./dev prove mutants: every mutant of every correct function, run and checked."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..shell import DevelopmentError, say
from . import coverage, expanded, explained
from .batch import Batch
from .corpus import CONVENTIONS
from .judge import Judge, Verdict, copy_of, judge_all
from .report import table

BY_PROCESSOR = ("detect_level", "distance_with", "hamming_avx512")
"""Functions that not every processor runs, or not on all of their ways."""


def prove(nasm_ext: Path) -> None:
    """Prints the table; raises DevelopmentError where a mutant that breaks passed, or a correct function did not."""
    if not expanded.has_avx512():
        say(f"NOT RUN: the mutants of {expanded.AVX512.name}, because this processor has no AVX-512")
    wrong: list[str] = []
    verdicts: list[Verdict] = []
    for convention in CONVENTIONS:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            wrong += look_at_originals(Judge(nasm_ext, convention, Path(folder)))
        verdicts += judge_all(nasm_ext, convention)
    for line in table(verdicts).splitlines():
        say(line)
    wrong += [f"{title}: missed" for title in explained.unexplained(verdicts, explained.DECIDED)]
    wrong += [f"explained.py: nothing is as this row says: {row}" for row in explained.idle(verdicts)]
    if wrong:
        raise DevelopmentError("\n".join(wrong))


def look_at_originals(judge: Judge) -> list[str]:
    """What is wrong with the correct functions: they run well, inputs reach all of them, and nothing is found."""
    wrong = []
    for source in judge.sources:
        place = f"{judge.convention.name}/{source.file}"
        batch = Batch(source.convention, source.prelude, [copy_of(one, one.code) for one in source.functions])
        ran = judge.run(source)
        wrong += [
            f"{place}: {one.name}: {what.broken}"
            for one, what in zip(source.functions, ran, strict=True)
            if what.broken
        ]
        wrong += [
            f"{place}: {missing}: no input reaches it"
            for missing in coverage.unreached(batch, ran, judge.folder)
            if not missing.startswith(BY_PROCESSOR)
        ]
        wrong += [f"{place}: {name}: {words}" for name, said in judge.found(source).items() for words in said]
    return wrong
