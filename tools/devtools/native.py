"""Configures and builds the C++ part in this clone: one build folder for ./dev's wheel, its tests and the linters."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import lief, packages
from .cache import cache_folder
from .environments import Environment
from .shell import ROOT, DevelopmentError, Stopwatch, build_folder, cores, run

SANITIZERS = "address,undefined"


def folder() -> Path:
    """The build folder, which the wheel's build shares, so that nothing is compiled twice."""
    return build_folder() / "native"


def sanitized_folder() -> Path:
    """The build folder of the sanitised build."""
    return build_folder() / "sanitized"


def compiler_cache() -> dict[str, str]:
    """Variables by which CMake compiles through ccache where it is installed: a new clone compiles nothing twice.

    Paths are taken relative to the clone, so that one clone's objects serve another.
    """
    found = shutil.which("ccache")
    if found is None:
        return {}
    return {
        "CMAKE_CXX_COMPILER_LAUNCHER": found,
        "CCACHE_DIR": str(cache_folder("ccache")),
        "CCACHE_BASEDIR": str(ROOT),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_MAXSIZE": "1G",
    }


def build(environment: Environment, *, tests: bool) -> Path:
    """Builds nasm-ext (and the C++ tests), warnings being errors, and returns the executable's path."""
    definitions = [f"-DCMAKE_PREFIX_PATH={lief.prefix(environment.python)}"]
    # Only ever switched on: leaving it alone in the wheel's build keeps one configuration in the folder.
    definitions += ["-DNASM_BUILD_TESTS=ON"] if tests else []
    _cmake(folder(), definitions, None if tests else "nasm-ext")
    return executable()


def configure(environment: Environment) -> None:
    """Configures the build folder, with tests, so that its compile commands are there for clang-tidy."""
    _configure(folder(), [f"-DCMAKE_PREFIX_PATH={lief.prefix(environment.python)}", "-DNASM_BUILD_TESTS=ON"])


def build_target(environment: Environment, target: str) -> Path:
    """Builds one program of the usual build, the tests' included, and returns its path."""
    _cmake(folder(), [f"-DCMAKE_PREFIX_PATH={lief.prefix(environment.python)}", "-DNASM_BUILD_TESTS=ON"], target)
    return program(folder(), target)


def build_sanitized(environment: Environment, target: str) -> Path:
    """Builds one program with sanitizers, LIEF without them, and returns its path."""
    _cmake(
        sanitized_folder(),
        [
            f"-DCMAKE_PREFIX_PATH={lief.prefix(environment.python)}",
            "-DNASM_BUILD_TESTS=ON",
            f"-DNASM_BUILD_SANITIZE={SANITIZERS}",
        ],
        target,
    )
    return program(sanitized_folder(), target)


def fuzzers_folder() -> Path:
    """The build folder of what is compiled by clang with sanitizers, for libFuzzer, LIEF as well."""
    return build_folder() / "fuzzers"


def build_fuzzers(environment: Environment, target: str) -> Path:
    """Builds a target there and returns its path, or the folder when the target is no program."""
    packages.provide_fuzzers()
    _cmake(
        fuzzers_folder(),
        [
            f"-DCMAKE_PREFIX_PATH={lief.prefix(environment.python, lief.SANITIZED)}",
            f"-DCMAKE_CXX_COMPILER={lief.SANITIZED.compiler}",
            "-DNASM_BUILD_TESTS=ON",
            "-DNASM_BUILD_FUZZERS=ON",
            "-DCMAKE_CXX_FLAGS_RELEASE=-O1",
            f"-DNASM_BUILD_SANITIZE={SANITIZERS}",
        ],
        target,
    )
    return fuzzers_folder() if target == "fuzzers" else program(fuzzers_folder(), target)


def executable() -> Path:
    """The nasm-ext of this clone's build; raises DevelopmentError when there is none."""
    return program(folder(), "nasm-ext")


def program(build: Path, name: str) -> Path:
    """A program of a build folder, wherever the part that makes it lies."""
    found = [path for path in build.rglob(name) if path.is_file()]
    if len(found) != 1:
        raise DevelopmentError(f"{build} has {len(found)} programs named {name}; build it with: ./dev build")
    return found[0]


def _cmake(build: Path, definitions: list[str], target: str | None) -> None:
    with Stopwatch(f"building the C++ part in {build.name}"):
        _configure(build, definitions)
        command: list[str | Path] = ["cmake", "--build", build, "--parallel", str(cores())]
        run(
            [*command, *(["--target", target] if target else [])],
            env={"NINJA_STATUS": "[%f/%t, %es] ", **compiler_cache()},
        )


def _configure(build: Path, definitions: list[str]) -> None:
    run(
        ["cmake", "-S", ".", "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
         "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DNASM_BUILD_WARNINGS_AS_ERRORS=ON", *definitions],
        env=compiler_cache(),
        quiet=True,
    )  # fmt: skip
