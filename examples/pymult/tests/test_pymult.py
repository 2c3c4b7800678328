"""multiply(a, b) against operator.mul: values, types, errors, threads."""

from __future__ import annotations

import enum
import functools
import importlib.metadata
import inspect
import io
import operator
import subprocess
import sys
import threading
import zipfile
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pymult

# Where the representation of an int, the fast path or the processor's registers change.
EDGES = sorted(
    sign * (2**bits + offset)
    for bits in (0, 15, 29, 30, 31, 32, 45, 59, 60, 61, 62, 63, 64, 65, 89, 90, 127, 128, 1000)
    for offset in (-1, 0, 1)
    for sign in (-1, 1)
)

any_int = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**32), 2**32),
    st.integers(-(2**64), 2**64),
    st.sampled_from(EDGES),
    st.integers(),
    st.integers(-(2**4000), 2**4000),
)


class Plain(int):
    """A subclass that changes nothing."""


class Loud(int):
    """A subclass that gives * another meaning on both sides."""

    def __mul__(self, other: object) -> Any:
        return ("mul", int(self), other)

    def __rmul__(self, other: object) -> Any:
        return ("rmul", int(self), other)


class Refusing(int):
    """A subclass that multiplies with nothing."""

    def __mul__(self, other: object) -> Any:
        return NotImplemented

    __rmul__ = __mul__


class Failing(int):
    def __mul__(self, other: object) -> Any:
        raise ZeroDivisionError("from __mul__")


class Colour(enum.IntEnum):
    RED = 5


class Indexable:
    def __index__(self) -> int:
        return 5


class Pretender:
    """Says that it is an int; isinstance() believes it."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return int


@settings(max_examples=500, deadline=None)
@given(any_int, any_int)
@example(2**63 - 1, 1)
@example(-(2**63), 1)
@example(-(2**63), -1)  # the one product of two 64-bit edges that needs a 65th bit
@example(3037000500, 3037000500)  # the smallest square beyond 63 bits
@example(3037000499, 3037000499)  # the largest within
@example(2**32, 2**31)
@example(2**32, -(2**31))
def test_equals_operator_mul(a: int, b: int) -> None:
    product = pymult.multiply(a, b)
    assert product == operator.mul(a, b)
    assert type(product) is int


def test_every_pair_of_edges() -> None:
    for a in EDGES:
        for b in EDGES:
            assert pymult.multiply(a, b) == a * b, (a, b)


def test_small_products_are_pythons_cached_ints() -> None:
    assert pymult.multiply(16, 16) is operator.mul(16, 16)


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("other", [True, 0, 7, -3, 2**200])
def test_bool_is_an_int(flag: bool, other: int) -> None:
    for a, b in ((flag, other), (other, flag)):
        product = pymult.multiply(a, b)
        assert product == operator.mul(a, b)
        assert type(product) is int


@pytest.mark.parametrize("other", [3, -(2**63), 2**100, True, Plain(4)])
@pytest.mark.parametrize("special", [Plain(6), Plain(2**70), Loud(6), Colour.RED])
def test_subclasses_are_multiplied_as_python_does(special: int, other: int) -> None:
    for a, b in ((special, other), (other, special)):
        expected = operator.mul(a, b)
        product = pymult.multiply(a, b)
        assert product == expected
        assert type(product) is type(expected)


def test_subclass_that_refuses() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \*: 'Refusing' and 'Refusing'"):
        pymult.multiply(Refusing(1), Refusing(2))


def test_exception_of_a_subclass_comes_through() -> None:
    with pytest.raises(ZeroDivisionError, match="from __mul__"):
        pymult.multiply(Failing(1), 2)


@pytest.mark.parametrize(
    "stranger",
    [1.0, None, "7", b"7", [1], (), 1j, Indexable(), Pretender(), object(), int, float("nan")],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_a_type_error(stranger: Any) -> None:
    for arguments, position in (
        ((stranger, 2), 1),
        ((2, stranger), 2),
        ((2**100, stranger), 2),
        ((True, stranger), 2),
        ((stranger, stranger), 1),
    ):
        with pytest.raises(TypeError) as caught:
            pymult.multiply(*arguments)
        assert str(caught.value) == f"multiply() argument {position} must be int, not {type(stranger)!r}"


def test_long_type_name_is_cut() -> None:
    stranger = type("T" * 5000, (), {})()
    with pytest.raises(TypeError) as caught:
        pymult.multiply(1, stranger)
    assert str(caught.value) == "multiply() argument 2 must be int, not " + repr(type(stranger))[:200]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 255, 1000])
def test_wrong_count(count: int) -> None:
    with pytest.raises(TypeError) as caught:
        pymult.multiply(*range(count))
    assert str(caught.value) == f"multiply() takes exactly 2 arguments ({count} given)"


def test_keyword_arguments() -> None:
    for keywords in ({"a": 1, "b": 2}, {"b": 2}):
        with pytest.raises(TypeError, match=r"multiply\(\) takes no keyword arguments"):
            pymult.multiply(*[1][: 2 - len(keywords)], **keywords)


def test_called_in_every_way_that_python_calls() -> None:
    assert list(map(pymult.multiply, [1, 2, 3], [4, 5, 6])) == [4, 10, 18]
    assert pymult.multiply(*(6, 7)) == 42
    assert functools.partial(pymult.multiply, 6)(7) == 42
    assert sum(pymult.multiply(i, i) for i in range(1000)) == sum(i * i for i in range(1000))


def test_describes_itself() -> None:
    assert pymult.__name__ == "pymult"
    assert pymult.__doc__ == "Exact multiplication of ints, in assembly."
    assert pymult.multiply.__doc__ == "Return the product of two ints."
    assert str(inspect.signature(pymult.multiply)) == "(a, b, /)"
    assert [name for name in vars(pymult) if not name.startswith("__")] == ["multiply"]


def test_threads() -> None:
    failures: list[tuple[int, int]] = []
    start = threading.Barrier(8)

    def work(seed: int) -> None:
        start.wait()
        for i in range(20_000):
            # Each thread has values of its own on all three ways through the function.
            for a, b in ((seed, i), (seed << 40, i << 30), (-seed << 70, i)):
                if pymult.multiply(a, b) != a * b:
                    failures.append((a, b))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_weighs_little() -> None:
    """The files of the wheel, packed again, where it is known which they are."""
    files = importlib.metadata.files("pymult") or []
    modules = [file for file in files if file.name.endswith((".so", ".pyd"))]
    assert len(modules) == 1
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if file.locate().is_file() and file.suffix != ".pyc" and file.name not in ("INSTALLER", "REQUESTED"):
                archive.write(file.locate(), str(file))
    assert len(packed.getvalue()) < 6 * 1024


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_imported_again_after_its_removal() -> None:
    program = (
        "import sys, pymult; first = pymult; del sys.modules['pymult']; import pymult; "
        "print(first is not pymult, first.multiply(2**40, 2**40) == pymult.multiply(2**40, 2**40) == 2**80)"
    )
    assert run(program) == "True True"


def test_import_leaves_the_gil_as_it_is() -> None:
    program = (
        "import sys; enabled = getattr(sys, '_is_gil_enabled', lambda: True); "
        "before = enabled(); import pymult; print(before == enabled())"
    )
    assert run(program) == "True"
