"""What one call of multiply costs from Python: in assembly, in C through METH_FASTCALL, and operator.mul.

    python3 benchmarks/calls.py [--rounds 40] [--python PYTHON]

The modules are built and installed as wheels and then called in one process, taking turns; the cost of the loop itself
is measured beside them and taken off. Times are of the processor. Budget: assembly is no slower than C.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import peers

PATHS = {"in registers": "123456, 654321", "product too wide": "2**62, 12345", "huge": "7**400, 5**400"}

# Runs in the measured interpreter: prints {path: {function: [seconds of one call, …]}}.
MEASURE = """
import itertools, json, operator, sys, time
import pymult, pymult_c
CALLS = 100_000

def once(function, a, b):
    repeat = itertools.repeat(None, CALLS)
    begin = time.thread_time()
    for _ in repeat:
        function(a, b)
    return time.thread_time() - begin

def nothing():
    repeat = itertools.repeat(None, CALLS)
    begin = time.thread_time()
    for _ in repeat:
        pass
    return time.thread_time() - begin

functions = [("assembly", pymult.multiply), ("C", pymult_c.multiply), ("operator.mul", operator.mul)]
result = {}
for path, values in json.loads(sys.argv[1]).items():
    a, b = eval(values)
    seconds = result[path] = {name: [] for name, _ in functions}
    for round in range(int(sys.argv[2]) + 1):
        start = round % len(functions)
        for name, function in functions[start:] + functions[:start]:
            passed = once(function, a, b) - nothing()
            if round:
                seconds[name].append(passed / CALLS)
print(json.dumps(result))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="rounds of 100,000 calls each (default: 40)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the CPython to measure in")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds must be at least 2: a median of less is none")
    assembly, in_c = peers.provide_two("pymult", arguments.python)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
        installed = peers.install([assembly, in_c], Path(work))
        words = [str(in_c.python), "-c", MEASURE, json.dumps(PATHS), str(arguments.rounds)]
        done = subprocess.run(words, cwd=installed, stdout=subprocess.PIPE, text=True, check=True)
    for path, seconds in json.loads(done.stdout).items():
        print(f"multiply, {path}")
        print(peers.table(seconds, "C", "ns", 1e9))


if __name__ == "__main__":
    main()
