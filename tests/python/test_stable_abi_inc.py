"""stable_abi.inc refuses what a module that promises the stable ABI may not call, on the user's line, in every NASM.

And python_data.inc: which names are variables, what they hold, and which functions are variadic, as the running CPython has
them.
"""

from __future__ import annotations

import builtins
import ctypes
import random
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from devtools import nasms
from include_values import INCLUDE, values
from layouts import headers, symbols_file

TABLE = (INCLUDE.parents[2] / "src/inspect/data/python_symbols.inc").read_text(encoding="utf-8")
ROWS = {
    name: (int(since), int(flags))
    for name, since, flags in re.findall(r'^PYTHON_SYMBOL\(\d+, "(\w+)".*, (\d+), (\d+)\)$', TABLE, re.MULTILINE)
}
DATA_FILE = (INCLUDE / "nasm_build" / "python_data.inc").read_text(encoding="utf-8")

SOURCE = """\
%include "nasm_build/stable_abi.inc"
%macro call_checked 1.nolist
    py_check_symbol %1
    nop
%endmacro
section .text
    call_checked PyLong_FromLong
    call_checked PyObject_Vectorcall
    py_check_symbol _Py_NoneStruct
    py_check_symbol PyUnicode_AsWideCharFoo
    py_check_symbol PyUnicode_AsUTF8AndSize
    py_check_symbol PyList_GET_ITEM
    call_checked _PyLong_Sign
    py_check_symbol PyType_GetModuleByDef
    py_check_symbol PyExc_ValueError
"""

OUTSIDE = "is not in the stable ABI: use a function that is, or leave py-limited-api out"


