"""Mistakes in a CMake project: the whole of what the user reads, where CMake and the build put it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cmake_calls import HEAD, CMakeFolder, build_errors_of, errors_of
from projects import Result
from running import SUFFIX
from sources import answer

GENERATORS = ("Ninja", "Unix Makefiles")
MODULE = f"demo{SUFFIX}"
SOURCE = {"demo.asm": answer()}
KERNEL = {"a.c": "int a;\n", **SOURCE}
LIBRARY = "add_library(lib SHARED a.c)\n"

Folder = Callable[..., CMakeFolder]


@pytest.fixture
def folder(tmp_path: Path, nasm_ext: Path) -> Folder:
    """A project of which the lines behind find_package are given: the first of them is line 4."""

    def make(lines: str, files: dict[str, str], *, head: str = HEAD, generator: str = "Ninja") -> CMakeFolder:
        made = CMakeFolder(tmp_path, nasm_ext, generator)
        made.write({"CMakeLists.txt": head + lines, **files})
        return made

    return make


def said(result: Result) -> tuple[str, str]:
    """The message of the one error, and the call that it is about; what lies between is the package's own."""
    head, *lines = errors_of(result).splitlines()
    assert head.startswith("CMake Error at <package>/cmake/NasmBuild/"), head
    stack = lines.index("Call Stack (most recent call first):")
    own = lines[stack + 1 : -1]
    assert all(line.startswith("  <package>/cmake/") for line in own), own
    assert "Traceback" not in result.output
    return textwrap.dedent("\n".join(lines[:stack])), lines[-1].strip()


# -- arguments -----------------------------------------------------------------------------------------------------------

MODULE_MISTAKES = {
    "a keyword that is none": (
        "nasm_add_module(demo SOURCE demo.asm)",
        "error: unknown argument 'SOURCE' of nasm_add_module [settings]\nfix: did you mean 'SOURCES'?",
    ),
    "swallowed by the list of sources": (
        "nasm_add_module(demo SOURCES demo.asm INCLUDES inc)",
        "error: unknown argument 'INCLUDES' of nasm_add_module [settings]\nfix: did you mean 'INCLUDE'?",
    ),
    "swallowed by the list of definitions": (
        "nasm_add_module(demo SOURCES demo.asm DEFINE WIDE INCLUDES inc)",
        "error: unknown argument 'INCLUDES' of nasm_add_module [settings]\nfix: did you mean 'INCLUDE'?",
    ),
    "swallowed by the list of ignored rules": (
        "nasm_add_module(demo SOURCES demo.asm CHECK_IGNORE extra-exports=why NOCHECK)",
        "error: unknown argument 'NOCHECK' of nasm_add_module [settings]\nfix: did you mean 'NO_CHECK'?",
    ),
    "without its underscore": (
        "nasm_add_module(demo NOCHECK SOURCES demo.asm)",
        "error: unknown argument 'NOCHECK' of nasm_add_module [settings]\nfix: did you mean 'NO_CHECK'?",
    ),
    "like none": (
        "nasm_add_module(demo QUIET SOURCES demo.asm)",
        "error: unknown argument 'QUIET' of nasm_add_module [settings]\n"
        "fix: it takes: STABLE_ABI FREE_THREADED SOURCES FALLBACK INCLUDE DEFINE LINK NO_CHECK CHECK_IGNORE",
    ),
    "a source behind no keyword": (
        "nasm_add_module(demo demo.asm)",
        "error: unknown argument 'demo.asm' of nasm_add_module [settings]\n"
        "fix: sources stand behind SOURCES: SOURCES demo.asm",
    ),
    "a keyword without a value": (
        "nasm_add_module(demo SOURCES demo.asm INCLUDE)",
        "error: nasm_add_module: INCLUDE without a value [settings]\nfix: write a value behind it, or leave it out",
    ),
    "no source": (
        "nasm_add_module(demo)",
        "error: nasm_add_module: no source for 'demo' [settings]\nfix: nasm_add_module(demo SOURCES demo.asm)",
    ),
    "an ignored rule without a reason": (
        "nasm_add_module(demo SOURCES demo.asm CHECK_IGNORE extra-exports)",
        "error: CHECK_IGNORE 'extra-exports' has no reason [settings]\nfix: CHECK_IGNORE \"rule=why it may stand\"",
    ),
    "an empty reason": (
        "nasm_add_module(demo SOURCES demo.asm CHECK_IGNORE extra-exports=)",
        "error: CHECK_IGNORE 'extra-exports=' has no reason [settings]\nfix: CHECK_IGNORE \"rule=why it may stand\"",
    ),
    "an ignored rule that there is not": (
        'nasm_add_module(demo SOURCES demo.asm CHECK_IGNORE "extra-export=called by another module")',
        "error: there is no rule named extra-export [settings]\nfix: did you mean extra-exports?",
    ),
    "no check, and rules of it": (
        "nasm_add_module(demo SOURCES demo.asm NO_CHECK CHECK_IGNORE extra-exports=why)",
        "error: nasm_add_module: NO_CHECK and CHECK_IGNORE exclude each other [settings]\n"
        "fix: leave NO_CHECK out: the other rules are looked at then",
    ),
    "a missing source": (
        "nasm_add_module(demo SOURCES dmo.asm)",
        "error: source 'dmo.asm' of target 'demo' is not there [source-missing]\nfix: did you mean 'demo.asm'?",
    ),
    "a missing source of another name": (
        "nasm_add_module(demo SOURCES kernel.asm)",
        "error: source 'kernel.asm' of target 'demo' is not there [source-missing]\n"
        "fix: create it, or correct its path, which begins at the folder of the CMakeLists.txt",
    ),
    "a missing source in C": (
        "nasm_add_module(demo SOURCES demo.asm a.cc)",
        "error: source 'a.cc' of target 'demo' is not there [source-missing]\nfix: did you mean 'a.c'?",
    ),
    "a missing fallback": (
        "nasm_add_module(demo SOURCES demo.asm FALLBACK a_.c)",
        "error: source 'a_.c' of target 'demo' is not there [source-missing]\n"
        "fix: create it, or correct its path, which begins at the folder of the CMakeLists.txt",
    ),
    "no stable ABI": (
        "nasm_add_module(demo STABLE_ABI abi3 SOURCES demo.asm)",
        "error: `abi3` is no version of the stable ABI [toolchain]\n"
        "fix: give the oldest CPython that is promised: 3.10 for abi3, 3.15t for abi3t",
    ),
}


