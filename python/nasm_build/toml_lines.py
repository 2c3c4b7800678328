"""Finds the line of a key in a TOML file: the standard library's parser keeps none, and an error must name it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")


def line_of(text: str, table: str, key: str = "", occurrence: int = 0) -> int:
    """The line of `key` in `[table]`, or of the table itself; 0 where it cannot be told.

    `table` is dotted, as in its header; `occurrence` counts the `[[table]]` headers of an array of tables. A key that
    stands inside an inline table gives the first line of the table's that names it.
    """
    lines = text.splitlines()
    first, last = _range_of(lines, table, occurrence)
    if not first:
        return _first_line_with(lines, key or table.rpartition(".")[2], 1, len(lines))
    if not key:
        return first
    for number in range(first + 1, last + 1):
        if re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", lines[number - 1]):
            return number
    return _first_line_with(lines, key, first + 1, last) or first


def _range_of(lines: list[str], table: str, occurrence: int) -> tuple[int, int]:
    """The lines of a table, from its header to the line before the next one; (0, 0) when it has no header."""
    first = 0
    seen = -1
    for number, line in enumerate(lines, start=1):
        header = _HEADER.match(line)
        if not header:
            continue
        if first:
            return first, number - 1
        if re.sub(r"""["'\s]""", "", header.group(1)) == table:
            seen += 1
            if seen == occurrence:
                first = number
    return first, len(lines) if first else 0


def _first_line_with(lines: list[str], word: str, first: int, last: int) -> int:
    """The first of some lines that holds a word as a key of an inline table or a dotted key."""
    pattern = re.compile(rf"""(?<![\w-])["']?{re.escape(word)}["']?\s*[=.\]]""")
    return next((number for number in range(first, last + 1) if pattern.search(lines[number - 1])), 0)
