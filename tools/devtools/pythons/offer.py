"""What every source of CPythons shares: a folder in the cache, made whole or not at all, and a reason where not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..cache import cache_folder, locked, touch
from ..shell import Stopwatch

FAMILY = "pythons"


@dataclass(frozen=True)
class Missing:
    """A CPython that the tests should have run under and did not."""

    label: str
    reason: str
    expected: bool = False
    """Whether it is documented as not to be had: then it is named, and fails nothing."""


def kept(name: str) -> Path:
    """The folder that a thing of this name has, whether it is there or not."""
    return cache_folder(FAMILY) / name


def provide(name: str, what: str, make: Callable[[Path, Path], None]) -> Path:
    """A folder of the cache, made when it is not there: `make(work, final)` fills `work/result`, which is then renamed.

    `final` is where the result will lie, for what must know its own place. Raises DevelopmentError.
    """
    folder = kept(name)
    with locked(folder):
        if not folder.is_dir():
            work = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            try:
                with Stopwatch(what):
                    make(work, folder)
                (work / "result").rename(folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        touch(folder)
    return folder