@pytest.mark.parametrize("name", MODULE_MISTAKES)
def test_mistakes_in_nasm_add_module(folder: Folder, name: str) -> None:
    call, message = MODULE_MISTAKES[name]
    result = folder(call + "\n", KERNEL).configure()
    assert said(result) == (message, "CMakeLists.txt:4 (nasm_add_module)")


KERNEL_MISTAKES = {
    "swallowed by the list of sources": (
        "nasm_target_sources(lib PRIVATE demo.asm INCLUDES inc)",
        "error: unknown argument 'INCLUDES' of nasm_target_sources [settings]\nfix: did you mean 'INCLUDE'?",
    ),
    "swallowed by the list of exports": (
        "nasm_target_sources(lib PRIVATE demo.asm EXPORT PyInit_demo DEFINES X=1)",
        "error: unknown argument 'DEFINES' of nasm_target_sources [settings]\nfix: did you mean 'DEFINE'?",
    ),
    "a keyword of the other function": (
        "nasm_target_sources(lib PRIVATE demo.asm LINK m)",
        "error: unknown argument 'LINK' of nasm_target_sources [settings]\n"
        "fix: it takes: PRIVATE FALLBACK INCLUDE DEFINE EXPORT NO_CHECK CHECK_IGNORE",
    ),
    "an ignored rule without a reason": (
        "nasm_target_sources(lib PRIVATE demo.asm CHECK_IGNORE extra-exports)",
        "error: CHECK_IGNORE 'extra-exports' has no reason [settings]\nfix: CHECK_IGNORE \"rule=why it may stand\"",
    ),
    "no check, and rules of it": (
        "nasm_target_sources(lib PRIVATE demo.asm NO_CHECK CHECK_IGNORE extra-exports=why)",
        "error: nasm_target_sources: NO_CHECK and CHECK_IGNORE exclude each other [settings]\n"
        "fix: leave NO_CHECK out: the other rules are looked at then",
    ),
    "a source behind no keyword": (
        "nasm_target_sources(lib demo.asm)",
        "error: unknown argument 'demo.asm' of nasm_target_sources [settings]\n"
        "fix: sources stand behind PRIVATE: PRIVATE demo.asm",
    ),
    "public": (
        "nasm_target_sources(lib PUBLIC demo.asm)",
        "error: nasm_target_sources: the assembly of 'lib' cannot be part of its users [settings]\n"
        "fix: PRIVATE: an object belongs to the one target that it is linked into",
    ),
    "no source": (
        "nasm_target_sources(lib)",
        "error: nasm_target_sources: no source for 'lib' [settings]\nfix: nasm_target_sources(lib PRIVATE a.asm)",
    ),
    "no such target": (
        "nasm_target_sources(lob PRIVATE demo.asm)",
        "error: nasm_target_sources: there is no target 'lob' [settings]\n"
        "fix: call it behind the add_library or add_executable of 'lob'",
    ),
    "a missing source": (
        "nasm_target_sources(lib PRIVATE demo.nasm)",
        "error: source 'demo.nasm' of target 'lib' is not there [source-missing]\nfix: did you mean 'demo.asm'?",
    ),
}


