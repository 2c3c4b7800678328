"""Objects and bundles for macOS, as LLVM's tools see them: symbols, relocations, sections, unwind data."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from check_samples import tool

NO_UNWIND_DATA = 0


def run(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"$ {shlex.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done.stdout


def symbols(path: Path) -> dict[str, tuple[str, int]]:
    """Each symbol's letter of `nm`, and its address."""
    lines = run(tool("llvm-nm"), "-a", "-p", path).splitlines()
    rows = [re.fullmatch(r"([0-9a-f]*) +(\S) (.+)", line) for line in lines]
    return {row[3]: (row[2], int(row[1] or "0", 16)) for row in rows if row}


def letters(path: Path) -> dict[str, str]:
    return {name: letter for name, (letter, _) in symbols(path).items()}


@dataclass(frozen=True)
class Relocation:
    section: str
    offset: int
    relative: bool
    width: int
    type: str
    target: str


def relocations(path: Path) -> list[Relocation]:
    """Those of all sections. The target is a symbol or, where a relocation goes by place, a section."""
    found, section = [], ""
    for line in run(tool("llvm-readobj"), "--relocations", path).splitlines():
        if begins := re.match(r"  Section (\S+) \{", line):
            section = begins[1]
        elif row := re.match(r"    0x(\w+) (\d) (\d) \S+ (\S+) 0 (.+)", line):
            found.append(Relocation(section, int(row[1], 16), row[2] == "1", 1 << int(row[3]), row[4], row[5]))
    return found


@dataclass(frozen=True)
class Section:
    name: str
    address: int
    content: bytes
    relocations: int


def sections(path: Path) -> list[Section]:
    """Each section's bytes, from the file itself by what llvm-readobj says of it."""
    file, found = path.read_bytes(), []
    for block in run(tool("llvm-readobj"), "--sections", path).split("  Section {")[1:]:
        facts = dict(re.findall(r"^    (\w+): (\S+)", block, re.MULTILINE))
        offset, size = int(facts["Offset"]), int(facts["Size"], 16)
        content = file[offset : offset + size]
        found.append(Section(facts["Name"], int(facts["Address"], 16), content, int(facts["RelocationCount"])))
    return found


def meanings(path: Path) -> set[tuple[Relocation, str, int]]:
    """What each relocation refers to: a foreign name, or a place of this object, and how far from it."""
    names = symbols(path)
    with_relocations = [section for section in sections(path) if section.relocations]
    contents = {section.name: section.content for section in with_relocations}
    assert len(contents) == len(with_relocations)  # of two sections of one name, one has relocations
    found = set()
    for one in relocations(path):
        field = int.from_bytes(contents[one.section][one.offset :][: one.width], "little", signed=True)
        letter, address = names.get(one.target, ("by place", 0))  # by place, the field has the address itself
        meaning = (one.target, field) if letter == "U" else ("here", address + field)
        found.add((replace(one, target=""), *meaning))
    return found


@dataclass(frozen=True)
class Function:
    start: int
    length: int
    encoding: int


def recorded_functions(path: Path) -> list[Function]:
    """What the records of a trimmed object say."""
    records = next(section.content for section in sections(path) if section.name == "__compact_unwind")
    rows = [records[at : at + 32] for at in range(0, len(records), 32)]
    numbers = [[int.from_bytes(row[a:b], "little") for a, b in ((0, 8), (8, 12), (12, 16))] for row in rows]
    return [Function(*row) for row in numbers]


def link(output: Path, *objects: Path) -> Path:
    stub = output.with_name("libSystem.tbd")
    stub.write_text(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos ]\ninstall-name: /usr/lib/libSystem.B.dylib\n"
        "exports:\n  - targets: [ x86_64-macos ]\n    symbols: [ dyld_stub_binder ]\n...\n"
    )
    words = ["-bundle", "-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0"]
    run(tool("ld64.lld", "ld64.lld-14"), *words, "-undefined", "dynamic_lookup", "-o", output, *objects, stub)
    return output


def unwind_entries(image: Path) -> list[tuple[int, int]]:
    """Of a linked image: from which address on which encoding holds."""
    said = run(tool("llvm-objdump"), "--unwind-info", image)
    rows = re.findall(r"\[\d+\]: function offset=0x(\w+), encoding(?:\[\d+\])?=0x(\w+)", said)
    return sorted((int(address, 16), int(encoding, 16)) for address, encoding in rows)


def encodings(entries: list[tuple[int, int]], start: int, length: int) -> set[int]:
    """All that hold somewhere in a function."""
    before = [encoding for address, encoding in entries if address <= start]
    return {before[-1] if before else NO_UNWIND_DATA} | {
        encoding for address, encoding in entries if start < address < start + length
    }
