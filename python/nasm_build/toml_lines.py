"""Finds the line of a key in a TOML file: the standard library's parser keeps none, and an error must name it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?")


def line_of(text: str, table: str, key: str = "", occurrence: int = 0) -> int:
    """The line of `key` in `[table]`, or of the table itself; 0 where it cannot be told.

    `table` is dotted, as in its header; `occurrence` counts the `[[table]]` headers of an array of tables. A key that
    stands in dotted or inline form gives the nearest line that names it.
    """
    seen = -1
    inside = False
    header_line = 0
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            name = re.sub(r"""["'\s]""", "", header.group(1))
            if name == table:
                seen += 1
                inside = seen == occurrence
                if inside:
                    header_line = number
                    if not key:
                        return number
            else:
                inside = False
        elif inside and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", line):
            return number
    if header_line:
        return header_line
    return _line_of_word(text, key or table.rpartition(".")[2])


def _line_of_word(text: str, word: str) -> int:
    """The first line that holds a word as a key of an inline table or a dotted key."""
    pattern = re.compile(rf"""(?<![\w-])["']?{re.escape(word)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), start=1) if pattern.search(line)), 0)
