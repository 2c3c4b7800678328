"""The files that the verifier is held against: each is pinned by its hash, or what this machine has of CPython."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import interpreters, public_wheels
from ..agreement.proof import PINS
from ..pythons import catalogue
from . import system

# What an interpreter is asked; any from 3.6 on answers.
_QUESTION = """
import json, os, sys, sysconfig
folders = [sysconfig.get_config_var("LIBDIR") or "", os.path.join(sys.base_prefix, "lib")]
folders += [os.path.join(folder, sysconfig.get_config_var("MULTIARCH") or "") for folder in folders]
print(json.dumps({
    "modules": os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload"),
    "libraries": [os.path.join(folder, sysconfig.get_config_var("INSTSONAME") or "-") for folder in folders],
    "executable": os.path.realpath(sys.executable),
}))
"""


@dataclass(frozen=True)
class Corpus:
    """Files of one origin, judged together: a single library may have an unusual share of assembly."""

    name: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    """What of it is not as it was pinned, or not there."""


def all_corpora() -> list[Corpus]:
    """Every corpus, fetched where it is not there yet."""
    modules, libraries = of_pythons()
    return [
        Corpus("lib-dynload", modules),
        Corpus("libpython", libraries),
        Corpus("system libraries", *system.libraries()),
        Corpus("CPython for Windows", *windows()),
        Corpus("public wheels", tuple(public_wheels.fetch(one) for one in public_wheels.listed(PINS))),
    ]


def of_pythons() -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The modules of lib-dynload, and libpython or the executable that holds it, of every CPython for Linux."""
    found, _ = catalogue.linux()
    modules: dict[Path, None] = {}
    libraries: dict[Path, None] = {}
    for program in [*(one.path for one in found), *interpreters.candidates()]:
        installed = _ask(program)
        if installed is not None:
            modules |= dict.fromkeys(path.resolve() for path in sorted(installed.modules.glob("*.so")))
            libraries[installed.library.resolve()] = None
    return tuple(modules), tuple(libraries)


@dataclass(frozen=True)
class _Installed:
    """What an interpreter says of itself."""

    modules: Path
    library: Path


def _ask(program: Path) -> _Installed | None:
    try:
        asked = subprocess.run([program, "-I", "-c", _QUESTION], capture_output=True, text=True, timeout=30, check=True)
        facts = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    shared = next((path for name in facts["libraries"] if (path := Path(name)).is_file()), None)
    return _Installed(Path(facts["modules"]), shared or Path(facts["executable"]))


def windows() -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The DLLs and modules of every CPython for Windows, each content once: some lie there twice."""
    found, missing = catalogue.windows()
    files = [path for one in found for path in sorted(_binaries(one.path.parent))]
    once = {path.read_bytes(): path for path in reversed(files)}
    return tuple(sorted(once.values())), tuple(f"CPython {one.label}: {one.reason}" for one in missing)


def _binaries(folder: Path) -> Iterator[Path]:
    for pattern in ("*.dll", "lib/*.dll", "lib/*.pyd", "DLLs/*"):
        yield from (path for path in folder.glob(pattern) if path.suffix in (".dll", ".pyd"))
