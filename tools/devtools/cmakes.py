"""CMake in several versions, for tests: the oldest that the CMake package promises, the machine's own, and the newest.

The first and the last are wheels from PyPI, each with a Ninja, in environments of their own; kept in the cache.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from . import environments
from .shell import DevelopmentError, run

NAMES = ("oldest", "system", "newest")


@dataclass(frozen=True)
class CMake:
    """A CMake, and the Ninja that belongs to it."""

    program: Path
    ninja: Path

    def versions(self) -> str:
        """What it says of itself: `CMake 3.25.1, Ninja 1.11.1`."""
        own = run([self.program, "--version"], quiet=True).split()[2]
        return f"CMake {own}, Ninja {run([self.ninja, '--version'], quiet=True).strip()}"


def provide(name: str, interpreter: Path | None = None) -> CMake:
    """One of NAMES; those of PyPI run under `interpreter`, or under this one. Raises DevelopmentError."""
    if name == "system":
        return system()
    interpreter = interpreter or Path(getattr(sys, "_base_executable", None) or sys.executable)
    made = environments.provide(f"cmake-{name}", interpreter, f"cmake-{name}.txt")
    return CMake(made.script("cmake"), made.script("ninja"))


def system() -> CMake:
    """The machine's own."""
    found = {program: shutil.which(program) for program in ("cmake", "ninja")}
    missing = [program for program, path in found.items() if path is None]
    if missing:
        raise DevelopmentError(f"{' and '.join(missing)} not on PATH; install what tests need with: ./dev setup")
    return CMake(*(Path(str(path)) for path in found.values()))
