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


def cache_folder() -> Path:
    """Where what is built once a machine is kept: $XDG_CACHE_HOME/nasm-build, ~/.cache/nasm-build without it."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "nasm-build"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def build_folder() -> Path:
    """Where this clone is built: inside the tree, ignored by git."""
    return ROOT / "build"


def say(text: str) -> None:
    """One line of progress."""
    print(f"[dev] {text}", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> str:
    """Runs a command to its end and returns what it printed.

    `env` is added to the environment. With `quiet`, output is shown only when the command fails; otherwise it passes
    through and the returned text is empty. Raises DevelopmentError on a failure.
    """
    words = [str(word) for word in command]
    if not quiet:
        say(f"$ {shlex.join(words)}")
    try:
        done = subprocess.run(
            words,
            cwd=cwd or ROOT,
            env={**os.environ, **env} if env else None,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
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


class Stopwatch:
    """Says how long a step took when it ends."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.start = time.monotonic()
        say(f"{self.what} …")

    def __exit__(self, *failure: object) -> None:
        word = "failed" if failure[0] else "done"
        say(f"{self.what}: {word}, {time.monotonic() - self.start:.1f} s")
