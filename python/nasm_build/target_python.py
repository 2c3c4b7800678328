"""The Python that modules are built for: the one that runs this hook, or one of another platform or version.

A foreign target comes from `-C target=…` or NASM_BUILD_TARGET alone. pip itself would choose its own packages by
`_PYTHON_HOST_PLATFORM` (measured), so only macOS, where cibuildwheel sets it for one of the architectures that the same
machine can run, takes it as the target.
"""

from __future__ import annotations

import os
import re
import struct
import sys
import sysconfig
from dataclasses import dataclass, replace

from .errors import failed

HOST_VARIABLE = "_PYTHON_HOST_PLATFORM"
ON_MACOS: bool = sys.platform == "darwin"


@dataclass(frozen=True)
class TargetPython:
    """`platform` is sysconfig's word; `pointer_bits` tells a 32-bit Python on a 64-bit machine, whose word lies."""

    version: str  #: `3.13`, `3.13t`, `3.13d`
    platform: str
    pointer_bits: int
    c_library: str  #: `gnu`, or `musl`, which sysconfig's platform does not tell apart
    is_cpython: bool
    suffix: str  #: what this interpreter would name a module; used only where the table has no row
    foreign: bool = False  #: not the running one: neither its headers nor its platform's compiler are at hand

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1].rstrip("td"))

    @property
    def free_threaded(self) -> bool:
        return self.version.endswith("t")


def running_python() -> TargetPython:
    """The interpreter that runs this hook."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    flags = "t" if free_threaded else "d" if hasattr(sys, "gettotalrefcount") else ""
    build = " ".join(str(sysconfig.get_config_var(name) or "") for name in ("HOST_GNU_TYPE", "MULTIARCH", "SOABI"))
    return TargetPython(
        version=f"{sys.version_info[0]}.{sys.version_info[1]}{flags}",
        platform=_running_platform(),
        pointer_bits=struct.calcsize("P") * 8,
        c_library="musl" if "musl" in build else "gnu",
        is_cpython=sys.implementation.name == "cpython",
        suffix=str(sysconfig.get_config_var("EXT_SUFFIX") or ".so"),
    )


def target_python(platform: str, version: str) -> TargetPython:
    """The Python of `-C target=…` and `-C target-python=…`; an empty word means as the running one.

    Raises BuildError for a version that is none. A platform that is none is refused by the target table.
    """
    running = running_python()
    if version and not re.fullmatch(r"3\.\d{1,3}t?", version):
        raise failed(
            f"target-python is {version!r}, which is no CPython", "settings", "-C target-python=3.13, or 3.13t"
        )
    chosen = replace(
        running,
        version=version or running.version,
        platform=platform or running.platform,
        pointer_bits=_pointer_bits(platform) if platform else running.pointer_bits,
        is_cpython=running.is_cpython or bool(version),
    )
    if chosen == running:
        return running
    if chosen.version == running.version and _is_own_architecture(chosen.platform):
        return chosen
    if not version:
        # A debug CPython builds for release ones elsewhere: no other platform's debug build is asked for by accident.
        chosen = replace(chosen, version=chosen.version.rstrip("d"))
    return replace(chosen, foreign=True)


def note_on_environment() -> str:
    """What to tell a user whose environment names a platform that is not taken from there; empty when it names none."""
    named = os.environ.get(HOST_VARIABLE, "")
    if not named or ON_MACOS or named == _platform_without_environment():
        return ""
    return (
        f"{HOST_VARIABLE}={named} is not taken as the target, because pip chooses its own packages by it; "
        f"for modules of another platform: -C target={named}, or NASM_BUILD_TARGET={named}"
    )


def _running_platform() -> str:
    if not ON_MACOS:
        return _platform_without_environment()
    return macos_platform(sysconfig.get_platform(), os.environ)


def _platform_without_environment() -> str:
    named = os.environ.pop(HOST_VARIABLE, None)
    try:
        return sysconfig.get_platform()
    finally:
        if named is not None:
            os.environ[HOST_VARIABLE] = named


def macos_platform(platform: str, environment: os._Environ[str] | dict[str, str]) -> str:
    """A macOS platform word with what cibuildwheel and setuptools say beside it.

    `ARCHFLAGS` names the architectures (both: universal2), `MACOSX_DEPLOYMENT_TARGET` the oldest macOS.
    """
    found = re.fullmatch(r"macosx-([\d.]+)-(\w+)", platform)
    if not found:
        return platform
    oldest, architecture = found.groups()
    named = set(re.findall(r"-arch\s+(\S+)", environment.get("ARCHFLAGS", "")))
    if named == {"arm64", "x86_64"}:
        architecture = "universal2"
    elif len(named) == 1:
        architecture = named.pop()
    wanted = environment.get("MACOSX_DEPLOYMENT_TARGET", "")
    if re.fullmatch(r"\d+(\.\d+)*", wanted):
        major, _, minor = wanted.partition(".")
        oldest = f"{major}.{minor.partition('.')[0] or '0'}"
    if architecture == "arm64" and int(oldest.partition(".")[0]) < 11:
        oldest = "11.0"  # there was no earlier macOS for it
    return f"macosx-{oldest}-{architecture}"


def _is_own_architecture(platform: str) -> bool:
    """Whether the compiler of this machine makes modules for a platform: macOS' does for each of its architectures."""
    return ON_MACOS and platform.startswith("macosx-")


def _pointer_bits(platform: str) -> int:
    return 32 if platform == "win32" or platform.endswith(("-i686", "-armv7l", "-i386")) else 64
