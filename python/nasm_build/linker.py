"""Which linker writes modules of another platform: asked of `nasm-ext linker`, which searches as it searches NASM."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import BuildError, Problem, failed
from .executable import find_executable
from .toolchain import refusal

RULE = "linker-missing"
ZIGLANG = "ziglang>=0.13"
"""What a build asks for where the machine has no linker: a wheel of a whole toolchain, 99 MB."""


@dataclass(frozen=True)
class Linker:
    """`words` are typed before the link's own; `kind` says whose words these are."""

    words: tuple[str, ...]
    kind: str  #: `lld-link` (Microsoft's), `ld64` (Apple's), `zig-cc` (a compiler driver's)
    version: str


@dataclass(frozen=True)
class LinkerSearch:
    """The linker, or what keeps us from having one."""

    linker: Linker | None
    problem: Problem | None
    named: bool  #: by the project's setting or by NASM_BUILD_LINKER: no other is taken in its place

    def need(self) -> Linker:
        """Raises BuildError, which names what was looked at, when there is none."""
        if self.linker is None:
            assert self.problem is not None
            raise BuildError(self.problem)
        return self.linker


def find_linker(platform: str, named: str = "", *, with_zig: bool = True) -> LinkerSearch:
    """The linker for a target of PE or Mach-O; `named` is the project's own setting. Raises BuildError."""
    executable = find_executable()
    if executable is None:
        raise failed(
            f"modules for {platform} are linked with nasm-ext's help, and this installation of nasm-build has none",
            RULE,
            "build them on a machine with x86-64 or arm64",
        )
    variable = os.environ.get("NASM_BUILD_LINKER", "")
    return _ask(str(executable), platform, named, _zig() if with_zig else "", variable, os.environ.get("PATH"))


@functools.lru_cache(maxsize=4)
def _ask(executable: str, platform: str, named: str, zig: str, variable: str, _path: str | None) -> LinkerSearch:
    command = [executable, "linker", "--format", "json", "--target", platform]
    command += ["--linker", named] if named else []
    command += ["--zig", zig] if zig else []
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        raise refusal(done.stderr, command, done.returncode)
    answer = json.loads(done.stdout)
    found, error = answer["linker"], answer["linker_error"]
    return LinkerSearch(
        linker=Linker(tuple(found["words"]), found["kind"], found["version"]) if found else None,
        problem=Problem(error["message"], RULE, error["fix"]) if error else None,
        named=bool(named or variable),
    )


def _zig() -> str:
    """The program of an installed ziglang; empty where there is none."""
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        return ""
    program = Path(package.origin).parent / ("zig.exe" if os.name == "nt" else "zig")
    return str(program) if program.is_file() else ""


def import_libraries(python: str, limited_api: str, folder: Path) -> list[str]:
    """Writes what a linker for Windows needs to know of CPython and of the C runtime. Returns the files' paths.

    The first is CPython's. `python` is `3.13` or `3.13t`, `limited_api` the oldest CPython promised, or empty. Raises
    BuildError for a CPython whose names are not known.
    """
    words = ["import-library", "--python", python, "--output", str(folder)]
    return _lines([*words, "--abi3", limited_api] if limited_api else words)


def system_library(platform: str, folder: Path) -> str:
    """Writes what a linker for macOS needs to know of libSystem. Returns the file's path."""
    return _lines(["import-library", "--target", platform, "--output", str(folder)])[0]


def entry_points(objects: Sequence[str], root: Path) -> list[str]:
    """The names that objects for Windows define for an interpreter.

    Raises BuildError for an object whose references the link would cut short.
    """
    return _lines(["entry-points", *objects], root, "position-dependent")


def _lines(words: Sequence[str], folder: Path | None = None, rule: str = RULE) -> list[str]:
    """What a command of nasm-ext prints, a line each; find_linker has seen to it that there is one."""
    executable = find_executable()
    assert executable is not None
    command = [str(executable), *words]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode != 0:
        raise refusal(done.stderr, command, done.returncode, rule)
    return done.stdout.splitlines()
