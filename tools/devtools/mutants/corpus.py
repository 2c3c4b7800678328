"""The correct functions: tests/conventions, read into what can be mutated and run.

A function begins with `;; NAME(ARGUMENTS) -> RESULT: what it does` and `;; inputs: INPUT; INPUT`, whose form oracle.c
tells. It ends where the next one begins, and takes its own helpers and tables with it: a copy under another name is
complete.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..shell import ROOT, DevelopmentError

FOLDER = ROOT / "tests/conventions"

HEADER = re.compile(r";; (\w+)\(.*\) -> (void|int32|int64|double): ")
INPUTS = re.compile(r";; inputs: (.+)")
DEFINED = re.compile(r"(?:function )?(\w+):?$|(\.\.@[\w.]+|\w+)(?::| equ )")


@dataclass(frozen=True)
class Convention:
    """One of the two calling conventions, and what its functions are assembled to."""

    name: str
    object_format: str
    """Of the module that is checked."""
    kept: tuple[str, ...]
    """The general registers that a function leaves as they were."""
    kept_vectors: tuple[int, ...]
    volatile: tuple[str, ...]
    """Registers that hold anything behind a call of a function with one result."""


SYSTEM_V = Convention(
    "system_v",
    "elf64",
    ("rbx", "rbp", "r12", "r13", "r14", "r15"),
    (),
    ("rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "rdx"),
)
WIN64 = Convention(
    "win64",
    "win64",
    ("rbx", "rbp", "rsi", "rdi", "r12", "r13", "r14", "r15"),
    tuple(range(6, 16)),
    ("rcx", "rdx", "r8", "r9", "r10", "r11"),
)
CONVENTIONS = (SYSTEM_V, WIN64)


@dataclass(frozen=True)
class Function:
    """A function with its helpers, as it stands in its file."""

    convention: Convention
    file: str
    line: int
    """That of code[0], counted from 1."""
    name: str
    result: str
    inputs: tuple[str, ...]
    code: tuple[str, ...]
    origin: str = "written"
    """Or `macros`, where they made its frame."""

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that it defines, without its local ones."""
        return tuple(dict.fromkeys(found[1] or found[2] for found in map(_defined, self.code) if found))


def _defined(line: str) -> re.Match[str] | None:
    return DEFINED.match(line.rstrip())


@dataclass(frozen=True)
class Source:
    """A file of functions, and what stands before the first."""

    convention: Convention
    file: str
    prelude: tuple[str, ...]
    functions: tuple[Function, ...]


def read(path: Path, convention: Convention) -> Source:
    """One file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [index for index, line in enumerate(lines) if HEADER.match(line)]
    if not starts:
        raise DevelopmentError(f"{path} has no function")
    functions = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        header, inputs = HEADER.match(lines[start]), INPUTS.match(lines[start + 1])
        if header is None or inputs is None:
            raise DevelopmentError(f"{path}:{start + 2}: the line behind a function's header tells its inputs")
        given = tuple("".join(one.split()) for one in inputs[1].split(";"))
        code = tuple(lines[start + 2 : end])
        functions.append(Function(convention, path.name, start + 3, header[1], header[2], given, code))
    return Source(convention, path.name, tuple(lines[: starts[0]]), tuple(functions))


def sources(convention: Convention) -> Sequence[Source]:
    """All files of a convention."""
    return [read(path, convention) for path in sorted((FOLDER / convention.name).glob("*.asm"))]
