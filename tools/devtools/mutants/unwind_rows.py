"""Unwind data that tells something else than the code: rows as nasm_build/unwind_*.inc write them, made false."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .code import Change, Code


def falsify_unwind(code: Code) -> Iterator[Change]:
    """A row of the unwind data says something else than the code does, or there is none."""
    blocks = [at for at, line in enumerate(code.text) if line.startswith("%ifidn")]
    for at in blocks:
        end = code.text.index("%endif", at)
        yield Change(at, "without its unwind data", code.text[:at] + code.text[end + 1 :])
        for row in range(at, end):
            line = code.text[row]
            if not line.startswith("db "):
                continue
            words = [word.strip() for word in line.removeprefix("db ").split(",")]
            rows = falsified_dwarf(words) if "elf64" in code.text[at] else falsified_codes(words)
            for what, other in rows:
                lines = (*code.text[:row], f"db {', '.join(other)}", *code.text[row + 1 :])
                yield Change(row, f"unwind data: {what}", lines)


def falsified_dwarf(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Call frame instructions as unwind_dwarf.inc writes them."""
    at = 0
    while at < len(words):
        if not re.fullmatch(r"0x[0-9a-f]+|\d+", words[at]):
            return
        code, place = int(words[at], 0), at
        if 0x41 <= code < 0x7F:
            yield f"{words[at]} (on by {code - 0x40}) is one byte late", _with(words, at, hex(code + 1))
        elif code >= 0x80 and code < 0xC0:
            at += 1
            yield f"register {code - 0x80} lies one place off", _with(words, at, str(int(words[at], 0) + 1))
        elif code == 0x0E:
            at += 1
            yield f"the frame's address is 8 off at {words[at]}", _with(words, at, str(int(words[at], 0) + 8))
        elif code == 0x0D:
            at += 1
            yield "another register holds the frame's address", _with(words, at, "3")
        elif code == 0x0C:
            at += 2
            yield "the frame's address is 8 off at the end", _with(words, at, str(int(words[at], 0) + 8))
        at = max(at, place) + 1


def falsified_codes(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Unwind codes as unwind_win64.inc writes them: pairs of a place and an operation, some with a number behind."""
    if words == ["5"]:
        yield "there is no frame pointer", ["0"]
    at = 1
    while len(words) > 2 and at < len(words):
        word = words[at]
        if re.fullmatch(r"0x[0-9a-f]0", word):
            yield f"{word} pushes another register", _with(words, at, hex(int(word, 0) ^ 0x10))
            yield f"{word} is left out", words[: at - 1] + words[at + 1 :]
        elif word.isdigit() and int(word) % 16 == 2:
            yield f"{word} takes 16 bytes more", _with(words, at, str(int(word) + 32))
        elif word.endswith("| 8"):
            yield "a vector register lies 16 bytes off", _with(words, at + 1, f"({words[at + 1]}) + 1")
            at += 2
        elif word == "0x01":
            yield "the frame is 8 bytes larger", _with(words, at + 1, f"({words[at + 1]}) + 1")
            at += 2
        at += 2


def _with(words: Sequence[str], at: int, other: str) -> list[str]:
    return [*words[:at], other, *words[at + 1 :]]
