"""NASM in several versions, for tests: the oldest that is supported, and what Debian's later releases have.

Each comes as Debian's binary package, through an apt configuration of its own, so that nothing is installed and the
machine's own package lists stay as they are. Once a machine; kept in the cache.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import apt
from .cache import cache_folder, locked, touch
from .shell import DevelopmentError, say

SUITES = ("bullseye", "bookworm", "trixie", "sid")
"""Debian 11 to 13 and the next one: NASM 2.15.05, 2.16.01, 2.16.03 and 3.x."""


def fetch_nasms() -> dict[str, Path]:
    """The NASMs of Debian's releases: version, as NASM says it, to a program that can be run here.

    Empty, and said so, on a machine that has no apt for x86-64. Raises DevelopmentError when a package that should be
    there cannot be had.
    """
    if not apt.usable():
        say("NASM in other versions is taken from Debian's packages, and this machine cannot take them: only its own")
        return {}
    programs: dict[str, Path] = {}
    for suite in SUITES:
        program = _provide(suite)
        programs.setdefault(_version(program), program)
    return programs


THREE = ("2.15.05", "2.16.01", "newest")
"""Three that say differently what a source was made from: `-M` of the first leaves out the folder of an include, and
`-MD` of the second leaves out includes."""


def fetch_three() -> dict[str, Path]:
    """The NASMs of THREE. Raises DevelopmentError where one of them cannot be had."""
    fetched = fetch_nasms()
    if not fetched:
        raise DevelopmentError("NASM in other versions needs apt for x86-64, which this machine does not have")
    newest = max(fetched, key=lambda version: [int(part) for part in version.split(".")])
    return {name: fetched[newest if name == "newest" else name] for name in THREE}


def _provide(suite: str) -> Path:
    """The NASM of a suite, fetched when the cache has none."""
    folder = cache_folder("nasms") / suite
    with locked(folder):
        if not (folder / "nasm").exists():
            say(f"fetching NASM of Debian {suite} …")
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{suite}.") as text:
                temporary = Path(text)
                _fetch(suite, temporary)
                shutil.rmtree(folder, ignore_errors=True)
                (temporary / "result").rename(folder)
        touch(folder)
    return folder / "nasm"


def _fetch(suite: str, temporary: Path) -> None:
    """Makes `result/` with a runnable `nasm` in it."""
    packages = temporary / "packages"
    apt.PrivateApt(suite, temporary / "apt").download(["nasm", "libc6"], packages)
    result = temporary / "result"
    result.mkdir()
    for name, place in (("nasm", "package"), ("libc6", "libc6")):
        apt.unpack(next(packages.glob(f"{name}_*.deb")), result / place)
    program = result / "nasm"
    shutil.copy2(result / "package/usr/bin/nasm", program)
    if _starts(program):
        shutil.rmtree(result / "libc6")
    else:
        _wrap(program, Path("package/usr/bin/nasm"))
    if not _starts(program):
        raise DevelopmentError(f"NASM of Debian {suite} does not run here: {program}")


def _wrap(program: Path, real: Path) -> None:
    """Puts a script in the program's place that runs the real one with the C library it was made for."""
    program.write_text(
        "#!/bin/sh\n"
        'here=$(dirname "$(readlink -f "$0")")\n'
        "libraries=$here/libc6/usr/lib/x86_64-linux-gnu:$here/libc6/lib/x86_64-linux-gnu\n"
        'for loader in "$here"/libc6/lib*/*/ld-linux-x86-64.so.2 "$here"/libc6/usr/lib*/*/ld-linux-x86-64.so.2; do\n'
        f'    [ -e "$loader" ] && exec "$loader" --library-path "$libraries" "$here/{real}" "$@"\n'
        "done\n"
        'echo "no loader in $here/libc6" >&2\n'
        "exit 127\n"
    )
    program.chmod(0o755)


def _starts(program: Path) -> bool:
    return _ask(program).startswith("NASM version ")


def _version(program: Path) -> str:
    return _ask(program).split()[2]


def _ask(program: Path) -> str:
    words: Sequence[str | Path] = [program, "-v"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout
