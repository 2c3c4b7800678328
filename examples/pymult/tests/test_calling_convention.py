"""multiply gives back every register that the calling convention makes it keep, on every path.

A caller's value lost in rbx or r12 does no harm until a compiler happens to keep something there: results alone do not
show it. On x86-64 alone, where the module is assembly. Needs NASM: $NASM, or nasm of PATH.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pymult

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the module is not assembly here")

WIN64 = sys.platform == "win32"
CheckedCall = Callable[..., tuple[Any, list[str]]]
GENERAL = ["rbx", "rbp", "r12", "r13", "r14", "r15", "rsi", "rdi"]
CHECKED = [*GENERAL, *(f"xmm{number}" for number in range(6, 16)), "rsp", "direction flag"]


class Twice(int):
    def __mul__(self, other: object) -> Any:
        return "twice"


class Failing(int):
    def __mul__(self, other: object) -> Any:
        raise ZeroDivisionError("from __mul__")


PATHS: dict[str, tuple[Any, ...]] = {
    "in registers": (6, 7),
    "in registers, negative": (-(2**31), 2**31),
    "product too wide": (2**62, 2**62),
    "first too wide": (2**64, 3),
    "second too wide": (3, -(2**64)),
    "both huge": (2**5000, 3**3000),
    "bool": (True, 3),
    "subclass": (Twice(2), 3),
    "subclass that raises": (Failing(2), 3),
    "first no int": (1.5, 2),
    "second no int": (2, None),
    "second no int, first a subclass": (True, "x"),
    "no arguments": (),
    "one argument": (1,),
    "three arguments": (1, 2, 3),
}


def mapped(code: bytes) -> tuple[int, object]:
    """Code in memory that may run: its address, and what keeps it there."""
    if sys.platform == "win32":
        allocate = ctypes.windll.kernel32.VirtualAlloc
        allocate.restype = ctypes.c_void_p
        allocate.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32]
        address = allocate(None, len(code), 0x3000, 0x40)  # MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE
        assert address
        ctypes.memmove(address, code, len(code))
        return int(address), None  # until the process ends
    page = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    start = ctypes.c_char.from_buffer(page)  # while this lives, so does the page
    return ctypes.addressof(start), start


@pytest.fixture(scope="module")
def checked_call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckedCall]:
    binary = tmp_path_factory.mktemp("code") / "checked_call.bin"
    source = Path(__file__).with_name("checked_call.asm")
    words = ["-f", "bin", *(["-DWIN64"] if WIN64 else []), str(source), "-o", str(binary)]
    subprocess.run([os.environ.get("NASM", "nasm"), *words], check=True)
    # PYFUNCTYPE keeps the GIL and raises the exception that the function set.
    prototype = ctypes.PYFUNCTYPE(
        ctypes.py_object,
        ctypes.c_void_p,
        ctypes.py_object,
        ctypes.POINTER(ctypes.py_object),
        ctypes.c_ssize_t,
        ctypes.POINTER(ctypes.c_uint64),
    )
    start, keeper = mapped(binary.read_bytes())
    trampoline = prototype(start)
    get_function = ctypes.pythonapi.PyCFunction_GetFunction
    get_function.argtypes = [ctypes.py_object]
    get_function.restype = ctypes.c_void_p

    def call(function: Any, *arguments: Any) -> tuple[Any, list[str]]:
        """What the function returned or raised, and what it did not restore."""
        changed = ctypes.c_uint64(2**64 - 1)
        array = (ctypes.py_object * max(len(arguments), 1))(*arguments)
        outcome: Any
        try:
            outcome = trampoline(get_function(function), pymult, array, len(arguments), ctypes.byref(changed))
        except Exception as error:
            outcome = error
        return outcome, [name for bit, name in enumerate(CHECKED) if changed.value >> bit & 1]

    yield call
    del keeper


@pytest.mark.parametrize("arguments", PATHS.values(), ids=PATHS.keys())
def test_registers_are_restored(checked_call: CheckedCall, arguments: tuple[Any, ...]) -> None:
    outcome, changed = checked_call(pymult.multiply, *arguments)
    assert changed == []  # before Python itself calls the function and trips over what is missing
    expected: Any
    try:
        expected = pymult.multiply(*arguments)
    except Exception as error:
        expected = error
    assert (type(outcome), str(outcome)) == (type(expected), str(expected))