@pytest.mark.parametrize("name", KERNEL_MISTAKES)
def test_mistakes_in_nasm_target_sources(folder: Folder, name: str) -> None:
    call, message = KERNEL_MISTAKES[name]
    result = folder(LIBRARY + call + "\n", KERNEL).configure()
    assert said(result) == (message, "CMakeLists.txt:5 (nasm_target_sources)")


def test_macros_in_capitals_are_no_unknown_arguments(folder: Folder) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm DEFINE WIDE UNROLLED LINK M_PIC_UNUSED)\n", SOURCE)
    done = made.configure()
    assert done.returncode == 0, str(done)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("nasm_add_module(demo SOURCES demo.asm)", "CMakeLists.txt:4 (nasm_add_module)"),
        (
            "add_library(lib INTERFACE)\nnasm_target_sources(lib PRIVATE demo.asm)",
            "CMakeLists.txt:5 (nasm_target_sources)",
        ),
    ],
)
def test_a_project_without_c(folder: Folder, call: str, line: str) -> None:
    result = folder(call + "\n", SOURCE, head=HEAD.replace("LANGUAGES C", "LANGUAGES NONE")).configure()
    function = line.partition("(")[2].rstrip(")")
    assert said(result) == (
        f"error: {function}: the project enables neither C nor CXX, whose driver links what is built [settings]\n"
        "fix: project(… LANGUAGES C)",
        line,
    )


# -- programs ------------------------------------------------------------------------------------------------------------


def test_no_nasm_where_it_is_named(folder: Folder) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE)
    made.variables["NASM_BUILD_NASM"] = "/nowhere/nasm"
    assert said(made.configure()) == (
        "error: NASM_BUILD_NASM names /nowhere/nasm, which cannot be used: there is no such file [nasm-missing]\n"
        "fix: -DNASM_BUILD_NASM=/path/to/nasm, of a NASM 2.15.05 or later; or leave the choice: -UNASM_BUILD_NASM",
        "CMakeLists.txt:4 (nasm_add_module)",
    )
    made.variables["NASM_BUILD_NASM"] = ""
    done = made.configure()
    assert done.returncode == 0, str(done)


def test_no_nasm_where_the_variable_says(folder: Folder) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE)
    made.environment["NASM"] = "/nowhere/nasm"
    assert said(made.configure())[0] == (
        "error: the variable NASM names /nowhere/nasm, which cannot be used: there is no such file [nasm-missing]\n"
        "fix: set it to the path of a NASM 2.15.05 or later, or unset NASM"
    )


