"""How `nasm-ext check` does on what is large or many, beside the programs that people use for it.

    python3 benchmarks/check_speed.py [--runs 5] [--library /usr/lib/x86_64-linux-gnu/libLLVM-14.so.1]

Three tables. A large library beside `readelf -Ws --dyn-syms`, both printing into nothing; budget: 2.5 times as long. A
wheel of 300 MB, made here of the machine's largest libraries, beside one of its largest module alone; budget: a quarter
more memory. The abi3 modules of public wheels beside abi3audit, each in a call of its own and all in one; budget: 40
times faster. Within a round the peers run one after the other. Processor time is what a process itself used: on a busy
machine it is the one to look at. check_lib_dynload.py has the standard library.
"""

from __future__ import annotations

import argparse
import operator
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from devtools import environments, native, public_wheels  # noqa: E402 - after the path is set
from devtools.agreement import proof  # noqa: E402

BUDGET_READELF = 2.5  # times as long as readelf
BUDGET_MEMORY = 1.25  # times as much as for the largest module
BUDGET_AUDIT = 40  # times faster than abi3audit
WHEEL_SIZE = 300_000_000
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")


@dataclass(frozen=True)
class Run:
    """What one process took, its children left out."""

    seconds: float
    processor: float
    memory: int
    """Bytes, at the most."""


def run(command: Sequence[str | Path]) -> Run:
    """Runs a command to its end; what it prints is thrown away. A status over 1 is a failure."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"exit status {process.returncode}: {' '.join(map(str, command))}")
    return Run(time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def rounds(peers: Mapping[str, Sequence[Sequence[str | Path]]], runs: int) -> dict[str, list[Run]]:
    """Runs each peer's commands in turn, round after round; the first round does not count."""
    measured: dict[str, list[Run]] = {name: [] for name in peers}
    for count in range(runs + 1):
        for name, commands in peers.items():
            done = [run(command) for command in commands]
            if count:
                measured[name].append(_sum(done))
    return measured


def _sum(runs: Iterable[Run]) -> Run:
    done = list(runs)
    return Run(sum(one.seconds for one in done), sum(one.processor for one in done), max(one.memory for one in done))


def ratio(measured: Mapping[str, list[Run]], over: str, under: str, what: str) -> float:
    """The median of the ratios within each round."""
    values = [[getattr(one, what) for one in measured[name]] for name in (over, under)]
    return statistics.median(map(operator.truediv, *values))


def table(measured: Mapping[str, list[Run]]) -> str:
    """Medians, one line a peer."""
    lines = [f"{'':34}{'clock':>12}{'processor':>13}{'memory':>11}"]
    for name, runs in measured.items():
        clock, processor, memory = (
            statistics.median(getattr(one, what) for one in runs) for what in ("seconds", "processor", "memory")
        )
        lines.append(f"{name:34}{clock * 1000:9.1f} ms{processor * 1000:10.1f} ms{memory / 1e6:8.1f} MB")
    return "\n".join(lines)


def large_library(nasm_ext: str, library: Path, runs: int) -> None:
    """The first table."""
    measured = rounds(
        {
            "nasm-ext check": [[nasm_ext, "check", "--no-config", library]],
            "readelf -Ws --dyn-syms": [["readelf", "-Ws", "--dyn-syms", library]],
        },
        runs,
    )
    print(f"{library.name}, {library.stat().st_size / 1e6:.0f} MB\n{table(measured)}")
    judge("times as long as readelf", measured, ("nasm-ext check", "readelf -Ws --dyn-syms"), BUDGET_READELF)


def judge(words: str, measured: Mapping[str, list[Run]], pair: tuple[str, str], at_most: float) -> None:
    """Prints a pair's ratios on the clock and of processor time, and whether the budget holds."""
    clock, processor = (ratio(measured, *pair, what) for what in ("seconds", "processor"))
    late = "" if processor <= at_most else f"  over the budget of {at_most}"
    print(f"{clock:.2f} {words} on the clock, {processor:.2f} of processor time{late}\n")


