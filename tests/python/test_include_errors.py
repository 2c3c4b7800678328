"""Misuse of functions and calls stops assembly with the whole message and the source's line, in every NASM.

Names of a user's own stand for registers: an argument is named `a` here, so that a message with that word shows whether
NASM took it for the argument.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devtools import nasms

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
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES.keys())
def test_misuse_is_told_with_its_line(tmp_path: Path, source: str, expected: list[str]) -> None:
    (tmp_path / "m.asm").write_text('%include "nasm_build/function.inc"\n' + source)
    for version, nasm in nasms.fetch_nasms().items():
        words = ["-f", "elf64", "--before", "default rel", "-I", f"{INCLUDE}/", "m.asm", "-o", "m.o"]
        done = subprocess.run([nasm, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        # 3.01 tells after an error through which macros it came; those lines begin otherwise.
        said = [line for line in done.stderr.splitlines() if ": error: " in line]
        assert (version, done.returncode, said) == (version, 1, expected)
