"""The tables of Python.inc: each misuse stops assembly at the user's line, in words that say how to mend it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"

FUNCTION = "py_function f, self\n    py_return 0\n"
MODULE = "py_module m\n"
LIMITED = ("-DPy_LIMITED_API=0x030A0000", "-DPY_VERSION_HEX=0x030A0000")
OLDER = ("-DPy_LIMITED_API=0x03090000", "-DPY_VERSION_HEX=0x03090000")

# name: the lines after `%include "Python.inc"`, the words for NASM, and what it says: line and text.
MISUSES: dict[str, tuple[str, tuple[str, ...], list[tuple[int, str]]]] = {
    "a row in no table": (
        FUNCTION + 'py_method "f", f, METH_O\n' + MODULE,
        (),
        [(4, "py_method stands in no table: begin one with py_methods")],
    ),
    "a slot in no type": (
        "py_slot Py_tp_doc, 0\n" + MODULE,
        (),
        [(2, "py_slot stands in no table: begin one with py_type")],
    ),
    "a second table of the module": (
        "py_methods\npy_methods\n" + MODULE,
        (),
        [
            (
                3,
                "the methods of the module were begun before: give one table, or name this one: py_methods TABLE",
            )
        ],
    ),
    "a method without a function": (
        'py_methods\npy_method "f", METH_O\n' + MODULE,
        (),
        [
            (
                3,
                "a method has a name, a function and flags, and then perhaps a signature and documentation: "
                '"f" has 2 of these',
            )
        ],
    ),
    "a name without quotes": (
        FUNCTION + "py_methods\npy_method f, f, METH_O\n" + MODULE,
        (),
        [(5, "a row begins with its name in quotes, and this is none: f")],
    ),
    "a name declared twice": (
        FUNCTION + 'py_methods\npy_method "f", f, METH_O\npy_method "f", f, METH_O\n' + MODULE,
        (),
        [(6, 'the name "f" is declared twice in this table')],
    ),
    "flags that cannot be called": (
        FUNCTION + 'py_methods\npy_method "f", f, METH_O | METH_NOARGS\n' + MODULE,
        (),
        [
            (
                5,
                "these flags name no way to call a function: give METH_NOARGS, METH_O, METH_VARARGS or METH_FASTCALL, "
                "the last two also with METH_KEYWORDS, or METH_METHOD | METH_FASTCALL | METH_KEYWORDS",
            )
        ],
    ),
    "METH_FASTCALL before 3.10": (
        FUNCTION + 'py_methods\npy_method "f", f, METH_FASTCALL\n' + MODULE,
        OLDER,
        [
            (
                5,
                'METH_FASTCALL came into the stable ABI with CPython 3.10: promise 3.10 (py-limited-api = "3.10")',
            )
        ],
    ),
    "two modules": (
        "py_module m\npy_module n\n",
        (),
        [(3, "a source defines one module, and m was defined before")],
    ),
    "a module without a name": (
        'py_module "m"\n',
        (),
        [(2, 'py_module begins with the name of the module, without quotes, and this is none: "m"')],
    ),
    "an unknown option": (
        "py_module m, exec_slot=f\n",
        (),
        [
            (
                2,
                "py_module knows no 'exec_slot=f': there are exec=, create=, state=, traverse=, clear=, free=, "
                "interpreters=own_gil, gil=not_used, entry=PyModExport and single_phase",
            )
        ],
    ),
    "PyModExport_ before 3.15": (
        "py_module m, entry=PyModExport\n",
        LIMITED,
        [
            (
                2,
                "PyModExport_ came into the stable ABI with CPython 3.15, and this module promises less: leave "
                "entry=PyModExport out or promise 3.15",
            )
        ],
    ),
    "a slot that is too new": (
        'struc T\n.a: resq 1\nendstruc\npy_type T, "m.T", 0\npy_slot Py_tp_token, 0\n' + MODULE,
        ("-DPY_VERSION_HEX=0x030D0000",),
        [
            (
                6,
                "this slot is known from CPython 3.14 on, and the module must work on 3.13: leave it out or promise "
                "3.14",
            )
        ],
    ),
    "a buffer of the stable ABI of 3.10": (
        'struc T\n.a: resq 1\nendstruc\npy_type T, "m.T", 0\npy_slot Py_bf_getbuffer, 0\n' + MODULE,
        LIMITED,
        [
            (
                6,
                "this slot is known from CPython 3.11 on, and the module must work on 3.10: leave it out or promise "
                "3.11",
            )
        ],
    ),
    "a return of nothing": (
        "py_function f, self\n    py_return\n" + MODULE,
        (),
        [(3, "py_return takes what Python gets: a new reference, or 0 with an exception set")],
    ),
    "half a pointer": (
        "py_function f, self\n    py_return eax\n" + MODULE,
        (),
        [(3, "eax has 32 bits where a pointer is due: pass the 64-bit register, or for an int say dword eax")],
    ),
    "a hidden field": (
        "py_function f, self\n    py_field rax, self, PyTypeObject.tp_name\n    py_return 0\n" + MODULE,
        LIMITED,
        [
            (
                3,
                "the stable ABI hides PyTypeObject.tp_name: call a function of the C API for it, or leave "
                "py-limited-api out",
            )
        ],
    ),
    "a field of an unknown CPython": (
        "py_function f, self\n    py_field rax, self, PyLongObject.long_value\n    py_return 0\n" + MODULE,
        (),
        [
            (
                3,
                "PyLongObject.long_value lies elsewhere in each CPython: say for which one, with "
                '-DPY_VERSION_HEX=0x030D0000 or "nasm-ext flags --python 3.13"',
            )
        ],
    ),
    "a field that is not there": (
        "py_function f, self\n    py_field rax, self, PyTypeObject.tp_nmae\n    py_return 0\n" + MODULE,
        ("-DPY_VERSION_HEX=0x030D0000",),
        [(3, "this CPython has no field PyTypeObject.tp_nmae")],
    ),
}


def said(folder: Path, lines: str, words: tuple[str, ...]) -> tuple[int, list[tuple[int, str]]]:
    """The exit status, and the line and text of each error."""
    (folder / "m.asm").write_text('%include "Python.inc"\n' + lines)
    done = subprocess.run(
        ["nasm", "-f", "elf64", *words, f"-I{INCLUDE}/", "m.asm", "-o", "m.o"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    errors = re.findall(r"^m\.asm:(\d+): error: (.*)$", done.stderr, re.MULTILINE)
    return done.returncode, [(int(line), text) for line, text in errors]


@pytest.mark.parametrize("name", MISUSES)
def test_misuse_is_told_at_its_line(tmp_path: Path, name: str) -> None:
    lines, words, expected = MISUSES[name]
    assert said(tmp_path, lines, words) == (1, expected)


def test_a_table_that_nothing_closes_does_not_assemble(tmp_path: Path) -> None:
    status, errors = said(tmp_path, FUNCTION + 'py_methods\npy_method "f", f, METH_O\n', ())
    assert (status, errors) == (
        1,
        [(4, "symbol `module_methods.py_module_is_missing_after_this_table' not defined")],
    )


def test_the_names_of_the_last_function_are_no_options(tmp_path: Path) -> None:
    function = "py_function f, state, free\n    py_return 0\n"
    assert said(tmp_path, function + "py_module m, state=8, free=f\n", ()) == (0, [])
