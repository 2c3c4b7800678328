"""The CMake package without Python's packaging: installed by CMake, found by prefix, version and components."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cmake_projects import ASK, PURE
from devtools import lief
from devtools.shell import ROOT
from nasm_build._version import VERSION
from projects import write_project

Configure = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def prefix(nasm_ext: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation: the component `package`, and the program where the component `program` puts it."""
    base = tmp_path_factory.mktemp("installation")
    words = [f"-DCMAKE_PREFIX_PATH={lief.prefix(Path(sys.executable))}", "-DCMAKE_BUILD_TYPE=Release"]
    for command in (
        ["cmake", "-S", ROOT, "-B", base / "build", "-G", "Ninja", *words],
        ["cmake", "--install", base / "build", "--component", "package", "--prefix", base / "prefix"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (base / "prefix/bin").mkdir()
    shutil.copy(nasm_ext, base / "prefix/bin/nasm-ext")
    return base / "prefix"


@pytest.fixture
def configure(prefix: Path, tmp_path: Path) -> Configure:
    """Configures a project that asks for the package with the words given to find_package."""

    def run(words: str) -> subprocess.CompletedProcess[str]:
        lists = f"""
            cmake_minimum_required(VERSION 3.24)
            project(answer LANGUAGES C)
            find_package(NasmBuild {words})
            nasm_add_module(answer SOURCES answer.asm)
            """
        write_project(tmp_path, {"CMakeLists.txt": lists, "answer.asm": PURE["answer.asm"]})
        command = ["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=without_nasm_ext())

    return run


def without_nasm_ext() -> dict[str, str]:
    """The environment without the variable that names the program, so that it must be found beside the package."""
    return {name: value for name, value in os.environ.items() if name != "NASM_EXT"}


def test_a_project_finds_what_was_installed(configure: Configure, prefix: Path, tmp_path: Path) -> None:
    done = configure(f"{VERSION} REQUIRED COMPONENTS Module Kernels")
    assert done.returncode == 0, done.stderr
    cache = (tmp_path / "build/CMakeCache.txt").read_text(encoding="utf-8")
    assert f"NASM_EXT:FILEPATH={prefix}/bin/nasm-ext" in cache
    assert f"NasmBuild_DIR:PATH={prefix}/share/NasmBuild/cmake" in cache
    built = subprocess.run(["cmake", "--build", tmp_path / "build"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path / "build", capture_output=True, text=True, check=True
    )
    assert asked.stdout == "42\n"


def test_another_version_is_not_taken(configure: Configure) -> None:
    done = configure("7.1 REQUIRED")
    assert done.returncode == 1
    assert f"NasmBuildConfig.cmake, version: {VERSION}" in done.stderr


def test_a_component_that_there_is_not(configure: Configure) -> None:
    done = configure("REQUIRED COMPONENTS Fortran")
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "there is no component 'Fortran': there are Module and Kernels, and both are always there" in told
