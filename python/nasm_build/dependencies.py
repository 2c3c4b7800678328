"""Which files an assembly source reads: as NASM says (`nasm -M`), or by a scan of its text where NASM cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

_TARGET = "nasm-build-object"
_TOKEN = re.compile(r"(?:\\[ #]|\$\$|[^\s\\]|\\(?!\n))+")


def make_rule_inputs(output: str) -> list[str]:
    """The prerequisites of the one rule that `nasm -M -MT nasm-build-object` prints, unescaped from Makefile syntax."""
    text = output.replace("\r\n", "\n").replace("\\\n", " ")
    for line in text.splitlines():
        head, colon, tail = line.partition(" :")
        if not colon:
            head, colon, tail = line.partition(":")
        if head.strip() == _TARGET:
            names = (re.sub(r"\\([ #])", r"\1", token).replace("$$", "$") for token in _TOKEN.findall(tail))
            return list(dict.fromkeys(names))
    return []


def dependency_words(command: Sequence[str]) -> list[str]:
    """The words that make NASM print what it reads instead of assembling. `-MD` is broken in 2.16.00 and 2.16.01."""
    return [*command, "-M", "-MT", _TARGET]


_DIRECTIVE = re.compile(
    r"""^[^;"'`]*?(?:%\s*(?:include|depend|pathsearch\s+[\w.?@$#~]+)|\bincbin)\s*(["'`])(?P<name>.+?)\1""",
    re.IGNORECASE | re.MULTILINE,
)


def scan(root: Path, source: str, folders: Iterable[str]) -> list[str]:
    """The files that a source names, whichever branch of a `%ifdef` they stand in; relative to `root`, source first.

    NASM on Linux does not list what stands under `%ifdef WINDOWS`, and an sdist must hold it. Names that are computed
    by macros are not seen here; `nasm -M` sees those of its own target. A file that is not there is left out.
    """
    found: dict[str, None] = {source: None}
    waiting = [source]
    search = [*folders]
    while waiting:
        current = waiting.pop()
        try:
            text = (root / current).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        beside = str(PurePosixPath(current).parent)
        for match in _DIRECTIVE.finditer(text):
            name = match["name"].replace("\\", "/")
            for folder in ("", *search, beside):
                candidate = str(PurePosixPath(folder, name))
                if (root / candidate).is_file():
                    if candidate not in found:
                        found[candidate] = None
                        waiting.append(candidate)
                    break
    return list(found)
