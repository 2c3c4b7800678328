"""How long `nasm-ext check` takes on the standard library's own modules, beside abi3audit on the same files.

    python3 benchmarks/check_lib_dynload.py [--runs 5]

Checks every module of `lib-dynload` of every CPython from 3.6 on that pyenv or PATH has, prints the findings by rule,
and the time of one call for all modules of a CPython, of one module, and of the start alone. abi3audit takes modules
that are not named `.abi3.so` only with --assume-minimum-abi3, which is given as the CPython's own version; it looks for
the stable ABI alone, so the two do not say the same. Budgets: 100 ms for one CPython's modules, 40 times faster than
abi3audit on one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from devtools import environments, native  # noqa: E402 - after the path is set

BUDGET_ALL = 0.100  # seconds for the modules of one CPython in one call
BUDGET_ONE = 40  # times faster than abi3audit on one module
OLDEST = 6  # the oldest minor version whose names nasm-ext knows


@dataclass(frozen=True)
class Interpreter:
    """One CPython's version and its modules."""

    version: str
    modules: tuple[Path, ...]

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])


def interpreters() -> list[Interpreter]:
    """Every CPython of pyenv and of PATH that has a lib-dynload, the oldest first; of a version only the first."""
    programs = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        programs += [
            path for path in sorted(Path(folder).glob("python3*")) if re.fullmatch(r"python3(\.\d+)?", path.name)
        ]
    found: dict[str, Interpreter] = {}
    for program in programs:
        # The shims of pyenv answer for the CPython that is chosen at the moment, which is in the list already.
        asked = subprocess.run(
            [
                str(program),
                "-c",
                "import sys, sysconfig; print(sys.version.split()[0], sysconfig.get_path('platstdlib'))",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode != 0:
            continue
        version, _, folder = asked.stdout.strip().partition(" ")
        modules = tuple(sorted((Path(folder) / "lib-dynload").glob("*.so")))
        if modules and int(version.split(".")[1]) >= OLDEST:
            found.setdefault(version, Interpreter(version, modules))
    return sorted(found.values(), key=lambda one: [int(part) for part in re.findall(r"\d+", one.version)])


def seconds(command: Sequence[str]) -> float:
    """One run's time on the clock; what it prints is thrown away."""
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


def median(command: Sequence[str], runs: int) -> float:
    """The median of `runs` runs, after one that does not count."""
    seconds(command)
    return statistics.median(seconds(command) for _ in range(runs))


def findings(nasm_ext: str, one: Interpreter) -> Counter[str]:
    """How often each rule was found, by severity."""
    command = [nasm_ext, "check", "--no-config", "--format", "json", *map(str, one.modules)]
    report = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    assert report["summary"]["modules"] == len(one.modules), report["summary"]
    rules = [finding for file in report["files"] for finding in file["findings"]]
    skipped = [rule["rule"] for file in report["files"] for rule in file["not_checked"]]
    return Counter(
        [f"{rule['severity']} {rule['rule']}" for rule in rules] + [f"not checked {rule}" for rule in skipped]
    )


def auditor() -> Callable[[Interpreter, Sequence[Path]], list[str]]:
    """The command line of abi3audit, from an environment of its own."""
    environment = environments.provide(
        "abi3audit", Path(sys.executable), str(Path(__file__).resolve().with_name("abi3audit.txt"))
    )
    program = shutil.which("abi3audit", path=str(environment.folder / "bin"))
    assert program is not None, f"abi3audit is not in {environment.folder}"
    return lambda one, modules: [program, "--assume-minimum-abi3", f"3.{one.minor}", *map(str, modules)]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each command that count (default: 5)")
    arguments = parser.parse_args()
    nasm_ext = os.environ.get("NASM_EXT") or str(native.executable())
    audit = auditor()
    total: Counter[str] = Counter()
    modules = 0
    print(f"{'CPython':10} {'modules':>7} {'errors':>6} {'nasm-ext':>10} {'abi3audit':>10} {'ratio':>6}")
    chosen = interpreters()
    for one in chosen:
        found = findings(nasm_ext, one)
        total += found
        modules += len(one.modules)
        errors = sum(count for rule, count in found.items() if rule.startswith("error"))
        ours = median([nasm_ext, "check", "--no-config", *map(str, one.modules)], arguments.runs)
        theirs = median(audit(one, one.modules), arguments.runs)
        late = "" if ours <= BUDGET_ALL else f"  over the budget of {BUDGET_ALL * 1000:.0f} ms"
        print(
            f"{one.version:10} {len(one.modules):7} {errors:6} {ours * 1000:7.1f} ms {theirs * 1000:7.0f} ms "
            f"{theirs / ours:5.0f}x{late}"
        )
    print(f"\n{modules} modules, findings by rule:")
    for rule, count in sorted(total.items()):
        print(f"{count:6} {rule}")
    one = chosen[-1]
    small = min(one.modules, key=lambda path: path.stat().st_size)
    ours = median([nasm_ext, "check", "--no-config", str(small)], arguments.runs * 4)
    theirs = median(audit(one, [small]), arguments.runs)
    start = median([nasm_ext, "--version"], arguments.runs * 4)
    late = "" if theirs / ours >= BUDGET_ONE else f"  under the budget of {BUDGET_ONE}x"
    print(f"\none module ({small.name}): nasm-ext {ours * 1000:.1f} ms, abi3audit {theirs * 1000:.0f} ms", end="")
    print(f", {theirs / ours:.0f}x{late}\nnasm-ext --version: {start * 1000:.1f} ms")


if __name__ == "__main__":
    main()
