"""What the benchmarks compare: pymult in assembly, in C and in Python, each with the environment that builds it.

nasm-build stands in the environment of the assembly alone: its plugin must neither help nor burden a peer.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
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


def provide(interpreter: Path) -> list[Peer]:
    """The three peers for an interpreter: assembly, C, Python."""
    own = wheel.provide(environments.development())
    here = Path(__file__).resolve().parent
    requirements = str(here / "requirements.txt")
    with_nasm_build = environments.provide("benchmarks", interpreter, requirements, (own,)).python
    without = environments.provide("benchmarks-peers", interpreter, requirements).python
    return [
        Peer("assembly, nasm-build", ROOT / "examples" / "pymult", "nasm_build.backend", with_nasm_build),
        Peer("C, setuptools", here / "pymult_c", "setuptools.build_meta", without),
        Peer("Python, setuptools", here / "pymult_pure", "setuptools.build_meta", without),
    ]


def table(seconds: Mapping[str, list[float]], against: str, unit: str, scale: float) -> str:
    """Median, quartiles and ratio of medians, one line a peer."""
    base = statistics.median(seconds[against])
    lines = [f"{'':24}{'median ' + unit:>12}{'quartiles':>20}{'ratio to ' + against:>28}"]
    for name, samples in seconds.items():
        low, median, high = statistics.quantiles(samples, n=4)
        lines.append(
            f"{name:24}{median * scale:12.1f}{f'{low * scale:.1f} .. {high * scale:.1f}':>20}{median / base:28.2f}"
        )
    return "\n".join(lines)
