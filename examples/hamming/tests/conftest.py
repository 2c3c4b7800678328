"""Says after the tests which kernels ran and which this processor could not run."""

from __future__ import annotations

import hamming
import pytest

KERNELS = ("sse2", "avx2", "avx512")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    available = hamming.variants()
    terminalreporter.write_sep("=", "hamming's kernels")
    for name in KERNELS:
        ran = "compared with Python" if name in available else "NOT RUN: this processor does not have what it needs"
        terminalreporter.write_line(f"{name:8} {ran}")
