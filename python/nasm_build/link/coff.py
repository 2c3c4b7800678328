"""Links PE modules of assembly alone with lld-link, on any machine: no SDK, no CPython for Windows.

What a linker must know of CPython and of the C runtime is written from nasm-ext's own tables. A module has no start
code (`/noentry`), names no default library, and holds no time and no path (`/brepro`): the same bytes from every
machine (measured: byte for byte the same under Wine).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..linker import entry_points, import_libraries
from .run import AssemblyLink

ENGINE_WORDS = ("/BREPRO",)
"""What the engine's own link by MSVC is told beside the engine's words."""


def link_assembly(link: AssemblyLink, objects: Sequence[str], output: str) -> None:
    """Makes the module; its scratch folder takes the import libraries. Raises LinkFailed and BuildError."""
    names = dict.fromkeys([*entry_points(objects, link.root), *link.exports])
    python_library, *runtime_libraries = import_libraries(link.python, link.limited_api, link.scratch)
    words = ["/nologo", "/dll", "/noentry", "/machine:x64", "/brepro", "/nodefaultlib"]
    words += _debug_words(output) if link.debug else []
    words += [f"/export:{name}" for name in names]
    words += [f"/libpath:{folder}" for folder in link.library_folders]
    words += [*objects, *(_file_of(name) for name in link.libraries), python_library, *runtime_libraries]
    # lld 14 knows no /noimplib, and a library of what a module exports is of no use beside it.
    words += [*link.words, f"/implib:{link.scratch / 'unused.lib'}", f"/out:{output}"]
    link.run(words)


def _debug_words(output: str) -> list[str]:
    """Debuggers on Windows take lines from a .pdb file; the module names it without a folder."""
    return ["/debug", f"/pdb:{Path(output).with_suffix('.pdb')}", "/pdbaltpath:%_PDB%"]


def _file_of(library: str) -> str:
    return library if library.lower().endswith(".lib") else f"{library}.lib"
