"""What one program read of one binary, in words that are the same for every program that is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Value = frozenset[str]
Facts = Mapping[str, Value]
"""Fact to value; what a program does not tell is left out."""

Place = tuple[str, str]
"""The member of a wheel, and the slice of a fat file or nothing."""

Reading = Mapping[Place, Facts]

ENTRY = re.compile(r"(PyInit|PyInitU|PyModExport|PyModExportU)_\w")


def entry_points(exports: Iterable[str]) -> Value:
    """Of exported names those by which CPython finds a module."""
    return frozenset(name for name in exports if ENTRY.match(name))


def with_entry_points(facts: Mapping[str, Iterable[str]]) -> Facts:
    """Facts of a reader, its exports looked through for entry points."""
    found = {fact: frozenset(value) for fact, value in facts.items()}
    if "exports" in found:
        found["entry points"] = entry_points(found["exports"])
    return found


def short_version(version: str) -> str:
    """`11.0` for `11.0.0`, as people write it."""
    return re.sub(r"^(\d+\.\d+)\.0$", r"\1", version)
