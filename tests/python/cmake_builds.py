"""CMake projects for tests: configured, built and imported as users do, with every run of NASM and of the check told.

NASM and nasm-ext are named by scripts that write down how they were called and run the real ones.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cmake_projects import PACKAGE, TIMEOUT_SECONDS, run_cmake
from devtools.cmakes import CMake, system


@dataclass(frozen=True)
class Generator:
    """A generator of CMake's; of one with several configurations, the one that is built."""

    name: str
    configuration: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.configuration}".strip()


GENERATORS = (
    Generator("Ninja"),
    Generator("Ninja Multi-Config", "Debug"),
    Generator("Ninja Multi-Config", "Release"),
    Generator("Unix Makefiles"),
)


@dataclass(frozen=True)
class Built:
    """What a build did: the sources NASM made objects of, how often a module was checked, and all that it printed."""

    assembled: list[str]
    checks: int
    failed: bool
    output: str = field(compare=False)


class CMakeProject:
    """A project's folder, and its build folder beside it. Nothing outside of `work` is written."""

    def __init__(
        self, work: Path, generator: Generator, nasm_ext: Path, nasm: Path, cmake: CMake | None = None
    ) -> None:
        self.source, self.build_folder = work / "project", work / "build"
        self.generator, self.cmake = generator, cmake or system()
        self.log = work / "log"
        self.nasm = work / "first" / "nasm"
        self.nasm_ext = work / "nasm-ext"
        self.source.mkdir()
        self.log.touch()
        self.write_logging_program(self.nasm, nasm)
        self.write_logging_program(self.nasm_ext, nasm_ext)

    def write_logging_program(self, program: Path, real: Path, extra: str = "") -> None:
        """A script that writes its words down and runs the real program."""
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\n{extra}echo "{program.name} $*" >>"{self.log}"\nexec "{real}" "$@"\n')
        program.chmod(0o755)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Writes files of the project."""
        for name, content in files.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def replace(self, name: str, old: str, new: str) -> None:
        """Edits a file: the text must be there, once."""
        text = (self.source / name).read_text()
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        (self.source / name).write_text(text.replace(old, new))

    def configure(self, **variables: str | Path) -> str:
        """Configures; the variables go to CMake's cache. Returns what CMake printed."""
        words = {
            "CMAKE_PREFIX_PATH": PACKAGE,
            "NASM_BUILD_NASM": self.nasm,
            "Python_EXECUTABLE": sys.executable,
            **({"CMAKE_MAKE_PROGRAM": self.cmake.ninja} if "Ninja" in self.generator.name else {}),
            **variables,
        }
        done = self._cmake(
            "-G", self.generator.name, "-S", self.source, "-B", self.build_folder,
            *(f"-D{name}={value}" for name, value in words.items()),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def build(self, *words: str) -> Built:
        """`cmake --build`, two jobs at once; `words` are CMake's."""
        self.log.write_text("")
        configuration = ["--config", self.generator.configuration] if self.generator.configuration else []
        done = self._cmake("--build", self.build_folder, "--parallel", "2", *configuration, *words)
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return Built(
            assembled=sorted(line[-1] for line in lines if line[0] != "nasm-ext" and _makes_object(line)),
            checks=sum(line[:2] == ["nasm-ext", "check"] for line in lines),
            failed=done.returncode != 0,
            output=done.stdout,
        )

    def objects_folder(self, target: str) -> Path:
        """Where the objects of a target lie."""
        return self.build_folder / "nasm-objects" / target / self.generator.configuration

    def modules(self) -> list[Path]:
        """The modules that were built."""
        return sorted((self.build_folder / self.generator.configuration).glob("*.so"))

    def call(self, code: str) -> str:
        """What Python code prints that imports from the build folder."""
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {code}",
             str(self.build_folder / self.generator.configuration)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def _cmake(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return run_cmake([self.cmake.program, *words], self.source.parent, self.nasm_ext)


def _makes_object(words: list[str]) -> bool:
    """Whether NASM was called for what is linked: not for dependencies, nor for the second object with line numbers."""
    is_lined = any(word.endswith(".lines.o.partial") for word in words)
    return "-o" in words and "-M" not in words and not is_lined
