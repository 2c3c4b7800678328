"""Links ELF modules, through the compiler driver of the platform.

Measured (reference: NASM marks no stack and gives no section for it): `-z noexecstack` whatever the source says, RELRO
with BIND_NOW, no text relocations, only entry points exported, and no libc exactly when nothing but Python's symbols is
left undefined. The mark for shadow stacks is the sources' to give (Python.inc does), and the link's to keep.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from .names import ENTRY_POINTS
from .run import LinkFailed, run_linker


def words(version_script_file: str, *, debug: bool, has_c: bool) -> list[str]:
    """What every ELF module is linked with. C beside the assembly keeps its symbol names for profilers."""
    found = ["-Wl,-z,noexecstack", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,text", "-Wl,-z,separate-code"]
    found.append(f"-Wl,--version-script={version_script_file}")
    if not debug:
        found.append("-Wl,--strip-debug" if has_c else "-Wl,-s")
    return found


def version_script(extra_exports: Sequence[str]) -> str:
    """The linker script that hides everything but entry points and what the project exports by name."""
    names = "".join(f"    {name};\n" for name in (*ENTRY_POINTS, *extra_exports))
    return f"{{\n  global:\n{names}  local:\n    *;\n}};\n"


def link_assembly(
    driver: Sequence[str], objects: Sequence[str], link_words: Sequence[str], output: str, *, libc: bool, root: Path
) -> None:
    """Links objects of assembly alone through the compiler driver, without the interpreter's own LDFLAGS.

    sysconfig's flags carry the build interpreter's library folder as a run path, which a module without a needed
    library has no use for. The user's LDFLAGS are kept. Raises LinkFailed.
    """

    def link(*start: str) -> None:
        command = [*driver, "-shared", *start, *objects]
        command += [*shlex.split(os.environ.get("LDFLAGS", "")), *link_words, "-o", output]
        run_linker(
            command,
            root,
            "install a C compiler (Debian: apt install gcc; Fedora: dnf install gcc; Alpine: apk add gcc musl-dev), "
            "or name one: CC=/path/to/cc",
        )

    if not libc:
        link("-nostdlib")
        return
    # The start files do nothing for assembly, and where they lack the mark for shadow stacks (Debian 12's crti.o), the
    # module loses its own. What libc links statically (atexit) may refer to them.
    try:
        link("-nostartfiles")
    except LinkFailed:
        link()
