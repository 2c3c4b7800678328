"""Links for Windows, by hand: what tests of nasm-ext's commands for them share."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


def tool(*words: str | Path, cwd: Path | None = None) -> str:
    """What another tool prints; it must end well and warn of nothing."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def assemble(folder: Path, source: str, name: str = "probe") -> Path:
    (folder / f"{name}.asm").write_text(source)
    tool("nasm", "-f", "win64", "--reproducible", "-o", folder / f"{name}.obj", folder / f"{name}.asm")
    return folder / f"{name}.obj"


def link(objects: Sequence[Path], libraries: Sequence[Path], module: Path, entry: str = "PyInit_probe") -> Path:
    words = ["/nologo", "/dll", "/noentry", "/machine:x64", "/brepro", "/nodefaultlib", f"/export:{entry}"]
    tool("lld-link", *words, *objects, *libraries, f"/out:{module}", f"/implib:{module}.lib")
    return module
