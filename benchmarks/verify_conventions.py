"""How long the verifier of calling conventions takes, beside objdump on the same files, and whether that grows evenly.

    python3 benchmarks/verify_conventions.py [--runs 5]

The first table: the largest libpython, the largest module of numpy's wheel for Linux, and every module of lib-dynload
of one CPython; whole processes, with reading the files, on one core. Budgets: 1.5 s for libpython, 5 s for numpy's
module, 1 s for lib-dynload. The second: time in the verifier alone against instructions, over modules and libraries of
all sizes, in groups that are each twice as large as the one before, with the time for an instruction; and the exponent
of the line that fits best through all of them on logarithmic scales (1: twice the code takes twice as long).
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import check_speed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from devtools import environments, native, public_wheels  # noqa: E402 - after the path is set
from devtools.agreement import proof  # noqa: E402
from devtools.conventions import corpora, system, verified  # noqa: E402

BUDGETS = {"libpython": 1.5, "numpy's largest module": 5.0, "lib-dynload": 1.0}
"""Seconds of processor time."""
FEWEST_INSTRUCTIONS = 1000
"""What takes under a millisecond says more of the clock than of the verifier."""


def subjects(folder: Path) -> dict[str, list[Path]]:
    """The files of the first table."""
    modules, libraries = corpora.of_pythons()
    shared = [path for path in libraries if ".so" in path.name]
    if not shared:
        raise SystemExit("no CPython of this machine has a shared libpython")
    largest = max(shared, key=lambda path: path.stat().st_size)
    # The modules of one CPython lie in one folder; that with the most is taken.
    folders: dict[Path, list[Path]] = {}
    for path in modules:
        folders.setdefault(path.parent, []).append(path)
    return {
        "libpython": [largest],
        "numpy's largest module": [numpy_module(folder)],
        "lib-dynload": max(folders.values(), key=len),
    }


def numpy_module(folder: Path) -> Path:
    """The largest module of the first wheel of numpy for Linux that the proofs read."""
    listed = public_wheels.listed(proof.PINS)
    wanted = next(one for one in listed if "/numpy-" in one.folder and "linux" in one.folder and "x86_64" in one.folder)
    with zipfile.ZipFile(public_wheels.fetch(wanted)) as archive:
        modules = [one for one in archive.infolist() if one.filename.startswith("numpy/") and ".so" in one.filename]
        return Path(archive.extract(max(modules, key=lambda one: one.file_size), folder))


def three_speeds(program: Path, runs: int) -> None:
    """The first table."""
    print(
        f"{'':24}{'files':>6}{'MB':>8}{'instructions':>14}{'verified':>12}{'objdump -d':>12}{'ratio':>7}{'budget':>9}"
    )
    with tempfile.TemporaryDirectory(prefix="nasm-build-verify-speed-") as folder:
        for name, files in subjects(Path(folder)).items():
            ours, peer = "nasm-ext-verify", "objdump -d"
            measured = check_speed.rounds({ours: [[program, *files]], peer: [["objdump", "-d", *files]]}, runs)
            seconds = {one: statistics.median(run.processor for run in measured[one]) for one in (ours, peer)}
            count = sum(one.instructions for path in files for one in verified.verify_one(program, path))
            late = "" if seconds[ours] <= BUDGETS[name] else "  over the budget"
            print(
                f"{name:24}{len(files):6}{sum(path.stat().st_size for path in files) / 1e6:8.1f}{count:14}"
                f"{seconds[ours]:10.2f} s{seconds[peer]:10.2f} s"
                f"{check_speed.ratio(measured, ours, peer, 'processor'):7.2f}{BUDGETS[name]:7.1f} s{late}"
            )


def samples(program: Path, runs: int) -> list[tuple[int, float]]:
    """Instructions and seconds of files of all sizes, the median of the runs of each."""
    modules, libraries = corpora.of_pythons()
    of_system, _ = system.libraries()
    times: dict[Path, list[tuple[int, float]]] = {}
    for path in (*modules[::4], *libraries, *of_system):
        for _ in range(runs):
            for image in verified.verify_one(program, path):
                if image.instructions >= FEWEST_INSTRUCTIONS:
                    times.setdefault(path, []).append((image.instructions, image.milliseconds / 1000))
    return [(found[0][0], statistics.median(seconds for _, seconds in found)) for found in times.values()]


def exponent(found: Sequence[tuple[int, float]]) -> float:
    """The slope of the line of least squares through the logarithms."""
    logarithms = [(math.log(count), math.log(seconds)) for count, seconds in found]
    return statistics.linear_regression(*zip(*logarithms, strict=True)).slope


def groups(found: Sequence[tuple[int, float]]) -> Mapping[int, list[tuple[int, float]]]:
    """By the power of two of the instructions."""
    grouped: dict[int, list[tuple[int, float]]] = {}
    for count, seconds in sorted(found):
        grouped.setdefault(count.bit_length() - 1, []).append((count, seconds))
    return grouped


def growth(program: Path, runs: int) -> None:
    """The second table."""
    found = samples(program, runs)
    print(f"\n{'instructions':>24}{'files':>7}{'median time':>14}{'an instruction':>16}")
    for power, members in groups(found).items():
        each = statistics.median(seconds / count for count, seconds in members)
        middle = statistics.median(seconds for _, seconds in members)
        print(f"{1 << power:11} ..{2 << power:11}{len(members):7}{middle * 1000:11.2f} ms{each * 1e6:13.2f} us")
    decades = math.log10(max(found)[0] / min(found)[0])
    print(f"time grows with the instructions to the power of {exponent(found):.2f}, over {decades:.1f} decades")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds that count (default: 5)")
    arguments = parser.parse_args()
    program = native.build_target(environments.development(), "nasm-ext-verify")
    three_speeds(program, arguments.runs)
    growth(program, arguments.runs)


if __name__ == "__main__":
    main()
