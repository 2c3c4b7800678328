"""What Counter offers, and what it owes: members, attributes, subclasses, errors, state, the collector, threads."""

from __future__ import annotations

import copy
import gc
import inspect
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import counter
import pytest
from counter import Counter, CounterError, total

HIGHEST, LOWEST = 2**63 - 1, -(2**63)


class Named(Counter):
    """A subclass with a name and a dict."""

    def __init__(self, name: str, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.name = name


class Doubling(Counter):
    def advance(self, steps: int = 1, /) -> int:
        return super().advance(2 * steps)


# ---- Making one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "step", "value"),
    [
        (Counter(), 1, 0),
        (Counter(3), 3, 0),
        (Counter(step=-3), -3, 0),
        (Counter(start=5), 1, 5),
        (Counter(2, start=-1), 2, -1),
        (Counter(start=LOWEST, step=HIGHEST), HIGHEST, LOWEST),
        (Counter(True), 1, 0),
    ],
)
def test_starts_as_it_is_told(made: Counter, step: int, value: int) -> None:
    assert (made.step, made.value, made.advances) == (step, value, 0)


def test_without_init_everything_is_zero() -> None:
    bare = Counter.__new__(Counter)
    assert (bare.step, bare.value, bare.advances) == (0, 0, 0)
    assert bare.advance() == 0


def test_init_again_starts_again() -> None:
    made = Counter(2, start=10)
    made.advance()
    made.__init__(3)  # type: ignore[misc]
    assert (made.step, made.value, made.advances) == (3, 0, 1)


def test_failed_init_changes_nothing() -> None:
    made = Counter(2, start=10)
    with pytest.raises(TypeError):
        made.__init__(5, start="x")  # type: ignore[misc, arg-type]
    assert (made.step, made.value) == (2, 10)


