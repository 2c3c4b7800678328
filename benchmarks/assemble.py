"""What Python.inc costs: how long nasm takes for a module, beside the same module expanded, and beside one instruction.

    python3 benchmarks/assemble.py [--runs 60] [--nasm NASM]

pymult, with the words that `nasm-ext flags` gives for each target, for one CPython and for the stable ABI. The expanded
source is what `nasm -E` makes of it: the same code written without a macro. Each run is a fresh process; the three take
turns. What the clock shows beyond processor time is the machine's other work. Budget: 15 ms for pymult.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import peers

BUDGET = 0.015  # seconds for pymult
TARGETS = ("linux-x86_64", "macosx-11.0-x86_64", "win-amd64")
BUILDS = {"CPython 3.13": ("--python", "3.13"), "abi3 from 3.10": ("--abi3", "3.10")}
MODULE = "pymult, Python.inc"
EXPANDED = "pymult, expanded"
NOTHING = "one instruction"
PROJECT = peers.ROOT / "examples" / "pymult"

Seconds = dict[str, list[float]]


def assemble(words: Sequence[str], source: Path) -> tuple[float, float]:
    """Seconds of one run: on the clock and of the processor."""
    begin = time.perf_counter()
    process = subprocess.Popen([*words, str(source), "-o", str(source.with_suffix(".o"))], cwd=source.parent)
    _, status, usage = os.wait4(process.pid, 0)
    passed = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit status {process.returncode}: {shlex.join(words)} {source}")
    return passed, usage.ru_utime + usage.ru_stime


def measure(words: Sequence[str], runs: int, work: Path) -> tuple[Seconds, Seconds]:
    """Seconds of every run, by source. A first round, which fills the caches, does not count."""
    sources = {
        MODULE: work / "pymult.asm",
        EXPANDED: work / "expanded.asm",
        NOTHING: work / "nop.asm",
    }
    sources[MODULE].write_bytes((PROJECT / "pymult.asm").read_bytes())
    expanded = subprocess.run([*words, "-E", str(sources[MODULE])], stdout=subprocess.PIPE, check=True).stdout
    sources[EXPANDED].write_bytes(expanded)
    sources[NOTHING].write_bytes(b"nop\n")  # NASM 2.16 writes no debug data for a file without code, and gives up
    elapsed: Seconds = {name: [] for name in sources}
    processor: Seconds = {name: [] for name in sources}
    order = list(sources)
    for number in range(runs + 1):
        start = number % len(order)
        for name in order[start:] + order[:start]:
            passed, passed_processor = assemble(words, sources[name])
            if number:
                elapsed[name].append(passed)
                processor[name].append(passed_processor)
    return elapsed, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="runs of each source that count (default: 60)")
    parser.add_argument("--nasm", default="nasm", help="the NASM to measure (default: the one on PATH)")
    arguments = parser.parse_args()
    if arguments.runs < 2:
        parser.error("--runs must be at least 2: a median of less is none")
    nasm_ext = peers.with_nasm_build(Path(sys.executable)).script("nasm-ext")
    print(subprocess.run([arguments.nasm, "-v"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    slowest = slowest_processor = 0.0
    for target in TARGETS:
        for build, choice in BUILDS.items():
            asked = [str(nasm_ext), "flags", "--include", "--target", target, *choice]
            flags = shlex.split(subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout)
            with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
                elapsed, processor = measure([arguments.nasm, *flags], arguments.runs, Path(work))
            print(f"{target}, {build}: on the clock")
            print(peers.table(elapsed, NOTHING, "ms", 1e3))
            print("processor time")
            print(peers.table(processor, NOTHING, "ms", 1e3))
            slowest = max(slowest, statistics.median(elapsed[MODULE]))
            slowest_processor = max(slowest_processor, statistics.median(processor[MODULE]))
    print(
        f"the slowest median of pymult: {slowest * 1e3:.1f} ms on the clock, {slowest_processor * 1e3:.1f} ms of the "
        f"processor (budget: {BUDGET * 1e3:.0f} ms)"
    )


if __name__ == "__main__":
    main()
