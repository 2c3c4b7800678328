"""What is made once a machine and kept outside the tree: where, by one process at a time, and for how long."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

UNUSED_SECONDS = 3600
"""How long a thing must have lain unused before it may go: another clone may be testing with it."""


def cache_folder(part: str = "") -> Path:
    """$XDG_CACHE_HOME/nasm-build, ~/.cache/nasm-build without it; or a folder in there."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "nasm-build" / part
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(thing: Path) -> Iterator[None]:
    """Holds the lock of a thing that is about to be made: a file beside it."""
    try:
        import fcntl
    except ImportError:  # Windows, where ./dev only lists what is missing
        yield
        return
    with thing.with_name(f"{thing.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def touch(thing: Path) -> None:
    """Marks a thing as used now."""
    os.utime(thing)


def prune(family: Iterable[Path], keep: int) -> None:
    """Of folders that serve one purpose, removes those that are neither among the newest nor lately used."""
    newest_first = sorted(family, key=lambda path: path.stat().st_mtime, reverse=True)
    for old in newest_first[keep:]:
        if old.stat().st_mtime < time.time() - UNUSED_SECONDS:
            with locked(old):
                shutil.rmtree(old, ignore_errors=True)
