"""Wraps command classes: ours in front of whatever class the distribution hands out, so that theirs still runs."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def wrapped_class(command: str, found: type[Any]) -> type[Any]:
    """The class for a command, with our part in front of `found`; `found` itself for commands we leave alone."""
    part = _part(command)
    if part is None or issubclass(found, part):
        return found
    return type(found.__name__, (part, found), {"__module__": found.__module__, "__doc__": found.__doc__})


def _part(command: str) -> type[Any] | None:
    if command == "build_ext":
        from .build_ext import AssemblyBuildExt

        return AssemblyBuildExt
    if command == "build_py":
        from .build_py import AssemblyBuildPy

        return AssemblyBuildPy
    if command == "bdist_wheel":
        from .bdist_wheel import CheckedBdistWheel

        return CheckedBdistWheel
    return None
