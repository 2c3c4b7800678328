"""CPython 3.13 without the GIL, and linked with musl: built from the source that Debian trixie carries.

Neither is packaged for Debian. musl-tools has a compiler for musl but no libraries, so zlib and libffi, without which
there is no pip and no ctypes, are built first, as static libraries; OpenSSL is not, and the musl CPython has no ssl.
Nothing is profiled or tested while it is built: that would take an hour instead of minutes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import apt
from ..shell import cores, run
from . import offer

SUITE = "trixie"
SOURCE = "python3.13"
UNUSED_MODULES = ("_curses", "_curses_panel", "_dbm", "_gdbm", "readline", "_tkinter", "_sqlite3", "_uuid", "nis")
OPTIMISATION = {"OPT": "-DNDEBUG -fwrapv -O2"}
NICE = ("nice", "-n", "5")


def provide_free_threaded() -> Path:
    """CPython 3.13t, built when the cache has none. Raises DevelopmentError."""
    folder = offer.provide("cpython-3.13t", "building the free-threaded CPython 3.13", _make_free_threaded)
    return folder / "bin/python3.13t"


def provide_musl() -> Path:
    """CPython 3.13 for musl, built when the cache has none. Raises DevelopmentError."""
    folder = offer.provide("cpython-3.13-musl", "building CPython 3.13 for musl", _make_musl)
    return folder / "bin/python3.13"


def _make_free_threaded(work: Path, final: Path) -> None:
    _build(_source(work, SOURCE), work, final, ["--disable-gil"], {})


def _make_musl(work: Path, final: Path) -> None:
    libraries = work / "libraries"
    compiler = {"CC": "musl-gcc", "CFLAGS": "-O2 -fPIC"}
    zlib = _source(work, "zlib")
    run([zlib / "configure", "--static", f"--prefix={libraries}"], cwd=zlib, env=compiler, quiet=True)
    _install(zlib)
    libffi = _source(work, "libffi")
    run(["autoreconf", "--force", "--install"], cwd=libffi, quiet=True)
    # Its trampolines are written for glibc's headers; closures in plain memory serve as well.
    plain = ["--disable-shared", "--disable-docs", "--disable-exec-static-tramp", "--disable-multi-os-directory"]
    host = "--host=x86_64-linux-musl"
    run([libffi / "configure", f"--prefix={libraries}", host, *plain], cwd=libffi, env=compiler, quiet=True)
    _install(libffi)
    _build(
        _source(work, SOURCE),
        work,
        final,
        [f"py_cv_module_{name}=n/a" for name in ("_ssl", "_hashlib", "_bz2", "_lzma")],
        {
            "CC": "musl-gcc",
            "PATH": os.pathsep.join([str(_compiler_without_triplet(work)), os.environ["PATH"]]),
            "PKG_CONFIG_LIBDIR": str(libraries / "lib/pkgconfig"),
            "PKG_CONFIG_PATH": "",
        },
    )


def _compiler_without_triplet(work: Path) -> Path:
    """A folder for PATH with a musl-gcc that names no triplet: the real one names gcc's own, and configure objects."""
    real = shutil.which("musl-gcc")
    folder = work / "compiler"
    folder.mkdir()
    script = folder / "musl-gcc"
    script.write_text(f'#!/bin/sh\n[ "$1" = --print-multiarch ] && exit 0\nexec {real} "$@"\n')
    script.chmod(0o755)
    return folder


def _source(work: Path, package: str) -> Path:
    """A source package's upstream tree, unpacked."""
    private = work / "apt"
    shutil.rmtree(private, ignore_errors=True)
    return apt.PrivateApt(SUITE, private, sources=True).source_tree(package, work / "sources" / package)


def _build(source: Path, work: Path, final: Path, options: Sequence[str], env: Mapping[str, str]) -> None:
    """Configures for the final place, and installs aside, into `work/result`."""
    options = [*options, "--without-ensurepip", "--without-static-libpython", "--disable-test-modules"]
    options += [f"py_cv_module_{name}=n/a" for name in UNUSED_MODULES]
    run([source / "configure", f"--prefix={final}", *options], cwd=source, env={**OPTIMISATION, **env}, quiet=True)
    _install(source, f"DESTDIR={work / 'staged'}")
    (work / "staged" / final.relative_to("/")).rename(work / "result")


def _install(source: Path, *words: str) -> None:
    run([*NICE, "make", f"-j{cores()}"], cwd=source, quiet=True)
    run([*NICE, "make", "install", *words], cwd=source, quiet=True)
