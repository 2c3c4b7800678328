"""A function's lines as mutations see them: what saves, restores, moves rsp; and other lines in place of some."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .corpus import Convention
from .lines import Line, parse, registers_in


@dataclass(frozen=True)
class Change:
    """Other lines in place of some."""

    at: int
    """The index of the first line that is changed."""
    what: str
    lines: tuple[str, ...]
    """The whole code."""


class Code:
    """A function's lines, read once, with what mutations ask of them."""

    def __init__(self, lines: Sequence[str], convention: Convention) -> None:
        self.text = tuple(lines)
        self.lines = tuple(parse(line) for line in lines)
        self.convention = convention
        self.used = registers_in(" ".join(operand for line in self.lines for operand in line.operands))

    def replace(self, at: int, *instead: str, count: int = 1, what: str = "") -> Change:
        """Other instructions in place of `count` lines."""
        lines = (*self.text[:at], *(f"        {one}" for one in instead), *self.text[at + count :])
        first = self.lines[at].text
        return Change(at, what or (f"{first} becomes {'; '.join(instead)}" if instead else f"without {first}"), lines)

    def insert(self, at: int, *instructions: str) -> Change:
        """Instructions before a line."""
        return self.replace(at, *instructions, count=0, what=f"{'; '.join(instructions)} before {self.place(at)}")

    def replace_all(self, instead: dict[int, str | None], what: str) -> Change:
        """Other instructions in place of several; None for none."""
        lines = []
        for index, line in enumerate(self.text):
            other = instead.get(index, line)
            if other is not None:
                lines.append(other if index not in instead else f"        {other}")
        return Change(min(instead), what, tuple(lines))

    def place(self, at: int) -> str:
        line = self.lines[at]
        return line.text or f"{line.label}:" if line != Line() else "the end"

    def is_kept(self, operand: str) -> bool:
        if vector := re.fullmatch(r"xmm(\d+)", operand):
            return int(vector[1]) in self.convention.kept_vectors
        return operand in self.convention.kept

    def is_save(self, line: Line) -> bool:
        """Puts a kept register on the stack."""
        if line.name == "push":
            return self.is_kept(line.operands[0])
        return len(line.operands) == 2 and is_stack(line.operands[0]) and self.is_kept(line.operands[1])

    def is_restore(self, line: Line) -> bool:
        if line.name == "pop":
            return self.is_kept(line.operands[0])
        is_load = line.name.startswith(("mov", "vmov")) and len(line.operands) == 2 and is_stack(line.operands[1])
        return is_load and self.is_kept(line.operands[0])

    def stack_steps(self) -> dict[int, tuple[str, int]]:
        """The lines that take a number of bytes of the stack or give them back."""
        return {
            index: (line.name, int(line.operands[1]))
            for index, line in enumerate(self.lines)
            if line.name in ("sub", "add") and line.operands[0] == "rsp" and line.operands[1].isdigit()
        }

    def pairs(self) -> Iterator[tuple[list[int], int]]:
        """The lines that take and give back one number of bytes, helper by helper as far as numbers tell."""
        steps = self.stack_steps()
        for size in dict.fromkeys(number for name, number in steps.values() if name == "sub"):
            yield [index for index, (_, number) in steps.items() if number == size], size

    def resized(self, lines: Sequence[int], size: int, by: int) -> Change | None:
        """The same frame, with so many bytes more."""
        if size + by < 0:
            return None
        steps = self.stack_steps()
        instead = {index: f"{steps[index][0]} rsp, {size + by}" if size + by else None for index in lines}
        return self.replace_all(instead, f"{size} bytes of stack become {size + by}")


def is_stack(operand: str) -> bool:
    """Whether it is a place that is counted from rsp or rbp."""
    return re.match(r"\[r(sp|bp)\b", operand) is not None
