"""Starting NASM, compilers and linkers: with no input, and with all that they print kept for the message about it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_program(
    command: Sequence[str],
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    running: set[subprocess.Popen[str]] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end; `stdout` holds both its streams. Raises OSError when it cannot be started.

    While it runs it is in `running`, so that another thread can end it.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if running is not None:
        running.add(process)
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        if running is not None:
            running.discard(process)
    return subprocess.CompletedProcess(command, process.returncode, output)
