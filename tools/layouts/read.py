"""What all headers say together: one value for each name, build and version; headers that disagree are an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import probe
from .headers import FREE_THREADED_SINCE, Headers

OLDEST, NEWEST = 10, 15
MINORS = range(OLDEST, NEWEST + 1)


def version_number(minor: int) -> str:
    """PY_VERSION_HEX of 3.minor, without what is below the minor version."""
    return f"0x03{minor:02X}0000"


@dataclass
class Answers:
    """Minor version to what its headers say. `limited`: of the version that the limited API promises."""

    with_gil: dict[int, probe.Numbers] = field(default_factory=dict)
    free_threaded: dict[int, probe.Numbers] = field(default_factory=dict)
    limited: dict[int, probe.Numbers] = field(default_factory=dict)
    opaque: dict[int, probe.Numbers] = field(default_factory=dict)  #: abi3t, where an object's head is hidden

    def kind(self, free_threaded: bool) -> dict[int, probe.Numbers]:
        return self.free_threaded if free_threaded else self.with_gil


def read(headers: list[Headers], ask: probe.Asker) -> Answers:
    """Asks all headers; where several are of one version, they must agree, on Windows too."""
    answers = Answers()
    for one in headers:
        for free_threaded in one.kinds():
            defines = ["Py_GIL_DISABLED=1"] if free_threaded and not one.free_threaded else []
            numbers = ask(one.folder, defines, one.compiler)
            known = answers.kind(free_threaded).setdefault(one.minor, numbers)
            if known != numbers:
                differing = sorted(name for name, _ in known.items() ^ numbers.items())
                raise SystemExit(f"{one.folder}: other values than another 3.{one.minor} has: {', '.join(differing)}")
    missing = [f"3.{minor}" for minor in MINORS if minor not in answers.with_gil]
    missing += [
        f"3.{minor}t" for minor in MINORS if minor >= FREE_THREADED_SINCE and minor not in answers.free_threaded
    ]
    if missing:
        raise SystemExit(f"there are no headers of CPython {', '.join(missing)}")
    newest_first = sorted((one for one in headers if not one.free_threaded and one.platform == "linux"),
                          key=lambda one: one.version, reverse=True)  # fmt: skip
    for promised in MINORS:
        later = [
            ask(one.folder, [f"Py_LIMITED_API={version_number(promised)}"], one.compiler)
            for one in newest_first
            if one.minor >= promised
        ]
        # A module that promises 3.11 runs on every later one: what is not the same in all of them is not stable.
        answers.limited[promised] = {
            name: value for name, value in later[0].items() if all(other.get(name) == value for other in later)
        }
    answers.opaque[NEWEST] = ask(
        newest_first[0].folder, [f"Py_TARGET_ABI3T={version_number(NEWEST)}"], newest_first[0].compiler
    )
    return answers
