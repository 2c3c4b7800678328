"""The proof itself: every pinned wheel read and judged by all programs, and what they do not agree on."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .. import environments, interpreters, public_wheels
from ..environments import Environment
from ..public_wheels import Wanted
from ..shell import DevelopmentError, cores, say
from . import explained, ours, read, verdicts
from .compare import Difference, differences
from .verdicts import Judgement

PINS = Path(__file__).with_name("wheels.txt")
FEWEST_WHEELS, FEWEST_MODULES = 60, 300


@dataclass(frozen=True)
class Outcome:
    """What the programs said of one wheel."""

    wheel: str
    modules: int
    facts: int
    differences: Sequence[Difference]
    errors: Sequence[str]
    judgements: Sequence[Judgement]


def prove(nasm_ext: Path, development: Environment) -> None:
    """Reads and judges every pinned wheel. Raises DevelopmentError when nasm-ext stands alone, unexplained."""
    wanted = public_wheels.listed(PINS)
    outcomes = examine(nasm_ext, wanted, tools(development))
    for line in coverage(outcomes):
        print(line)
    modules = sum(one.modules for one in outcomes)
    if len(outcomes) < FEWEST_WHEELS or modules < FEWEST_MODULES:
        raise DevelopmentError(f"{len(outcomes)} wheels with {modules} modules are too few")
    verdicts.require_answers([one for outcome in outcomes for one in outcome.judgements])
    left = report(outcomes)
    if not verdicts.knows_tags(nasm_ext):
        say("this nasm-ext names no tags: auditwheel's were not compared, the versions that they follow from were")
    if left:
        raise DevelopmentError(f"{len(left)} differences are not explained: {'; '.join(left[:3])} …")


def tools(development: Environment) -> Environment:
    """The environment with lief, abi3audit and auditwheel."""
    host = interpreters.ask(development.python)
    if host is None:
        raise DevelopmentError(f"{development.python} is no CPython that nasm-build supports")
    return environments.provide("agreement", host.path, "agreement.txt")


def examine(nasm_ext: Path, wanted: Sequence[Wanted], others: Environment, *, judged: bool = True) -> list[Outcome]:
    """Every wheel, some at a time, in the order of the list."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(lambda one: _examine_one(nasm_ext, public_wheels.fetch(one), others, judged), wanted))


def _examine_one(nasm_ext: Path, wheel: Path, others: Environment, judged: bool) -> Outcome:
    reading = ours.read(nasm_ext, wheel)
    with tempfile.TemporaryDirectory(prefix="nasm-build-agreement-") as folder:
        members = sorted({member for member, _ in reading})
        witnesses = read.by_others(read.unpack(wheel, members, Path(folder)), others)
    found = verdicts.check(nasm_ext, wheel)
    return Outcome(
        wheel.name,
        len(members),
        sum(len(facts) for facts in reading.values()),
        list(differences(reading, witnesses)),
        [
            f"{wheel.name}: {_place(one)}: {one['message']} [{one['rule']}]"
            for one in found
            if one["severity"] == "error"
        ],
        verdicts.judge(nasm_ext, wheel, reading, found, others) if judged else [],
    )


def _place(finding: dict[str, object]) -> str:
    part = f" ({finding['slice']})" if finding["slice"] else ""
    return f"{finding['member']}{part}"


def report(outcomes: Sequence[Outcome]) -> list[str]:
    """Prints every difference with its explanation, and returns those that have none."""
    set_apart = [f"{one.wheel}: {each.text()}" for one in outcomes for each in one.differences if each.stands]
    for line in set_apart:
        print(f"another program stands alone: {line}")
    alone = [f"{one.wheel}: {each.text()}" for one in outcomes for each in one.differences if not each.stands]
    judged = [each.text() for one in outcomes for each in one.judgements if not each.agrees]
    errors = [line for one in outcomes for line in one.errors]
    left: list[str] = []
    for what, lines, table in (
        ("nasm-ext stands alone", alone, explained.READINGS),
        ("judged otherwise", judged, explained.JUDGEMENTS),
        ("an error on a public wheel", errors, explained.ERRORS),
    ):
        left += _tell(what, lines, table)
    asked = Counter(each.judge for one in outcomes for each in one.judgements)
    facts = sum(one.facts for one in outcomes)
    say(f"{facts} facts compared: another program alone tells {len(set_apart)} otherwise, we alone tell {len(alone)}")
    kinds = ", ".join(f"{count} of {judge}" for judge, count in sorted(asked.items())) or "none"
    say(f"verdicts compared: {kinds}; {len(judged)} differ")
    say(f"errors of nasm-ext check on these wheels: {len(errors)}; in all {len(left)} lines without an explanation")
    return left


def _tell(what: str, lines: Iterable[str], table: Sequence[explained.Explanation]) -> list[str]:
    left = []
    for line in lines:
        row = next((row for row in table if row.fits(line)), None)
        print(f"{what}: {line}\n    {f'{row.right} is right: {row.why}' if row else 'not explained'}")
        if row is None:
            left.append(line)
    return left


def coverage(outcomes: Sequence[Outcome]) -> list[str]:
    """How many wheels and modules there are of each kind of platform and of each ABI."""
    lines = [f"{'kind':32}{'wheels':>8}{'modules':>9}"]
    lines += _rows(
        outcomes, lambda name: [_platform(tag) for tag in name.removesuffix(".whl").split("-")[-1].split(".")[-1:]]
    )
    lines += _rows(outcomes, lambda name: name.split("-")[-2].split("."))
    lines += [f"{'all':32}{len(outcomes):8}{sum(one.modules for one in outcomes):9}"]
    return lines


def _platform(tag: str) -> str:
    return re.sub(r"^(macosx)_\d+_\d+", r"\1", tag)


def _rows(outcomes: Sequence[Outcome], kinds: Callable[[str], Sequence[str]]) -> list[str]:
    wheels: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for one in outcomes:
        for kind in kinds(one.wheel):
            wheels[kind] += 1
            modules[kind] += one.modules
    return [f"{kind:32}{wheels[kind]:8}{modules[kind]:9}" for kind in sorted(wheels)]
