"""distance(a, b) against Python: every kernel, every size, every kind of buffer, every error, threads.

A kernel that the processor cannot run is not skipped: its tests assert that it says so.
"""

from __future__ import annotations

import array
import gc
import inspect
import mmap
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hamming
import pytest

KERNELS = ("sse2", "avx2", "avx512")
GIL_SIZE = 65536
MEGABYTE = 1 << 20
# Around the widths that the kernels work in, and around the size from which on the GIL is released.
SIZES = [*range(301), 511, 512, 513, 4095, 4096, 4097, GIL_SIZE - 1, GIL_SIZE, GIL_SIZE + 1, MEGABYTE - 1, MEGABYTE]
Distance = Callable[[Any, Any], int]


def reference(a: Any, b: Any) -> int:
    return (int.from_bytes(bytes(a), "little") ^ int.from_bytes(bytes(b), "little")).bit_count()


def with_kernel(name: str) -> Distance:
    """The distance by a kernel. Where the processor has not what it needs, this asserts the refusal, every time."""

    def distance(a: Any, b: Any) -> int:
        if name in hamming.variants():
            return hamming.distance_with(name, a, b)
        with pytest.raises(RuntimeError) as caught:
            hamming.distance_with(name, a, b)
        assert str(caught.value) == f"this processor cannot run the kernel {name!r}"
        return reference(a, b)

    return distance


WAYS = {"distance": hamming.distance, **{name: with_kernel(name) for name in KERNELS}}
every_way = pytest.mark.parametrize("distance", WAYS.values(), ids=WAYS.keys())


# ---- Which kernels -------------------------------------------------------------------------------------------------


def test_variants_are_the_first_of_all() -> None:
    available = hamming.variants()
    assert type(available) is tuple
    assert available in (KERNELS[:1], KERNELS[:2], KERNELS)
    assert hamming.variants() == available


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="the operating system does not list what there is")
def test_variants_are_what_the_operating_system_says() -> None:
    """Linux names only what it also keeps for each thread."""
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    expected = ["sse2"]
    if {"avx2", "popcnt"} <= set(flags):
        expected.append("avx2")
        if {"avx512f", "avx512bw", "avx512_vpopcntdq"} <= set(flags):
            expected.append("avx512")
    assert hamming.variants() == tuple(expected)


# ---- Values ---------------------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bytes_of_every_size(distance: Distance, seed: int) -> None:
    numbers = random.Random(seed)
    for size in SIZES:
        a, b = numbers.randbytes(size), numbers.randbytes(size)
        assert distance(a, b) == reference(a, b), size


@every_way
def test_all_and_no_bits(distance: Distance) -> None:
    """All bits set is where a sum that is too narrow runs over."""
    for size in SIZES:
        ones, zeros = b"\xff" * size, bytes(size)
        assert distance(ones, zeros) == 8 * size, size
        assert distance(ones, ones) == 0, size
        assert distance(zeros, ones) == 8 * size, size


@every_way
def test_each_single_bit(distance: Distance) -> None:
    for size in (1, 7, 8, 15, 16, 63, 64, 129, 200):
        zeros = bytes(size)
        for bit in range(8 * size):
            one = (1 << bit).to_bytes(size, "little")
            assert distance(one, zeros) == 1, (size, bit)
            assert distance(zeros, one) == 1, (size, bit)


@every_way
def test_unaligned_slices(distance: Distance) -> None:
    numbers = random.Random(4)
    first, second = memoryview(numbers.randbytes(1000)), memoryview(numbers.randbytes(1000))
    for _ in range(3000):
        size = numbers.randrange(700)
        at, other = numbers.randrange(300), numbers.randrange(300)
        a, b = first[at : at + size], second[other : other + size]
        assert distance(a, b) == reference(a, b), (at, other, size)


