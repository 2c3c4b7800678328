"""The headers that probes are compiled with: those of every CPython that tests run under, Windows' among them."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devtools import interpreters
from devtools.pythons import catalogue

from . import probe

FREE_THREADED_SINCE = 13
_ASK_FOLDER = "import sysconfig; print(sysconfig.get_path('include'))"


@dataclass(frozen=True)
class Headers:
    """One folder with a Python.h."""

    folder: Path
    version: tuple[int, int, int]
    platform: str  #: "linux" or "windows"
    free_threaded: bool  #: whether its pyconfig.h defines Py_GIL_DISABLED

    @property
    def minor(self) -> int:
        return self.version[1]

    @property
    def compiler(self) -> probe.Compiler:
        return probe.WINDOWS if self.platform == "windows" else probe.LINUX

    def kinds(self) -> tuple[bool, ...]:
        """The builds that the headers can be read as: with a GIL, free-threaded."""
        if self.free_threaded:
            return (True,)
        # pyconfig.h for Windows defines Py_GIL_DISABLED itself, or not; a define would be taken for its own.
        return (False, True) if self.minor >= FREE_THREADED_SINCE and self.platform == "linux" else (False,)

    def origin(self) -> str:
        """What a generated file says of it."""
        kind = "t" if self.free_threaded else ""
        digest = hashlib.sha256()
        for header in sorted(self.folder.rglob("*.h")):
            digest.update(header.read_bytes())
        return f"{'.'.join(map(str, self.version))}{kind} {self.platform}, SHA-256 {digest.hexdigest()[:16]}…"


def of(interpreter: interpreters.Interpreter) -> Headers:
    """An interpreter's own."""
    answer = subprocess.run(
        [str(interpreter.path), "-I", "-c", _ASK_FOLDER], check=True, capture_output=True, text=True
    ).stdout
    return Headers(Path(answer.strip()), interpreter.version, "linux", interpreter.free_threaded)


def find_all() -> list[Headers]:
    """Every CPython's, oldest first; what is not on this machine is fetched. musl's are those of the same version."""
    found, _ = catalogue.linux()
    headers = [of(interpreter) for interpreter in found if interpreter.headers and not interpreter.musl]
    windows, _ = catalogue.windows()
    headers += [Headers(python.path.parent / "include", python.version, "windows", False) for python in windows]
    return headers
