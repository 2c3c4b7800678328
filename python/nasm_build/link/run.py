"""Running a linker: what it said is kept when it refuses, so that it can be told in the source's words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import failed, say
from ..programs import run_program

RULE = "link"


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
