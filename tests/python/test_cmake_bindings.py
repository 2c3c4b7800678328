"""Kernels in modules of pybind11, nanobind and Cython: by each one's own CMake function, and by nasm_add_module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cmake_projects import HEAD, KERNEL, Builder
from devtools import environments, interpreters

PYTHON = "    find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)\n"
CXX_HEAD = HEAD.replace("LANGUAGES C", "LANGUAGES C CXX").replace(
    "find_package(NasmBuild", PYTHON.strip() + "\n    find_package(NasmBuild"
)
PYBIND11 = """
    #include <pybind11/pybind11.h>
    extern "C" long sum(long, long);
    PYBIND11_MODULE(bound, module) { module.def("sum", &sum); }
    """
NANOBIND = """
    #include <nanobind/nanobind.h>
    extern "C" long sum(long, long);
    NB_MODULE(bound, module) { module.def("sum", &sum); }
    """
CYTHON = """
    cdef extern long c_sum "sum"(long, long)
    def sum(long one, long other):
        return c_sum(one, other)
    """
ASK = "import bound; print(bound.sum(40, 2))"


@pytest.fixture(scope="session")
def bindings() -> environments.Environment:
    """An environment with the three."""
    host = interpreters.ask(Path(sys.executable))
    assert host is not None
    made: environments.Environment = environments.provide("bindings", host.path, "bindings.txt")
    return made


def folder_of(bindings: environments.Environment, question: str) -> str:
    told = subprocess.run([bindings.python, "-c", question], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def asked(builder: Builder) -> str:
    builder.environment["PYTHONPATH"] = str(builder.build)
    return builder.run([sys.executable, "-c", ASK])


FORMS = {
    "pybind11": """
    find_package(pybind11 CONFIG REQUIRED)
    pybind11_add_module(bound bound.cpp)
    nasm_target_sources(bound PRIVATE kernel.asm DEFINE BONUS=0)
    """,
    "pybind11 by nasm_add_module": """
    find_package(pybind11 CONFIG REQUIRED)
    nasm_add_module(bound SOURCES bound.cpp kernel.asm DEFINE BONUS=0 LINK pybind11::headers)
    """,
    "nanobind": """
    find_package(nanobind CONFIG REQUIRED)
    nanobind_add_module(bound NB_STATIC bound.cpp)
    nasm_target_sources(bound PRIVATE kernel.asm DEFINE BONUS=0)
    """,
}


@pytest.mark.parametrize("form", FORMS)
def test_modules_of_cplusplus(builder: Builder, bindings: environments.Environment, form: str) -> None:
    package = form.split()[0]
    place = folder_of(
        bindings, f"import {package}; print({package}.{'get_cmake_dir' if package == 'pybind11' else 'cmake_dir'}())"
    )
    source = PYBIND11 if package == "pybind11" else NANOBIND
    files = {"CMakeLists.txt": CXX_HEAD + FORMS[form], "bound.cpp": source, "kernel.asm": KERNEL}
    builder.configure(files, f"-D{package}_DIR={place}", "-DCMAKE_BUILD_TYPE=Release")
    rules = (builder.build / "build.ninja").read_text(encoding="utf-8")
    assert rules.count(" check --abi --quiet --delete-failed ") == 1, "the module is not read back"
    builder.make()
    assert asked(builder) == "42\n"


def test_cython(builder: Builder, bindings: environments.Environment) -> None:
    """A module that Cython writes, by nasm_add_module."""
    lists = (
        CXX_HEAD
        + f"""
    add_custom_command(OUTPUT bound.c COMMAND {bindings.script("cython")} -3 "${{CMAKE_CURRENT_SOURCE_DIR}}/bound.pyx" -o bound.c
      DEPENDS bound.pyx VERBATIM)
    nasm_add_module(bound SOURCES "${{CMAKE_CURRENT_BINARY_DIR}}/bound.c" kernel.asm DEFINE BONUS=0)
    """
    )
    files = {"CMakeLists.txt": lists, "bound.pyx": CYTHON, "kernel.asm": KERNEL}
    builder.configure(files, "-DCMAKE_BUILD_TYPE=Release")
    builder.make()
    assert asked(builder) == "42\n"
