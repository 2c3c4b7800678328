"""Calling nasm-ext as it is, for tests of what its commands print."""

from __future__ import annotations

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
