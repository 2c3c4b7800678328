"""Many mutants in one module: each a copy of its function under a name of its own. One run of each tool does for all.

Findings name functions, and the name tells the mutant.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..shell import DevelopmentError, run
from .corpus import FOLDER, Convention

RULES = frozenset(
    "callee-saved stack-balance direction-flag call-align shadow-space volatile-after-call red-zone fallthrough "
    "arg-undefined vararg-al vzeroupper fp-state stack-probe jump-into-instruction".split()
)
UNWIND_RULES = frozenset({"unwind-false", "unwind-missing"})

MODULES = {"system_v": "conventions.cpython-313-x86_64-linux-gnu.so", "win64": "conventions.cp313-win_amd64.pyd"}


@dataclass(frozen=True)
class Copy:
    """What is run and checked: a function's name and code, in the batch named so."""

    name: str
    names: tuple[str, ...]
    """Its labels, which get another name as well."""
    lines: tuple[str, ...]
    result: str
    inputs: tuple[str, ...]


@dataclass
class Batch:
    """A module's source."""

    convention: Convention
    prelude: tuple[str, ...]
    copies: Sequence[Copy]

    def __post_init__(self) -> None:
        lines = list(self.prelude)
        for index, copy in enumerate(self.copies):
            names = re.compile(rf"(?<![\w.@])({'|'.join(map(re.escape, copy.names))})\b")
            lines += [names.sub(rf"\1__{index}", line) for line in copy.lines]
        self.text = "\n".join(lines) + "\n"

    def symbol(self, index: int) -> str:
        return f"{self.copies[index].name}__{index}"

    def jobs(self) -> str:
        """What oracle.c reads."""
        return "".join(
            f"{self.symbol(index)} {copy.result} {';'.join(copy.inputs)}\n" for index, copy in enumerate(self.copies)
        )


@dataclass(frozen=True)
class Checked:
    """What nasm-ext says of a batch."""

    found: dict[int, tuple[str, ...]]
    """By copy: the rules, each with its message."""
    not_followed: tuple[str, ...]
    """Why something was not checked."""


def assemble(batch: Batch, folder: Path, object_format: str, name: str) -> Path:
    """Writes the source and assembles it, with debug data, which gives findings their lines."""
    source = folder / f"{name}.asm"
    source.write_text(batch.text, encoding="utf-8")
    debug = "cv8" if object_format == "win64" else "dwarf"
    words = ["nasm", "-f", object_format, "-g", "-F", debug, f"-I{FOLDER}/", "-o", f"{name}.o", source.name]
    run(words, cwd=folder, quiet=True)
    return folder / f"{name}.o"


def link(item: Path, convention: Convention) -> Path:
    """The module that is checked."""
    folder, module = item.parent, item.parent / MODULES[convention.name]
    if convention.object_format == "win64":
        texts = (FOLDER / "convention.inc").read_text("utf-8"), (folder / f"{item.stem}.asm").read_text("utf-8")
        names = re.findall(r"^\s*imports (.+)", "\n".join(texts), re.MULTILINE)
        lines = "".join(f"{one}\n" for one in sorted({one.strip() for line in names for one in line.split(",")}))
        (folder / "python.def").write_text(f"LIBRARY python313.dll\nEXPORTS\n{lines}")
        library = [_llvm("llvm-dlltool"), "-m", "i386:x86-64", "-d", "python.def", "-l", "python.lib"]
        run(library, cwd=folder, quiet=True)
        linker = [_llvm("lld-link"), "/dll", "/noentry", "/nologo", "/nodefaultlib", "/machine:x64"]
        run([*linker, f"/out:{module.name}", item.name, "python.lib"], cwd=folder, quiet=True)
    else:
        words = ["ld.bfd", "-shared", "--eh-frame-hdr", "-z", "now", "-z", "noexecstack"]
        run([*words, "-o", module.name, item.name], cwd=folder, quiet=True)
    return module


def _llvm(name: str) -> str:
    for candidate in (name, f"{name}-14"):
        if shutil.which(candidate):
            return candidate
    raise DevelopmentError(f"{name} is not on PATH")


def check(nasm_ext: Path, batch: Batch, folder: Path) -> Checked:
    """Builds the batch as a module and reads what nasm-ext finds."""
    item = assemble(batch, folder, batch.convention.object_format, "batch")
    module = link(item, batch.convention)
    report = folder / "report.json"
    words = ["check", "--abi", "--no-config", "--object", item.name, "--format", "json", "--output", report.name]
    run_check(nasm_ext, [*words, module.name], folder)
    file = json.loads(report.read_text(encoding="utf-8"))["files"][0]
    found: dict[int, list[str]] = {}
    for finding in file["findings"]:
        if finding["rule"] not in RULES | UNWIND_RULES:
            continue
        copy = copy_of(batch, finding["symbol"] or finding["message"], item)
        found.setdefault(copy, []).append(f"{finding['severity']}: {finding['message']} [{finding['rule']}]")
    reasons = tuple(dict.fromkeys(one["reason"] for one in file["not_checked"] if one["rule"] in RULES))
    return Checked({copy: tuple(said) for copy, said in found.items()}, reasons)


COPY = re.compile(r"\w+__(\d+)\b")
TEXT = 0x1000
"""Where lld-link puts the first section of code, the batch's own, from the image's start."""


def copy_of(batch: Batch, words: str, item: Path) -> int:
    """The copy that a finding is about: its name tells, or the address of a function that a DLL does not export."""
    if named := COPY.search(words):
        return int(named[1])
    address = re.search(r"the function at 0x([0-9a-f]+)", words)
    if address is not None and batch.convention.object_format == "win64":
        for line in run(["nm", item], quiet=True).splitlines():
            offset, kind, name = line.rsplit(" ", 2)
            if kind == "t" and TEXT + int(offset, 16) == int(address[1], 16) and (named := COPY.fullmatch(name)):
                return int(named[1])
    raise DevelopmentError(f"a finding is of no copy: {words}")


def run_check(nasm_ext: Path, words: Sequence[str], folder: Path) -> None:
    """A check that finds errors ends with 1; anything else is ours."""
    done = subprocess.run([nasm_ext, *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise DevelopmentError(f"nasm-ext {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
