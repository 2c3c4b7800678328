"""NASM and a linker as Windows programs, for a build that runs in a Windows CPython under Wine.

NASM is cross-compiled from the source in Debian trixie, the release that nasms.py fetches for Linux: with
--reproducible both write the same objects. The linker is the one inside ziglang's wheel for Windows, LLVM's.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from .. import apt, environments
from ..shell import cores, run
from . import offer

SUITE = "trixie"
HOST = "x86_64-w64-mingw32"
ZIGLANG = "ziglang==0.17.1"


def nasm() -> Path:
    """nasm.exe, built when the cache has none. Raises DevelopmentError."""
    return offer.provide("windows-nasm", "building NASM for Windows", _make_nasm) / "nasm.exe"


def zig() -> Path:
    """zig.exe, whose command `lld-link` is a linker for Windows; fetched when the cache has none.

    Raises DevelopmentError.
    """
    return offer.provide(f"windows-{ZIGLANG}", "fetching a linker for Windows", _make_zig) / "zig.exe"


def zig_for_linux() -> Path:
    """The wheel of the same ziglang for Linux, fetched when the cache has none. Raises DevelopmentError."""
    folder = offer.provide(f"linux-{ZIGLANG}", "fetching a linker for Linux", _fetch_zig_for_linux)
    return next(folder.glob("*.whl"))


def _make_nasm(work: Path, _: Path) -> None:
    tree = apt.PrivateApt(SUITE, work / "apt", sources=True).source_tree("nasm", work / "source")
    run([tree / "configure", f"--host={HOST}", "LDFLAGS=-static"], cwd=tree, quiet=True)
    run(["nice", "-n", "5", "make", f"-j{cores()}", "nasm.exe"], cwd=tree, quiet=True)
    result = work / "result"
    result.mkdir()
    run([f"{HOST}-strip", "-o", result / "nasm.exe", tree / "nasm.exe"], quiet=True)


def _make_zig(work: Path, _: Path) -> None:
    environments.download_one(ZIGLANG, work / "wheel", ["--platform", "win_amd64"])
    wheel = next((work / "wheel").glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extract("ziglang/zig.exe", work)  # of its 400 MB, all that a link needs
    (work / "ziglang").rename(work / "result")


def _fetch_zig_for_linux(work: Path, _: Path) -> None:
    environments.download_one(ZIGLANG, work / "result", ["--platform", "manylinux2014_x86_64"])
