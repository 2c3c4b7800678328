"""The CMake package under every CMake that it promises, from 3.24 to the newest, with each generator: one module, imported.

Which versions ran is printed, as `-rP` and a failure show it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cmake_builds import GENERATORS, CMakeProject, Generator
from cmake_changes import Parts, Walk, follow
from devtools import cmakes, nasms
from devtools.shell import ROOT

LISTS = """\
cmake_minimum_required(VERSION 3.24)
project(pymult LANGUAGES C)
find_package(NasmBuild REQUIRED)
nasm_add_module(pymult SOURCES pymult.asm)
"""

EXPECTED = {"oldest": "3.24.0", "newest": "4.4.5"}


@pytest.fixture(scope="module", params=cmakes.NAMES)
def cmake(request: pytest.FixtureRequest) -> cmakes.CMake:
    """Each CMake in turn; one that cannot be had is an error."""
    provided = cmakes.provide(request.param)
    versions = provided.versions()
    print(f"{request.param}: {versions}")
    assert EXPECTED.get(request.param, "") in versions
    return provided


@pytest.mark.parametrize("generator", GENERATORS, ids=str)
def test_a_module_is_built_and_left_alone(
    tmp_path: Path, nasm_ext: Path, cmake: cmakes.CMake, generator: Generator
) -> None:
    nasm = shutil.which("nasm")
    assert nasm is not None
    project = CMakeProject(tmp_path, generator, nasm_ext, Path(nasm), cmake)
    example = (ROOT / "examples/pymult/pymult.asm").read_text(encoding="utf-8")
    project.write({"CMakeLists.txt": LISTS, "pymult.asm": example})
    printed = project.configure()
    assert "Warning" not in printed, printed
    first = project.build()
    assert (first.assembled, first.checks, first.failed) == (["pymult.asm"], 1, False), first.output
    assert (
        project.call("import pymult; print(pymult.multiply(6, 7), pymult.multiply(-(2**70), 3))") == f"42 {-3 * 2**70}"
    )
    made = [path.stat().st_mtime_ns for path in project.modules()]
    assert len(made) == 1
    again = project.build()
    assert (again.assembled, again.checks, again.failed) == ([], 0, False), again.output
    assert [path.stat().st_mtime_ns for path in project.modules()] == made


@pytest.mark.parametrize("generator", [one for one in GENERATORS if not one.configuration], ids=str)
def test_what_is_made_again(tmp_path: Path, nasm_ext: Path, cmake: cmakes.CMake, generator: Generator) -> None:
    """CMakes keep dependencies differently: before 4.0, Makefiles forget none."""
    programs = nasms.fetch_three()
    parts = Parts(7)
    project = CMakeProject(tmp_path, generator, nasm_ext, programs["2.16.01"], cmake)
    project.write(parts.files())
    project.configure()
    follow(project, Walk(project, parts, programs["newest"]).all())
