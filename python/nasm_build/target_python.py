"""The Python that modules are built for: what the target table must be told of it."""

from __future__ import annotations

import functools
import struct
import sys
import sysconfig
from dataclasses import dataclass


@dataclass(frozen=True)
class TargetPython:
    """`platform` is sysconfig's word; `pointer_bits` tells a 32-bit Python on a 64-bit machine, whose word lies."""

    version: str  #: `3.13`, `3.13t`, `3.13d`
    platform: str
    pointer_bits: int
    c_library: str  #: `gnu`, or `musl`, which sysconfig's platform does not tell apart
    is_cpython: bool
    suffix: str  #: what this interpreter would name a module; used only where the table has no row

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1].rstrip("td"))

    @property
    def free_threaded(self) -> bool:
        return self.version.endswith("t")


@functools.cache
def running_python() -> TargetPython:
    """The interpreter that runs this hook."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    flags = "t" if free_threaded else "d" if hasattr(sys, "gettotalrefcount") else ""
    build = " ".join(str(sysconfig.get_config_var(name) or "") for name in ("HOST_GNU_TYPE", "MULTIARCH", "SOABI"))
    return TargetPython(
        version=f"{sys.version_info[0]}.{sys.version_info[1]}{flags}",
        platform=sysconfig.get_platform(),
        pointer_bits=struct.calcsize("P") * 8,
        c_library="musl" if "musl" in build else "gnu",
        is_cpython=sys.implementation.name == "cpython",
        suffix=str(sysconfig.get_config_var("EXT_SUFFIX") or ".so"),
    )
