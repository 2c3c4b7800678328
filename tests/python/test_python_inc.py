"""Python.inc assembles in every object format without a warning, with the forms by hand beside the macros."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from devtools import nasms

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"


def run(*words: str | Path, folder: Path | None = None) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), " ".join(map(str, words)) + "\n" + done.stderr


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


FIELDS = """%include "Python.inc"
py_function f, self, other
    py_field rax, self, PyObject.ob_type
    py_field rax, self, PyTypeObject.tp_name
    py_field rax, other, PyListObject.ob_item
    py_return 0
py_module m
"""


def disassembled(result: Path) -> list[str]:
    done = subprocess.run(["objdump", "-d", "-M", "intel", str(result)], check=True, capture_output=True, text=True)
    return [line.split("\t")[2].strip() for line in done.stdout.splitlines() if line.count("\t") > 1]


@pytest.mark.parametrize(("define", "head"), [([], 0), (["-DPy_GIL_DISABLED=1"], 16)], ids=["GIL", "free-threaded"])
def test_fields_are_read_where_the_headers_have_them(tmp_path: Path, define: list[str], head: int) -> None:
    source, result = tmp_path / "m.asm", tmp_path / "m.o"
    source.write_text(FIELDS)
    run("nasm", "-f", "elf64", "-w+all", "-DPY_VERSION_HEX=0x030D0000", *define, f"-I{INCLUDE}/", source, "-o", result)
    assert [line for line in disassembled(result) if line.startswith("mov    rax,")] == [
        f"mov    rax,QWORD PTR [rdi+{8 + head:#x}]",
        f"mov    rax,QWORD PTR [rdi+{24 + head:#x}]",
        f"mov    rax,QWORD PTR [rsi+{24 + head:#x}]",
    ]


# Each rare part of the include files is asked for on one line; in all but the last pass NASM reads it in the midst of that.
RARE = """%include "Python.inc"
function inner, a, b, c, d, e, f, g
    return rax
py_function f, self, double(x), scratch(t)
    py_field t, self, PyTypeObject.tp_name
    invoke inner, 1, 2, 3, 4, 5, 6, [t]
    c_call labs, dword t.d
    c_call fabs, double x
    invoke t, 3
    py_call PyObject_IsInstance, self, &PyLong_Type
    py_return Py_None
function second, a, b
    c_call memcmp, b, a, 5
    return dword eax
py_members members
    py_member "a", Py_T_LONG, 0, 0
py_module m, exec=second, entry=PyModExport
"""


def test_every_instruction_is_of_a_line_of_the_source(tmp_path: Path) -> None:
    source, result = tmp_path / "m.asm", tmp_path / "m.o"
    source.write_text(RARE)
    words = ["-f", "elf64", "-g", "-F", "dwarf", "-w+all", "-DPY_VERSION_HEX=0x030D0000", f"-I{INCLUDE}/"]
    for nasm in nasms.fetch_nasms().values():
        run(nasm, *words, source.name, "-o", result, folder=tmp_path)
        decoded = subprocess.run(
            ["objdump", "--dwarf=decodedline", str(result)], check=True, capture_output=True, text=True
        ).stdout
        rows = re.findall(r"^(\S+) +(\d+) +0?x?[0-9a-f]+ ", decoded, re.MULTILINE)
        assert {file for file, _ in rows} == {"m.asm"}
        lines = [int(line) for _, line in rows]
        assert lines == sorted(lines)
        assert set(lines) == {2, 3, *range(4, 12), 12, 13, 14, 17}


def test_foreign_object_format_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "m.asm"
    source.write_text('%include "Python.inc"\n')
    done = subprocess.run(
        ["nasm", "-f", "elf32", f"-I{INCLUDE}/", str(source), "-o", str(tmp_path / "m.o")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Python.inc knows elf64, macho64 and win64, not elf32" in done.stderr
