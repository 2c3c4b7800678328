"""multiply owns no reference after a call and loses none: measured over a million calls of each path.

Each path runs with the same argument objects. Afterwards the reference counts of the arguments and of what the path
touches on its way, the number of allocated blocks and the number of objects that the collector tracks must be what they
were, and the process must not have grown. One lost reference a call would move one of them by a million. Run as a
program, this file prints the measurements.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import pymult

if sys.platform != "win32":
    import resource

CALLS = 1_000_000


class Twice(int):
    def __mul__(self, other: object) -> Any:
        return RESULT


class Failing(int):
    def __mul__(self, other: object) -> Any:
        raise FAILURE


RESULT = object()
FAILURE = ZeroDivisionError()

# Values are computed, so that no constant of the code object holds a further reference.
PATHS: dict[str, tuple[Any, ...]] = {
    "in registers": (int("1000"), int("2000")),
    "in registers, 64 bits": (-int("3037000499"), int("3037000499")),
    "product too wide": (int("9" * 18), int("8" * 18)),
    "argument too wide": (int("9" * 30), int("3000")),
    "both huge": (int("9" * 400), int("8" * 400)),
    "bool": (True, int("5000")),
    "subclass": (Twice(1000), int("6000")),
    "subclass that raises": (Failing(1000), int("7000")),
    "first no int": (float("1.5"), int("8000")),
    "second no int": (int("9000"), object()),
    "no arguments": (),
    "three arguments": (int("1001"), int("1002"), int("1003")),
}


@dataclass(frozen=True)
class Growth:
    """What the calls of one path left behind."""

    argument_references: tuple[int, ...]  # for each argument
    other_references: tuple[int, ...]  # of what a path returns, raises or names
    blocks: int  # of Python's allocator
    tracked_objects: int  # by the collector
    resident_bytes: int  # of the whole process; noise of some hundred KiB is normal


def resident_bytes() -> int:
    """The highest so far: what is never given back shows in it. Windows has no such count in the standard library."""
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def reference_counts(objects: tuple[Any, ...]) -> list[int]:
    return [sys.getrefcount(item) for item in objects]


def difference(after: list[int], before: list[int]) -> tuple[int, ...]:
    return tuple(a - b for a, b in zip(after, before, strict=True))


def repeat(function: Callable[..., Any], arguments: tuple[Any, ...], calls: int) -> None:
    for _ in range(calls):
        try:
            function(*arguments)
        except (TypeError, ZeroDivisionError):
            FAILURE.__traceback__ = None


def measure(function: Callable[..., Any], arguments: tuple[Any, ...], calls: int = CALLS) -> Growth:
    others = (RESULT, FAILURE, TypeError, int, Twice, Failing, pymult, function)
    repeat(function, arguments, 1000)  # fills caches and free lists
    with collector_off():
        references = reference_counts(arguments)
        other_references = reference_counts(others)
        tracked = len(gc.get_objects())
        resident = resident_bytes()
        blocks = sys.getallocatedblocks()
        repeat(function, arguments, calls)
        blocks = sys.getallocatedblocks() - blocks
        resident = resident_bytes() - resident
        tracked = len(gc.get_objects()) - tracked
        return Growth(
            difference(reference_counts(arguments), references),
            difference(reference_counts(others), other_references),
            blocks,
            tracked,
            resident,
        )


def assert_nothing_left(growth: Growth) -> None:
    assert set(growth.argument_references) <= {0}
    assert all(abs(count) <= 2 for count in growth.other_references)
    assert abs(growth.blocks) <= 100
    assert abs(growth.tracked_objects) <= 10
    assert growth.resident_bytes < 4 * 2**20  # 200,000 lost ints would be 5.6 MB or more


@pytest.mark.parametrize("arguments", PATHS.values(), ids=PATHS.keys())
def test_nothing_is_left(arguments: tuple[Any, ...]) -> None:
    assert_nothing_left(measure(pymult.multiply, arguments, CALLS // 5))


def test_the_measurement_sees_a_leak() -> None:
    kept: list[Any] = []
    growth = measure(lambda *arguments: kept.append(arguments[0] * arguments[1]), (int("1000"), int("2000")), 10_000)
    with pytest.raises(AssertionError):
        assert_nothing_left(growth)


if __name__ == "__main__":
    print(f"{CALLS:,} calls each, CPython {sys.version.split()[0]}: growth of")
    print(f"{'path':24}{'arguments':>12}{'others':>10}{'blocks':>10}{'tracked':>10}{'KiB':>8}")
    for path, arguments in PATHS.items():
        growth = measure(pymult.multiply, arguments)
        print(
            f"{path:24}{sum(growth.argument_references):12}{sum(growth.other_references):10}"
            f"{growth.blocks:10}{growth.tracked_objects:10}{growth.resident_bytes // 1024:8}"
        )
