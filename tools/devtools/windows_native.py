"""Compiles nasm-ext and C++ tests of this tree for Windows, so that they can be run under Wine.

Kept in the cache by the content of their sources, like nasm-build's wheel; compiled in one build folder of the clone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from . import lief, native, wheel, windows_libraries
from .cache import locked, prune
from .environments import Environment
from .pythons import offer
from .shell import build_folder, cores, run, say

SOURCES = ("CMakeLists.txt", "cmake", "docs/rules", "python/nasm_build/_version.py", "src", "tests/cpp")
TESTS = ("base-tests", "toolchain-tests")
"""Those whose subject is the system: the others would say the same on every one."""
KEPT = 4


class _Edited(Exception):
    """A source was edited during the build."""


def executable(environment: Environment) -> Path:
    """nasm-ext.exe of this tree's sources as they are now. Raises DevelopmentError."""
    return provide(environment) / "nasm-ext.exe"


def provide(environment: Environment) -> Path:
    """The folder with the programs; `environment` has pip, which fetches LIEF's source. Raises DevelopmentError."""
    roots = (lief.prefix(environment.python, lief.WINDOWS), windows_libraries.prefix())
    while True:
        name = _name(roots)

        def make(work: Path, _: Path, name: str = name) -> None:
            build = build_folder() / "windows"
            with locked(build):
                _build(build, roots)
                (work / "result").mkdir()
                for program in ("nasm-ext", *TESTS):
                    shutil.copyfile(native.program(build, f"{program}.exe"), work / "result" / f"{program}.exe")
            if _name(roots) != name:
                raise _Edited

        try:
            folder = offer.provide(name, "building nasm-ext for Windows", make)
        except _Edited:
            say("sources were edited during the build: building again")
            continue
        prune((path for path in folder.parent.glob("windows-nasm-ext-*") if path.is_dir()), KEPT)
        return folder


def _name(roots: tuple[Path, ...]) -> str:
    return f"windows-nasm-ext-{wheel.content_hash(*(root.name for root in roots), sources=SOURCES)}"


def _build(folder: Path, roots: tuple[Path, ...]) -> None:
    """Warnings of our own sources are errors. What an edit did not touch is not compiled again."""
    # In its depend mode ccache preprocesses nothing by itself: what it does not know yet costs no more with it.
    variables = {**native.compiler_cache(), "CCACHE_DEPEND": "1"}
    run(
        ["cmake", "-S", ".", "-B", folder, "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={lief.MINGW}",
         "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_FIND_ROOT_PATH={';'.join(map(str, roots))}",
         "-DNASM_BUILD_TESTS=ON", "-DNASM_BUILD_WARNINGS_AS_ERRORS=ON"],
        env=variables,
        quiet=True,
    )  # fmt: skip
    run(
        ["cmake", "--build", folder, "--parallel", str(cores()), "--target", "nasm-ext", *TESTS],
        env={"NINJA_STATUS": "[Windows %f/%t, %es] ", **variables},
    )
