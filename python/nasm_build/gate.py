"""The gate: no wheel gets its name before every module in it was read back and found to be what Python will need."""

from __future__ import annotations

import zipfile
from pathlib import Path

from . import inspector
from .errors import BuildError, Problem, failed, say
from .retag import retag
from .session import Session

RULE = "module-missing"
SUFFIXES = (".so", ".pyd", ".dylib")


def pass_wheel(wheel: Path, session: Session) -> Path:
    """Reads back every extension module of a finished wheel, and gives it the platform tag that they allow.

    Returns the wheel's file, beside the one that was given. Raises BuildError for a module that will not work, one that
    is not there, or a file that is no wheel. Where this installation has no inspector, says that nothing was checked.
    """
    modules = _modules_in(wheel)
    _require_modules(wheel, modules, session)
    if not modules:
        return wheel
    report = inspector.check([wheel], root=session.root)
    if report is None:
        say(f"note: {wheel.name}: not checked: this installation of nasm-build has no nasm-ext for this machine")
        return wheel
    if report.errors:
        raise BuildError(report.errors)
    if not session.checked:  # what was read back after its link has had its warnings said
        report.tell()
    tagged = retag(wheel, session)
    if tagged != wheel:
        _require_promise(tagged, session)
    return tagged


def _require_promise(wheel: Path, session: Session) -> None:
    """A tag promises more than the engine's own did: what it promises is held against the same modules."""
    report = inspector.check([wheel], root=session.root)
    if report is not None and report.errors:
        raise BuildError(report.errors)


def _modules_in(wheel: Path) -> list[str]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return [name for name in archive.namelist() if name.endswith(SUFFIXES)]
    except (OSError, zipfile.BadZipFile) as error:
        raise failed(f"the engine made no readable wheel: {error}", "unreadable", file=wheel.name) from None


def _require_modules(wheel: Path, modules: list[str], session: Session) -> None:
    """A wheel without a module that the project declares is broken, however cleanly it was built."""
    stems = {name.rpartition("/")[0] + "/" + name.rpartition("/")[2].split(".")[0] for name in modules}
    missing = [
        Problem(
            f"module '{name}' is not in the wheel",
            RULE,
            "let the build step that makes it run: a build_ext of your own must call super().run(); "
            "a module that may be left out is optional = true",
            wheel.name,
        )
        for name, optional in session.expected.items()
        if not optional and not _is_there(name, stems)
    ]
    if missing:
        raise BuildError(missing)


def _is_there(name: str, stems: set[str]) -> bool:
    path = "/" + name.replace(".", "/")
    return any(("/" + stem).endswith(path) for stem in stems)
