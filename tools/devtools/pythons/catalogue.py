"""Every CPython that tests run under: the machine's own, those that are fetched or built, and those not to be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .. import apt, interpreters
from ..interpreters import Interpreter
from ..shell import DevelopmentError, say
from . import debian, maven, source_builds
from .offer import Missing

NEVER = (
    Missing("3.14t", "no package of it, and no source that a build could start from, is to be had", expected=True),
    Missing("3.15t", "no package of it, and no source that a build could start from, is to be had", expected=True),
    Missing("3.13t Windows", "no free-threaded CPython for Windows is to be had", expected=True),
)

LINUX: dict[str, Callable[[], Path]] = {
    **{version: partial(debian.provide, version) for version in debian.VERSIONS},
    "3.13t": source_builds.provide_free_threaded,
    "3.13 musl": source_builds.provide_musl,
}
"""Label of what the tests want: where it comes from when the machine has none."""


@dataclass(frozen=True)
class WindowsPython:
    """A CPython for Windows, run under Wine."""

    path: Path
    version: tuple[int, int, int]

    @property
    def label(self) -> str:
        return ".".join(map(str, self.version)) + " Windows"

    @property
    def minor(self) -> str:
        """What target-python is set to for it."""
        return f"{self.version[0]}.{self.version[1]}"


def linux() -> tuple[list[Interpreter], list[Missing]]:
    """Every CPython for Linux, oldest first, and those that could not be had, with the reason."""
    own = interpreters.find_all()
    if not apt.usable():
        return own, [Missing(label, "it comes from Debian's packages for x86-64, which this machine cannot take")
                     for label in LINUX]  # fmt: skip
    missing = []
    for label, provide in LINUX.items():
        if any(label == wanted(one) for one in own):
            continue
        try:
            interpreter = interpreters.ask(provide())
        except DevelopmentError as error:
            say(f"CPython {label}: {error}")
            missing.append(Missing(label, str(error)))
            continue
        if interpreter is None:
            missing.append(Missing(label, "it was fetched and does not run here"))
        else:
            own.append(interpreter)
    return sorted(own, key=lambda one: (one.version, one.free_threaded, one.musl)), missing


def wanted(interpreter: Interpreter) -> str:
    """The label of LINUX that an interpreter answers."""
    minor = ".".join(map(str, interpreter.version[:2]))
    return f"{minor}{'t' if interpreter.free_threaded else ''}{' musl' if interpreter.musl else ''}"


def windows() -> tuple[list[WindowsPython], list[Missing]]:
    """Every CPython for Windows, oldest first, and those that could not be had, with the reason."""
    found, missing = [], []
    if not apt.usable():
        reason = "Wine is used on Linux on x86-64 alone"
        return [], [Missing(f"{artefact.release} Windows", reason) for artefact in maven.ARTEFACTS]
    for artefact in maven.ARTEFACTS:
        try:
            path = maven.provide(artefact)
        except DevelopmentError as error:
            say(f"CPython {artefact.release} for Windows: {error}")
            missing.append(Missing(f"{artefact.release} Windows", str(error)))
            continue
        major, minor, micro = map(int, artefact.release.split("."))
        found.append(WindowsPython(path, (major, minor, micro)))
    return found, missing
