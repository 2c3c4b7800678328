"""Calls of call.inc, run: whatever the operands and their order, the callee finds what was written.

Two hundred calls are made up by chance, assembled at once and linked with C functions that note their arguments. The
caller's own arguments are registers that the call overwrites, so permutations, cycles and memory operands whose base is
about to be lost all occur.
"""

from __future__ import annotations

import ctypes
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"
CASES = 200
WORDS = 32
NAMES = "abcdef"
INTEGERS = [0, 1, -1, 255, 2**31 - 1, 2**32 - 1, 2**40 + 7, -(2**40)]


@dataclass(frozen=True)
class Operand:
    """What is written in the call, what the callee should find (as 64 bits), and whether it is a double."""

    text: str
    value: int
    is_double: bool = False


def memory(base: int) -> list[int]:
    """The words that memory operands read: small doubles and wide integers, told apart by their place."""
    doubles = [int.from_bytes(bytes(ctypes.c_double(index + 0.5)), "little") for index in range(WORDS // 2)]
    return doubles + [(index * 0x0123456789ABCDEF + base) % 2**64 for index in range(WORDS // 2, WORDS)]


def operand(chance: random.Random, arguments: list[int], words: list[int], start: int) -> Operand:
    """One operand; `a` and `b` hold addresses inside the memory, the other arguments are numbers."""
    kind = chance.choice(["name"] * 4 + ["memory"] * 3 + ["dword", "half", "constant", "double", "scaled"])
    which = chance.randrange(6)
    base = chance.randrange(2)
    index = chance.randrange(WORDS // 2, WORDS)
    offset = index * 8 - (arguments[base] - start)
    if kind == "name":
        return Operand(NAMES[which], arguments[which] % 2**64)
    if kind == "memory":
        return Operand(f"[{NAMES[base]} + {offset}]", words[index])
    if kind == "scaled":  # f is 2
        return Operand(f"[{NAMES[base]} + f * 8 + {offset - 16}]", words[index])
    if kind == "dword":
        return Operand(f"dword [{NAMES[base]} + {offset}]", words[index] % 2**32)
    if kind == "half":
        return Operand(f"dword {NAMES[which]}.d", arguments[which] % 2**32)
    if kind == "double":
        index = chance.randrange(WORDS // 2)
        offset = index * 8 - (arguments[base] - start)
        return Operand(f"double [{NAMES[base]} + {offset}]", words[index], is_double=True)
    value = chance.choice(INTEGERS)
    return Operand(str(value), value % 2**64)


def c_callee(number: int, operands: list[Operand]) -> str:
    """A C function that notes its arguments, and whether the stack was aligned when it was called."""
    parameters = ", ".join(
        f"{'double' if one.is_double else 'uint64_t'} p{place}" for place, one in enumerate(operands)
    )
    notes = "".join(f"    memcpy(&noted[{place}], &p{place}, 8);\n" for place in range(len(operands)))
    return (
        f"uint64_t callee_{number}({parameters or 'void'}) {{\n{notes}"
        "    aligned = ((uintptr_t)__builtin_frame_address(0) & 15) == 0;\n    return noted[0];\n}\n"
    )


def build(folder: Path, assembly: str, c: str) -> ctypes.CDLL:
    (folder / "calls.asm").write_text(assembly)
    (folder / "callees.c").write_text(
        "#include <stdint.h>\n#include <string.h>\nuint64_t noted[16];\nint aligned;\n" + c
    )
    commands = [
        ["nasm", "-f", "elf64", "-w+all", "-w+error", f"-I{INCLUDE}/", "calls.asm", "-o", "calls.o"],
        ["cc", "-O1", "-fno-omit-frame-pointer", "-fPIC", "-shared", "callees.c", "calls.o", "-o", "calls.so"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    return ctypes.CDLL(str(folder / "calls.so"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_argument_arrives(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    words = memory(seed)
    block = (ctypes.c_uint64 * WORDS)(*words)
    start = ctypes.addressof(block)
    # Their texts are offsets from where `a` and `b` point, so that the source does not depend on the address.
    arguments = [start + 8, start + 64, 0xFEDCBA9876543210, 77, 2**63 + 5, 2]
    cases = []
    assembly, c = '%include "nasm_build/function.inc"\n', ""
    for number in range(CASES):
        operands = [operand(chance, arguments, words, start) for _ in range(chance.randrange(11))]
        cases.append(operands)
        pushes = chance.randrange(3)
        assembly += f"exported_function case_{number}, a, b, c, d, e, f\n" + "    push rbx\n" * pushes
        assembly += f"    c_call callee_{number}" + "".join(f", {one.text}" for one in operands) + "\n"
        assembly += "    pop rbx\n" * pushes + "    return rax\n"
        c += c_callee(number, operands)
    library = build(tmp_path, assembly + "end_function\n", c)
    noted = (ctypes.c_uint64 * 16).in_dll(library, "noted")
    aligned = ctypes.c_int.in_dll(library, "aligned")
    for number, operands in enumerate(cases):
        ctypes.memset(noted, 0, 128)
        function = library[f"case_{number}"]
        function.argtypes = [ctypes.c_uint64] * 6
        function.restype = ctypes.c_uint64
        result = function(*arguments)
        line = f"case {number}: " + ", ".join(one.text for one in operands)
        assert list(noted)[: len(operands)] == [one.value for one in operands], line
        assert aligned.value == 1, line
        assert result == (operands[0].value if operands else 0), line


def test_texts_addresses_and_variadic_functions(tmp_path: Path) -> None:
    assembly = """%include "nasm_build/function.inc"
exported_function told, out, size, number, double(fraction), local(here, 16)
    mov qword [here], 7
    c_call_variadic snprintf, out, size, "%s %ld %.2f %ld %ld %ld %.1f", &name, number, fraction, [here], 4, -5, \\
                    double [half]
    return dword eax

exported_function through, callee, x, y
    invoke callee, y, x
    return rax

exported_function indirect, table, x, y
    invoke [table + 8], y, x
    return rax
end_function
SECTION_RODATA
name: db "a name", 0
align 8
half: dq 0.5
"""
    library = build(tmp_path, assembly, "uint64_t minus(uint64_t a, uint64_t b) { return a - b; }\n")
    text = ctypes.create_string_buffer(100)
    library.told.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long, ctypes.c_double]
    assert library.told(ctypes.addressof(text), 100, -3, 1.25) == len(text.value)
    assert text.value == b"a name -3 1.25 7 4 -5 0.5"
    minus = ctypes.cast(library.minus, ctypes.c_void_p).value
    assert minus is not None
    assert library.through(ctypes.c_void_p(minus), 3, 10) == 7
    table = (ctypes.c_void_p * 2)(None, minus)
    assert library.indirect(table, 4, 10) == 6
