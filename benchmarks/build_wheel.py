"""How long build_wheel of pymult takes in assembly, beside the same function in C and a pure-Python wheel.

    python3 benchmarks/build_wheel.py [--runs 25] [--python PYTHON]

Each run is one fresh process on a fresh copy of the project, without build isolation; the peers take turns within a
round, so that what else the machine does falls on all of them. Budgets: not slower than C under setuptools, and 40 ms
over the engine's pure-Python wheel.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import peers

BUDGET_OVER_PURE_PYTHON = 0.040  # seconds


def measure(subjects: list[peers.Peer], runs: int) -> dict[str, list[float]]:
    """Seconds of every run, by peer; a first round, which fills caches and writes bytecode, does not count."""
    seconds: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for number in range(runs + 1):
        start = number % len(subjects)
        for subject in subjects[start:] + subjects[:start]:
            with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
                build_wheel = subject.prepare(Path(work))
                begin = time.perf_counter()
                build_wheel()
                passed = time.perf_counter() - begin
            if number:
                seconds[subject.name].append(passed)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=25, help="runs of each peer that count (default: 25)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the CPython to build for")
    arguments = parser.parse_args()
    if arguments.runs < 2:
        parser.error("--runs must be at least 2: a median of less is none")
    subjects = peers.provide(arguments.python)
    assembly, in_c, pure = (subject.name for subject in subjects)
    seconds = measure(subjects, arguments.runs)
    medians = {name: statistics.median(samples) for name, samples in seconds.items()}
    over_pure = medians[assembly] - medians[pure]
    print(f"build_wheel of pymult, {arguments.runs} runs each, in turn")
    print(peers.table(seconds, in_c, "ms", 1e3))
    print(
        f"over {pure}: {over_pure * 1e3:+.1f} ms (budget {BUDGET_OVER_PURE_PYTHON * 1e3:+.0f} ms); "
        f"over {in_c}: {(medians[assembly] - medians[in_c]) * 1e3:+.1f} ms (budget: not slower)"
    )


if __name__ == "__main__":
    main()
