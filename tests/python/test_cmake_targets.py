"""What the CMake package makes of targets: abi3, configurations, static and shared libraries, programs, other folders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cmake_projects import ASK, HEAD, KERNEL, PURE, Builder

PROGRAM = """
    #include <stdio.h>
    long sum(long, long);
    int main(void) { printf("%ld\\n", sum(40, 2)); return 0; }
    """


def readelf(path: Path, *words: str) -> str:
    return subprocess.run(["readelf", "-W", *words, path], capture_output=True, text=True, check=True).stdout


def dynamic_names(path: Path) -> set[str]:
    """The names that a shared library shows."""
    lines = readelf(path, "--dyn-syms").splitlines()
    return {line.split()[7] for line in lines if len(line.split()) == 8 and line.split()[6].isdigit()}


def test_abi3(builder: Builder) -> None:
    lists = HEAD + "    nasm_add_module(answer STABLE_ABI 3.10 SOURCES answer.asm)\n"
    builder.configure({"CMakeLists.txt": lists, "answer.asm": PURE["answer.asm"]})
    builder.make()
    assert [path.name for path in builder.build.glob("*.so")] == ["answer.abi3.so"]
    builder.environment["PYTHONPATH"] = str(builder.build)
    assert builder.run([sys.executable, "-c", ASK]) == "42\n"


def test_each_configuration_has_its_own_debug_data(builder: Builder) -> None:
    lists = HEAD + "    nasm_add_module(answer SOURCES answer.asm)\n"
    builder.configure({"CMakeLists.txt": lists, "answer.asm": PURE["answer.asm"]}, generator="Ninja Multi-Config")
    for configuration, has_lines in (("Debug", True), ("RelWithDebInfo", True), ("Release", False)):
        builder.make("--config", configuration)
        module = next((builder.build / configuration).glob("answer.*.so"))
        assert (".debug_line" in readelf(module, "-S")) == has_lines, configuration


@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_kernels_in_a_static_library(builder: Builder, generator: str) -> None:
    """The program links, its stack is not executable, and a shared library made of the static one shows no kernel."""
    lists = (
        HEAD
        + """
    add_library(kernels STATIC other.c)
    nasm_target_sources(kernels PRIVATE kernel.asm DEFINE BONUS=0)
    set_target_properties(kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)
    add_executable(program program.c)
    target_link_libraries(program PRIVATE kernels)
    add_library(shared SHARED shared.c)
    target_link_libraries(shared PRIVATE kernels)
    """
    )
    shared = "long sum(long, long); long through(long x) { return sum(x, 1); }\n"
    files = {
        "CMakeLists.txt": lists,
        "kernel.asm": KERNEL,
        "program.c": PROGRAM,
        "shared.c": shared,
        "other.c": "int other;\n",
    }
    builder.configure(files, generator=generator)
    builder.make()
    assert builder.run([builder.build / "program"]) == "42\n"
    for name in ("program", "libshared.so"):
        assert "GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW " in readelf(
            builder.build / name, "-l"
        )
    assert "through" in dynamic_names(builder.build / "libshared.so")
    assert not {"sum", "difference"} & dynamic_names(builder.build / "libshared.so")


def test_a_shared_library_shows_what_it_exports(builder: Builder) -> None:
    lists = (
        HEAD
        + """
    add_library(kernels SHARED other.c)
    nasm_target_sources(kernels PRIVATE kernel.asm DEFINE BONUS=2 EXPORT sum)
    """
    )
    builder.configure({"CMakeLists.txt": lists, "kernel.asm": KERNEL, "other.c": "int other;\n"})
    builder.make()
    names = dynamic_names(builder.build / "libkernels.so")
    assert "sum" in names and "difference" not in names


def test_a_target_of_another_folder_and_properties_of_a_source(builder: Builder) -> None:
    """The kernel's folder adds to a program that stands above it; a define is the source's own."""
    lists = HEAD + "    add_executable(program program.c)\n    add_subdirectory(below)\n"
    below = """
    set_source_files_properties(kernel.asm PROPERTIES COMPILE_DEFINITIONS BONUS=100)
    nasm_target_sources(program PRIVATE kernel.asm)
    """
    files = {"CMakeLists.txt": lists, "below/CMakeLists.txt": below, "below/kernel.asm": KERNEL, "program.c": PROGRAM}
    builder.configure(files)
    builder.make()
    assert builder.run([builder.build / "program"]) == "142\n"


def test_the_fallback_stands_in_for_the_assembly(builder: Builder) -> None:
    """For a processor that NASM cannot write for; this machine's compiler builds the C."""
    lists = (
        HEAD
        + """
    add_executable(program program.c)
    nasm_target_sources(program PRIVATE kernel.asm FALLBACK kernel.c DEFINE BONUS=0)
    """
    )
    fallback = "long sum(long one, long other) { return one + other + (NASM_BUILD_ASM ? 1000 : 0); }\n"
    builder.configure(
        {"CMakeLists.txt": lists, "kernel.asm": KERNEL, "kernel.c": fallback, "program.c": PROGRAM},
        "-DNASM_BUILD_TARGET=linux-aarch64",
    )
    builder.make()
    assert builder.run([builder.build / "program"]) == "42\n"
