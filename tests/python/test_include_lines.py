"""The line tables of modules that use Python.inc: whatever a macro emits, the line is the caller's.

NASM gives what a macro emits the line of the macro's own text, unless the macro is `.nolist`. The table is read by LLVM's
tools, in each of the three formats.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from check_samples import Samples, tool

INCLUDE = Path(__file__).resolve().parents[2] / "python/nasm_build/include"
TARGETS = {"elf": "linux-x86_64", "macho": "macosx-11.0-x86_64", "pe": "win-amd64"}
VERSIONS = {"one CPython": ("--python", "3.13"), "abi3": ("--abi3", "3.11"), "abi3t": ("--abi3", "3.15t")}

SOURCE = """\
%include "Python.inc"
struc Kind
    .value: resq 1
endstruc

py_function method, self, saved(args), count, register(n), local(place, 8)  ; code
    mov     n, count                                                        ; code
    push    rax                                                             ; code
    pop     rax                                                             ; code
    py_call PyLong_FromLong, 42                                             ; code
    py_call PyErr_SetString, PyExc_ValueError, "a text"                     ; code
    py_call PyErr_Format, PyExc_TypeError, "%zd", n                         ; code
    py_call PyObject_CallFunctionObjArgs, args, n, [args], [args + 8], n, args, [args + 16], 0  ; code
    py_address rdx, PyLong_Type                                             ; code
    mov     rax, [args]                                                     ; code
    py_type_of rcx, rax                                                     ; code
    c_call  memcpy, &place, args, 8                                         ; code
    c_call_variadic printf, args, double [place]                            ; code
    invoke  method, args, n, 0                                              ; code
    invoke  [place], args                                                   ; code
    py_data rax, args, Kind                                                 ; code
    py_return rax                                                           ; code

py_function traverse, self, saved(visit), saved(arg)                        ; code
    py_visit [visit]                                                        ; code
    return  0                                                               ; code

py_function deallocate, saved(self), register(type)                         ; code
    py_clear [self]                                                         ; code
    py_free_instance self, type                                             ; code
    return                                                                  ; code

py_function make, saved(module)                                             ; code
    py_create_type module, Kind                                             ; code
    return  0                                                               ; code

py_function nothing, module                                                 ; code
    py_return_none                                                          ; code

function one, a                                                             ; code
    return  a                                                               ; code
hidden_function two, a, double(b)                                           ; code
    return  a                                                               ; code
exported_function three, a                                                  ; code
    return  a                                                               ; code
leaf_function four, a                                                       ; code
    return  a                                                               ; code
hidden_leaf_function five, a                                                ; code
    return  a                                                               ; code
exported_leaf_function six, a                                               ; code
    return  a                                                               ; code
end_function

SECTION_TEXT
    py_extern PyLong_AsLong
    ret                                                                     ; code
SECTION_RODATA
some:   db 1
SECTION_RELRO
other:  dq some
SECTION_DATA
third:  dq 0

py_members members
    py_member "value", Py_T_LONGLONG, Kind.value, 0, "A value."
py_getset attributes
    py_attribute "value", nothing, 0, "A value."
py_methods kind_methods
    py_method "method", method, METH_FASTCALL, "method($self, /)", "A method."
py_type Kind, "module.Kind", Py_TPFLAGS_DEFAULT
    py_slot Py_tp_traverse, traverse
    py_slot Py_tp_members, members
    py_slot Py_tp_getset, attributes
    py_slot Py_tp_methods, kind_methods
py_methods
    py_method "nothing", nothing, METH_NOARGS, "nothing()", "Nothing."
py_module lines, "Lines.", exec=make, gil=not_used                          ; entry
"""
NOT_USED = {
    "PyMODINIT_FUNC": "py_module uses it",
    "py_check_symbol": "emits nothing",
    "py_field": "the stable ABI hides the fields",
}
CODE = {number for number, line in enumerate(SOURCE.splitlines(), 1) if line.endswith("; code")}
ENTRY = {number for number, line in enumerate(SOURCE.splitlines(), 1) if line.endswith("; entry")}


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def macros() -> Iterator[tuple[str, str]]:
    """Every macro of the include files: its name, and the rest of its first line."""
    for file in sorted(INCLUDE.rglob("*.inc")):
        yield from re.findall(r"^\s*%[ir]?macro\s+(\S+)(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)


def test_no_macro_is_listed() -> None:
    listed = [name for name, rest in macros() if not re.match(r"\s+[\d*+-]+\.nolist\b", rest)]
    assert listed == []
    assert len(list(macros())) > 100


def test_the_source_uses_every_public_macro() -> None:
    public = {name for name, _ in macros() if "@" not in name}
    used = {line.split()[0] for line in SOURCE.splitlines() if line.strip()}
    assert public - used == set(NOT_USED)


def lines_of(samples: Samples, item: str, binary: str) -> tuple[set[str], set[int]]:
    """The files that made code, and the lines that did, as the line table has them."""
    if binary == "pe":
        said = samples.said(tool("llvm-readobj", "llvm-readobj-14"), "--codeview", item)
        files = re.findall(r"^\s+Filename: (\S+) ", said.partition("FunctionLineTable")[2], re.MULTILINE)
        lines = re.findall(r"LineNumberStart: (\d+)", said)
    else:
        said = samples.said(tool("llvm-dwarfdump", "llvm-dwarfdump-14"), "--debug-line", item)
        names = ["", *re.findall(r'^\s+name: "(.*)"', said, re.MULTILINE)]
        rows = re.findall(r"^0x[0-9a-f]+\s+(\d+)\s+\d+\s+(\d+) ", said, re.MULTILINE)
        files, lines = [names[int(file)] for _, file in rows], [line for line, _ in rows]
    return {PurePosixPath(name).name for name in files}, {int(line) for line in lines}


@pytest.mark.parametrize("binary", TARGETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_line_of_every_macro_is_the_callers(samples: Samples, binary: str, version: str) -> None:
    words = ("--target", TARGETS[binary], *VERSIONS[version], "--include-dir", str(INCLUDE))
    flags = shlex.split(samples.nasm_ext_says("flags", *words).output)
    item = samples.object(SOURCE, flags[1], *flags[2:])
    files, lines = lines_of(samples, item, binary)
    assert files == {"pymult.asm"}
    assert lines - ENTRY == CODE


def test_the_lines_of_a_field(samples: Samples) -> None:
    """Which only one CPython's own layout has."""
    source = (
        '%include "Python.inc"\npy_function f, self\n    py_field rax, self, PyListObject.ob_item\n    py_return rax\n'
    )
    words = ("--target", TARGETS["elf"], "--python", "3.13", "--include-dir", str(INCLUDE))
    flags = shlex.split(samples.nasm_ext_says("flags", *words).output)
    assert lines_of(samples, samples.object(source, "elf64", *flags[2:]), "elf") == ({"pymult.asm"}, {2, 3, 4})
