"""Misuse stops assembly with the whole message and the source's line, in every NASM; and no message is without a test.

Names of a user's own stand for registers: an argument is named `a` here, so that a message with that word shows whether
NASM took it for the argument.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import nasms
from test_include_tables import MISUSES

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"

CASES = {
    "a call in a leaf function": (
        "leaf_function f, a\n    c_call strlen, a\n    return rax\n",
        ["m.asm:3: error: a leaf function makes no calls: write function in place of leaf_function"],
    ),
    "an empty argument": (
        "function f, a\n    c_call memcpy, a,, 3\n    return rax\n",
        ["m.asm:3: error: argument 2 of this call is empty"],
    ),
    "an argument too small": (
        "function f, a\n    c_call strlen, a.b\n    return rax\n",
        ["m.asm:3: error: dil is too small to be an argument: widen it first, with movzx or movsx"],
    ),
    "16 bits of memory": (
        "function f, a\n    c_call strlen, word [a]\n    return rax\n",
        ["m.asm:3: error: an argument has 32 or 64 bits: widen word [rdi] first, with movzx or movsx"],
    ),
    "8 bits of memory": (
        "function f, a\n    c_call strlen, byte [a]\n    return rax\n",
        ["m.asm:3: error: an argument has 32 or 64 bits: widen byte [rdi] first, with movzx or movsx"],
    ),
    "32 bits for a pointer": (
        "function f, a\n    c_call strlen, a.d\n    return rax\n",
        [
            "m.asm:3: error: edi has 32 bits where a pointer is due: pass the 64-bit register, or for an int say dword edi"
        ],
    ),
    "too many vectors": (
        "function f, vectors(17)\n    return 0\n",
        ["m.asm:2: error: vectors() takes a count from 1 to 16, not: 17"],
    ),
    "a name declared twice": (
        "function f, a, register(a)\n    return 0\n",
        ["m.asm:2: error: a is declared twice in this function"],
    ),
    "an argument named as a register": (
        "function f, rax\n    return 0\n",
        ["m.asm:2: error: rax is a register: give the argument a name of its own"],
    ),
    "a return with a push open": (
        "function f, a\n    push a\n    return 0\n",
        ["m.asm:4: error: 1 pushed and not popped: a return gives up a frame that must be as it began"],
    ),
    "a return in no function": (
        "section .text\n    return 0\n",
        ["m.asm:3: error: return stands in no function: begin one with function or py_function"],
    ),
    "an end in no function": ("    end_function\n", ["m.asm:2: error: end_function stands in no function"]),
    "an end with a push open": (
        "function f, a\n    push a\n    jmp .on\n.on:\nend_function\n",
        [
            "m.asm:6: error: function f ends with 1 pushed and not popped",
            "m.asm:6: error: function f never returns: end it with return or py_return",
        ],
    ),
    "a function that never returns": (
        "function f, a\n    nop\nend_function\n",
        ["m.asm:4: error: function f never returns: end it with return or py_return"],
    ),
    "a push without a frame": (
        "leaf_function f, a\n    push rax\n    return 0\n",
        [
            "m.asm:3: error: a leaf function without a frame cannot push: ask for register(name) or local(name, bytes)",
        ],
    ),
    "a pop without a push": (
        "function f, a\n    pop rax\n    return 0\n",
        ["m.asm:3: error: pop without a push in this function"],
    ),
    "ret for return": (
        "function f, a\n    ret\n    return 0\n",
        ["m.asm:3: error: ret leaves the frame on the stack: write return"],
    ),
    "an argument after a clause": (
        "function f, register(b), a\n    return 0\n",
        ["m.asm:2: error: arguments come before register(), scratch(), local() and vectors(): a"],
    ),
    "too many kept registers": (
        "function f, register(6)\n    return 0\n",
        [
            "m.asm:2: error: only 5 registers are kept by calls on every platform: keep register6 in local(name, bytes)",
        ],
    ),
    "too many scratch registers": (
        "function f, a, b, c, scratch(7)\n    return 0\n",
        [
            "m.asm:2: error: no scratch register is left for scratch7: arguments and scratch registers are at most 9 together",
        ],
    ),
    "a function without a name": (
        "function 5, a\n    return 0\n",
        ["m.asm:2: error: an argument needs a name, and this is none: 5"],
    ),
    "an argument without a name": (
        "function f, 5, a\n    return a\n",
        ["m.asm:2: error: an argument needs a name, and this is none: 5"],
    ),
    "an argument in quotes": (
        'function f, "a"\n    return 0\n',
        ["m.asm:2: error: an argument needs a name, and this is none: a"],
    ),
    "an argument that is memory": (
        "function f, [rsp + 8]\n    return 0\n",
        ["m.asm:2: error: an argument needs a name, and this is none: [rsp + 8]"],
    ),
    "a local without room": (
        "function f, local(a, 0)\n    return 0\n",
        ["m.asm:2: error: local() takes a name and a number of bytes, not: 0"],
    ),
    "locals beyond any stack": (
        "function f, local(a, 0x7fff0001)\n    return 0\n",
        ["m.asm:2: error: the locals of this function take 2147418128 bytes, and a frame has at most 2 GB"],
    ),
    "a constant with a size": (
        "function f, a\n    c_call labs, dword 5\n    return rax\n",
        ["m.asm:3: error: dword 5 is neither a register nor [memory]"],
    ),
    "a narrow register for a wide one": (
        "function f, a\n    c_call labs, qword eax\n    return rax\n",
        ["m.asm:3: error: eax has not 64 bits"],
    ),
    "no register left to pass arguments by": (
        "function f, a\n    c_call g, rax, r10, r11, 1, 2, 3, [rbx], [rbx + 8]\n    return rax\n",
        [
            "m.asm:3: error: the arguments of this call need rax, r10 and r11, and one of them is needed to pass "
            "arguments: free one"
        ],
    ),
    "names of the function before, used again": (
        "function f, a, saved(b), local(c, 4)\n    return a\nfunction g, c, a, register(b), register(b)\n    return a\n",
        ["m.asm:4: error: b is declared twice in this function"],
    ),
    "a name of the function before": (
        "function f, a, local(b, 8)\n    return a\nfunction g\n    mov rax, [b]\n    return a\n",
        ["m.asm:5: error: symbol `b' not defined", "m.asm:6: error: symbol `a' not defined"],
    ),
}

# The same for what takes Python.inc, and words for NASM.
PYTHON_CASES = {
    "an object for its address": (
        (),
        "py_function f, a\n    py_call PyObject_IsInstance, a, PyLong_Type\n    py_return rax\n",
        ["m.asm:3: error: PyLong_Type is the object itself, and a call takes addresses: pass &PyLong_Type"],
    ),
    "an exception that nobody has": (
        (),
        'py_function f, a\n    py_call PyErr_SetString, PyExc_ValueErorr, "a"\n    py_return 0\n',
        ["m.asm:3: error: no CPython has the exception PyExc_ValueErorr"],
    ),
    "a function that is not stable": (
        ("-DPy_LIMITED_API=0x030A0000",),
        "py_function f, a\n    py_call PyUnicode_New, 1, a\n    py_return rax\n",
        ["m.asm:3: error: PyUnicode_New is not in the stable ABI: use a function that is, or leave py-limited-api out"],
    ),
    "a function that came later": (
        ("-DPy_LIMITED_API=0x030A0000",),
        "py_function f, a\n    py_call PyObject_GetTypeData, a, a\n    py_return rax\n",
        [
            "m.asm:3: error: PyObject_GetTypeData came into the stable ABI with CPython 3.12, and this module promises "
            '3.10: promise 3.12 (py-limited-api = "3.12") or call something older'
        ],
    ),
}

FORMAT = 'Python.inc knows elf64, macho64 and win64, not elf32: use the words of "nasm-ext flags"'


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES.keys())
def test_misuse_is_told_with_its_line(tmp_path: Path, source: str, expected: list[str]) -> None:
    (tmp_path / "m.asm").write_text('%include "nasm_build/function.inc"\n' + source)
    check_every_nasm(tmp_path, (), expected)


@pytest.mark.parametrize(("words", "source", "expected"), PYTHON_CASES.values(), ids=PYTHON_CASES.keys())
def test_misuse_of_python_is_told_with_its_line(
    tmp_path: Path, words: tuple[str, ...], source: str, expected: list[str]
) -> None:
    (tmp_path / "m.asm").write_text('%include "Python.inc"\n' + source + "end_function\n")
    check_every_nasm(tmp_path, words, expected)


def check_every_nasm(folder: Path, words: tuple[str, ...], expected: list[str]) -> None:
    for version, nasm in nasms.fetch_nasms().items():
        command = [nasm, "-f", "elf64", "-w+all", "--before", "default rel", *words, "-I", f"{INCLUDE}/"]
        done = subprocess.run([*command, "m.asm", "-o", "m.o"], cwd=folder, capture_output=True, text=True, check=False)
        # 3.01 tells after an error through which macros it came; those lines begin otherwise.
        said = [line for line in done.stderr.splitlines() if ": error: " in line]
        assert (version, done.returncode, said) == (version, 1, expected)


def test_another_object_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.asm").write_text('%include "nasm_build/function.inc"\n')
    for nasm in nasms.fetch_nasms().values():
        command = [nasm, "-f", "elf32", "-I", f"{INCLUDE}/", "m.asm", "-o", "m.o"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert re.fullmatch(rf"\S+\.inc:\d+: fatal: {re.escape(FORMAT)}", done.stderr.splitlines()[0])


# ---- No message without a test -------------------------------------------------------------------------------------

# In `misuse@say "a text", %1, …`: what is in quotes, or else stands for something.
PIECE = re.compile(r"""\s*("[^"]*"|'[^']*'|[^,"']+)\s*(?:,|$)""")


