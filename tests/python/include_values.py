"""What NASM makes of names of the include library: their values, read from what it assembles."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"


def values(
    names: Iterable[str], defines: Sequence[str], includes: Sequence[str], nasm: str | Path = "nasm"
) -> dict[str, int]:
    """Name to value; a name that the include files do not define under these defines is not in it."""
    asked = list(names)
    lines = [f'%include "nasm_build/{include}.inc"' for include in includes]
    for name in asked:
        lines += [f"%ifdef {name}", f"dq 1, {name}", "%else", "dq 0, 0", "%endif"]
    with tempfile.TemporaryDirectory() as text:
        source, result = Path(text) / "m.asm", Path(text) / "m.bin"
        source.write_text("\n".join(lines) + "\n")
        words = [str(nasm), "-f", "bin", "-w+all", *(f"-D{word}" for word in defines), f"-I{INCLUDE}/"]
        done = subprocess.run([*words, str(source), "-o", str(result)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        content = result.read_bytes()
    answers = struct.iter_unpack("<QQ", content)
    return {name: value for name, (defined, value) in zip(asked, answers, strict=True) if defined}
