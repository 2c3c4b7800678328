"""The part for pytest: `pytest -p macho_loader` says which modules for macOS the tests used, and fails where none was.

Without this the tests would pass just as well with a module for Linux that happens to be installed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .finder import loaded

if TYPE_CHECKING:
    import pytest

FOLDER = "MACHO_LOADER_FOLDER"


def _folder() -> str:
    return os.environ.get(FOLDER, "")


def _where() -> str:
    return _folder() or f"nowhere: {FOLDER} is not set"


def pytest_report_header() -> str:
    """One line at the head of a report; what is loaded is not known yet."""
    return f"macho_loader: extension modules for macOS from {_where()}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that would be a success, and has loaded no module for macOS, is none."""
    if session.exitstatus == 0 and not loaded():
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each module and its file, or that there was none."""
    terminalreporter.write_sep("=", "modules for macOS")
    for name, path in loaded().items():
        terminalreporter.write_line(f"{name} loaded from {path}")
    if not loaded():
        terminalreporter.write_line(
            f"error: no module for macOS was loaded from {_where()}; the tests say nothing about one", red=True
        )
