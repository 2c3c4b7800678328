"""The names that CPython's headers declare as exported, with and without free threading.

For versions whose free-threaded build could not be had: the difference of the two sets is what only that build exports.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_EXPORTED = re.compile(r'__attribute__ \(\(visibility \("default"\)\)\)([^;{]*)[;{]')


def free_threaded_only(headers: Path) -> frozenset[str]:
    """Names declared with `Py_GIL_DISABLED` and not without it; `headers` is the folder of `Python.h`."""
    return _declared(headers, ["-DPy_GIL_DISABLED=1"]) - _declared(headers, [])


def _declared(headers: Path, defines: list[str]) -> frozenset[str]:
    source = '#include "Python.h"\n'
    for header in sorted((headers / "internal").glob("*.h")):
        if "must not be included directly" not in header.read_text(encoding="utf-8"):
            source += f'#include "internal/{header.name}"\n'
    includes = [f"-I{headers}", f"-I{headers / 'internal'}", f"-I{headers.resolve().parent}"]
    text = subprocess.run(
        ["gcc", "-E", "-P", "-DPy_BUILD_CORE=1", "-DPy_BUILD_CORE_BUILTIN=1", *includes, *defines, "-xc", "-"],
        input=source,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = set()
    for declaration in _EXPORTED.findall(text):
        # The declared name is the last word before the arguments or the array's bounds.
        words = re.findall(r"\w+", re.split(r"[(\[=]", declaration, maxsplit=1)[0])
        if words:
            names.add(words[-1])
    return frozenset(names)
