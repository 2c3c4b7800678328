"""The system packages that building and testing need: what is missing is installed, or listed where we cannot.

One table, a row a need. Debian and Ubuntu as root (or through sudo), Homebrew on macOS; elsewhere the list is printed.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .shell import DevelopmentError, Stopwatch, run, say


@dataclass(frozen=True)
class Need:
    """One thing that must be on the machine."""

    what: str
    debian: str
    """Debian's packages, separated by spaces."""
    homebrew: str
    command: str = ""
    """A program whose presence on PATH is enough, wherever it came from."""


BUILD = (
    Need("a C++20 compiler", "g++", "", command="c++"),
    Need("NASM", "nasm", "nasm"),
    Need("CMake", "cmake", "cmake"),
    Need("Ninja", "ninja-build", "ninja"),
    Need("ccache, so that a second clone compiles nothing again", "ccache", "ccache", command="ccache"),
    Need("Python's venv and headers", "python3-venv python3-dev", ""),
    Need("fmt", "libfmt-dev", "fmt"),
    Need("CLI11", "libcli11-dev", "cli11"),
    Need("JSON for Modern C++", "nlohmann-json3-dev", "nlohmann-json"),
    Need("toml++", "libtomlplusplus-dev", "tomlplusplus"),
    # Debian's CMake files of libzip name its three tools, which are packages of their own.
    Need("libzip", "libzip-dev zipcmp zipmerge ziptool", "libzip"),
    Need("Zydis", "libzydis-dev", "zydis"),
)

TEST = (
    Need("GoogleTest", "libgtest-dev", "googletest"),
    Need("clang-tidy", "clang-tidy", "llvm"),
    Need("clang, for modules for macOS by CMake", "clang", "llvm", command="clang"),
    Need("LLVM's linkers, for samples of other platforms", "lld llvm", "lld llvm"),
    Need("readelf and objdump", "binutils", "binutils"),
    Need("LLVM's readers, of a release that decodes chained fixups", "llvm-19", "", command="llvm-readobj-19"),
    Need("pip of the system's own Python, for installations with --user", "python3-pip", ""),
    Need("gdb", "gdb", "", command="gdb"),
    Need("Make, for CMake's Unix Makefiles", "make", "make", command="make"),
    Need("cargo, for setuptools-rust", "cargo", "rust", command="cargo"),
)

# What the CPythons of other platforms and of other C libraries are fetched, built and run with: Linux on x86-64 alone.
PYTHONS = (
    Need("the keys of Debian's archive", "debian-archive-keyring", ""),
    Need("Maven, for the CPythons of Windows", "maven", "", command="mvn"),
    Need("Wine, to run Windows programs", "wine64", "", command="wine64"),
    Need("patchelf, for CPythons with a C library of their own", "patchelf", ""),
    Need("a compiler, and libraries, for CPythons built from source", "gcc make zlib1g-dev libffi-dev libssl-dev", ""),
    Need("a compiler for musl", "musl-tools", ""),
    Need("a compiler for Windows, for NASM there", "gcc-mingw-w64-x86-64", ""),
    Need(
        "a C++ compiler and zlib for Windows, for nasm-ext there", "g++-mingw-w64-x86-64-posix libz-mingw-w64-dev", ""
    ),
    Need("the GNU build system, for libffi", "autoconf automake libtool libltdl-dev", ""),
)

# What libFuzzer, and a LIEF with sanitizers, are built with: only some proofs want it.
FUZZERS = (Need("clang 19 with its fuzzer", "clang-19 libclang-rt-19-dev", "", command="clang++-19"),)


def provide(*, tests: bool) -> None:
    """Sees to it that every need is met. Raises DevelopmentError with the list where it cannot."""
    _provide(BUILD + (TEST if tests else ()) + (PYTHONS if tests and _runs_other_pythons() else ()))


def provide_fuzzers() -> None:
    """The same for what `./dev prove fuzz-lief` and `libfuzzer` need beyond the rest."""
    _provide(FUZZERS)


def _provide(needs: tuple[Need, ...]) -> None:
    if shutil.which("dpkg-query"):
        _debian([need for need in needs if not (need.command and shutil.which(need.command))])
    elif platform.system() == "Darwin":
        _homebrew([need for need in needs if not (need.command and shutil.which(need.command))])
    else:
        _list_only(needs)


def _runs_other_pythons() -> bool:
    return platform.system() == "Linux" and platform.machine() == "x86_64"


def _debian(needs: list[Need]) -> None:
    wanted = [name for need in needs for name in need.debian.split()]
    found = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    installed = {line.split()[0] for line in found if line.endswith(" installed")}
    missing = [name for name in wanted if name not in installed]
    if not missing:
        return
    prefix = _become_root()
    if prefix is None:
        raise DevelopmentError(f"these packages are missing: sudo apt-get install {' '.join(missing)}")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*prefix, "apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    with Stopwatch(f"installing {' '.join(missing)}"):
        try:
            run(install, env=environment, quiet=True)
        except DevelopmentError:
            say("trying again with fresh package lists")
            run([*prefix, "apt-get", "update", "--quiet"], env=environment, quiet=True)
            run(install, env=environment, quiet=True)


def _become_root() -> list[str] | None:
    """What to put before a command that needs root; None when there is no way that asks no question."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"]
    return None


def _homebrew(needs: list[Need]) -> None:
    brew = shutil.which("brew")
    wanted = sorted({name for need in needs for name in need.homebrew.split()})
    if not brew:
        raise DevelopmentError(f"Homebrew was not found; install it, then: brew install {' '.join(wanted)}")
    cellar = Path(run([brew, "--prefix"], quiet=True).strip()) / "opt"
    missing = [name for name in wanted if not (cellar / name).exists()]
    if missing:
        run([brew, "install", *missing])


# Programs and CMake packages that show a need to be met where no package manager of ours can be asked.
_SIGNS = {
    "NASM": "nasm",
    "CMake": "cmake",
    "Ninja": "ninja",
    "clang-tidy": "clang-tidy",
    "readelf and objdump": "readelf",
    "LLVM's linkers, for samples of other platforms": "lld-link",
}


def _list_only(needs: tuple[Need, ...]) -> None:
    """On other systems: programs that are missing stop the work; libraries are CMake's to find, and are named."""
    missing = [
        need.what for need in needs if (sign := need.command or _SIGNS.get(need.what)) and not shutil.which(sign)
    ]
    if missing:
        libraries = [need.what for need in needs if not need.command and need.what not in _SIGNS]
        raise DevelopmentError(
            f"on this system ./dev installs nothing; install these first: {', '.join(missing)}"
            f" (and, where CMake does not find them: {', '.join(libraries)})"
        )
