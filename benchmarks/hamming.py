"""What counting the differing bits of two buffers costs: in assembly, in C for this processor, and with NumPy.

    python3 benchmarks/hamming.py [--rounds 200] [--python PYTHON]

Two buffers of 1 MB, random uint64; every peer is called with the same two, in one process, taking turns, and must give
the same answer. C is compiled by gcc or whatever cc is, with -O3 -march=native; NumPy computes
bitwise_count(a ^ b).sum(). Times are of the processor. Budgets: 3 times as fast as NumPy, 0.95 of the speed of C.
"""

from __future__ import annotations

import argparse
import json
import operator
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import peers

from devtools import environments

BUDGETS = {"NumPy": 3.0, "C": 0.95}
"""The least that each peer's time must be, as a multiple of the assembly's."""

# Runs in the measured interpreter: prints what ran, and {peer: [seconds of one call, …]}.
MEASURE = """
import json, sys, time
import numpy
import hamming, hamming_c
CALLS = 20

def once(function, a, b):
    begin = time.thread_time()
    for _ in range(CALLS):
        function(a, b)
    return (time.thread_time() - begin) / CALLS

def with_numpy(a, b):
    return numpy.bitwise_count(a ^ b).sum()

def kernel(name):
    return lambda a, b: hamming.distance_with(name, a, b)

random = numpy.random.default_rng(20_250_101)
a, b = random.integers(0, 2**64, (2, 2**20 // 8), dtype=numpy.uint64)
kernels = hamming.variants()
functions = [("assembly", hamming.distance), ("C", hamming_c.distance), ("NumPy", with_numpy)]
functions += [(f"assembly, {name}", kernel(name)) for name in kernels]
answers = {name: int(function(a, b)) for name, function in functions}
assert len(set(answers.values())) == 1, answers
seconds = {name: [] for name, _ in functions}
for round in range(int(sys.argv[1]) + 1):
    start = round % len(functions)
    for name, function in functions[start:] + functions[:start]:
        passed = once(function, a, b)
        if round:
            seconds[name].append(passed)
print(json.dumps({"numpy": numpy.__version__, "kernel": kernels[-1], "bits": answers["C"], "seconds": seconds}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="rounds of 20 calls each (default: 200)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the CPython to measure in")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds must be at least 2: a median of less is none")
    requirements = str(peers.HERE / "requirements-numpy.txt")
    with_numpy = environments.provide("benchmarks-numpy", arguments.python, requirements).python
    with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
        installed = peers.install(peers.provide_two("hamming", arguments.python), Path(work))
        words = [str(with_numpy), "-c", MEASURE, str(arguments.rounds)]
        done = subprocess.run(words, cwd=installed, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    seconds = result["seconds"]
    print(f"{result['bits']} differing bits of two buffers of 1 MB; NumPy {result['numpy']}; kernel {result['kernel']}")
    print(peers.table(seconds, "C", "us", 1e6))
    for name, least in BUDGETS.items():
        times = statistics.median(map(operator.truediv, seconds[name], seconds["assembly"]))
        print(f"{times:.2f} times as fast as {name} (budget: {least:.2f})")


if __name__ == "__main__":
    main()