def test_no_nasm_at_all(folder: Folder, machine_without_nasm: list[str]) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE)
    made.wrapper = machine_without_nasm
    message, line = said(made.configure())
    problem, fix = message.splitlines()
    assert re.fullmatch(
        r"error: (NASM was not found|no usable NASM was found: \S+/nasm \(\S+\): it is not executable) \[nasm-missing\]",
        problem,
    )
    assert re.fullmatch(r"fix: .*\binstall .*\bnasm\b.*", fix), fix
    assert line == "CMakeLists.txt:4 (nasm_add_module)"


def test_an_assembler_for_the_6502(folder: Folder) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE)
    wrong = made.work / "nasm"
    wrong.write_text("#!/bin/sh\necho 'Ophis 2.1, a cross-assembler for the 6502 series'\n")
    wrong.chmod(0o755)
    made.variables["NASM_BUILD_NASM"] = wrong
    assert said(made.configure()) == (
        "error: NASM_BUILD_NASM names <work>/nasm, which cannot be used: it is an assembler for the 6502 (PyPI's package "
        "`nasm`), not NASM [nasm-missing]\n"
        "fix: -DNASM_BUILD_NASM=/path/to/nasm, of a NASM 2.15.05 or later; or leave the choice: -UNASM_BUILD_NASM",
        "CMakeLists.txt:4 (nasm_add_module)",
    )


def test_a_nasm_ext_that_is_not_there(folder: Folder) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE)
    made.environment["NASM_EXT"] = "/nowhere/nasm-ext"
    assert errors_of(made.configure()) == (
        "CMake Error at CMakeLists.txt:3 (find_package):\n"
        "  Found package configuration file:\n\n"
        "    <package>/cmake/NasmBuildConfig.cmake\n\n"
        '  but it set NasmBuild_FOUND to FALSE so package "NasmBuild" is considered to\n'
        "  be NOT FOUND.  Reason given by package:\n\n"
        "  NASM_EXT names /nowhere/nasm-ext, and there is no such file: name another,\n"
        "  or take it away to have it searched for\n"
    )


def test_a_nasm_ext_that_does_not_answer(folder: Folder) -> None:
    made = folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE)
    broken = made.work / "nasm-ext"
    broken.write_text("#!/bin/sh\necho 'libfoo.so.1: cannot open' >&2\nexit 127\n")
    broken.chmod(0o755)
    made.environment["NASM_EXT"] = str(broken)
    message, line = said(made.configure())
    lines = message.splitlines()
    assert lines[1].startswith("  command: <work>/nasm-ext toolchain --format json --target linux-x86_64 "), message
    assert [lines[0], *lines[2:], line] == [
        "error: nasm-ext did not answer [toolchain]",
        "  127",
        "  libfoo.so.1: cannot open",
        "fix: reinstall nasm-build",
        "CMakeLists.txt:4 (nasm_add_module)",
    ]


# -- platforms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [{"NASM_BUILD_TARGET": "linux-aarch64"}, {"CMAKE_SYSTEM_NAME": "Linux", "CMAKE_SYSTEM_PROCESSOR": "aarch64"}],
    ids=["named", "CMake's own"],
)
@pytest.mark.parametrize(
    ("call", "target", "line"),
    [
        ("nasm_add_module(demo SOURCES demo.asm)", "demo", "CMakeLists.txt:4 (nasm_add_module)"),
        (LIBRARY + "nasm_target_sources(lib PRIVATE demo.asm)", "lib", "CMakeLists.txt:5 (nasm_target_sources)"),
    ],
    ids=["module", "kernel"],
)
def test_arm64_without_a_fallback(folder: Folder, variables: dict[str, str], call: str, target: str, line: str) -> None:
    made = folder(call + "\n", KERNEL)
    made.variables.update(variables)
    assert said(made.configure()) == (
        f"error: NASM writes x86-64 code, and '{target}' is built for linux-aarch64 [no-fallback]\n"
        "fix: give C that stands in for demo.asm: FALLBACK demo.c",
        line,
    )


# -- the build -----------------------------------------------------------------------------------------------------------


