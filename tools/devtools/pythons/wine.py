"""Runs Windows programs under Wine: a prefix of our own, a server that stays between programs, pipes done right.

Measured with Wine 8: a Python whose standard output is a regular file ends at once, so output always goes through a
pipe; the server and its services, where a program starts them, keep that program's pipe open after its end: they are
started before it, with nothing to hold, and a program has ended when its process has, not when its pipe has. Once in
some thousand starts, with other builds beside it, a process dies before its first instruction: it is started again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..shell import DevelopmentError
from . import offer

RECIPE = "1"
LINGER_SECONDS = 120
"""How long the server stays after the last program."""

PROGRAM_FOLDERS = ("/usr/lib/wine", "/usr/lib/wine/../../bin")
GRACE_SECONDS = 2.0
"""How long an open pipe is still read after a program's end."""
ATTEMPTS = 3
CHILD_NOT_STARTED = "[WinError 1359]"
"""What CreateProcess says when Wine's new process died before its first instruction: ERROR_INTERNAL_ERROR."""
_SETTINGS = {
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree=;mshtml=;winedbg.exe=",  # no questions about .NET and HTML, no debugger's window
}
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TMPDIR")
"""Of Linux's variables, those that Wine itself needs; a Windows program must see no other, such as PYTHONHOME."""


@dataclass(frozen=True)
class Done:
    """How a program ended, and what it printed, both streams in their order."""

    status: int
    output: str

    @property
    def was_started(self) -> bool:
        """Whether the end can be the program's own: a Python that fails says why, and Windows has no such error."""
        return not (self.status == 1 and not self.output) and CHILD_NOT_STARTED not in self.output


def run_windows(
    program: Path,
    words: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> Done:
    """Runs a Windows program to its end. Paths among its words are Linux's: Wine's programs take them as Z:'s.

    A program that Wine did not start, or whose own program it did not, runs again, which is said. Raises
    DevelopmentError when Wine cannot be had or the program does not end within `timeout` seconds.
    """
    prefix = provide_prefix()
    start_server(prefix)
    command = [_wine(), program, *(windows_path(word) if isinstance(word, Path) else word for word in words)]
    for attempt in range(1, ATTEMPTS + 1):
        done = _run_once([str(word) for word in command], program.name, environment(prefix, env), cwd, timeout)
        if done.was_started:
            break
        died = f"a process died before its first instruction (attempt {attempt} of {ATTEMPTS})"
        print(f"[dev] under Wine, {died}: {program.name}", file=sys.stderr, flush=True)
    return done


def _run_once(
    command: list[str], name: str, variables: dict[str, str], cwd: Path | None, timeout: float | None
) -> Done:
    reader, writer = os.pipe()
    printed = bytearray()

    def drain() -> None:
        while part := os.read(reader, 65536):
            printed.extend(part)
        os.close(reader)

    with subprocess.Popen(
        command,
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.STDOUT,
    ) as process:
        os.close(writer)
        draining = threading.Thread(target=drain, daemon=True)
        draining.start()
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise DevelopmentError(f"under Wine, {name} did not end within {timeout} seconds") from None
    # What the program printed is in the pipe by now; whoever else holds the other end has nothing to say.
    draining.join(GRACE_SECONDS)
    return Done(status, bytes(printed).decode("utf-8", "replace").replace("\r\n", "\n"))


def windows_path(path: Path) -> str:
    """How a Windows program under Wine names a file of Linux."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def search_path(*folders: Path) -> str:
    """A value for PYTHONPATH."""
    return ";".join(windows_path(folder) for folder in folders)


def environment(prefix: Path, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables a Windows program starts with."""
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**own, **_SETTINGS, "WINEPREFIX": str(prefix), "PYTHONUTF8": "1", **(changes or {})}


def provide_prefix() -> Path:
    """Wine's folder of our own, made when the cache has none. Raises DevelopmentError."""

    def make(work: Path, _: Path) -> None:
        prefix = work / "result"
        prefix.mkdir()
        for words in (["wineboot", "--init"], ["winecfg", "-v", "win10"]):
            _quietly([_wine(), *words], prefix)
        _quietly([_server(), "--wait"], prefix)
        if not (prefix / "system.reg").is_file():
            raise DevelopmentError("Wine made no prefix; try it by hand: WINEPREFIX=/tmp/prefix wine wineboot --init")

    return offer.provide(f"wine-{RECIPE}", "making a Wine prefix", make)


def start_server(prefix: Path) -> None:
    """Starts the prefix' server and its services, without a pipe of ours, unless they were in use just now."""
    if time.monotonic() - _last_use.get(prefix, float("-inf")) > LINGER_SECONDS / 2:
        _quietly([_server(), f"--persistent={LINGER_SECONDS}"], prefix)
        _quietly([_wine(), "wineboot"], prefix)
    _last_use[prefix] = time.monotonic()


_last_use: dict[Path, float] = {}


def _quietly(command: Sequence[str | Path], prefix: Path) -> None:
    """Runs one of Wine's own programs, which speak of much and mean nothing by it."""
    subprocess.run(
        [str(word) for word in command],
        env=environment(prefix),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _wine() -> Path:
    return _program("wine64", "wine")


def _server() -> Path:
    return _program("wineserver64", "wineserver")


def _program(*names: str) -> Path:
    """A program of Wine: Debian's wine64 alone puts none on PATH."""
    folders = [*os.get_exec_path(), "/usr/lib/wine"]
    for name in names:
        found = shutil.which(name, path=os.pathsep.join(folders))
        if found:
            return Path(found)
    raise DevelopmentError(f"Wine was not found: no {names[0]} on PATH or in /usr/lib/wine")