@pytest.mark.parametrize(
    ("arguments", "keywords", "error"),
    [
        (("1",), {}, TypeError),
        ((None,), {}, TypeError),
        ((1.5,), {}, TypeError),
        ((), {"start": "0"}, TypeError),
        ((1, 2), {}, TypeError),
        ((1,), {"step": 1}, TypeError),
        ((), {"stop": 1}, TypeError),
        ((2**63,), {}, OverflowError),
        ((), {"start": -(2**63) - 1}, OverflowError),
    ],
)
def test_wrong_arguments(arguments: tuple[Any, ...], keywords: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Counter(*arguments, **keywords)


# ---- Attributes -----------------------------------------------------------------------------------------------------


def test_step_is_a_member_to_write() -> None:
    made = Counter(1, start=100)
    for step in (7, 0, -1, HIGHEST, LOWEST):
        made.step = step
        assert made.step == step
    made.step = -1
    assert made.advance() == 99
    with pytest.raises(TypeError):
        made.step = "1"  # type: ignore[assignment]
    with pytest.raises(TypeError):
        del made.step
    with pytest.raises(OverflowError):
        made.step = 2**63
    assert made.step == -1


def test_advances_is_a_member_to_read() -> None:
    made = Counter()
    for expected in range(5):
        assert made.advances == expected
        made.advance()
    with pytest.raises(AttributeError, match="readonly attribute"):
        made.advances = 0  # type: ignore[misc]
    with pytest.raises(AttributeError, match="readonly attribute"):
        del made.advances  # type: ignore[misc]
    assert made.advances == 5


def test_value_is_read_and_written() -> None:
    made = Counter()
    for value in (5, 0, -1, -2, HIGHEST, LOWEST, True):
        made.value = value
        assert made.value == value
        assert type(made.value) is int


def test_value_refuses_the_rest() -> None:
    made = Counter(start=4)
    for wrong in ("5", None, 1.5, [1]):
        with pytest.raises(TypeError):
            made.value = wrong  # type: ignore[assignment]
    for wide in (2**63, LOWEST - 1, 10**100):
        with pytest.raises(OverflowError):
            made.value = wide
    with pytest.raises(TypeError) as caught:
        del made.value
    assert str(caught.value) == "the value of a counter cannot be deleted"
    assert made.value == 4


def test_error_of_an_index_comes_through() -> None:
    class Failing:
        def __index__(self) -> int:
            raise ZeroDivisionError("from __index__")

    made: Any = Counter()
    with pytest.raises(ZeroDivisionError, match="from __index__"):
        made.value = Failing()
    with pytest.raises(ZeroDivisionError, match="from __index__"):
        made.advance(Failing())
    assert (made.value, made.advances) == (0, 0)


def test_has_nothing_else() -> None:
    made: Any = Counter()
    with pytest.raises(AttributeError):
        made.other = 1
    with pytest.raises(TypeError, match="cannot create weak reference"):
        weakref.ref(made)
    with pytest.raises(TypeError):
        copy.copy(made)  # which would lose what only the module can see


# ---- advance --------------------------------------------------------------------------------------------------------


def test_advance() -> None:
    made, before = Counter(2, start=5), total()
    assert [made.advance(), made.advance(3), made.advance(0), made.advance(-1), made.advance(True)] == [
        7,
        13,
        13,
        11,
        13,
    ]
    assert (made.value, made.advances, total() - before) == (13, 5, 5)


@pytest.mark.parametrize(
    ("step", "start", "steps"),
    [
        (1, HIGHEST, 1),
        (-1, LOWEST, 1),
        (1, LOWEST, -1),
        (HIGHEST, 1, 1),
        (2, 0, HIGHEST),
        (HIGHEST, 0, HIGHEST),
        (LOWEST, 0, -1),
        (LOWEST, LOWEST, 1),
    ],
)
def test_step_beyond_64_bits(step: int, start: int, steps: int) -> None:
    made, before = Counter(step, start=start), total()
    with pytest.raises(CounterError) as caught:
        made.advance(steps)
    assert str(caught.value) == "a counter has 64 bits, and this step needs more"
    assert (made.value, made.step, made.advances, total()) == (start, step, 0, before)


def test_last_step_within_64_bits() -> None:
    assert Counter(start=HIGHEST - 1).advance() == HIGHEST
    assert Counter(start=LOWEST + 1).advance(-1) == LOWEST
    assert Counter(step=LOWEST).advance() == LOWEST


def test_error_is_an_overflow_error_of_the_module() -> None:
    assert CounterError.__mro__[1] is OverflowError
    assert CounterError.__module__ == "counter"
    assert CounterError.__doc__ == "A step that a counter cannot take."


def test_wrong_arguments_of_advance() -> None:
    made: Any = Counter()
    with pytest.raises(TypeError) as caught:
        made.advance(1, 2)
    assert str(caught.value) == "advance() takes at most 1 argument (2 given)"
    for keywords in ({"steps": 1}, {"other": 1}):
        with pytest.raises(TypeError) as caught:
            made.advance(**keywords)
        assert str(caught.value) == "advance() takes no keyword arguments"
    for wrong in ("1", None, 1.5):
        with pytest.raises(TypeError):
            made.advance(wrong)
    with pytest.raises(OverflowError) as wide:
        made.advance(2**63)
    assert type(wide.value) is OverflowError  # the conversion's, not the counter's
    with pytest.raises(TypeError):
        Counter.advance(object())  # type: ignore[arg-type]
    assert (made.value, made.advances) == (0, 0)


# ---- Subclasses -----------------------------------------------------------------------------------------------------


def test_subclass() -> None:
    made, before = Named("first", 4, start=1), total()
    made.extra = [made]  # type: ignore[attr-defined]
    assert (made.name, made.advance(), made.value, made.advances) == ("first", 5, 5, 1)
    assert total() == before + 1  # the state is found through the class that defines the method
    made.step, made.value = HIGHEST, HIGHEST
    with pytest.raises(CounterError):
        made.advance()


def test_subclass_that_overrides() -> None:
    made = Doubling(5)
    assert (made.advance(), made.advance(3), made.advances) == (10, 40, 2)
    assert Counter.advance(made) == 45


def test_subclass_with_slots() -> None:
    class Slotted(Counter):
        __slots__ = ("a", "b")

    made = Slotted(3)
    made.a, made.b = object(), 7  # type: ignore[assignment]
    assert (made.advance(), made.b) == (3, 7)


# ---- What it says of itself -----------------------------------------------------------------------------------------


def test_repr_says_how_to_make_it() -> None:
    for step, start in ((1, 0), (-2, 7), (HIGHEST, LOWEST)):
        made = Counter(step, start=start)
        assert repr(made) == f"Counter(step={step}, start={start})"
        assert repr(eval(repr(made))) == repr(made)


def test_describes_itself() -> None:
    assert counter.__doc__ == "Counters that step."
    assert (Counter.__name__, Counter.__qualname__, Counter.__module__) == ("Counter", "Counter", "counter")
    assert Counter.__doc__ == "Counts in steps, within 64 bits."
    assert str(inspect.signature(Counter)) == "(step=1, *, start=0)"
    assert str(inspect.signature(Counter.advance)) == "(self, steps=1, /)"
    assert str(inspect.signature(Counter().advance)) == "(steps=1, /)"
    assert str(inspect.signature(total)) == "()"
    assert Counter.advance.__doc__ == "Take steps and return the new value."
    assert Counter.step.__doc__ == "How far one step goes."  # type: ignore[attr-defined]
    assert Counter.value.__doc__ == "Where the counter stands."  # type: ignore[attr-defined]
    assert sorted(name for name in vars(counter) if name[0] != "_") == ["Counter", "CounterError", "total"]


# ---- The collector and references -----------------------------------------------------------------------------------


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_module_type_and_exception_are_collected() -> None:
    program = (
        "import gc, sys, weakref, counter\n"
        "made = counter.Counter(); made.advance()\n"
        "kept = [weakref.ref(x) for x in (counter, counter.Counter, counter.CounterError)]\n"
        "del sys.modules['counter'], counter, made\n"
        "for _ in range(3): gc.collect()\n"
        "print([ref() for ref in kept])\n"
        "import counter; print(counter.total(), counter.Counter(5).advance())\n"
    )
    assert run(program).splitlines() == ["[None, None, None]", "0 5"]


def test_two_modules_have_two_states() -> None:
    program = (
        "import sys, counter; first = counter; del sys.modules['counter']; import counter\n"
        "a, b = first.Counter(), counter.Counter(); a.advance(); a.advance(); b.advance()\n"
        "print(first.total(), counter.total(), first.Counter is counter.Counter)\n"
        "a.value = 2**63 - 1\n"
        "try: a.advance()\n"
        "except counter.CounterError: print('of the second')\n"
        "except first.CounterError: print('of the first')\n"
        "del first; print(a.advance(-1) == 2**63 - 2)\n"  # the instance keeps its type, and that the module
    )
    assert run(program).splitlines() == ["2 1 False", "of the first", "True"]


def test_instances_of_a_subclass_in_a_cycle_are_collected() -> None:
    class Local(Counter):
        pass

    made = Local()
    made.itself = made  # type: ignore[attr-defined]
    kept = [weakref.ref(made), weakref.ref(Local)]
    del made, Local
    for _ in range(3):
        gc.collect()
    assert [reference() for reference in kept] == [None, None]


def test_an_instance_shows_the_collector_its_type() -> None:
    assert gc.is_tracked(Counter())
    assert Counter in gc.get_referents(Counter())


def raising(function: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> None:
        try:
            function()
        except (TypeError, OverflowError):
            return
        raise AssertionError("it did not raise")

    return call


LONG_LIVED: Any = Counter(start=1000)
FULL: Any = Counter(start=HIGHEST)
PATHS: dict[str, Callable[[], Any]] = {
    "made": lambda: Counter(1000, start=2000),
    "made, subclass": lambda: Named("a", 1000),
    "made without init": lambda: Counter.__new__(Counter),
    "made wrongly": raising(lambda: Counter(1, start="x")),  # type: ignore[arg-type]
    "advance": lambda: LONG_LIVED.advance(),
    "advance by some": lambda: LONG_LIVED.advance(3),
    "advance a subclass": lambda: Doubling().advance(),
    "full": raising(FULL.advance),
    "wrong steps": raising(lambda: LONG_LIVED.advance("x")),
    "too many": raising(lambda: LONG_LIVED.advance(1, 2)),
    "keywords": raising(lambda: LONG_LIVED.advance(steps=1)),
    "members": lambda: (LONG_LIVED.step, LONG_LIVED.advances, LONG_LIVED.value),
    "set members": lambda: (setattr(LONG_LIVED, "step", 1000), setattr(LONG_LIVED, "value", 5000)),
    "set wrongly": raising(lambda: setattr(LONG_LIVED, "value", "x")),
    "delete": raising(lambda: delattr(LONG_LIVED, "value")),
    "repr": lambda: repr(LONG_LIVED),
    "total": total,
}


@pytest.mark.parametrize("call", PATHS.values(), ids=PATHS.keys())
def test_nothing_is_left(call: Callable[[], Any]) -> None:
    watched = (Counter, CounterError, Named, Doubling, counter, LONG_LIVED, FULL, TypeError)

    def repeat(times: int) -> None:
        for _ in range(times):
            call()

    repeat(1000)  # fills caches and free lists
    gc.collect()
    gc.disable()
    try:
        references, tracked = [sys.getrefcount(item) for item in watched], len(gc.get_objects())
        blocks = sys.getallocatedblocks()
        repeat(100_000)
        blocks = sys.getallocatedblocks() - blocks
        after = [sys.getrefcount(item) for item in watched]
        tracked = len(gc.get_objects()) - tracked
    finally:
        gc.enable()
    assert [a - b for a, b in zip(after, references, strict=True) if abs(a - b) > 2] == []
    assert abs(blocks) <= 100
    assert abs(tracked) <= 10


# ---- Interpreters and threads ---------------------------------------------------------------------------------------

# interpreter(OWN_GIL) makes one, execute(ID, PROGRAM) raises what the program did not catch, destroy(ID).
INTERPRETERS = """
import sys, threading
if sys.version_info >= (3, 13):
    import _interpreters
    def interpreter(own_gil): return _interpreters.create("isolated" if own_gil else "legacy")
    def execute(identity, program):
        failure = _interpreters.exec(identity, program)
        if failure is not None: raise RuntimeError(failure.formatted)
    destroy = _interpreters.destroy
else:
    import warnings; warnings.simplefilter("ignore")
    import _xxsubinterpreters
    def interpreter(own_gil): return _xxsubinterpreters.create(isolated=own_gil)
    execute, destroy = _xxsubinterpreters.run_string, _xxsubinterpreters.destroy
PATH = f"import sys; sys.path[:] = {sys.path!r}\\n"
"""

INSIDE = """
import counter
assert counter.total() == 0, counter.total()
made = counter.Counter(2)
assert [made.advance() for _ in range(5)] == [2, 4, 6, 8, 10]
assert counter.total() == 5, counter.total()
assert id(counter.Counter) != outside, "the type is shared"
made.value = 2**63 - 1
try: made.advance()
except counter.CounterError: pass
else: raise AssertionError("no error")
"""

# From 3.12 on an isolated interpreter has a GIL of its own, and imports only what says that it can work there.
GILS = [False, True] if sys.version_info >= (3, 12) else [False]


@pytest.mark.parametrize("own_gil", GILS)
def test_each_interpreter_has_its_own(own_gil: bool) -> None:
    program = INTERPRETERS + (
        "import counter\n"
        "made = counter.Counter(); made.advance(); made.advance(); made.advance()\n"
        "for _ in range(3):\n"
        f"    one = interpreter({own_gil})\n"
        f"    execute(one, PATH + f'outside = {{id(counter.Counter)}}\\n' + {INSIDE!r})\n"
        "    destroy(one)\n"
        "print(counter.total(), made.advance())\n"
    )
    assert run(program) == "3 4"


@pytest.mark.parametrize("own_gil", GILS)
def test_interpreters_at_the_same_time(own_gil: bool) -> None:
    inside = (
        "import counter\nmade = counter.Counter(3)\n"
        "for _ in range(50_000): made.advance()\n"
        "assert (made.value, counter.total()) == (150_000, 50_000), (made.value, counter.total())\n"
    )
    program = INTERPRETERS + (
        "failures = []\n"
        "def work(one):\n"
        f"    try: execute(one, PATH + {inside!r})\n"
        "    except BaseException as error: failures.append(error)\n"
        f"all_of_them = [interpreter({own_gil}) for _ in range(4)]\n"
        "threads = [threading.Thread(target=work, args=(one,)) for one in all_of_them]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "for one in all_of_them: destroy(one)\n"
        "print(failures)\n"
    )
    assert run(program) == "[]"


def test_threads_with_a_counter_each() -> None:
    before, start = total(), threading.Barrier(8)
    counters = [Counter(step) for step in range(8)]

    def work(mine: Counter) -> None:
        start.wait()
        for _ in range(20_000):
            mine.advance()

    threads = [threading.Thread(target=work, args=(mine,)) for mine in counters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [mine.value for mine in counters] == [20_000 * step for step in range(8)]
    assert total() - before == 160_000


def test_threads_with_the_same_counter() -> None:
    """With a GIL no step is lost; without one some may be, and nothing else happens."""
    shared, start = Counter(), threading.Barrier(4)

    def work() -> None:
        start.wait()
        for _ in range(20_000):
            shared.advance()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert shared.value == 80_000 if enabled else 20_000 <= shared.value <= 80_000


def test_import_leaves_the_gil_as_it_is() -> None:
    program = (
        "import sys; enabled = getattr(sys, '_is_gil_enabled', lambda: True); "
        "before = enabled(); import counter; print(before == enabled())"
    )
    assert run(program) == "True"
