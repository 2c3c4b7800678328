"""Differences that were looked into: who is right, and the fact that shows it. What matches no row fails the proof.

A row is for one line of the proof's output: a pattern of the wheel's name and one of the rest of the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """Why one program is right and another is not."""

    wheel: str
    line: str
    right: str
    why: str

    def fits(self, line: str) -> bool:
        """Whether it is this difference."""
        wheel, _, rest = line.partition(": ")
        return bool(re.match(self.wheel, wheel) and re.search(self.line, rest))


JUDGEMENTS = (
    Explanation(
        r".*-musllinux_1_[12]_",
        r"^lowest tag of auditwheel's: nasm-ext: musllinux_1_1_\w+; auditwheel: musllinux_1_2_\w+$",
        "nasm-ext",
        "musl gives its symbols no versions. auditwheel asks the musl of its own machine and, where there is "
        "none, takes its newest policy, as it warns; nasm-ext asks of each symbol whether it came with musl 1.2.",
    ),
    Explanation(
        r"rpds_py-.*-musllinux_1_2_x86_64",
        r"^lowest tag of auditwheel's: nasm-ext: musllinux_1_1_x86_64; auditwheel: linux_x86_64$",
        "nasm-ext",
        "The module needs `libc.so`, by which name musl's dynamic linker means itself (its load_library takes "
        "such names for its own); auditwheel lists it among the libraries from outside.",
    ),
    Explanation(
        r".*-abi3\.abi3t-manylinux",
        r"^symbols beyond the stable ABI: nasm-ext: nothing; abi3audit: (PyModExport_\w+(, )?)+$",
        "nasm-ext",
        "PyModExport_NAME is what the module itself exports for CPython 3.15 (PEP 793), as it exports PyInit_NAME"
        " for older ones: neither is a symbol of CPython's. abi3audit 0.0.26 passes by PyInit_ alone.",
    ),
)
"""Where nasm-ext and abi3audit or auditwheel differ."""

READINGS: tuple[Explanation, ...] = ()
"""Where the programs that read a binary differ, and too few read it as nasm-ext does."""

ERRORS = (
    Explanation(
        r"cryptography-48\.0\.1-cp311-abi3-macosx_10_9_universal2",
        r"_rust\.abi3\.so \(x86_64\): .* \[minimum-system\]$",
        "nasm-ext",
        "LC_VERSION_MIN_MACOSX of the slice says 10.13, as every program reads it, and the module binds "
        "CCRandomGenerateBytes of libSystem, which CommonCrypto declares from macOS 10.10 on: on 10.9, which the "
        "tag promises, it is not there.",
    ),
)
"""Findings of severity error that are right: the wheel promises what it does not hold."""
