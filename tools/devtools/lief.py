"""Builds LIEF's C++ library from its pinned source release, once a machine.

No distribution that we support packages a LIEF worth linking, and PyPI's newer wheels hide its C++ symbols
(reference: the 0.12.3 source release is the newest that PyPI carries). A LIEF that CMake's find_package can see
(SDK, vcpkg, conda) always goes first: set LIEF_DIR or CMAKE_PREFIX_PATH.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .cache import cache_folder, locked
from .shell import ROOT, DevelopmentError, Stopwatch, run, say

VERSION = "0.12.3"
SHA256 = "62e81d2f1a827d43152aed12446a604627e8833493a51dca027026eed0ce7128"

SWITCHED_OFF = (
    *("DEX", "ART", "OAT", "VDEX", "ENABLE_JSON", "C_API"),
    *("EXAMPLES", "LOGGING", "LOGGING_DEBUG", "PYTHON_API", "TESTS", "DOC", "USE_CCACHE"),
)


@dataclass(frozen=True)
class Variant:
    """One way of building LIEF. Whatever is said here makes another folder in the cache."""

    name: str = ""
    flags: str = ""
    words: tuple[str, ...] = ()
    """For CMake, after the words that all variants share."""
    files: tuple[Path, ...] = (ROOT / "cmake/deps/lief-unity.cmake",)
    """The last is what LIEF's own build includes; the others decide the result too."""
    compiler: str = ""
    """The C++ compiler, where it is not the machine's own."""


NATIVE = Variant()
SANITIZED = Variant(
    "sanitized",
    # Undefined behaviour is gone on from, so that tools/devtools/lief-undefined.txt can be taken into account; what
    # runs it sets halt_on_error. The counters are for libFuzzer, and cost others little.
    "-fsanitize=address,undefined -fsanitize-coverage=inline-8bit-counters,pc-table -fno-omit-frame-pointer -g1",
    (
        "-DCMAKE_C_COMPILER=clang-19",
        "-DCMAKE_CXX_COMPILER=clang++-19",
        *("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1", "-DCMAKE_C_FLAGS_DEBUG=-O1"),
    ),
    compiler="clang++-19",
)
MINGW = ROOT / "cmake/mingw-w64.cmake"
WINDOWS = Variant(
    "windows",
    words=(f"-DCMAKE_TOOLCHAIN_FILE={MINGW}",),
    files=(MINGW, *NATIVE.files, ROOT / "cmake/deps/lief-unity-windows.cmake"),
    compiler="x86_64-w64-mingw32-g++-posix",
)


def prefix(python: Path, variant: Variant = NATIVE) -> Path:
    """The folder to put into CMAKE_PREFIX_PATH; builds LIEF there when it is not there yet.

    `python` is an interpreter with pip, used to fetch the source release. Raises DevelopmentError.
    """
    compiler = compiler_name(variant.compiler or os.environ.get("CXX", "c++"))
    recipe = hashlib.sha256(b"".join(file.read_bytes() for file in variant.files))
    words = [word.replace(str(ROOT), ".") for word in variant.words]  # another clone's LIEF is the same
    recipe.update("\0".join([SHA256, compiler, variant.flags, *SWITCHED_OFF, *words]).encode())
    target = cache_folder() / "-".join(filter(None, ["lief", VERSION, variant.name, recipe.hexdigest()[:12]]))
    with locked(target):
        if not (target / "share/LIEF/cmake/LIEFConfig.cmake").is_file():
            what = f"building LIEF {VERSION} {variant.name}".rstrip() + " once for this machine"
            with Stopwatch(what), tempfile.TemporaryDirectory(prefix="lief-", dir=cache_folder()) as work:
                _build(Path(work), python, target, variant)
    return target


def compiler_name(word: str) -> str:
    """What a compiler calls itself: an archive of another compiler is another archive. Raises DevelopmentError."""
    try:
        return subprocess.run([word, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        raise DevelopmentError(f"no C++ compiler: '{word} --version' does not run") from None


def _source_release(work: Path, python: Path) -> Path:
    """The pinned source release, fetched once and checked against its hash."""
    kept = cache_folder() / f"lief-{VERSION}.zip"
    if not kept.is_file():
        # Its set-up script imports pkg_resources, which setuptools dropped.
        constraint = work / "constraint.txt"
        constraint.write_text("setuptools<70\n")
        run(
            [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary",
             "lief", "--build-constraint", constraint, "--dest", work, f"lief=={VERSION}"],
            quiet=True,
        )  # fmt: skip
        os.replace(work / kept.name, kept)
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    if found != SHA256:
        kept.unlink()
        raise DevelopmentError(f"lief-{VERSION}.zip has SHA-256 {found}, not {SHA256}; it was removed, try again")
    return kept


def _build(work: Path, python: Path, target: Path, variant: Variant) -> None:
    with zipfile.ZipFile(_source_release(work, python)) as archive:
        archive.extractall(work)
    source, build, staged = work / f"lief-{VERSION}", work / "build", work / "install"
    flags = f"-w {variant.flags}"
    run(
        ["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
         f"-DCMAKE_CXX_FLAGS={flags}", f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_INSTALL_PREFIX={staged}",
         "-DBUILD_SHARED_LIBS=OFF", "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
         f"-DCMAKE_PROJECT_LIEF_INCLUDE={variant.files[-1]}",
         *(f"-DLIEF_{name}=OFF" for name in SWITCHED_OFF), *variant.words],
        quiet=True,
    )  # fmt: skip
    run(["ninja", "-C", build], env={"NINJA_STATUS": "[LIEF %f/%t, %es] "})
    run(["cmake", "--install", build], quiet=True)
    if target.exists():
        shutil.rmtree(target)
    os.replace(staged, target)
    say(f"LIEF is in {target}")
