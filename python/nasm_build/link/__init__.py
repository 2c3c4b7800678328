"""Joining objects into a module: one file an object format for what its linker must be told, one for its refusals."""

from __future__ import annotations

from .refusals import explain as explain
from .run import AssemblyLink as AssemblyLink
from .run import LinkFailed as LinkFailed
from .run import run_linker as run_linker
