"""Running programs and telling what happens: the only place where the developer tools start a process."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""


class DevelopmentError(Exception):
    """A step failed for a reason that the message tells; ./dev prints it without a traceback."""


def build_folder() -> Path:
    """Where this clone is built: inside the tree, ignored by git."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder


def cores() -> int:
    """How many processes a step may run side by side."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def say(text: str) -> None:
    """One line of progress."""
    print(f"[dev] {text}", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
    warnings: bool = True,
) -> str:
    """Runs a command to its end and returns what it printed.

    `env` is added to the environment. With `quiet`, output is shown only when the command fails; otherwise it passes
    through and the returned text is empty. Without `warnings`, what goes to standard error is left out of the text.
    Raises DevelopmentError on a failure.
    """
    words = [str(word) for word in command]
    if not quiet:
        say(f"$ {shlex.join(words)}")
    try:
        done = subprocess.run(
            words,
            cwd=cwd or ROOT,
            env={**os.environ, **env} if env else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=(subprocess.STDOUT if warnings else subprocess.DEVNULL) if quiet else None,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise DevelopmentError(f"{words[0]}: {error.strerror}") from None
    if done.returncode != 0:
        if quiet:
            sys.stdout.write(done.stdout)
        raise DevelopmentError(f"exit status {done.returncode}: {shlex.join(words)}")
    return done.stdout or ""


def succeeds(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> bool:
    """Like `run`, shown as it runs, for a step whose failure is one result among others."""
    try:
        run(command, env=env)
    except DevelopmentError as error:
        say(str(error))
        return False
    return True


class Stopwatch:
    """Says how long a step took when it ends."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> Stopwatch:
        self.start = time.monotonic()
        say(f"{self.what} …")
        return self

    def __exit__(self, *failure: object) -> None:
        word = "failed" if failure[0] else "done"
        say(f"{self.what}: {word}, {self.seconds():.1f} s")

    def seconds(self) -> float:
        """The time since the step began."""
        return time.monotonic() - self.start
