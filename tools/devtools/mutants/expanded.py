"""Functions written with the macros of nasm_build/function.inc, expanded: what a user's prologues and epilogues come to
can be mutated line by line, and so can their unwind data.

NASM expands a source for the object format of the convention. What differs by format is then said by the macros of
convention.inc, so that code of the Microsoft convention can be run as ELF too. The originals stay in the module, since
functions call each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..shell import ROOT, DevelopmentError, run
from .corpus import FOLDER, Convention, Function, Source

INCLUDE = ROOT / "python/nasm_build/include"
DEFINES = {"system_v": ("-DPIE", "-DLINUX"), "win64": ("-DNOPIE", "-DWINDOWS")}
SOURCES = (
    FOLDER / "frames.asm",
    ROOT / "examples/pymult/pymult.asm",
    ROOT / "examples/counter/counter.asm",
    ROOT / "examples/hamming/hamming.asm",
    ROOT / "examples/hamming/sse2.asm",
    ROOT / "examples/hamming/avx2.asm",
    ROOT / "examples/c-with-kernel/native/kernel.asm",
)
AVX512 = ROOT / "examples/hamming/avx512.asm"
"""Run where the processor has AVX-512 F and BW; what fewer have is stood in for."""
STAND_INS = ("%macro vpopcntq 2.nolist", "vmovdqa64 %1, %2", "%endmacro")

UNWIND = (".eh_frame", ".pdata", ".xdata")
DIRECTIVE = re.compile(r"\[(\w+) ([^\]]*)\]$")
LABEL = re.compile(r"(\w+):\s*(.*)")
IMPORTED = re.compile(r"\[rel (?:__imp_(\w+)|(\w+) wrt \.\.got)\]")
CALL = re.compile(r"(call|jmp) (?:\[rel __imp_(\w+)\]|(\w+) wrt \.\.plt)$")


@dataclass
class _Unit:
    name: str
    line: int
    code: list[str] = field(default_factory=list)
    unwind: list[str] = field(default_factory=list)


@dataclass
class _Reader:
    """The expanded lines, put where they belong."""

    units: list[_Unit] = field(default_factory=list)
    data: dict[str, list[str]] = field(default_factory=dict)
    """By section."""
    structs: list[str] = field(default_factory=list)
    common: list[str] = field(default_factory=list)
    """Unwind data that belongs to no function."""
    externs: list[str] = field(default_factory=list)
    section: str = ""

    def directive(self, name: str, words: str) -> None:
        if name == "section":
            self.section = words.split()[0]
            if self.section in UNWIND:
                (self.units[-1].unwind if self.units else self.common).append(f"[section {words}]")
        elif name == "absolute":
            self.section = name
            self.structs.append(f"[absolute {words}]")
        elif name == "extern":
            self.externs.append(words.removeprefix("__imp_"))

    def line(self, text: str, number: int) -> None:
        if self.section.startswith(".note"):
            return
        if self.section in UNWIND:
            (self.units[-1].unwind if self.units else self.common).append(text)
        elif self.section == "absolute":
            self.structs.append(text)
        elif self.section != ".text" or (not self.units and " equ " in text):
            self.data.setdefault(self.section, []).append(text)
        elif (label := LABEL.match(text)) and not text.startswith((".", "%")):
            self.units.append(_Unit(label[1], number, [f"function {label[1]}"]))
            self.code(label[2])
        elif self.units and not text.startswith("times -($ - $$)"):
            self.code(text)

    def code(self, text: str) -> None:
        if not text:
            return
        name, _, rest = text.partition(" ")
        text = f"{name.lower()} {rest}".strip() if name.isupper() else text
        if call := CALL.match(text):
            text = f"{'import' if call[1] == 'call' else 'leave_for'} {call[2] or call[3]}"
        text = IMPORTED.sub(lambda found: f"[imported({found[1] or found[2]})]", text)
        indent = "" if text.startswith(".") or text.endswith(":") or " equ " in text else "        "
        self.units[-1].code.append(indent + text)


def read(path: Path, convention: Convention, inputs: Mapping[str, tuple[str, tuple[str, ...]]]) -> Source:
    """A source; `inputs` has the result and the inputs of each of its functions."""
    words = ["-f", convention.object_format, "--before", "default rel", "-DPY_VERSION_HEX=0x030D0000"]
    expanded = run(
        ["nasm", "-E", *words, *DEFINES[convention.name], f"-I{INCLUDE}/", path.name], cwd=path.parent, quiet=True
    )
    reader = _Reader()
    number = 0
    for line in expanded.splitlines():
        text = line.strip()
        if text.startswith("%line"):
            number = int(re.split(r"[ +]", text)[1])
        elif found := DIRECTIVE.match(text):
            reader.directive(found[1], found[2])
        elif text:
            reader.line(text, number)
    imports = [name for name in dict.fromkeys(reader.externs) if name.startswith(("Py", "_Py"))]
    local = [name for name in dict.fromkeys(reader.externs) if not name.startswith(("Py", "_Py"))]
    prelude = (
        ['%include "convention.inc"', f"imports {', '.join(imports)}"] if imports else ['%include "convention.inc"']
    )
    prelude += [*(STAND_INS if path == AVX512 else ()), *reader.structs, "section .data align=64"]
    for part in reader.data.values():
        prelude += ["align 64, db 0", *part]
    prelude += [*_unwind(reader.common), "section .text"]
    for name in local:  # a function of another file, of which nothing matters but that it is there
        prelude += [f"{name}:", "mov eax, 5", "ret"]
    functions = []
    for unit in reader.units:
        prelude += [f"{unit.name}:", *unit.code[1:], *_unwind(unit.unwind)]
        if unit.name not in inputs:
            raise DevelopmentError(f"{path.name}: nothing says what {unit.name} is run with")
        result, given = inputs[unit.name]
        code = (*unit.code, *_unwind(unit.unwind))
        functions.append(Function(convention, path.name, unit.line, unit.name, result, given, code, "macros"))
    return Source(convention, path.name, tuple(prelude), tuple(functions))


def _unwind(lines: Sequence[str]) -> list[str]:
    """Unwind data, for the format that has it in this form."""
    if not lines:
        return []
    kind = "win64" if any(".pdata" in line for line in lines) else "elf64"
    return [f"%ifidn __OUTPUT_FORMAT__, {kind}", *lines, "section .text", "%endif"]


def imports_of(source: Source) -> list[str]:
    """What the oracle must stand in for."""
    lines = [line.removeprefix("imports ") for line in source.prelude if line.startswith("imports ")]
    return [name.strip() for line in lines for name in line.split(",")]


def inputs() -> dict[str, tuple[str, tuple[str, ...]]]:
    """By function, what inputs.txt says."""
    found = {}
    for line in (FOLDER / "inputs.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, result, given = line.split(None, 2)
            found[name] = result, tuple("".join(one.split()) for one in given.split(";"))
    return found


@lru_cache
def sources(convention: Convention) -> list[Source]:
    """All of them; NASM takes a while to expand them."""
    given = inputs()
    paths = [*SOURCES, *([AVX512] if has_avx512() else [])]
    return [read(path, convention, given) for path in paths]


def has_avx512() -> bool:
    """Whether the functions for AVX-512 can be run here."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return {"avx512f", "avx512bw", "avx512dq"} <= set(flags)