@every_way
def test_nothing_around_a_slice_is_counted(distance: Distance) -> None:
    for size in range(300):
        for at in (0, 1, 8, 31):
            a, b = bytearray(b"\xff" * (size + 64)), bytearray(size + 64)
            a[at : at + size] = b"\x0f" * size
            assert distance(memoryview(a)[at : at + size], memoryview(b)[at : at + size]) == 4 * size, (size, at)


@contextmanager
def page_before_nothing() -> Iterator[memoryview]:
    """A page that can be read, before one that cannot: a byte read beyond a buffer's end ends the process."""
    import ctypes

    size = mmap.ALLOCATIONGRANULARITY
    pages = mmap.mmap(-1, 2 * size)
    start = ctypes.c_char.from_buffer(pages)
    second = ctypes.c_void_p(ctypes.addressof(start) + size)

    def protect(readable: bool) -> None:
        if sys.platform == "win32":
            before = ctypes.c_ulong()
            changed = ctypes.windll.kernel32.VirtualProtect(
                second, ctypes.c_size_t(size), 0x04 if readable else 0x01, ctypes.byref(before)
            )
            assert changed
        else:
            assert ctypes.CDLL(None).mprotect(second, ctypes.c_size_t(size), 3 if readable else 0) == 0

    protect(False)
    try:
        yield memoryview(pages)[:size]
    finally:
        protect(True)
        del start


@every_way
def test_nothing_beyond_the_end_is_read(distance: Distance) -> None:
    with page_before_nothing() as first, page_before_nothing() as second:
        for size in range(len(first)):
            if size > 400 and size % 509:
                continue
            first[len(first) - size :] = os.urandom(size)
            a, b = first[len(first) - size :], second[len(second) - size :]
            assert distance(a, b) == reference(a, b), size
            a.release()
            b.release()
        first.release()
        second.release()


@every_way
@pytest.mark.parametrize("size", [0, 1, 24, 128, 1000, GIL_SIZE + 8])
def test_every_kind_of_buffer(distance: Distance, size: int) -> None:
    size -= size % 8
    a, b = os.urandom(size), os.urandom(size)
    expected = reference(a, b)
    kinds: list[Any] = [b, bytearray(b), memoryview(b), memoryview(bytearray(b)), memoryview(b).cast("Q"),
                        array.array("B", b), array.array("d", b), array.array("Q", b)]  # fmt: skip
    if size:
        kinds += [memoryview(b).cast("B", (2, size // 2)), mmap.mmap(-1, size)]
        kinds[-1][:] = b
    for kind in kinds:
        assert distance(a, kind) == expected, kind
        assert distance(kind, a) == expected, kind
        assert distance(kind, kind) == 0, kind


def test_sizes_are_of_bytes_not_of_items() -> None:
    assert hamming.distance(array.array("H", [0, 0]), b"\xff\x00\xff\x00") == 16


# ---- Errors, and that each releases the buffers ---------------------------------------------------------------------


def assert_released(*buffers: bytearray) -> None:
    """A bytearray cannot change its size while someone holds its buffer."""
    for buffer in buffers:
        buffer.append(0)
        del buffer[-1]


@every_way
@pytest.mark.parametrize("size", [0, 10, GIL_SIZE])
def test_released_after_success(distance: Distance, size: int) -> None:
    a, b = bytearray(size), bytearray(size)
    assert distance(a, b) == 0
    assert_released(a, b)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (8, 9), (GIL_SIZE, 1), (1, MEGABYTE), (65, 64)])
def test_unequal_lengths(sizes: tuple[int, int]) -> None:
    a, b = bytearray(sizes[0]), bytearray(sizes[1])
    for call in (hamming.distance, lambda a, b: hamming.distance_with("sse2", a, b)):
        with pytest.raises(ValueError) as caught:
            call(a, b)
        assert str(caught.value) == f"buffers of equal length are compared, not of {sizes[0]} and {sizes[1]} bytes"
        assert_released(a, b)


@pytest.mark.parametrize("stranger", [None, 1, "text", [1], 1.5, object()], ids=lambda value: type(value).__name__)
def test_no_buffer(stranger: Any) -> None:
    a = bytearray(8)
    for arguments in ((stranger, a), (a, stranger), (stranger, stranger)):
        with pytest.raises(TypeError) as caught:
            hamming.distance(*arguments)
        assert str(caught.value) == f"a bytes-like object is required, not {type(stranger).__name__!r}"
        assert_released(a)


def test_buffers_with_gaps() -> None:
    a = bytearray(8)
    gaps = memoryview(bytes(16))[::2]
    for arguments in ((gaps, a), (a, gaps)):
        with pytest.raises(BufferError, match="C-contiguous"):
            hamming.distance(*arguments)
        assert_released(a)


def test_released_memoryview() -> None:
    a, gone = bytearray(8), memoryview(bytes(8))
    gone.release()
    with pytest.raises(ValueError, match="operation forbidden on released memoryview object"):
        hamming.distance(a, gone)
    assert_released(a)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 100])
