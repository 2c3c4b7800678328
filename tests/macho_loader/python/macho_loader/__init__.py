"""Imports extension modules for macOS on x86-64 into a CPython for Linux on x86-64.

Both have the same registers, calling convention and C API, so that only the file's format stands between them. The
compiled part maps a Mach-O bundle, binds it to the functions of the running process, and calls its entry point.

It is for tests of code that does not call the operating system itself. With MACHO_LOADER_FOLDER=DIR the modules of DIR
are imported from there before any other of that name; `pytest -p macho_loader` says in its report which were.
(PYTEST_DONT_REWRITE: sitecustomize has imported this before pytest could rewrite its asserts; it has none.)
"""

from __future__ import annotations

from ._native import address, check, segments
from .finder import MachOFinder, MachOLoader, install, loaded, suffixes
from .plugin import pytest_report_header, pytest_sessionfinish, pytest_terminal_summary

__all__ = [
    "MachOFinder",
    "MachOLoader",
    "address",
    "check",
    "install",
    "loaded",
    "pytest_report_header",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "segments",
    "suffixes",
]
