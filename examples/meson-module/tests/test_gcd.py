"""gcd(a, b) against math.gcd: values, widths, types."""

from __future__ import annotations

import inspect
import math
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gcd

# 0, ±1, powers of two and their neighbours, up to the ends of 64 bits.
EDGES = sorted(
    value
    for bits in (0, 1, 2, 15, 30, 31, 32, 33, 60, 61, 62, 63)
    for offset in (-1, 0, 1)
    for sign in (-1, 1)
    if -(2**63) <= (value := sign * (2**bits + offset)) < 2**63
)

int64 = st.one_of(st.integers(-300, 300), st.integers(-(2**63), 2**63 - 1), st.sampled_from(EDGES))


@settings(max_examples=1000, deadline=None)
@given(int64, int64)
def test_equals_math_gcd(a: int, b: int) -> None:
    assert gcd.gcd(a, b) == math.gcd(a, b)


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 2**20), st.integers(-(2**42), 2**42), st.integers(-(2**42), 2**42))
def test_common_factors(factor: int, a: int, b: int) -> None:
    assert gcd.gcd(factor * a, factor * b) == math.gcd(factor * a, factor * b)


def test_every_pair_of_edges() -> None:
    for a in EDGES:
        for b in EDGES:
            assert gcd.gcd(a, b) == math.gcd(a, b), (a, b)


def test_the_one_divisor_of_64_bits() -> None:
    assert gcd.gcd(-(2**63), 0) == 2**63


@pytest.mark.parametrize("wide", [2**63, -(2**63) - 1, 10**40])
def test_wider_ints(wide: int) -> None:
    for arguments in ((wide, 1), (1, wide), (-1, wide)):
        with pytest.raises(OverflowError):
            gcd.gcd(*arguments)


@pytest.mark.parametrize("stranger", [1.5, "7", None, b"7", object()], ids=lambda value: type(value).__name__)
def test_what_is_no_int(stranger: Any) -> None:
    for arguments in ((stranger, 1), (1, stranger), (-1, stranger)):
        with pytest.raises(TypeError):
            gcd.gcd(*arguments)


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_wrong_count(count: int) -> None:
    with pytest.raises(TypeError) as caught:
        gcd.gcd(*range(count))
    assert str(caught.value) == f"gcd() takes exactly 2 arguments ({count} given)"


def test_threads() -> None:
    failures: list[tuple[int, int]] = []

    def work(seed: int) -> None:
        for i in range(20_000):
            if gcd.gcd(seed * i, i * 7) != math.gcd(seed * i, i * 7):
                failures.append((seed, i))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_describes_itself() -> None:
    assert gcd.__doc__ == "Greatest common divisors, in assembly."
    assert str(inspect.signature(gcd.gcd)) == "(a, b, /)"
    assert [name for name in vars(gcd) if not name.startswith("__")] == ["gcd"]
