"""How long build_wheel of pymult takes in assembly, beside the same function in C and a pure-Python wheel.

    python3 benchmarks/build_wheel.py [--runs 25] [--python PYTHON]

Each run is one fresh process on a fresh copy of the project, without build isolation; the peers take turns within a
round, so that what else the machine does falls on all of them. Processor time is that of the process and its children.
Budgets: not slower than C under setuptools, and 40 ms over the engine's pure-Python wheel.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import peers

BUDGET = 0.040  # seconds over the engine's pure-Python wheel


def children_seconds() -> float:
    """Processor time of every process that was started and has ended."""
    times = os.times()
    return times.children_user + times.children_system


def measure(subjects: list[peers.Peer], runs: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of every run, by peer: on the clock and of the processor. A first round, which fills caches and writes
    bytecode, does not count."""
    elapsed: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    processor: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for number in range(runs + 1):
        start = number % len(subjects)
        for subject in subjects[start:] + subjects[:start]:
            with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
                build_wheel = subject.prepare(Path(work))
                begin, begin_processor = time.perf_counter(), children_seconds()
                build_wheel()
                passed, passed_processor = time.perf_counter() - begin, children_seconds() - begin_processor
            if number:
                elapsed[subject.name].append(passed)
                processor[subject.name].append(passed_processor)
    return elapsed, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=25, help="runs of each peer that count (default: 25)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the CPython to build for")
    arguments = parser.parse_args()
    if arguments.runs < 2:
        parser.error("--runs must be at least 2: a median of less is none")
    subjects = peers.provide(arguments.python)
    assembly, in_c, pure = (subject.name for subject in subjects)
    elapsed, processor = measure(subjects, arguments.runs)
    medians = {name: statistics.median(samples) for name, samples in elapsed.items()}
    print(f"build_wheel of pymult, {arguments.runs} runs each, in turn: on the clock")
    print(peers.table(elapsed, in_c, "ms", 1e3))
    print(
        f"over {pure}: {(medians[assembly] - medians[pure]) * 1e3:+.1f} ms (budget {BUDGET * 1e3:+.0f} ms); "
        f"over {in_c}: {(medians[assembly] - medians[in_c]) * 1e3:+.1f} ms (budget: not slower)"
    )
    print("processor time")
    print(peers.table(processor, in_c, "ms", 1e3))


if __name__ == "__main__":
    main()