def configured(made: CMakeFolder) -> CMakeFolder:
    done = made.configure()
    assert done.returncode == 0, str(done)
    return made


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_misspelt_entry_point(folder: Folder, generator: str) -> None:
    made = configured(folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE, generator=generator))
    good = (made.source / "demo.asm").read_text()
    (made.source / "demo.asm").write_text(good.replace("PyInit_demo", "PyInit_dmeo"))
    for _ in range(2):  # it comes again until it is mended
        assert build_errors_of(made.build()) == (
            f"<build>/{MODULE}: error: exports PyInit_dmeo, not PyInit_demo: CPython finds no entry point for a module named"
            " demo [entry-missing]\n"
            "  fix: spell it PyInit_demo in the source, or name the module dmeo\n"
        )
        assert made.modules() == []
    (made.source / "demo.asm").write_text(good)
    done = made.build()
    assert (done.returncode, made.modules()) == (0, [MODULE]), str(done)


def test_a_mangled_entry_point(folder: Folder) -> None:
    """C++ without extern "C": PyMODINIT_FUNC has it, a declaration by hand has not."""
    source = """
    #include <Python.h>
    static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "demo"};
    __attribute__((visibility("default"))) PyObject *PyInit_demo() { return PyModuleDef_Init(&definition); }
    """
    head = HEAD.replace("LANGUAGES C", "LANGUAGES CXX")
    made = configured(folder("nasm_add_module(demo SOURCES demo.cpp)\n", {"demo.cpp": source}, head=head))
    assert build_errors_of(made.build()) == (
        f"<build>/{MODULE}: error: has PyInit_demo as C++ names it, _Z11PyInit_demov, and CPython looks for PyInit_demo "
        "[entry-missing]\n"
        '  fix: write PyMODINIT_FUNC PyInit_demo(void), or `extern "C"` before the function\n'
    )
    assert made.modules() == []


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_mistake_in_the_assembly(folder: Folder, generator: str) -> None:
    made = configured(folder("nasm_add_module(demo SOURCES demo.asm)\n", SOURCE, generator=generator))
    good = (made.source / "demo.asm").read_text()
    (made.source / "demo.asm").write_text(good.replace("mov     edi, 42", "mov     edi, 42, 43\n    call    nowhere"))
    said_lines = build_errors_of(made.build()).splitlines()
    command = next(line for line in said_lines if line.startswith("  command: "))
    assert command.endswith(" -o <build>/nasm-objects/demo/demo.asm.o demo.asm")
    said_lines.remove(command)
    assert said_lines == [
        "demo.asm:10: error: invalid combination of opcode and operands [nasm]",
        "demo.asm:11: error: symbol `nowhere' not defined [nasm]",
        "  fix: define nowhere, or declare it with 'extern nowhere' when another file or Python has it",
        "  exit status 1",
    ]
    assert made.modules() == []
    (made.source / "demo.asm").write_text(good)
    done = made.build()
    assert (done.returncode, made.modules()) == (0, [MODULE]), str(done)


def test_a_missing_include_file(folder: Folder) -> None:
    source = {"demo.asm": '%include "table.inc"\n' + answer()}
    made = configured(folder("nasm_add_module(demo SOURCES demo.asm INCLUDE inc)\n", source))
    assert build_errors_of(made.build()).splitlines()[:2] == [
        "demo.asm:1: error: unable to open include file `table.inc': No such file or directory [nasm]",
        "  fix: put 'table.inc' into one of: ., <project>/inc, <project>, <package>/include; or add its folder to the include"
        " folders",
    ]


def test_a_pyproject_that_is_no_toml(folder: Folder) -> None:
    """Nothing is checked before it is mended; what was linked meanwhile is not taken for up to date."""
    made = configured(
        folder(
            "nasm_add_module(demo SOURCES demo.asm)\n",
            {**SOURCE, "pyproject.toml": "[tool.nasm-build.check\n"},
        )
    )
    for _ in range(2):
        assert build_errors_of(made.build()).splitlines()[1:] == ["fix: correct that line"]
        assert made.modules() == []
    (made.source / "pyproject.toml").write_text("")
    done = made.build()
    assert (done.returncode, made.modules()) == (0, [MODULE]), str(done)
