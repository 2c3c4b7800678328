"""count(buffer, byte) against bytes.count: contents, sizes, alignments, kinds of buffers, and what is given back."""

from __future__ import annotations

import array
import ctypes
import mmap
import random
import sys
from typing import Any

import bytecount
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WORTH_GIVING_UP_THE_GIL = 65536  # as in bytecount.cpp


def reference(data: Any, byte: int) -> int:
    return bytes(data).count(byte)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 255))
def test_equals_reference(data: bytes, byte: int) -> None:
    assert bytecount.count(data, byte) == reference(data, byte)


@pytest.mark.parametrize("byte", [0x00, 0x01, 0x7F, 0x80, 0xFF])
def test_every_size_of_one_byte(byte: int) -> None:
    for size in range(301):
        assert bytecount.count(bytes([byte]) * size, byte) == size
        assert bytecount.count(bytes([byte]) * size, byte ^ 1) == 0


def test_every_size_at_every_alignment() -> None:
    data = random.Random(1).choices(range(4), k=200)
    with memoryview(bytes(data)) as view:
        for start in range(17):
            for size in range(101):
                piece = view[start : start + size]
                assert bytecount.count(piece, 3) == reference(piece, 3), (start, size)


# Counters of a byte are full after 255 vectors of 16 bytes.
@pytest.mark.parametrize("vectors", [254, 255, 256, 509, 510, 511, 512, 765])
def test_where_counters_are_full(vectors: int) -> None:
    for rest in (0, 1, 15):
        size = 16 * vectors + rest
        assert bytecount.count(b"a" * size, ord("a")) == size


@pytest.mark.parametrize("size", [WORTH_GIVING_UP_THE_GIL + offset for offset in (-1, 0, 1)] + [3_000_001])
def test_large(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert bytecount.count(data, 10) == reference(data, 10)


@pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
def test_nothing_outside_the_buffer_is_read() -> None:
    page = mmap.PAGESIZE
    pages = mmap.mmap(-1, 3 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    pages[page : 2 * page] = data = random.Random(2).randbytes(page)
    for forbidden in (start, start + 2 * page):
        assert protect(forbidden, page, 0) == 0  # a touch ends the process
    try:
        with memoryview(pages) as view, view[page : 2 * page] as inner:
            for size in range(101):
                assert bytecount.count(inner[:size], 7) == reference(data[:size], 7), size
                assert bytecount.count(inner[page - size :], 7) == reference(data[page - size :], 7), size
    finally:
        for forbidden in (start, start + 2 * page):
            protect(forbidden, page, mmap.PROT_READ | mmap.PROT_WRITE)


def test_every_kind_of_buffer() -> None:
    data = random.Random(3).randbytes(96)
    kinds: list[Any] = [bytearray(data), memoryview(data), memoryview(data).cast("I"), array.array("d", data)]
    for buffer in kinds:
        assert bytecount.count(buffer, data[0]) == reference(data, data[0]), buffer


def test_what_is_refused() -> None:
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        bytecount.count("text", 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"count\(\) takes 2 positional arguments but 1 were given"):
        bytecount.count(b"")  # type: ignore[call-arg]
    for byte in (-1, 256, 1000):
        with pytest.raises(ValueError, match=r"byte must be in range\(0, 256\)"):
            bytecount.count(b"", byte)
    with memoryview(bytearray(100)) as view, view[::2] as strided, pytest.raises(BufferError):
        bytecount.count(strided, 0)


@pytest.mark.parametrize("size", [0, 1, 100, WORTH_GIVING_UP_THE_GIL * 2])
def test_buffer_is_given_back(size: int) -> None:
    data = bytearray(b"\x01" * size)
    before = sys.getrefcount(data)
    for _ in range(100):
        assert bytecount.count(data, 1) == size
    assert sys.getrefcount(data) == before
    data.append(1)  # a bytearray whose buffer is held cannot grow


def test_tells_its_kernel() -> None:
    assert bytecount.KERNEL in ("assembly", "C++")
