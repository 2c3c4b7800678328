"""What tests of the CMake package share: sources, and a project that is configured and built as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.shell import ROOT
from projects import write_project

PACKAGE = ROOT / "python/nasm_build"
TIMEOUT_SECONDS = 300
# What could change a build from outside.
_REMOVED = "CC CFLAGS CPPFLAGS CXX CXXFLAGS DESTDIR LDFLAGS MAKEFLAGS PYTHONPATH PYTHONHOME VERBOSE VIRTUAL_ENV".split()


def run_cmake(
    command: Sequence[str | Path], cwd: Path, nasm_ext: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs CMake with every variable taken away that could change what it does; standard output holds both streams."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in _REMOVED and not name.startswith(("CMAKE_", "NASM", "NINJA_"))
    }
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**clean, "NASM_EXT": str(nasm_ext), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


PURE = {
    "pyproject.toml": """
        [build-system]
        requires = ["nasm-build"]
        build-backend = "nasm_build.backend"

        [project]
        name = "answer"
        version = "1.0"

        [tool.scikit-build]
        minimum-version = "0.11"
        build-dir = "build"
        """,
    "CMakeLists.txt": """
        cmake_minimum_required(VERSION 3.24)
        project(answer LANGUAGES C)
        find_package(NasmBuild REQUIRED)
        nasm_add_module(answer SOURCES answer.asm)
        install(TARGETS answer LIBRARY DESTINATION .)
        """,
    "answer.asm": """
        %include "Python.inc"

        py_function give, self
            py_call PyLong_FromLong, 42
            py_return rax

        py_methods
            py_method "give", give, METH_NOARGS, "give()", "The answer."
        py_module answer, "One number."
        """,
}
"""A project of assembly alone, for nasm_build.backend."""

ASK = "import answer; print(answer.give())"

KERNEL = """
    %include "nasm_build/function.inc"

    exported_function sum, first, second
        lea     rax, [first + second + BONUS]
        return  rax
    end_function

    exported_function difference, first, second
        mov     rax, first
        sub     rax, second
        return  rax
    end_function
    """
HEAD = """
    cmake_minimum_required(VERSION 3.24)
    project(kernels LANGUAGES C)
    find_package(NasmBuild REQUIRED)
    """


class Builder:
    """Configures and builds one project."""

    def __init__(self, nasm_ext: Path, folder: Path) -> None:
        self.folder = folder
        self.build = folder / "build"
        self.environment = {**os.environ, "NASM_EXT": str(nasm_ext)}

    def configure(self, files: dict[str, str], *words: str, generator: str = "Ninja") -> None:
        write_project(self.folder, files)
        command: list[str | Path] = [
            "cmake",
            "-G",
            generator,
            "-S",
            self.folder,
            "-B",
            self.build,
            f"-DCMAKE_PREFIX_PATH={PACKAGE}",
        ]
        self.run([*command, f"-DPython_EXECUTABLE={sys.executable}", *words])

    def make(self, *words: str) -> None:
        self.run(["cmake", "--build", self.build, *words])

    def run(self, command: list[str | Path]) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
