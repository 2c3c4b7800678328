"""CPython 3.14 and 3.15 for Linux: Debian sid's binary packages, unpacked into a folder with the C library they need.

Nothing is installed. The interpreter is told by patchelf where its loader and its libraries lie, so that it runs,
makes environments and compiles for itself like any other. Its C library is newer than most machines': 2.41 and later
refuse to load a module that asks for an executable stack, which is tested nowhere else.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .. import apt
from ..shell import DevelopmentError, run
from . import offer

SUITE = "sid"
VERSIONS = ("3.14", "3.15")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "ld-linux-x86-64.so.2"
UNNEEDED = ("usr/share", "etc", "var", "usr/lib/gcc")


def provide(version: str) -> Path:
    """The interpreter of a version, fetched when the cache has none. Raises DevelopmentError."""

    def make(work: Path, final: Path) -> None:
        _make(version, work, final)

    folder = offer.provide(f"debian-{SUITE}-{version}", f"fetching CPython {version} of Debian {SUITE}", make)
    return folder / f"usr/bin/python{version}"


def _make(version: str, work: Path, final: Path) -> None:
    private = apt.PrivateApt(SUITE, work / "apt")
    # The headers' own dependencies are the C library's headers, and compilers have the machine's own.
    packages = private.download_with_dependencies([f"python{version}-venv"])
    packages += private.download([f"libpython{version}-dev"], work / "headers")
    result = work / "result"
    for package in packages:
        apt.unpack(package, result)
    for name in UNNEEDED:
        shutil.rmtree(result / name, ignore_errors=True)
    # The header that Debian puts in its place includes this one by a path that only a whole system has.
    shutil.copyfile(
        result / f"usr/include/x86_64-linux-gnu/python{version}/pyconfig.h",
        result / f"usr/include/python{version}/pyconfig.h",
    )
    python = result / f"usr/bin/python{version}"
    loader = next((path for path in result.rglob(LOADER) if path.is_file()), None)
    if not python.is_file() or loader is None:
        raise DevelopmentError(f"Debian {SUITE}: the packages of CPython {version} hold no interpreter or no loader")
    place = final / loader.relative_to(result)
    run(["patchelf", "--set-interpreter", place, "--force-rpath", "--set-rpath", final / LIBRARIES, python], quiet=True)
