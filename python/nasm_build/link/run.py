"""A link and its running: what a linker says when it refuses is kept, so that it can be told in the source's words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import failed, say
from ..linker import Linker
from ..programs import run_program

RULE = "link"


@dataclass(frozen=True)
class AssemblyLink:
    """What a module of assembly alone is linked from, with a linker of LLVM's or zig's.

    Paths are relative to `root`, or absolute. `scratch` is this module's alone: setuptools may link several at once.
    """

    linker: Linker
    root: Path
    scratch: Path
    platform: str  #: sysconfig's word: `win-amd64`, `macosx-11.0-x86_64`
    python: str  #: `3.13`, `3.13t`
    limited_api: str
    debug: bool
    exports: Sequence[str]  #: names of the project's own, beside the entry points
    libraries: Sequence[str]
    library_folders: Sequence[str]
    words: Sequence[str]  #: the user's own, in the linker's language

    def run(self, words: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
        """Runs the linker. Raises LinkFailed and BuildError."""
        command = [*self.linker.words, *words]
        run_linker(command, self.root, "install LLVM's lld, or: pip install ziglang", variables)


class LinkFailed(Exception):
    """The linker refused; `refusals.explain` turns it into what the source needs."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        super().__init__(output)
        self.command = list(command)
        self.status = status
        self.output = output


def run_linker(command: Sequence[str], root: Path | None, fix: str, variables: Mapping[str, str] | None = None) -> None:
    """Runs a link in the project's folder, with further environment variables.

    `fix` says how to get a linker where this one cannot be started.

    Raises LinkFailed for a refusal, BuildError for a linker that does not start; prints what it warns of.
    """
    try:
        done = run_program(command, root, {**os.environ, **variables} if variables else None)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise failed(f"no linker: '{command[0]}' cannot be run: {reason}", RULE, fix) from None
    if done.returncode != 0:
        raise LinkFailed(command, done.returncode, done.stdout)
    if done.stdout.strip():
        say(done.stdout.rstrip())
