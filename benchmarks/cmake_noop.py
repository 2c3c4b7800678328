"""What a CMake build that has nothing to do costs: a project of many assembly sources, beside the same one in C.

    python3 benchmarks/cmake_noop.py [--runs 25] [--sources 150]

Both have one module, and sources that share an include which takes in another. Each run is one `cmake --build` in a
fresh process; assembly and C take turns. The nasm-ext is that of this clone's build, or the one that NASM_EXT names.
Budget: 1.3 times C.
"""

from __future__ import annotations

import argparse
import operator
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import peers

from devtools import native

BUDGET = 1.3
GENERATORS = ("Ninja", "Ninja Multi-Config", "Unix Makefiles")
ASSEMBLY, C = "assembly", "C"

LISTS = {
    ASSEMBLY: "find_package(NasmBuild REQUIRED)\nnasm_add_module(demo SOURCES {sources} INCLUDE inc NO_CHECK)\n",
    C: "add_library(demo MODULE {sources})\ntarget_include_directories(demo PRIVATE inc)\n",
}
PARTS = {
    ASSEMBLY: (
        '%include "a.inc"\nglobal part_{number}:function\nsection .text\npart_{number}:\n    mov eax, NESTED\n    ret\n'
    ),
    C: '#include "a.h"\nint part_{number}(void) {{ return NESTED; }}\n',
}
INCLUDES = {
    ASSEMBLY: {"inc/a.inc": '%include "nested.inc"\n', "inc/nested.inc": "NESTED equ 40\n"},
    C: {"inc/a.h": '#include "nested.h"\n', "inc/nested.h": "enum { NESTED = 40 };\n"},
}
SUFFIXES = {ASSEMBLY: "asm", C: "c"}


def write(folder: Path, language: str, count: int) -> None:
    """A project of `count` sources."""
    names = [f"part_{number}.{SUFFIXES[language]}" for number in range(count)]
    head = "cmake_minimum_required(VERSION 3.24)\nproject(demo LANGUAGES C)\n"
    files = {name: PARTS[language].format(number=number) for number, name in enumerate(names)}
    files |= INCLUDES[language]
    files["CMakeLists.txt"] = head + LISTS[language].format(sources=" ".join(names))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run(words: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of a command: on the clock, and of the processor for it and its children."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(words, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        passed = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise SystemExit(f"exit status {process.returncode}: {shlex.join(words)}\n{said}")
    return passed, usage.ru_utime + usage.ru_stime


def prepare(work: Path, generator: str, count: int, environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Configures and builds both projects; returns the command that builds each again."""
    commands = {}
    for language in (ASSEMBLY, C):
        source, build = work / language, work / language / "build"
        write(source, language, count)
        package = peers.ROOT / "python" / "nasm_build"
        run(
            ["cmake", "-G", generator, "-S", str(source), "-B", str(build), f"-DCMAKE_PREFIX_PATH={package}",
             f"-DPython_EXECUTABLE={sys.executable}"],
            environment,
        )  # fmt: skip
        commands[language] = ["cmake", "--build", str(build)]
        for _ in range(2):  # the second one is the first without work: it writes what later ones read
            run(commands[language], environment)
    return commands


def measure(
    commands: Mapping[str, list[str]], runs: int, environment: Mapping[str, str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of every run, by language: on the clock and of the processor."""
    elapsed: dict[str, list[float]] = {language: [] for language in commands}
    processor: dict[str, list[float]] = {language: [] for language in commands}
    order = list(commands)
    for number in range(runs):
        for language in order if number % 2 else reversed(order):
            passed, used = run(commands[language], environment)
            elapsed[language].append(passed)
            processor[language].append(used)
    return elapsed, processor


def ratio(seconds: Mapping[str, list[float]]) -> float:
    """The median of the ratios within each round."""
    return float(statistics.median(map(operator.truediv, seconds[ASSEMBLY], seconds[C])))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=25, help="runs of each project that count (default: 25)")
    parser.add_argument("--sources", type=int, default=150, help="sources of each project (default: 150)")
    arguments = parser.parse_args()
    if arguments.runs < 2:
        parser.error("--runs must be at least 2: a median of less is none")
    environment = {**os.environ, "NASM_EXT": os.environ.get("NASM_EXT") or str(native.executable())}
    print(f"a build with nothing to do, {arguments.sources} sources, {arguments.runs} runs each, in turn")
    print(f"{'':20}{'assembly ms':>14}{'C ms':>10}{'ratio':>8}{'ratio of processor time':>26}")
    for generator in GENERATORS:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
            commands = prepare(Path(work), generator, arguments.sources, environment)
            elapsed, processor = measure(commands, arguments.runs, environment)
        assembly, in_c = (statistics.median(elapsed[language]) * 1e3 for language in (ASSEMBLY, C))
        print(f"{generator:20}{assembly:14.1f}{in_c:10.1f}{ratio(elapsed):8.2f}{ratio(processor):26.2f}", flush=True)
    print(f"budget: {BUDGET} times C on the clock")


if __name__ == "__main__":
    main()
