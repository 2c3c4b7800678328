"""What the benchmarks compare: an example in assembly, in C and in Python, each with the environment that builds it.

nasm-build stands in the environment of the assembly alone: its plugin must neither help nor burden a peer.
"""

from __future__ import annotations

import operator
import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from devtools import environments, wheel  # noqa: E402 - after the path is set

NOT_SOURCES = ("build", "*.so", "*.egg-info", "__pycache__", ".pytest_cache", ".hypothesis", "tests")


@dataclass(frozen=True)
class Peer:
    """One project, and the Python that builds it with its backend."""

    name: str
    project: Path
    backend: str
    python: Path

    def build(self, work: Path) -> Path:
        """Builds a wheel in a fresh process, from a copy of the sources in `work`, and returns the wheel."""
        return self.prepare(work)()

    def prepare(self, work: Path) -> Callable[[], Path]:
        """Everything up to the build itself: a function that runs `build_wheel` in a process of its own."""
        source, wheels = work / self.project.name, work / "wheels"
        shutil.copytree(self.project, source, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        wheels.mkdir()
        call = f"import sys, {self.backend} as backend; backend.build_wheel(sys.argv[1])"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

        def build_wheel() -> Path:
            words = [str(self.python), "-c", call, str(wheels)]
            done = subprocess.run(words, cwd=source, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{self.name}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
            return next(wheels.glob("*.whl"))

        return build_wheel


HERE = Path(__file__).resolve().parent


def provide(interpreter: Path) -> list[Peer]:
    """The three peers of pymult for an interpreter: assembly, C, Python."""
    pure = Peer("Python, setuptools", HERE / "pymult_pure", "setuptools.build_meta", _without_nasm_build(interpreter))
    return [*provide_two("pymult", interpreter), pure]


def provide_two(example: str, interpreter: Path) -> list[Peer]:
    """An example in assembly, and in C: `benchmarks/<example>_c`."""
    own = with_nasm_build(interpreter).python
    return [
        Peer("assembly, nasm-build", ROOT / "examples" / example, "nasm_build.backend", own),
        Peer("C, setuptools", HERE / f"{example}_c", "setuptools.build_meta", _without_nasm_build(interpreter)),
    ]


def install(subjects: Sequence[Peer], work: Path) -> Path:
    """Builds peers, and unpacks all of them into one folder that a process can import them from."""
    installed = work / "installed"
    for number, subject in enumerate(subjects):
        folder = work / str(number)
        folder.mkdir()
        with zipfile.ZipFile(subject.build(folder)) as built:
            built.extractall(installed)
    return installed


def with_nasm_build(interpreter: Path) -> environments.Environment:
    """An environment with nasm-build of this tree."""
    own = wheel.provide(environments.development())
    return environments.provide("benchmarks", interpreter, str(HERE / "requirements.txt"), (own,))


def _without_nasm_build(interpreter: Path) -> Path:
    return environments.provide("benchmarks-peers", interpreter, str(HERE / "requirements.txt")).python


def table(seconds: Mapping[str, list[float]], against: str, unit: str, scale: float) -> str:
    """Median, quartiles and ratio, one line a peer: the median of the ratios within each round.

    What slows a busy machine down for a while falls on a whole round, and so on both sides of a ratio.
    """
    lines = [f"{'':24}{'median ' + unit:>12}{'quartiles':>20}{'ratio to ' + against:>28}"]
    for name, samples in seconds.items():
        low, median, high = statistics.quantiles(samples, n=4)
        ratio = statistics.median(map(operator.truediv, samples, seconds[against]))
        lines.append(f"{name:24}{median * scale:12.1f}{f'{low * scale:.1f} .. {high * scale:.1f}':>20}{ratio:28.2f}")
    return "\n".join(lines)
