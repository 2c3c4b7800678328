"""popcount(buffer) against a count in Python: contents, sizes, alignments, kinds of buffers, and what is given back."""

from __future__ import annotations

import array
import ctypes
import mmap
import random
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bitcount

WORTH_GIVING_UP_THE_GIL = 65536  # as in bitcount.c


def reference(data: Any) -> int:
    return bin(int.from_bytes(bytes(data), "little")).count("1")


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=2000))
def test_equals_reference(data: bytes) -> None:
    assert bitcount.popcount(data) == reference(data)


@pytest.mark.parametrize("fill", [0x00, 0x01, 0x80, 0x55, 0xAA, 0x0F, 0xF0, 0x7F, 0xFF])
def test_every_size_of_one_byte(fill: int) -> None:
    for size in range(301):
        assert bitcount.popcount(bytes([fill]) * size) == bin(fill).count("1") * size, size


def test_every_size_at_every_alignment() -> None:
    data = random.Random(1).randbytes(400)
    with memoryview(data) as view:
        for start in range(65):
            for size in range(301):
                piece = view[start : start + size]
                assert bitcount.popcount(piece) == reference(piece), (start, size)


def test_every_single_bit() -> None:
    for size in (1, 7, 8, 15, 16, 17, 63, 64, 65, 127, 128, 129):
        for bit in range(size * 8):
            assert bitcount.popcount((1 << bit).to_bytes(size, "little")) == 1, (size, bit)


@pytest.mark.parametrize("size", [WORTH_GIVING_UP_THE_GIL + offset for offset in (-1, 0, 1)] + [3_000_001])
def test_large(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert bitcount.popcount(data) == reference(data)
    assert bitcount.popcount(b"\xff" * size) == 8 * size


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
            for size in range(301):
                assert bitcount.popcount(inner[:size]) == reference(data[:size]), size
                assert bitcount.popcount(inner[page - size :]) == reference(data[page - size :]), size
    finally:
        for forbidden in (start, start + 2 * page):
            protect(forbidden, page, mmap.PROT_READ | mmap.PROT_WRITE)


def test_every_kind_of_buffer() -> None:
    data = random.Random(3).randbytes(96)
    kinds: list[Any] = [
        bytearray(data),
        memoryview(data),
        memoryview(data).cast("I"),
        memoryview(data).cast("B", (4, 3, 8)),
        array.array("d", data),
        (ctypes.c_uint16 * 48).from_buffer_copy(data),
    ]
    for buffer in kinds:
        assert bitcount.popcount(buffer) == reference(data), buffer
    assert bitcount.popcount(array.array("H", [])) == 0


@pytest.mark.parametrize("step", [2, 3, -1, -2])
def test_strided_buffer_is_refused(step: int) -> None:
    view = memoryview(bytearray(range(100)))
    with view[::step] as strided, pytest.raises(BufferError, match="not C-contiguous"):
        bitcount.popcount(strided)
    view.release()  # would fail, were the buffer still held


@pytest.mark.parametrize("stranger", [None, 1, 1.5, "text", [1, 2], object()], ids=lambda value: type(value).__name__)
def test_what_is_no_buffer(stranger: Any) -> None:
    with pytest.raises(TypeError, match=f"a bytes-like object is required, not '{type(stranger).__name__}'"):
        bitcount.popcount(stranger)


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match=r"takes exactly one argument \(0 given\)"):
        bitcount.popcount()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"takes exactly one argument \(2 given\)"):
        bitcount.popcount(b"", b"")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes no keyword arguments"):
        bitcount.popcount(data=b"")  # type: ignore[call-arg]


@pytest.mark.parametrize("size", [0, 1, 100, WORTH_GIVING_UP_THE_GIL * 2])
def test_buffer_is_given_back(size: int) -> None:
    data = bytearray(b"\x01" * size)
    before = sys.getrefcount(data)
    for _ in range(100):
        assert bitcount.popcount(data) == size
    assert sys.getrefcount(data) == before
    data.append(1)  # a bytearray whose buffer is held cannot grow
    assert bitcount.popcount(data) == size + 1


def test_threads() -> None:
    contents = [random.Random(seed).randbytes(200_000 + seed) for seed in range(8)]
    results: dict[int, set[int]] = {}

    def work(number: int) -> None:
        results[number] = {bitcount.popcount(contents[number]) for _ in range(50)}

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: {reference(data)} for number, data in enumerate(contents)}


def test_tells_its_kernel() -> None:
    assert bitcount.KERNEL in ("assembly", "C")