def messages() -> Iterator[tuple[str, str]]:
    """Each message of the include files, as a pattern of its whole text, and where it stands."""
    for file in sorted(INCLUDE.rglob("*.inc")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            text = line.strip()
            place = f"{file.name}:{number}: {text}"
            if text.startswith("misuse@say "):
                pieces = PIECE.findall(text.removeprefix("misuse@say "))
                yield "".join(re.escape(one[1:-1]) if one[0] in "\"'" else ".+" for one in pieces), place
            elif text.startswith(("%error ", "%fatal ")) and text != "%error %[misuse@text]":
                pieces = re.split(r"%\[[^]]*\]|%\d|__\?\w+\?__", text.split(" ", 1)[1])
                yield ".+".join(map(re.escape, pieces)), place


def test_no_message_is_without_a_test() -> None:
    """Each is the whole of a text that a test above, or one of the tables, compares with what NASM says."""
    told = [text.split(": error: ", 1)[1] for _, expected in CASES.values() for text in expected]
    told += [text.split(": error: ", 1)[1] for _, _, expected in PYTHON_CASES.values() for text in expected]
    told += [text for _, _, expected in MISUSES.values() for _, text in expected]
    told.append(FORMAT)
    found = list(messages())
    assert len(found) > 45
    assert [place for pattern, place in found if not any(re.fullmatch(pattern, text) for text in told)] == []