def test_wrong_count(count: int) -> None:
    with pytest.raises(TypeError) as caught:
        hamming.distance(*[b""] * count)
    assert str(caught.value) == f"distance() takes exactly 2 arguments ({count} given)"


@pytest.mark.parametrize("count", [0, 1, 2, 4, 100])
def test_wrong_count_with_a_name(count: int) -> None:
    with pytest.raises(TypeError) as caught:
        hamming.distance_with(*["sse2"] * count)
    assert str(caught.value) == f"distance_with() takes exactly 3 arguments ({count} given)"


def test_arguments_for_variants_and_keywords() -> None:
    with pytest.raises(TypeError, match=r"variants\(\) takes no arguments \(1 given\)"):
        hamming.variants(1)
    with pytest.raises(TypeError, match=r"distance\(\) takes no keyword arguments"):
        hamming.distance(b"", b=b"")


@pytest.mark.parametrize("name", ["", "sse", "SSE2", "sse2 ", "sse2\0", "avx", "neon", "ß"])
def test_unknown_kernel(name: str) -> None:
    with pytest.raises(ValueError) as caught:
        hamming.distance_with(name, b"", b"")
    assert str(caught.value) == f"there is no kernel {name!r}: there are 'sse2', 'avx2' and 'avx512'"


@pytest.mark.parametrize("name", [None, 1, b"sse2"])
def test_name_of_another_type(name: Any) -> None:
    with pytest.raises(TypeError) as caught:
        hamming.distance_with(name, b"", b"")
    assert str(caught.value) == "distance_with() takes the name of a kernel first, a str"


def test_name_of_a_subclass_of_str() -> None:
    assert hamming.distance_with(type("Name", (str,), {})("sse2"), b"\x03", b"\x00") == 2


def test_describes_itself() -> None:
    assert hamming.__doc__ == "Hamming distances of buffers, in assembly."
    assert hamming.distance.__doc__ == "Return the number of differing bits of two buffers."
    assert str(inspect.signature(hamming.distance)) == "(a, b, /)"
    assert str(inspect.signature(hamming.distance_with)) == "(name, a, b, /)"
    assert str(inspect.signature(hamming.variants)) == "()"
    assert sorted(name for name in vars(hamming) if name[0] != "_") == ["distance", "distance_with", "variants"]


# ---- Threads --------------------------------------------------------------------------------------------------------


def gil_enabled() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


@contextmanager
def thread_that_counts() -> Iterator[list[int]]:
    """A second thread that counts whenever it is let. Nobody is made to give the GIL up meanwhile."""
    counted, started, stop = [0], threading.Event(), threading.Event()

    def count() -> None:
        started.set()
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    thread = threading.Thread(target=count)
    thread.start()
    started.wait()
    try:
        yield counted
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()


