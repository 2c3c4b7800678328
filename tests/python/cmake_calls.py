"""CMake projects for tests of what a user reads: configured and built, the whole output kept, paths alone replaced."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cmake_projects import PACKAGE, run_cmake
from projects import Result, write_project

HEAD = "cmake_minimum_required(VERSION 3.24)\nproject(demo LANGUAGES C)\nfind_package(NasmBuild REQUIRED)\n"
"""What a project's CMakeLists.txt begins with: three lines."""


@dataclass
class CMakeFolder:
    """A project and its build folder. `variables` go to its cache, `environment` to the process.

    `wrapper` are the words of a program that runs CMake.
    """

    work: Path
    nasm_ext: Path
    generator: str = "Ninja"
    variables: dict[str, str | Path] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    wrapper: list[str] = field(default_factory=list)

    @property
    def source(self) -> Path:
        return self.work / "project"

    @property
    def build_folder(self) -> Path:
        return self.work / "build"

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Writes files of the project, as write_project does."""
        write_project(self.source, files)

    def configure(self) -> Result:
        """`cmake -S project -B build`, for a release with the Python of the tests."""
        variables = {
            "CMAKE_BUILD_TYPE": "Release",
            "CMAKE_PREFIX_PATH": PACKAGE,
            "Python_EXECUTABLE": sys.executable,
            **self.variables,
        }
        words = [f"-D{name}={value}" for name, value in variables.items()]
        return self.run("-G", self.generator, "-S", self.source, "-B", self.build_folder, *words)

    def build(self) -> Result:
        """`cmake --build build`."""
        return self.run("--build", self.build_folder)

    def modules(self) -> list[str]:
        """The names of the modules that there are."""
        return sorted(path.name for path in self.build_folder.glob("*.so"))

    def run(self, *words: str | Path) -> Result:
        """A call of CMake, with every variable taken away that could change what it prints."""
        program = shutil.which("cmake")
        assert program, "there is no cmake: install it"
        done = run_cmake([*self.wrapper, program, *words], self.work, self.nasm_ext, self.environment)
        names = {
            str(self.source): "<project>",
            str(self.build_folder): "<build>",
            str(self.work): "<work>",
            str(PACKAGE): "<package>",
            str(self.nasm_ext): "<nasm-ext>",
            sys.executable: "<python>",
        }
        return Result(done.returncode, done.stdout, names)


def errors_of(result: Result) -> str:
    """What CMake printed of errors while it configured: from the first `CMake Error` to `-- Configuring incomplete`."""
    assert result.returncode != 0, str(result)
    text = result.output
    start = text.find("CMake Error")
    assert start >= 0, text
    end = text.find("-- Configuring incomplete, errors occurred!", start)
    assert end >= 0, text
    return text[start:end].rstrip("\n") + "\n"


def build_errors_of(result: Result) -> str:
    """What a failed build printed beside the commands and steps of Ninja or Make."""
    assert result.returncode != 0, str(result)
    own = re.compile(
        r"\[[\d/ %]+\] .*|(?:FAILED|ninja|gmake|make)(?:\[\d+\])?: .*|: && .*|cd .* && .*|Consolidate .*|/.*/cmake .*"
    )
    return "".join(line + "\n" for line in result.output.splitlines() if line and not own.fullmatch(line))