def large_wheel(nasm_ext: str, runs: int) -> None:
    """The second table."""
    libraries = largest_libraries(WHEEL_SIZE)
    with tempfile.TemporaryDirectory(prefix="nasm-build-large-wheel-") as folder:
        whole = make_wheel(Path(folder) / "whole-1-cp313-cp313-linux_x86_64.whl", libraries)
        largest = make_wheel(Path(folder) / "largest-1-cp313-cp313-linux_x86_64.whl", libraries[:1])
        measured = rounds(
            {
                "nasm-ext check, the whole wheel": [[nasm_ext, "check", "--no-config", whole]],
                "nasm-ext check, its largest module": [[nasm_ext, "check", "--no-config", largest]],
            },
            runs,
        )
        size = whole.stat().st_size
    largest_size = libraries[0].stat().st_size
    print(f"a wheel of {size / 1e6:.0f} MB, {len(libraries)} modules, the largest of {largest_size / 1e6:.0f} MB")
    print(table(measured))
    more = ratio(measured, *measured, "memory")
    late = "" if more <= BUDGET_MEMORY else f"  over the budget of {BUDGET_MEMORY}"
    print(f"{more:.2f} times the memory that its largest module takes{late}\n")


def largest_libraries(total: int) -> list[Path]:
    """The machine's largest shared libraries, the largest first, until they are together as large as asked for."""
    found = {path.resolve() for path in LIBRARIES.glob("*.so*") if path.is_file()}
    chosen: list[Path] = []
    for path in sorted(found, key=lambda path: (-path.stat().st_size, path.name)):
        with path.open("rb") as opened:
            is_elf = opened.read(4) == b"\x7fELF"
        if is_elf:
            chosen.append(path)
        if sum(one.stat().st_size for one in chosen) >= total:
            return chosen
    raise SystemExit(f"the libraries of {LIBRARIES} are together under {total / 1e6:.0f} MB")


def make_wheel(target: Path, members: Sequence[Path]) -> Path:
    """A wheel with these files, not compressed: as large as they are."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            archive.write(member, f"package.libs/{member.name}")
    return target


def stable_abi(nasm_ext: str, runs: int) -> None:
    """The third table."""
    audit = auditor()
    with tempfile.TemporaryDirectory(prefix="nasm-build-abi3-") as folder:
        modules = abi3_modules(Path(folder))
        measured = rounds(
            {
                "nasm-ext check, each by itself": [[nasm_ext, "check", "--no-config", one] for one in modules],
                "abi3audit, each by itself": [[*audit, one] for one in modules],
                "nasm-ext check, all in one call": [[nasm_ext, "check", "--no-config", *modules]],
                "abi3audit, all in one call": [[*audit, *modules]],
            },
            runs,
        )
        size = sum(one.stat().st_size for one in modules)
    print(f"{len(modules)} abi3 modules of public wheels, {size / 1e6:.0f} MB\n{table(measured)}")
    ours, theirs, ours_at_once, theirs_at_once = measured
    for words, pair in (("each by itself", (theirs, ours)), ("in one call", (theirs_at_once, ours_at_once))):
        clock, processor = (ratio(measured, *pair, what) for what in ("seconds", "processor"))
        late = "" if processor >= BUDGET_AUDIT else f"  under the budget of {BUDGET_AUDIT}"
        print(f"{words}: {clock:.0f} times faster than abi3audit on the clock, {processor:.0f} of processor time{late}")


def abi3_modules(folder: Path) -> list[Path]:
    """The modules named `.abi3.so` of the public wheels that `./dev prove agreement` reads."""
    found = []
    for wanted in public_wheels.listed(proof.PINS):
        if "-abi3-" not in wanted.folder or "win" in wanted.folder:
            continue
        with zipfile.ZipFile(public_wheels.fetch(wanted)) as archive:
            for name in archive.namelist():
                if name.endswith(".abi3.so"):
                    own = folder / str(len(found))
                    own.mkdir()
                    found.append(own / Path(name).name)
                    found[-1].write_bytes(archive.read(name))
    return found


def auditor() -> list[str]:
    """The command line of abi3audit; the minimum is for both programs unknown from a file's name."""
    requirements = str(Path(__file__).resolve().with_name("abi3audit.txt"))
    environment = environments.provide("abi3audit", Path(sys.executable), requirements)
    program = shutil.which("abi3audit", path=str(environment.folder / "bin"))
    assert program is not None, f"abi3audit is not in {environment.folder}"
    return [program, "--assume-minimum-abi3", "3.12"]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds that count (default: 5)")
    parser.add_argument("--library", type=Path, help="the large library (default: the machine's largest)")
    arguments = parser.parse_args()
    nasm_ext = os.environ.get("NASM_EXT") or str(native.executable())
    large_library(nasm_ext, arguments.library or largest_libraries(1)[0], arguments.runs)
    large_wheel(nasm_ext, arguments.runs)
    stable_abi(nasm_ext, arguments.runs)


if __name__ == "__main__":
    main()
