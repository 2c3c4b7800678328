"""The CPythons of this machine: PATH, pyenv, uv, Homebrew, the usual folders, and NASM_BUILD_PYTHONS."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MINIMUM = (3, 10)

# What an interpreter is asked. `headers`: whether C can be compiled for it; `venv`: whether it makes environments.
_QUESTION = """
import importlib.util, json, os, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "release": sys.version_info.releaselevel,
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "base_prefix": os.path.realpath(sys.base_prefix),
    "headers": os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "venv": importlib.util.find_spec("venv") is not None,
    "musl": "musl" in (sysconfig.get_config_var("SOABI") or ""),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython that tests can run under."""

    path: Path
    version: tuple[int, int, int]
    free_threaded: bool
    headers: bool
    venv: bool
    musl: bool = False

    @property
    def label(self) -> str:
        return ".".join(map(str, self.version)) + ("t" if self.free_threaded else "") + ("-musl" if self.musl else "")


def requirements(purpose: str, interpreter: Interpreter) -> str:
    """The requirements file of a purpose: packages leave the free-threaded 3.13 behind sooner than others."""
    is_313t = interpreter.version[:2] == (3, 13) and interpreter.free_threaded
    return f"{purpose}-3.13t.txt" if is_313t else f"{purpose}.txt"


def find_all() -> list[Interpreter]:
    """Every CPython ≥ 3.10 found, oldest first; one of each version, ABI and C library, the first that was found."""
    found: dict[tuple[tuple[int, int, int], bool, bool], Interpreter] = {}
    asked: set[Path] = set()
    for candidate in candidates():
        real = candidate.resolve()
        if real in asked:
            continue
        asked.add(real)
        interpreter = ask(candidate)
        if interpreter is not None:
            found.setdefault((interpreter.version, interpreter.free_threaded, interpreter.musl), interpreter)
    return [found[key] for key in sorted(found)]


def ask(candidate: Path) -> Interpreter | None:
    """What an interpreter says of itself; None when it is no CPython that we support, or does not run."""
    try:
        answer = subprocess.run(
            [str(candidate), "-I", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        facts = json.loads(answer)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    version = tuple(facts["version"])
    if facts["implementation"] != "cpython" or version < MINIMUM or len(version) != 3:
        return None
    return Interpreter(
        Path(facts["executable"]), version, facts["free_threaded"], facts["headers"], facts["venv"], facts["musl"]
    )


def candidates() -> Iterator[Path]:
    """Every file that may be a Python, whether it runs and of whatever version."""
    for named in os.environ.get("NASM_BUILD_PYTHONS", "").split(os.pathsep):
        if named:
            yield Path(named)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    for pattern, base in (
        ("versions/*/bin/python3", pyenv),
        ("cpython-*/bin/python3", uv),
        ("opt/python@3.*/bin/python3.*", Path("/opt/homebrew")),
        ("opt/python@3.*/bin/python3.*", Path("/usr/local")),
        ("Python.framework/Versions/3.*/bin/python3", Path("/Library/Frameworks")),
    ):
        yield from (path for path in sorted(base.glob(pattern)) if not path.name.endswith("-config"))
    for folder in os.get_exec_path():
        if Path(folder) == pyenv / "shims":
            continue  # a shim answers for whichever version is selected, and those are listed above
        for path in sorted(Path(folder).glob("python3*")):
            if path.name.removeprefix("python3").lstrip(".").rstrip("t").isdigit() or path.name == "python3":
                yield path
