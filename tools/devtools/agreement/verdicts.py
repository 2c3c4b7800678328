"""What abi3audit and auditwheel judge of a wheel, beside what nasm-ext judges of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..environments import Environment
from ..shell import DevelopmentError, run
from .facts import Reading, Value

STABLE_ABI_RULE = "not-stable-abi"


@dataclass(frozen=True)
class Judgement:
    """A question that nasm-ext and another program both answer of one wheel."""

    wheel: str
    question: str
    judge: str
    ours: Value
    theirs: Value

    @property
    def agrees(self) -> bool:
        return self.ours == self.theirs

    def text(self) -> str:
        """One line with both answers."""
        return f"{self.wheel}: {self.question}: nasm-ext: {_words(self.ours)}; {self.judge}: {_words(self.theirs)}"


def _words(answer: Value) -> str:
    return ", ".join(sorted(answer)) or "nothing"


def _answer(program: Path, *words: str | Path) -> Any:
    """What a program prints as JSON. Its exit status may be 1, which says that its answer is no."""
    command = ["sh", "-c", '"$@" || test $? = 1', "sh", program, *words]
    return json.loads(run(command, quiet=True, warnings=False))


def check(nasm_ext: Path, wheel: Path) -> list[dict[str, Any]]:
    """The findings of `nasm-ext check`, each with the member and the slice that it is about."""
    report = _answer(nasm_ext, "check", "--no-config", "--format", "json", wheel)
    return [
        {**finding, "member": file["member"], "slice": file["slice"]}
        for file in report["files"]
        for finding in file["findings"]
    ]


def judge(
    nasm_ext: Path, wheel: Path, reading: Reading, findings: list[dict[str, Any]], tools: Environment
) -> list[Judgement]:
    """Every question that another program answers of this wheel."""
    judgements = []
    if re.search(r"-abi3[-.]", wheel.name):
        ours = frozenset(one["symbol"] for one in findings if one["rule"] == STABLE_ABI_RULE and one["symbol"])
        theirs = _abi3audit(wheel, tools)
        judgements.append(Judgement(wheel.name, "symbols beyond the stable ABI", "abi3audit", ours, theirs))
    if re.search(r"-(manylinux|musllinux)[^-]*\.whl$", wheel.name):
        shown = _auditwheel(wheel, tools)
        theirs = frozenset(version for versions in shown["versioned_symbols"].values() for version in versions)
        judgements.append(Judgement(wheel.name, "versions of symbols", "auditwheel", _versions(reading), theirs))
        if knows_tags(nasm_ext):
            tag = as_policy(lowest_tag(_tags(nasm_ext, wheel)), _policies(tools))
            theirs = frozenset({shown["overall_tag"]})
            judgements.append(
                Judgement(wheel.name, "lowest tag of auditwheel's", "auditwheel", frozenset({tag}), theirs)
            )
    return judgements


def _versions(reading: Reading) -> Value:
    """The versions of undefined symbols, but for that of the dynamic linker itself, which auditwheel passes by."""
    imports = [symbol.partition("@") for facts in reading.values() for symbol in facts["imports"]]
    return frozenset(version for name, _, version in imports if version and name != "__tls_get_addr")


def knows_tags(nasm_ext: Path) -> bool:
    """Whether this nasm-ext has the command that names a wheel's tags."""
    try:
        run([nasm_ext, "tag", "--help"], quiet=True, warnings=False)
    except DevelopmentError:
        return False
    return True


def _abi3audit(wheel: Path, tools: Environment) -> Value:
    """The symbols that abi3audit finds outside of the stable ABI of the wheel's minimum."""
    (spec,) = _answer(tools.script("abi3audit"), "--report", wheel)["specs"].values()
    found: set[str] = set()
    for module in spec["wheel"]:
        result: dict[str, Any] = module["result"]
        found |= {symbol["name"] if isinstance(symbol, dict) else symbol for symbol in result["non_abi3_symbols"]}
        found |= set(result["future_abi3_objects"])
    return frozenset(found)


def _auditwheel(wheel: Path, tools: Environment) -> dict[str, Any]:
    """What auditwheel shows; its overall_tag is `linux_…` where it grants none.

    It is kept from looking for libraries on this machine, whose C library and linker scripts are not the wheel's.
    """
    nowhere = tools.folder / "no-libraries"
    shown: dict[str, Any] = _answer(tools.script("auditwheel"), "show", "--json", "--ldpaths", nowhere, wheel)
    return shown


def _policies(tools: Environment) -> list[int]:
    """The versions of glibc that auditwheel has a policy for; PEP 600 allows every version."""
    ask = "import pathlib, auditwheel.policy as p; print(pathlib.Path(p.__file__).with_name('manylinux-policy.json'))"
    rows = json.loads(Path(run([tools.python, "-c", ask], quiet=True).strip()).read_text())
    return [int(row["name"].rpartition("_")[2]) for row in rows if row["name"].startswith("manylinux_2_")]


def as_policy(tag: str, minors: Sequence[int]) -> str:
    """The lowest of auditwheel's policies that is not below a manylinux tag; any other tag as it is."""
    parts = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", tag)
    above = [minor for minor in minors if parts and minor >= int(parts[1])]
    return f"manylinux_2_{min(above)}_{parts[2]}" if parts and above else tag


def _tags(nasm_ext: Path, wheel: Path) -> list[str]:
    """The tags that `nasm-ext tag` gives, which may be none."""
    tags: list[str] = _answer(nasm_ext, "tag", "--format", "json", wheel)["tags"]
    return tags


_OLD_NAMES = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}


def lowest_tag(tags: list[str]) -> str:
    """The lowest of tags of one C library, by the name that PEP 600 gives it; nothing where there is none."""
    versions = []
    for tag in tags:
        new = re.sub(r"^manylinux(1|2010|2014)(?=_)", lambda old: _OLD_NAMES[old[0]], tag)
        if parts := re.fullmatch(r"((?:many|musl)linux)_(\d+)_(\d+)_(\w+)", new):
            versions.append((int(parts[2]), int(parts[3]), new))
    if not versions and tags:
        return tags[0]
    return min(versions)[2] if versions else ""


def require_answers(judgements: list[Judgement]) -> None:
    """That both judges were asked at all: a proof that compares nothing holds nothing."""
    for judge_name in ("abi3audit", "auditwheel"):
        if not any(one.judge == judge_name for one in judgements):
            raise DevelopmentError(f"no wheel was judged by {judge_name}")
