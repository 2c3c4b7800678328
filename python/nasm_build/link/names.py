"""The names that a module exports for an interpreter."""

from __future__ import annotations

ENTRY_POINTS = ("PyInit_*", "PyInitU_*", "PyModExport_*", "PyModExportU_*")
"""Exported by pattern, so that a misspelt entry point is still seen, and named, by the inspector."""
