"""Lines of NASM, as far as a mutation must know them: label, instruction, operands, and what a register is called."""

from __future__ import annotations

import re
from dataclasses import dataclass

INSTRUCTION = re.compile(r"(?P<label>\.?[\w.]+:)?\s*(?:(?P<name>[a-z]\w*)(?:\s+(?P<operands>[^;]*?))?)?\s*(?:;.*)?$")

NO_INSTRUCTION = ("function ", "section ", "align ", "db ", "dw ", "dd ", "dq ", "times ", "[", "%")

_LEGACY = {"a": "rax", "b": "rbx", "c": "rcx", "d": "rdx"}
_NAMED = {"si": "rsi", "di": "rdi", "bp": "rbp", "sp": "rsp"}


@dataclass(frozen=True)
class Line:
    """What a line says; all empty where it has no code."""

    label: str = ""
    name: str = ""
    operands: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The instruction alone, as messages show it."""
        return f"{self.name} {', '.join(self.operands)}".strip()

    @property
    def is_call(self) -> bool:
        return self.name in ("import", "call")

    @property
    def is_branch(self) -> bool:
        return self.name.startswith("j") and self.name != "jmp"

    @property
    def is_end(self) -> bool:
        """Whether control leaves the function there."""
        return self.name in ("ret", "leave_for")


def parse(text: str) -> Line:
    """A line of a function's code; directives and data have no operands that matter."""
    found = INSTRUCTION.match(text)
    if found is None or text.lstrip().startswith(NO_INSTRUCTION):
        return Line()
    operands = found["operands"] or ""
    return Line(
        (found["label"] or "").rstrip(":"),
        found["name"] or "",
        tuple(one.strip() for one in operands.split(",") if one.strip()),
    )


def whole(register: str) -> str:
    """The 64-bit register that this one is a part of; empty for what is none."""
    if re.fullmatch(r"r(8|9|1[0-5])[dwb]?", register):
        return register.rstrip("dwb")
    if re.fullmatch(r"r[abcd]x|r(si|di|bp|sp)", register):
        return register
    if found := re.fullmatch(r"e?([abcd])x|([abcd])[lh]", register):
        return _LEGACY[found[1] or found[2]]
    if found := re.fullmatch(r"e?(si|di|bp|sp)|(si|di|bp|sp)l", register):
        return _NAMED[found[1] or found[2]]
    return ""


def named(register: str, size: int) -> str:
    """The part of so many bits of a 64-bit register."""
    if size == 64:
        return register
    if register[1].isdigit():
        return register + {32: "d", 16: "w", 8: "b"}[size]
    if size == 32:
        return "e" + register[1:]
    legacy = register[1:]
    if size == 16:
        return legacy
    return legacy[0] + "l" if legacy.endswith("x") else legacy + "l"


def size_of(register: str) -> int:
    """The bits of a general register."""
    return next(size for size in (64, 32, 16, 8) if named(whole(register), size) == register or size == 8)


WORD = re.compile(r"[a-z]\w*")


def registers_in(text: str) -> set[str]:
    """The general registers that a text names, each as its 64-bit one."""
    return {whole(word) for word in WORD.findall(text)} - {""}


def replaced(text: str, register: str, other: str) -> str:
    """The text with another general register in place of one, whatever its width."""

    def put(word: re.Match[str]) -> str:
        return named(other, size_of(word[0])) if whole(word[0]) == register else word[0]

    return WORD.sub(put, text)
