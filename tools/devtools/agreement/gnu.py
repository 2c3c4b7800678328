"""What GNU readelf reads of ELF files: headers, dynamic table, dynamic symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..shell import run
from .facts import Facts, with_entry_points

_MACHINES = {
    "Advanced Micro Devices X86-64": "x86-64",
    "AArch64": "arm64",
    "Intel 80386": "x86",
}
# A type or binding of GNU's own (10: IFUNC, UNIQUE) is `<OS specific>: 10` where the file's OSABI is not GNU.
_WORD = r"(?:<[^>]*>: \d+|\S+)"
_SYMBOL = re.compile(
    rf"^ *\d+: [0-9a-f]+ +\S+ (?P<type>{_WORD}) +(?P<bind>{_WORD}) +(?P<visibility>\S+) +"
    r"(?:\[.*\] +)?(?P<section>\S+) (?P<name>\S+)"
)
_DYNAMIC = re.compile(r"^ 0x[0-9a-f]+ \((?P<tag>\w+)\) .*\[(?P<value>.*)\]$")


def read(files: Sequence[Path]) -> dict[Path, Facts]:
    """Each file with what readelf says of it."""
    # The name of a file is printed only where there are two or more.
    words = ["--wide", "--file-header", "--program-headers", "--dynamic", "--dyn-syms"]
    text = run(["readelf", *words, *files, files[0]], quiet=True, warnings=False)
    return {file: _facts(part) for file, part in _by_file(text, files)}


def _by_file(text: str, files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    parts = re.split(r"^File: (.*)$", text, flags=re.MULTILINE)
    known = {str(file): file for file in files}
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        if name in known:
            yield known[name], part


def _facts(text: str) -> Facts:
    dynamic: dict[str, list[str]] = {}
    exports, imports = [], []
    for line in text.splitlines():
        if entry := _DYNAMIC.match(line):
            dynamic.setdefault(entry["tag"], []).append(entry["value"])
        elif symbol := _SYMBOL.match(line):
            if symbol["type"] in ("SECTION", "FILE"):
                continue
            name, _, version = symbol["name"].partition("@")
            if symbol["section"] == "UND":
                imports.append(f"{name}@{version}" if version else name)
            elif symbol["bind"] != "LOCAL" and symbol["visibility"] in ("DEFAULT", "PROTECTED"):
                exports.append(name)
    machine = re.search(r"^  Machine: +(.*)$", text, re.MULTILINE)
    kind = re.search(r"^  Type: +(\w+)", text, re.MULTILINE)
    paths = [path for value in [*dynamic.get("RPATH", ()), *dynamic.get("RUNPATH", ())] for path in value.split(":")]
    return with_entry_points(
        {
            "machine": [_MACHINES.get(machine[1], machine[1])] if machine else [],
            "kind": ["shared-library" if kind and kind[1] == "DYN" else "other"],
            "exports": exports,
            "imports": imports,
            "libraries": dynamic.get("NEEDED", []),
            "run paths": [path for path in paths if path],
            "own name": dynamic.get("SONAME", [""]),
            "stack": [_stack(text)],
        }
    )


def _stack(text: str) -> str:
    headers = re.findall(r"^  GNU_STACK +(?:0x[0-9a-f]+ ){5}(...)", text, re.MULTILINE)
    return "missing" if not headers else "executable" if "E" in headers[-1] else "not-executable"
