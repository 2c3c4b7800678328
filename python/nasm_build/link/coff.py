"""Links PE modules of assembly alone with lld-link, on any machine: no SDK, no CPython for Windows.

What a linker must know of CPython and of the C runtime is written from nasm-ext's own tables. A module has no start
code (`/noentry`), names no default library, and holds no time and no path (`/brepro`): the same bytes from every
machine (measured: byte for byte the same under Wine).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..linker import Linker, entry_points, import_libraries
from .run import run_linker

ENGINE_WORDS = ("/BREPRO",)
"""What the engine's own link by MSVC is told beside the engine's words."""


@dataclass(frozen=True)
class PeLink:
    """One link. Paths are relative to `root`, or absolute."""

    linker: Linker
    root: Path
    python: str  #: whose DLL is imported from: `3.13`, `3.13t`
    limited_api: str
    debug: bool
    exports: Sequence[str] = ()  #: names of the project's own, beside the entry points
    libraries: Sequence[str] = ()
    library_folders: Sequence[str] = ()
    words: Sequence[str] = ()  #: the user's own, in lld-link's language


def link_assembly(link: PeLink, objects: Sequence[str], output: str, scratch: Path) -> None:
    """Makes the module; `scratch` takes the import libraries. Raises LinkFailed and BuildError."""
    names = dict.fromkeys([*entry_points(list(objects), link.root), *link.exports])
    python_library, *runtime_libraries = import_libraries(link.python, link.limited_api, scratch / "import-libraries")
    command = [*link.linker.words, "/nologo", "/dll", "/noentry", "/machine:x64", "/brepro", "/nodefaultlib"]
    command += _debug_words(output) if link.debug else []
    command += [f"/export:{name}" for name in names]
    command += [f"/libpath:{folder}" for folder in link.library_folders]
    command += [*objects, *(_file_of(name) for name in link.libraries), python_library, *runtime_libraries]
    # lld 14 knows no /noimplib, and a library of what a module exports is of no use beside it.
    command += [*link.words, f"/implib:{scratch / 'unused.lib'}", f"/out:{output}"]
    run_linker(command, link.root, "install LLVM's lld, or: pip install ziglang")


def _debug_words(output: str) -> list[str]:
    """Debuggers on Windows take lines from a .pdb file; the module names it without a folder."""
    return ["/debug", f"/pdb:{Path(output).with_suffix('.pdb')}", "/pdbaltpath:%_PDB%"]


def _file_of(library: str) -> str:
    return library if library.lower().endswith(".lib") else f"{library}.lib"
