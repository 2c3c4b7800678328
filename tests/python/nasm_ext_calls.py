"""Calling nasm-ext as it is, for tests of what its commands print."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path


def call(
    nasm_ext: Path, *words: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[int, str]:
    """Runs nasm-ext with a clean environment and returns its status and everything that it printed."""
    done = subprocess.run(
        [nasm_ext, *words],
        env={"PATH": "/nowhere", **(env or {})},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def without_rules(report: str) -> str:
    """A text report without its last line, `rules: … passed, … not applicable, … not checked`.

    Its counts grow with every new rule; test_check_rules.py holds them against the registry. A report that has looked
    at a binary and lacks the line fails here.
    """
    found = re.search(r"^rules: [1-9]\d* passed, \d+ not applicable, \d+ not checked\n\Z", report, re.MULTILINE)
    if found:
        return report[: found.start()]
    assert not re.search(r"^checked (?!0 modules:)", report, re.MULTILINE), f"no line on the rules in {report}"
    return report