def assemble(folder: Path, source: str, words: list[str], nasm: str | Path = "nasm") -> tuple[int, list[str]]:
    file = folder / "m.asm"
    file.write_text(source)
    command = [str(nasm), *words, "-w+all", f"-I{INCLUDE}/", "m.asm", "-o", "m.o"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize("words", [["-f", "elf64"], ["-f", "macho64", "--gprefix", "_"], ["-f", "win64"]])
def test_every_nasm_names_the_function_its_version_and_the_line(tmp_path: Path, words: list[str]) -> None:
    programs = nasms.fetch_nasms()
    assert len(programs) >= 4
    for program in programs.values():
        code, said = assemble(tmp_path, SOURCE, [*words, "-DPy_LIMITED_API=0x030A0000"], program)
        assert code == 1
        assert said == [
            "m.asm:8: error: PyObject_Vectorcall came into the stable ABI with CPython 3.12, and this module promises "
            '3.10: promise 3.12 (py-limited-api = "3.12") or call something older',
            f"m.asm:10: error: PyUnicode_AsWideCharFoo {OUTSIDE}",
            f"m.asm:12: error: PyList_GET_ITEM {OUTSIDE}",
            f"m.asm:13: error: _PyLong_Sign {OUTSIDE}",
            "m.asm:14: error: PyType_GetModuleByDef came into the stable ABI with CPython 3.13, and this module promises "
            '3.10: promise 3.13 (py-limited-api = "3.13") or call something older',
        ]
        for promise in ("-DPy_LIMITED_API=0x030F0000", "-DPy_TARGET_ABI3T=0x030F0000"):
            code, said = assemble(tmp_path, SOURCE, [*words, promise], program)
            assert (code, said) == (
                1,
                [
                    f"m.asm:10: error: PyUnicode_AsWideCharFoo {OUTSIDE}",
                    f"m.asm:12: error: PyList_GET_ITEM {OUTSIDE}",
                    f"m.asm:13: error: _PyLong_Sign {OUTSIDE}",
                ],
            )


@pytest.mark.parametrize("promise", [[], ["-DPY_VERSION_HEX=0x030A0000"], ["-DPy_GIL_DISABLED=1"]], ids=str)
def test_nothing_is_checked_without_a_promise(tmp_path: Path, promise: list[str]) -> None:
    for program in nasms.fetch_nasms().values():
        assert assemble(tmp_path, SOURCE, ["-f", "elf64", *promise], program) == (0, [])


def test_what_is_stable_passes_without_a_word(tmp_path: Path) -> None:
    calls = "call_checked PyLong_FromLong\ncall_checked PyList_Append\ncall_checked strlen\ncall_checked _exit\n"
    source = SOURCE.partition("section")[0] + calls
    for program in nasms.fetch_nasms().values():
        assert assemble(tmp_path, source, ["-f", "elf64", "-DPy_LIMITED_API=0x030A0000"], program) == (0, [])


@pytest.mark.parametrize("promised", [10, 11, 12, 13, 14, 15], ids=lambda minor: f"3.{minor}")
def test_sample_agrees_with_the_table_of_symbols(tmp_path: Path, promised: int) -> None:
    sample = sorted(random.Random(promised).sample(sorted(ROWS), 300))
    expected = []
    for line, name in enumerate(sample, 2):
        since, flags = ROWS[name]
        if not re.match(r"[Pp][Yy]|_Py", name):
            continue  # no name of the C API's kind: a library's own, which the stable ABI says nothing of
        if since == 0 or flags & ~3 == 20:  # 20: exists in builds for debugging references alone
            expected.append(f"m.asm:{line}: error: {name} {OUTSIDE}")
        elif since > promised:
            expected.append(
                f"m.asm:{line}: error: {name} came into the stable ABI with CPython 3.{since}, and this module promises "
                f'3.{promised}: promise 3.{since} (py-limited-api = "3.{since}") or call something older'
            )
    source = '%include "nasm_build/stable_abi.inc"\n' + "".join(f"py_check_symbol {name}\n" for name in sample)
    code, said = assemble(tmp_path, source, ["-f", "elf64", f"-DPy_LIMITED_API=0x03{promised:02X}0000"])
    assert (code, said) == (1, expected)


def test_the_table_is_among_what_the_object_depends_on(tmp_path: Path) -> None:
    source = '%include "nasm_build/stable_abi.inc"\npy_check_symbol PyLong_FromLong\n'
    words = ["-f", "elf64", "-MD", "m.d", "-DPy_LIMITED_API=0x030A0000"]
    tried = 0
    for version, program in nasms.fetch_nasms().items():
        if not version.startswith("2.16.01"):  # its -MD leaves out every %include
            assert assemble(tmp_path, source, words, program) == (0, [])
            assert str(INCLUDE / "nasm_build" / "stable_abi_names.inc") in (tmp_path / "m.d").read_text()
            tried += 1
    assert tried >= 3


def variable(name: str) -> ctypes.c_char | None:
    try:
        return ctypes.c_char.in_dll(ctypes.pythonapi, name)
    except ValueError:
        return None  # another version's


@pytest.mark.every_python
def test_variables_hold_what_is_said_of_them() -> None:
    kinds = {name: int(kind) for name, kind in re.findall(r"%define py@data_(\w+) (\d)", DATA_FILE)}
    errors = 0
    for name, kind in kinds.items():
        place = variable(name)
        if place is not None and name.startswith("PyExc_"):
            assert kind == 2
            held = ctypes.py_object.from_address(ctypes.addressof(place)).value
            assert held is getattr(builtins, name.removeprefix("PyExc_"))
            errors += 1
    assert errors >= 60
    for name, expected in {"PyLong_Type": int, "PyUnicode_Type": str, "PyDict_Type": dict, "PyType_Type": type}.items():
        assert kinds[name] == 1
        place = variable(name)
        assert place is not None and ctypes.addressof(place) == id(expected)
    aliases = dict(re.findall(r"%define py@alias_(\w+) (\w+)", DATA_FILE))
    meant = {"Py_None": None, "Py_True": True, "Py_False": False, "Py_NotImplemented": NotImplemented}
    assert set(aliases) == {*meant, "Py_Ellipsis"}
    for name, expected_object in {**meant, "Py_Ellipsis": ...}.items():
        assert kinds[aliases[name]] == 1
        place = variable(aliases[name])
        assert place is not None and ctypes.addressof(place) == id(expected_object)


@pytest.mark.every_python
def test_headers_declare_nothing_more() -> None:
    own = headers.Headers(Path(sysconfig.get_path("include")), sys.version_info[:3], "linux", False)
    declared = symbols_file.declared([own])
    public = {name for name in declared.pointers | declared.objects if name.startswith("Py")}
    asked = [f"py@data_{name}" for name in sorted(public)]
    said = values(asked, [], ["python_data"])
    assert said == {f"py@data_{name}": 2 if name in declared.pointers else 1 for name in public}
    variadic = sorted(declared.variadic)
    assert {"PyErr_Format", "Py_BuildValue", "PyArg_ParseTuple", "PyTuple_Pack", "PyOS_snprintf"} <= set(variadic)
    assert len(values([f"py@variadic_{name}" for name in variadic], [], ["python_variadic"])) == len(variadic)
    assert not values(["py@variadic_PyErr_SetString", "py@variadic_PyErr_FormatV"], [], ["python_variadic"])
