"""One assembly source of an extension, with what is its own: macros, NASM arguments, and what stands in off x86-64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

SUFFIXES = (".asm", ".nasm")
"""The names by which a source is known to be for NASM."""

Macro = tuple[str, "str | None"]
"""A macro's name and value; None defines it without one, as setuptools means it."""


@dataclass(frozen=True)
class Source:
    """A file for NASM in `Extension(sources=[…])`.

    `file` is relative to the project, with forward slashes. `fallback` names the C or C++ files that stand in for this
    file where NASM cannot write for the target; an empty list says that nothing need stand in (the C beside it asks
    `NASM_BUILD_ASM`), and None that the target cannot be built for.
    """

    file: str
    define_macros: Sequence[Macro] = field(default=())
    nasm_args: Sequence[str] = field(default=())
    fallback: str | Sequence[str] | None = None

    @property
    def fallback_files(self) -> list[str] | None:
        if self.fallback is None:
            return None
        return [self.fallback] if isinstance(self.fallback, str) else list(self.fallback)


def is_assembly(name: str) -> bool:
    """Whether a source with this name is for NASM."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower() in SUFFIXES
