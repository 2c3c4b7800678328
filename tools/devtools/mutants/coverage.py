"""Which instructions of the correct functions no input reaches: a mutant of one would be taken for intact."""

from __future__ import annotations

import re
from pathlib import Path

from ..shell import run
from .batch import Batch
from .corpus import FOLDER
from .lines import NO_INSTRUCTION
from .oracle import Ran

LISTED = re.compile(r"\s*(?P<line>\d+) (?P<offset>[0-9A-F]{8}) (?P<bytes>\S+)\s+(?:<\d+> ?)?(?P<text>.*)$")


def unreached(batch: Batch, ran: list[Ran], folder: Path) -> list[str]:
    """The instructions that did not run, as `NAME+0xOFFSET: TEXT`."""
    (folder / "listed.asm").write_text(batch.text, encoding="utf-8")
    run(
        ["nasm", "-f", "elf64", f"-I{FOLDER}/", "-l", "listing", "-o", "listed.o", "listed.asm"], cwd=folder, quiet=True
    )
    copy, start, goes_on = -1, 0, False
    missing = []
    for line in (folder / "listing").read_text(encoding="utf-8").splitlines():
        if "function " in line and (named := re.search(r"function (\w+)__(\d+)$", line)):
            copy, start = int(named[2]), -1
        found = LISTED.match(line)
        if copy < 0 or found is None:
            continue
        was_going_on, goes_on = goes_on, found["bytes"].endswith("-")
        offset, text = int(found["offset"], 16), found["text"].strip()
        start = offset if start < 0 else start
        is_code = text and not text.startswith(NO_INSTRUCTION) and "<rep" not in found["bytes"]
        if is_code and not was_going_on and offset - start not in ran[copy].reached:
            missing.append(f"{batch.copies[copy].name}+{offset - start:#x}: {' '.join(text.split())}")
    return missing
