"""Both words on every mutant: what running it shows, and what nasm-ext finds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from . import corpus, expanded, oracle
from .batch import RULES, UNWIND_RULES, Batch, Copy, check
from .corpus import Convention, Function, Source
from .mutations import DESTROYED_KINDS, UNWIND_KIND, Mutant, mutants
from .oracle import Ran

MOST_COPIES = 400
"""In one module: what more costs than it saves."""


@dataclass(frozen=True)
class Verdict:
    """What both say of a mutant."""

    mutant: Mutant
    broken: tuple[str, ...]
    """What running shows to be broken; empty where the mutant keeps to the convention on all inputs."""
    is_other_result: bool
    """Whether it returns or writes something else than the function that it was made of."""
    found: tuple[str, ...]
    not_followed: tuple[str, ...]

    @property
    def is_missed(self) -> bool:
        return bool(self.broken) and not self.found


def copy_of(function: Function, lines: Sequence[str], kind: str = "") -> Copy:
    """`kind` says whether its unwind data matters: other mutants' is as false as their code has become."""
    has_data = any(line.startswith("%ifidn") for line in function.code)
    is_unwound = kind == UNWIND_KIND and has_data and function.convention.name == "system_v"
    result = function.result + ("/unwind" if is_unwound else "")
    return Copy(function.name, function.names, tuple(lines), result, function.inputs)


def of_rules(said: Sequence[str], rules: frozenset[str]) -> tuple[str, ...]:
    """The messages of these rules."""
    return tuple(words for words in said if words.rpartition("[")[2].rstrip("]") in rules)


class Judge:
    """One convention's programs, in a folder that is thrown away."""

    def __init__(self, nasm_ext: Path, convention: Convention, folder: Path) -> None:
        self.nasm_ext = nasm_ext
        self.convention = convention
        self.folder = folder
        self.sources = [*corpus.sources(convention), *expanded.sources(convention)]
        names = dict.fromkeys(name for source in self.sources for name in expanded.imports_of(source))
        self.program = oracle.build(convention, folder, list(names))

    def run(self, source: Source) -> list[Ran]:
        """The functions of a source, as they are."""
        kind = UNWIND_KIND if source.functions[0].origin == "macros" else ""
        copies = [copy_of(function, function.code, kind) for function in source.functions]
        return oracle.ask(self.program, Batch(self.convention, source.prelude, copies), self.folder)

    def found(self, source: Source) -> dict[str, tuple[str, ...]]:
        """What nasm-ext finds in the functions of a source, as they are."""
        copies = [copy_of(function, function.code) for function in source.functions]
        checked = check(self.nasm_ext, Batch(self.convention, source.prelude, copies), self.folder)
        rules = RULES | ({"unwind-false"} if source.functions[0].origin == "written" else UNWIND_RULES)
        found = {source.functions[index].name: of_rules(said, rules) for index, said in checked.found.items()}
        return {**found, **({"": checked.not_followed} if checked.not_followed else {})}

    def judge(self, source: Source, chosen: Iterable[Mutant]) -> Iterator[Verdict]:
        """The mutants of a source's functions."""
        rest = iter(chosen)
        while some := list(islice(rest, MOST_COPIES)):
            # The originals run in the same process: what they write may hold addresses, which differ between processes.
            functions = list(dict.fromkeys(one.function for one in some))
            copies = [copy_of(function, function.code) for function in functions]
            batch = Batch(
                self.convention, source.prelude, copies + [copy_of(one.function, one.lines, one.kind) for one in some]
            )
            ran = oracle.ask(self.program, batch, self.folder)
            checked = check(self.nasm_ext, batch, self.folder)
            intact = {function: what.hash for function, what in zip(functions, ran, strict=False)}
            for index, mutant in enumerate(some, len(functions)):
                what = ran[index]
                is_other = what.hash != intact[mutant.function]
                broken = what.broken or (("destroyed",) if is_other and mutant.kind in DESTROYED_KINDS else ())
                rules = UNWIND_RULES if mutant.kind == UNWIND_KIND else RULES
                if mutant.kind == UNWIND_KIND and self.convention.name == "win64":
                    broken = ("unwind",)  # nothing here unwinds by .pdata: each of these mutants was made false
                found = of_rules(checked.found.get(index, ()), rules)
                not_followed = checked.not_followed
                if broken and not found and not_followed:
                    not_followed = self.check_alone(source, mutant)
                yield Verdict(mutant, broken, is_other, found, not_followed if not found else ())

    def check_alone(self, source: Source, mutant: Mutant) -> tuple[str, ...]:
        """Why this one could not be followed."""
        alone = Batch(self.convention, source.prelude, [copy_of(mutant.function, mutant.lines)])
        return check(self.nasm_ext, alone, self.folder).not_followed


def judge_all(
    nasm_ext: Path, convention: Convention, choose: Callable[[Function], Iterable[Mutant]] = mutants
) -> list[Verdict]:
    """Every mutant of a convention, or those that are chosen."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        judge = Judge(nasm_ext, convention, Path(folder))
        return [
            verdict
            for source in judge.sources
            for verdict in judge.judge(source, (one for function in source.functions for one in choose(function)))
        ]
