"""Python.inc says what <Python.h> says: every layout and constant, read from both by their own compiler.

A field that is one byte off assembles, links and often even imports. So the values are taken from the headers of each
CPython of the machine, and, from 3.13 on, once more as a free-threaded build sees them.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.every_python

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"

FIELDS = {
    "PyMethodDef": ["ml_name", "ml_meth", "ml_flags", "ml_doc"],
    "PyModuleDef_Base": ["ob_base", "m_init", "m_index", "m_copy"],
    "PyModuleDef": ["m_base", "m_name", "m_doc", "m_size", "m_methods", "m_slots", "m_traverse", "m_clear", "m_free"],
    "PyModuleDef_Slot": ["slot", "value"],
}
OBJECT_FIELDS = ["ob_refcnt", "ob_type"]
FREE_THREADED_OBJECT_FIELDS = ["ob_tid", "ob_mutex", "ob_gc_bits", "ob_ref_local", "ob_ref_shared", "ob_type"]
CONSTANTS = ["METH_VARARGS", "METH_KEYWORDS", "METH_NOARGS", "METH_O", "METH_FASTCALL", "Py_TPFLAGS_LONG_SUBCLASS"]
CONSTANTS += ["Py_mod_create", "Py_mod_exec"]
if sys.version_info >= (3, 12):
    CONSTANTS += ["Py_mod_multiple_interpreters", "Py_MOD_PER_INTERPRETER_GIL_SUPPORTED"]
if sys.version_info >= (3, 13):
    CONSTANTS += ["Py_mod_gil", "Py_MOD_GIL_NOT_USED"]

# Whether a free-threaded build is asked for: what this CPython is, and the other where its headers know both.
KINDS = [False, True] if sys.version_info >= (3, 13) else [False]
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    KINDS = [True]


def run(*words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), " ".join(map(str, words)) + "\n" + done.stderr


def values_in(library: Path, count: int) -> list[int]:
    return list((ctypes.c_uint64 * count).in_dll(ctypes.CDLL(str(library)), "values"))


@pytest.mark.parametrize("free_threaded", KINDS, ids=lambda kind: "free-threaded" if kind else "with a GIL")
def test_agrees_with_the_headers(tmp_path: Path, free_threaded: bool) -> None:
    fields = FIELDS | {"PyObject": FREE_THREADED_OBJECT_FIELDS if free_threaded else OBJECT_FIELDS}
    names: list[str] = []
    c_expressions: list[str] = []
    for structure, members in fields.items():
        names += [f"{structure}_size"] + [f"{structure}.{member}" for member in members]
        c_expressions += [f"sizeof({structure})"] + [f"offsetof({structure}, {member})" for member in members]
    names += ["PyTypeObject.ob_size", "PyTypeObject.tp_name", *CONSTANTS]
    c_expressions += ["offsetof(PyVarObject, ob_size)", "offsetof(PyTypeObject, tp_name)"]
    c_expressions += [f"(uintptr_t)({constant})" for constant in CONSTANTS]
    define = ["-DPy_GIL_DISABLED=1"] if free_threaded else []
    version = [f"-DPY_VERSION_HEX=0x{sys.version_info[0]:02X}{sys.version_info[1]:02X}0000"]

    c_source, c_library = tmp_path / "headers.c", tmp_path / "headers.so"
    values = ",\n".join(c_expressions)
    c_source.write_text(f"#include <Python.h>\n#include <stddef.h>\nuint64_t values[] = {{\n{values}\n}};\n")
    headers = [f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")]
    run(os.environ.get("CC", "cc"), "-shared", "-fPIC", "-w", *define, *headers, c_source, "-o", c_library)

    source, assembled, library = tmp_path / "include.asm", tmp_path / "include.o", tmp_path / "include.so"
    lines = [
        '%include "Python.inc"',
        "section .data",
        "global values:data",
        "values:",
        *(f"dq {name}" for name in names),
    ]
    source.write_text("\n".join(lines) + "\n")
    run("nasm", "-f", "elf64", "-w+all", *define, *version, f"-I{INCLUDE}/", source, "-o", assembled)
    run(os.environ.get("CC", "cc"), "-shared", "-nostdlib", assembled, "-o", library)

    said_by_headers = dict(zip(names, values_in(c_library, len(names)), strict=True))
    said_by_include = dict(zip(names, values_in(library, len(names)), strict=True))
    assert said_by_include == said_by_headers


@pytest.mark.parametrize(
    "words",
    [["-f", "elf64"], ["-f", "macho64", "--gprefix", "_"], ["-f", "win64"]],
    ids=lambda words: words[1],
)
@pytest.mark.parametrize("free_threaded", [False, True], ids=["with a GIL", "free-threaded"])
def test_assembles_without_a_warning(tmp_path: Path, words: list[str], free_threaded: bool) -> None:
    source = tmp_path / "all.asm"
    source.write_text(
        """%include "Python.inc"
%include "Python.inc"
SECTION_RODATA
text: db "m", 0
SECTION_RELRO
methods: times PyMethodDef_size db 0
slots: times PyModuleDef_Slot_size db 0
section .data align=16
module:
    istruc PyModuleDef
        at PyModuleDef.m_base, PyModuleDef_HEAD_INIT
        at PyModuleDef.m_name, dq text
        at PyModuleDef.m_methods, dq methods
        at PyModuleDef.m_slots, dq slots
    iend
section .text
PyMODINIT_FUNC PyInit_m
    sub rsp, C_SHADOW_SPACE + 8
    py_address rax, PyExc_TypeError
    py_address rax, PyExc_TypeError
    lea c_arg1, [rel module]
    py_call PyModuleDef_Init
    py_call PyModuleDef_Init
    add rsp, C_SHADOW_SPACE + 8
    ret
.end:
"""
    )
    define = ["-DPy_GIL_DISABLED"] if free_threaded else []
    run("nasm", *words, "-w+all", "-w+error", *define, f"-I{INCLUDE}/", source, "-o", tmp_path / "all.o")


def test_foreign_object_format_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "m.asm"
    source.write_text('%include "Python.inc"\n')
    done = subprocess.run(
        ["nasm", "-f", "elf32", f"-I{INCLUDE}/", str(source), "-o", str(tmp_path / "m.o")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "nasm-build's include files know elf64, macho64 and win64, not elf32" in done.stderr
