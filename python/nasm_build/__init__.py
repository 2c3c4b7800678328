"""nasm-build: CPython extension modules written in NASM assembly.

Importing this package is cheap: what a `setup.py` uses is loaded when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import VERSION as __version__

if TYPE_CHECKING:
    from .extension import Extension as Extension
    from .source import Source as Source

__all__ = ["Extension", "Source", "__version__", "get_include"]


def get_include() -> str:
    """The folder of NASM include files that this package carries (`Python.inc` and friends)."""
    from pathlib import Path

    return str(Path(__file__).resolve().parent / "include")


def __getattr__(name: str) -> Any:
    if name == "Extension":
        from .extension import Extension

        return Extension
    if name == "Source":
        from .source import Source

        return Source
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