@pytest.mark.parametrize("name", KERNELS)
def test_the_gil_is_released_while_large_buffers_are_counted(name: str) -> None:
    distance = with_kernel(name)
    if name not in hamming.variants():
        distance(b"", b"")  # asserts the refusal
        return
    a, b = bytes(16 * MEGABYTE), b"\xff" * (16 * MEGABYTE)
    with thread_that_counts() as counted:
        before, deadline = counted[0], time.monotonic() + 60
        while counted[0] == before and time.monotonic() < deadline:
            assert distance(a, b) == 128 * MEGABYTE
        assert counted[0] > before


def test_the_gil_is_kept_while_small_buffers_are_counted() -> None:
    a, b = bytes(GIL_SIZE - 1), b"\xff" * (GIL_SIZE - 1)
    with thread_that_counts() as counted:
        before = counted[0]
        for _ in range(2000):
            hamming.distance(a, b)
        after = counted[0]
    if gil_enabled():  # where there is none, the other thread always goes on
        assert after == before


@every_way
def test_threads_at_the_same_time(distance: Distance) -> None:
    failures: list[Any] = []
    start = threading.Barrier(8)

    def work(seed: int) -> None:
        try:
            numbers = random.Random(seed)
            cases = []
            for size in (0, 3, 100, 5000, GIL_SIZE - 1, GIL_SIZE, 3 * GIL_SIZE + 5):
                a, b = numbers.randbytes(size), numbers.randbytes(size)
                cases.append((a, b, reference(a, b)))
            start.wait()
            for _ in range(100):
                for a, b, expected in cases:
                    assert distance(a, b) == expected
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_first_calls_at_the_same_time() -> None:
    """Which kernel to take is asked at the first call, here by eight threads of a fresh process."""
    program = (
        "import hamming, threading\n"
        "start, found = threading.Barrier(8), []\n"
        "def work():\n"
        "    start.wait()\n"
        "    found.append((hamming.distance(b'\\x01' * 500, bytes(500)), hamming.variants()))\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(len(found), {number for number, _ in found}, len({names for _, names in found}))\n"
    )
    assert run(program) == "8 {500} 1"


def test_import_leaves_the_gil_as_it_is() -> None:
    program = (
        "import sys; enabled = getattr(sys, '_is_gil_enabled', lambda: True); "
        "before = enabled(); import hamming; print(before == enabled())"
    )
    assert run(program) == "True"


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


# ---- References -----------------------------------------------------------------------------------------------------

SMALL = (bytearray(100), bytearray(100))
LARGE = (bytearray(GIL_SIZE), bytearray(GIL_SIZE))
# Each path through measure(): calls, how often.
PATHS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {
    "small": (hamming.distance, SMALL, 100_000),
    "large": (hamming.distance, LARGE, 20_000),
    "by name": (hamming.distance_with, ("sse2", *SMALL), 100_000),
    "unequal": (hamming.distance, (SMALL[0], LARGE[0]), 100_000),
    "first no buffer": (hamming.distance, (object(), SMALL[0]), 100_000),
    "second no buffer": (hamming.distance, (SMALL[0], object()), 100_000),
    "wrong count": (hamming.distance, SMALL[:1], 100_000),
    "unknown name": (hamming.distance_with, ("neon", *SMALL), 100_000),
    "no name": (hamming.distance_with, (5, *SMALL), 100_000),
    "variants": (hamming.variants, (), 100_000),
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_nothing_is_left(path: tuple[Callable[..., Any], tuple[Any, ...], int]) -> None:
    function, arguments, calls = path

    def repeat(times: int) -> None:
        for _ in range(times):
            try:
                function(*arguments)
            except (TypeError, ValueError):
                pass

    repeat(1000)  # fills caches and free lists
    gc.collect()
    references = [sys.getrefcount(item) for item in (*arguments, function)]
    blocks = sys.getallocatedblocks()
    repeat(calls)
    blocks = sys.getallocatedblocks() - blocks
    assert [sys.getrefcount(item) for item in (*arguments, function)] == references
    assert abs(blocks) <= 100
    assert_released(*SMALL, *LARGE)
