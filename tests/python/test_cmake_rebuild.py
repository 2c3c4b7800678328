"""What a CMake build makes again, and what it leaves: exactly the objects that a change reaches, under every generator."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmake_builds import GENERATORS, CMakeProject, Generator
from cmake_changes import NESTED, Parts, Walk, follow
from devtools import nasms

MANY, FEW = 150, 7
"""How many sources: once a generator, without the changes that reach them all; and for the other combinations with these."""


@pytest.fixture(scope="module")
def programs() -> dict[str, Path]:
    return nasms.fetch_three()


COMBINATIONS = [
    # One run with many sources for each generator.
    (generator, nasm, MANY if nasm == "newest" and generator.configuration != "Debug" else FEW)
    for generator in GENERATORS
    for nasm in nasms.THREE
]


@pytest.mark.parametrize(("generator", "nasm", "count"), COMBINATIONS, ids=lambda value: str(value).replace(" ", "-"))
def test_a_change_reassembles_what_it_reaches(
    tmp_path: Path, nasm_ext: Path, programs: dict[str, Path], generator: Generator, nasm: str, count: int
) -> None:
    parts = Parts(count)
    project = CMakeProject(tmp_path, generator, nasm_ext, programs[nasm])
    project.write(parts.files())
    project.configure()
    other = programs["2.16.01" if nasm == "newest" else "newest"]
    walk = Walk(project, parts, other)
    follow(project, walk.all() if count == FEW else walk.but_commands())


KERNEL = """\
cmake_minimum_required(VERSION 3.24)
project(kernel LANGUAGES C)
find_package(NasmBuild REQUIRED)
add_library(kernel SHARED kernel.c)
nasm_target_sources(kernel PRIVATE part.asm DEFINE NESTED=7 SCALE=1 EXPORT part)
"""


@pytest.mark.parametrize("generator", [one for one in GENERATORS if not one.configuration], ids=str)
def test_a_changed_command_makes_objects_again(tmp_path: Path, nasm_ext: Path, generator: Generator) -> None:
    """What is no word for NASM and no file: what stands in the rules alone."""
    project = CMakeProject(tmp_path, generator, nasm_ext, nasms.fetch_three()["2.16.01"])
    source = NESTED.format(name="part").replace('%include "a.inc"\n', "").replace(" hidden", "")
    project.write({"CMakeLists.txt": KERNEL, "kernel.c": "int kernel(void) { return 0; }\n", "part.asm": source})
    library = project.build_folder / "libkernel.so"
    ask = f"import ctypes; print(getattr(ctypes.CDLL({str(library)!r}), 'part', lambda: 'hidden')())"
    project.configure(CMAKE_BUILD_TYPE="Release")
    assert (project.build().assembled, project.call(ask)) == (["part.asm"], "7")
    project.replace("CMakeLists.txt", " EXPORT part)", ")")
    assert (project.build().assembled, project.call(ask)) == (["part.asm"], "hidden")
    project.replace("CMakeLists.txt", "SCALE=1)", "SCALE=1 EXPORT part)")
    assert (project.build().assembled, project.call(ask)) == (["part.asm"], "7")
    assert project.build().assembled == []
    for kind, has_lines in (("Debug", True), ("Release", False)):
        project.configure(CMAKE_BUILD_TYPE=kind)
        assert project.build().assembled == ["part.asm"]
        assert (b".debug_line" in (project.objects_folder("kernel") / "part.asm.o").read_bytes()) == has_lines
