"""The system libraries of a Debian machine that the proof reads: 200, pinned in system.txt by version and hash.

    PYTHONPATH=tools python3 -m devtools.conventions.system > tools/devtools/conventions/system.txt

writes the list anew from what this machine has installed: the names that are listed stay where they are still there,
and others are added, spread over the alphabet, until there are as many as before. A library of another version than the
list's is read all the same, and the proof says so: what it finds there must be just as right.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("system.txt")
FOLDER = Path("/usr/lib/x86_64-linux-gnu")
COUNT = 200
LARGEST = 16 << 20
"""Bytes; a few libraries of compilers are larger than all others together."""

ALWAYS = tuple(
    """
    ld-linux-x86-64.so.2 libc.so.6 libcrypto.so.3 libffi.so.8 libgcc_s.so.1 libgcrypt.so.20 libgmp.so.10 libhogweed.so.6
    libm.so.6 libmvec.so.1 libnettle.so.8 libstdc++.so.6 libsystemd.so.0 libunwind.so.8 libzstd.so.1
    """.split()
)
"""Those with the most assembly, and what nearly every process loads."""

HEADING = """\
# What ./dev prove conventions reads of a machine's system libraries: SHA-256, Debian's package and version, file name.
# Made by: PYTHONPATH=tools python3 -m devtools.conventions.system
"""


@dataclass(frozen=True)
class Pinned:
    """One library: its name in the folder, which is the one that programs load it by."""

    sha256: str
    package: str
    version: str
    name: str


def pinned() -> list[Pinned]:
    """The list."""
    rows = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return [Pinned(*row) for row in rows]


def libraries() -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The libraries of the list that this machine has, and what of them is not as it was pinned."""
    found, notes = [], []
    states: Counter[str] = Counter()
    for one in pinned():
        path = FOLDER / one.name
        if not path.is_file():
            states["not installed"] += 1
            continue
        found.append(path)
        if hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256:
            states["as pinned"] += 1
        else:
            states["of another version"] += 1
            notes.append(f"{one.name}: not the one of {one.package} {one.version}")
    return tuple(found), (", ".join(f"{count} {state}" for state, count in states.items()), *notes)


def installed() -> dict[str, Path]:
    """The shared libraries that this machine has, each file once, by the shortest name that is a version's."""
    names: dict[Path, str] = {}
    for path in sorted(FOLDER.glob("*.so.*"), key=lambda path: (len(path.name), path.name)):
        real = path.resolve()
        if real.is_file() and real.stat().st_size <= LARGEST and real.read_bytes()[:4] == b"\x7fELF":
            names.setdefault(real, path.name)
    # CPython's own libraries are a corpus of their own.
    return {name: real for real, name in sorted(names.items(), key=lambda one: one[1]) if "libpython" not in name}


def chosen(there: Iterable[str], listed: Iterable[str]) -> list[str]:
    """The names of the list: what is always in it, what was, and others at equal distances."""
    names = list(there)
    kept = dict.fromkeys(name for name in (*ALWAYS, *listed) if name in names)
    others = [name for name in names if name not in kept]
    missing = max(0, COUNT - len(kept))
    spread = [others[number * len(others) // missing] for number in range(min(missing, len(others)))]
    return sorted(dict.fromkeys((*list(kept)[:COUNT], *spread)))


def package_of(path: Path) -> tuple[str, str]:
    """Debian's package of a file and its version; hyphens where no package has it."""
    # What a folder like /lib is a link to /usr/lib for may be registered without the /usr.
    for name in (path, Path("/", *path.parts[2:])):
        asked = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            package = asked.stdout.split(": ")[0].split(",")[0]
            words = ["dpkg-query", "-W", "-f", "${Version}", package]
            return package, subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return "-", "-"


def main() -> None:
    """Prints the list for this machine."""
    there = installed()
    listed = [one.name for one in pinned()] if LIST.is_file() else []
    print(HEADING, end="")
    for name in chosen(there, listed):
        package, version = package_of(there[name])
        print(hashlib.sha256(there[name].read_bytes()).hexdigest(), package, version, name)


if __name__ == "__main__":
    main()
