"""Where a build works: one folder in the project that builds of one tree take in turn, or a temporary one.

Two builds at once in one tree corrupt each other under plain setuptools, silently (measured: 7 wheels of 30 with files
missing and exit status 0). So a build holds a lock for as long as it runs; the operating system lets go of it when the
process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

from .errors import say
from .files import replace_if_changed

NAME = "build/nasm-build"
PRIVATE_PREFIX = ".nasm-build-"


@contextlib.contextmanager
def build_folder(root: Path, named: str = "") -> Iterator[Path]:
    """The locked folder that builds of this project share: `named`, else `build/nasm-build` in the project.

    Where the project cannot be written to (a read-only mount), a temporary one that nothing is kept in; a folder that
    was asked for by name is not replaced. Raises OSError.
    """
    folder = (root / named) if named else root / NAME
    try:
        _prepare(folder)
        lock = _open_lock(folder)
    except OSError as error:
        if named or error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        with tempfile.TemporaryDirectory(prefix="nasm-build-") as temporary:
            yield Path(temporary).resolve()
        return
    with lock:
        _take(lock, folder)
        for left in folder.glob(PRIVATE_PREFIX + "*"):  # of a build that was killed: this one is alone here
            shutil.rmtree(left, ignore_errors=True)
        yield folder


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.is_file():
        ignore.write_text("*\n", encoding="utf-8")


def _open_lock(folder: Path) -> IO[bytes]:
    return open(folder / "lock", "a+b")


def _take(lock: IO[bytes], folder: Path) -> None:
    """Waits for the lock, saying so once when another build has it."""
    if os.name == "nt":
        _take_windows(lock, folder)
        return
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another build of this project to finish ({folder})")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _take_windows(lock: IO[bytes], folder: Path) -> None:
    import importlib
    import time

    locking = importlib.import_module("msvcrt")
    told = False
    while True:
        try:
            lock.seek(0)
            locking.locking(lock.fileno(), locking.LK_NBLCK, 1)
            return
        except OSError:
            if not told:
                say(f"waiting for another build of this project to finish ({folder})")
                told = True
            time.sleep(0.05)


@contextlib.contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """A folder on the same file system as `beside`, so that what is finished in it can be renamed into place."""
    beside.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(source: Path, target: Path) -> None:
    """Makes `target` hold the files of `source`, touching only what differs.

    Our include files are used from a folder of the project, so that the paths in objects and messages are the same in
    every environment, and pip's fresh ones reassemble nothing.
    """
    target.mkdir(parents=True, exist_ok=True)
    wanted = {path.relative_to(source): path for path in source.rglob("*") if path.is_file()}
    for path in target.rglob("*"):
        if not path.is_dir() and path.relative_to(target) not in wanted:
            path.unlink()
    for name, path in wanted.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        replace_if_changed(target / name, path.read_bytes())


@contextlib.contextmanager
def termination_as_exit() -> Iterator[None]:
    """Lets a polite request to end (SIGTERM) leave through `finally`, so that nothing half-written stays."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
