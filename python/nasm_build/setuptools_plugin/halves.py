"""The objects of a universal2 module on macOS: NASM's for x86-64 joined with the C fallback's for arm64.

Each source gives one object with both halves, so that the module is linked once, as any other universal2 module is.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import failed
from ..files import replace_if_changed
from ..programs import run_program

if TYPE_CHECKING:
    from ..source import Macro, Source
    from .module_build import ModuleBuild

RULE = "universal2"
LIPO = ("lipo", "llvm-lipo")


def join_fallbacks(build: ModuleBuild, macros: Sequence[Macro], arguments: Sequence[str]) -> list[str]:
    """Compiles each source's fallback for the other half and joins it with NASM's object. Returns the joined objects.

    Raises BuildError for a source without a fallback, and where there is no lipo.
    """
    joined = []
    for source, assembled in zip(build.plan.assembly, build.objects, strict=True):
        folder = Path(assembled).parent / build.toolchain.fallback_half
        compiled = _compile(build, source, folder, macros, arguments)
        output = str(Path(assembled).with_suffix(".universal2.o"))
        join(build.session.root, [assembled, *compiled], output)
        joined.append(output)
    return joined


def join(root: Path, objects: Sequence[str], output: str) -> None:
    """Makes one object of objects for different architectures. Raises BuildError."""
    lipo = next((found for name in LIPO if (found := shutil.which(name))), None)
    if lipo is None:
        raise failed(
            "there is no lipo, which joins the halves of a universal2 module",
            RULE,
            "xcode-select --install, or build for one architecture: ARCHFLAGS='-arch x86_64'",
        )
    command = [lipo, "-create", *objects, "-output", output]
    done = run_program(command, root)
    if done.returncode != 0:
        raise failed("lipo failed", RULE, details=f"  command: {' '.join(command)}\n{done.stdout.rstrip()}")


def _compile(
    build: ModuleBuild, source: Source, folder: Path, macros: Sequence[Macro], arguments: Sequence[str]
) -> list[str]:
    half = build.toolchain.fallback_half
    files = source.fallback_files
    if files is None:
        raise failed(
            f"NASM writes x86-64 code, and the {half} half of a universal2 module needs C that stands in for it",
            "no-fallback",
            f'give it: {{ file = "{source.file}", fallback = "{Path(source.file).with_suffix(".c").as_posix()}" }}; '
            "or build for one architecture: ARCHFLAGS='-arch x86_64'",
            file=source.file,
        )
    if not files:  # the C beside it copes alone; an object without content keeps the link of both halves alike
        empty = folder / "nothing.c"
        replace_if_changed(build.session.root / empty, b"typedef int nothing;\n")
        files = [empty.as_posix()]
    compiler: Any = build.command.compiler
    # distutils' -arch words for both halves go when one is named (its compiler_fixup).
    words = [*arguments, "-arch", half]
    made: list[str] = compiler.compile(
        files,
        output_dir=str(folder),
        macros=list(macros),
        include_dirs=list(build.extension.include_dirs),
        extra_postargs=words,
        depends=list(build.extension.depends),
    )
    if len(made) == 1:
        return made
    combined = str(folder / "fallbacks.o")
    command = ["ld", "-r", "-arch", half, *made, "-o", combined]
    done = run_program(command, build.session.root)
    if done.returncode != 0:
        raise failed("the fallbacks cannot be joined", RULE, details=f"  command: {' '.join(command)}\n{done.stdout}")
    return [combined]
