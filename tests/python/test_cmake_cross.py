"""CMake's toolchain files: modules for Windows by MinGW, run under Wine; for macOS by clang and lld, run in process; and the halves
of universal2 joined. A real MSVC, Xcode and Apple's linker are in the workflows' matrix alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from cmake_projects import PACKAGE, PURE
from devtools import examples
from devtools.pythons import maven, wine
from devtools.shell import ROOT
from projects import write_project

TOOLCHAINS = PACKAGE / "cmake/toolchains"
LOADER = ROOT / "tests/macho_loader"
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
CMAKE_LISTS = """
    cmake_minimum_required(VERSION 3.24)
    project(answer LANGUAGES C)
    find_package(NasmBuild REQUIRED)
    nasm_add_module(answer SOURCES answer.asm)
    """


def cmake(nasm_ext: Path, project: Path, toolchain: str, *words: str, path: Path | None = None) -> Path:
    """Configures and builds; returns the build's folder."""
    build = project / "build"
    search = os.pathsep.join([str(path)] if path else []) + os.pathsep + os.environ["PATH"]
    environment = {**os.environ, "NASM_EXT": str(nasm_ext), "PATH": search}
    configure = ["cmake", "-G", "Ninja", "-S", project, "-B", build, "--toolchain", TOOLCHAINS / toolchain]
    configure += [f"-DCMAKE_PREFIX_PATH={PACKAGE}", "-DCMAKE_BUILD_TYPE=Release", *words]
    for command in (configure, ["cmake", "--build", build]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return build


def pure(folder: Path) -> Path:
    return write_project(folder, {"CMakeLists.txt": CMAKE_LISTS, "answer.asm": PURE["answer.asm"]})


@pytest.mark.parametrize("minor", ["3.10", "3.13"])
def test_windows_imports_a_module_of_assembly(nasm_ext: Path, tmp_path: Path, minor: str) -> None:
    build = cmake(nasm_ext, pure(tmp_path / "project"), "windows-mingw.cmake", f"-DNASM_BUILD_TARGET_PYTHON={minor}")
    assert [path.name for path in build.glob("*.pyd")] == [f"answer.cp{minor.replace('.', '')}-win_amd64.pyd"]
    python = maven.provide(next(one for one in maven.ARTEFACTS if one.minor == minor))
    places = {"PYTHONPATH": wine.search_path(build)}
    done = wine.run_windows(python, ["-c", "import answer; print(answer.give())"], env=places, timeout=120)
    assert done == wine.Done(0, "42\n")


def test_windows_imports_c_with_a_kernel(nasm_ext: Path, tmp_path: Path) -> None:
    """The example's C++ and its kernel, by MinGW, with the headers of a CPython for Windows."""
    project = examples.copy(ROOT / "examples/cmake-module", tmp_path)
    text = (project / "CMakeLists.txt").read_text(encoding="utf-8")
    find_python = "find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)\n"
    assert find_python in text
    (project / "CMakeLists.txt").write_text(text.replace(find_python, ""), encoding="utf-8")
    python = maven.provide(next(one for one in maven.ARTEFACTS if one.minor == "3.13"))
    build = cmake(
        nasm_ext,
        project,
        "windows-mingw.cmake",
        "-DNASM_BUILD_TARGET_PYTHON=3.13",
        f"-DPython_INCLUDE_DIR={python.parent / 'include'}",
        "-DCMAKE_MODULE_LINKER_FLAGS=-static",
        "-DSKBUILD_PROJECT_NAME=bytecount",
        "-DSKBUILD_PROJECT_VERSION=1.0.0",
    )
    program = "import bytecount; print(bytecount.count(b'assembly' * 1000, ord('s')), bytecount.KERNEL)"
    done = wine.run_windows(python, ["-c", program], env={"PYTHONPATH": wine.search_path(build)}, timeout=120)
    assert done == wine.Done(0, "2000 assembly\n")


def loaded(tmp_path: Path, folder: Path, program: str) -> str:
    """What a program prints into which the modules for macOS of a folder are loaded."""
    loader = tmp_path / "loader"
    subprocess.run([sys.executable, LOADER / "build.py", loader], check=True, capture_output=True)
    code = f"import macho_loader; macho_loader.install({str(folder)!r}); {program}"
    environment = {**os.environ, "PYTHONPATH": str(loader)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_macos_loads_a_module_of_assembly(nasm_ext: Path, tmp_path: Path) -> None:
    free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    version = f"-DNASM_BUILD_TARGET_PYTHON={MINOR}{free_threaded}"
    build = cmake(nasm_ext, pure(tmp_path / "project"), "macos-lld.cmake", version)
    assert loaded(tmp_path, build, "import answer; print(answer.give())") == "42\n"


FALLBACK = """
    extern void *PyModule_New(const char *name);
    __attribute__((visibility("default"))) void *PyInit_answer(void) { return PyModule_New("answer"); }
    """


def test_the_halves_of_universal2_are_joined(nasm_ext: Path, tmp_path: Path) -> None:
    """Assembly for x86-64 and C for arm64 in one file; the half for x86-64 runs here, the other is read."""
    project = write_project(
        tmp_path / "project",
        {
            "CMakeLists.txt": CMAKE_LISTS.replace("answer.asm", "answer.asm FALLBACK answer.c"),
            "answer.asm": PURE["answer.asm"],
            "answer.c": FALLBACK,
        },
    )
    lipo = next(found for name in ("llvm-lipo", "llvm-lipo-19") if (found := shutil.which(name)))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "lipo").symlink_to(lipo)
    (tmp_path / "sdk").mkdir()
    build = cmake(
        nasm_ext,
        project,
        "macos-lld.cmake",
        f"-DNASM_BUILD_TARGET_PYTHON={MINOR}",
        "-DCMAKE_OSX_ARCHITECTURES=arm64;x86_64",
        f"-DCMAKE_OSX_SYSROOT={tmp_path / 'sdk'}",
        f"-DPython_INCLUDE_DIR={sysconfig.get_path('include')}",
        path=programs,
    )
    module = next(build.glob("*.so"))
    told = subprocess.run([lipo, "-archs", module], capture_output=True, text=True, check=True).stdout
    assert sorted(told.split()) == ["arm64", "x86_64"]
    assert loaded(tmp_path, build, "import answer; print(answer.give())") == "42\n"
