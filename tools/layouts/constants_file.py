"""Writes constants.inc, numbers that C takes from <Python.h> by name, and slots.inc, what else is known of some.

NASM reads constants.inc again in each of its passes, so it has nothing that is not a constant of C.
"""

from __future__ import annotations

from collections.abc import Iterator

from .names import CONSTANTS, SLOTS
from .read import MINORS, NEWEST, Answers, version_number

_ALSO_SINCE = ("Py_RELATIVE_OFFSET",)
"""Flags that an older CPython refuses."""


def _value(number: int) -> str:
    return str(number) if number < 0x1000 else f"0x{number:x}"


def _since(known: dict[int, dict[str, int]], name: str) -> int:
    return min(minor for minor in MINORS if name in known[minor])


def text(answers: Answers) -> list[str]:
    """The lines of constants.inc without their head."""
    lines = []
    for heading, names in CONSTANTS.items():
        lines += ["", f"; ---- {heading}"]
        renumbered = []
        for name in names:
            known = {minor: answers.with_gil[minor][name] for minor in MINORS if name in answers.with_gil[minor]}
            known |= {100 + minor: numbers[name] for minor, numbers in answers.free_threaded.items() if name in numbers}
            if len(set(known.values())) == 1:
                lines.append(f"%define {name} {_value(known[NEWEST])}")
            else:
                renumbered.append(name)
        lines += list(_renumbered(answers, renumbered))
    return lines


def slot_text(answers: Answers) -> list[str]:
    """The lines of slots.inc without their head."""
    lines: list[str] = []
    for heading, names in CONSTANTS.items():
        for name in names:
            if heading in SLOTS or name in _ALSO_SINCE:
                lines += _since_lines(answers, name)
    for heading in SLOTS:
        for name in CONSTANTS[heading]:
            older, newer = answers.with_gil[NEWEST - 1].get(name), answers.with_gil[NEWEST][name]
            if older not in (None, newer):
                lines.append(f"%define py@slot_{name} {newer}")
    return lines


def _since_lines(answers: Answers, name: str) -> Iterator[str]:
    """The first version that takes a slot, when not every one does; the limited API may have come to it later."""
    since, limited = _since(answers.with_gil, name), _since(answers.limited, name)
    if since > MINORS[0]:
        yield f"%define py@since_{name} {version_number(since)}"
        if limited != since:
            raise SystemExit(f"{name}: since 3.{since}, in the limited API since 3.{limited}")
    elif limited > MINORS[0]:
        yield from (
            "%ifdef Py_LIMITED_API",
            f"    %define py@since_{name} {version_number(limited)}",
            "%endif",
        )


def _renumbered(answers: Answers, names: list[str]) -> Iterator[str]:
    """Slots that 3.15 gave another number (PEP 820). It still takes the older one in the older arrays."""
    if not names:
        return
    older = {name: answers.with_gil[NEWEST - 1][name] for name in names}
    newer = {name: answers.with_gil[NEWEST][name] for name in names}
    for build in (answers.with_gil, answers.free_threaded, answers.limited):
        for minor, numbers in build.items():
            for name in names:
                if numbers.get(name) not in (None, (newer if minor == NEWEST else older)[name]):
                    raise SystemExit(f"{name}: neither its older nor its newer number in 3.{minor}")
    yield f"%if py@slots_for >= {version_number(NEWEST)}"
    yield from (f"    %define {name} {newer[name]}" for name in names)
    yield "%else"
    yield from (f"    %define {name} {older[name]}" for name in names)
    yield "%endif"


CONDITIONS = """\
; 3.15 gave eight slots another number, so that each has one of its own (PEP 820; slots.inc). As in C's headers, the
; name stands for it only where no older CPython has to understand it.
%ifdef PY_VERSION_HEX
    %define py@slots_for PY_VERSION_HEX
%elifdef Py_LIMITED_API
    %define py@slots_for Py_LIMITED_API
%else
    %define py@slots_for 0
%endif""".splitlines()
"""What stands before the constants."""
