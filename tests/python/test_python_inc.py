"""Python.inc assembles in every object format without a warning, with the forms by hand beside the macros."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"


def run(*words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
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
