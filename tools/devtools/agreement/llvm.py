"""What LLVM's llvm-readobj and llvm-objdump read of files of every format."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..shell import DevelopmentError, run
from .facts import Facts, short_version, with_entry_points

OLDEST = 19
"""llvm-14 does not decode the chained fixups of Mach-O files."""

_MACHINES = {"x86_64": "x86-64", "aarch64": "arm64", "i386": "x86"}
_SLICES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def program(name: str) -> str:
    """A program of LLVM 19, as Debian names it, or a later one that is on PATH."""
    found = shutil.which(f"{name}-{OLDEST}") or shutil.which(name)
    version = re.search(r"LLVM version (\d+)", run([found, "--version"], quiet=True)) if found else None
    if not found or not version or int(version[1]) < OLDEST:
        raise DevelopmentError(f"{name} of LLVM {OLDEST} or later was not found")
    return found


def read_elf(files: Sequence[Path]) -> dict[Path, Facts]:
    """ELF files, by llvm-readobj."""
    words = ["--elf-output-style=JSON", "--file-header", "--program-headers", "--dynamic-table", "--needed-libs"]
    text = run([program("llvm-readobj"), *words, "--dyn-syms", "--version-info", *files], quiet=True, warnings=False)
    # LLVM 19 writes the predecessors of version definitions as plain text into its JSON.
    text = re.sub(r"Predecessors: \[.*?\]\n", "", text)
    return {Path(one["FileSummary"]["File"]): _elf(one) for one in json.loads(text)}


def _elf(one: Mapping[str, Any]) -> Facts:
    exports, imports = [], []
    versions = [entry["Symbol"] for entry in one["VersionSymbols"]]
    symbols = [entry["Symbol"] for entry in one["DynamicSymbols"]]
    for index, symbol in enumerate(symbols):
        name = symbol["Name"]["Name"].partition("@")[0]
        if not name or symbol["Type"]["Value"] in (3, 4):
            continue
        version = versions[index] if versions else {"Version": 1, "Name": name}
        if symbol["Section"]["Name"] == "Undefined":
            suffix = version["Name"].partition("@")[2].lstrip("@")
            imports.append(f"{name}@{suffix}" if suffix else name)
        elif symbol["Binding"]["Value"] and symbol["Other"]["Value"] & 3 in (0, 3) and version["Version"]:
            exports.append(name)
    stacks = [
        header["ProgramHeader"]["Flags"]["Value"]
        for header in one["ProgramHeaders"]
        if header["ProgramHeader"]["Type"]["Name"] == "PT_GNU_STACK"
    ]
    dynamic: dict[str, list[str]] = {}
    for entry in one["DynamicSection"]:
        text = entry.get("Library") or entry.get("Name") or (entry.get("Path") or [""])
        dynamic.setdefault(entry["Type"], []).extend([text] if isinstance(text, str) else text)
    return with_entry_points(
        {
            "machine": [_MACHINES.get(one["FileSummary"]["Arch"], one["FileSummary"]["Arch"])],
            "kind": ["shared-library" if one["ElfHeader"]["Type"].startswith("SharedObject") else "other"],
            "exports": exports,
            "imports": imports,
            "libraries": one["NeededLibraries"],
            "run paths": [path for tag in ("RPATH", "RUNPATH") for path in dynamic.get(tag, ()) if path],
            "own name": dynamic.get("SONAME", [""]),
            "stack": ["missing" if not stacks else "executable" if stacks[-1] & 1 else "not-executable"],
        }
    )


def _sections(text: str) -> Iterable[tuple[Path, str, str]]:
    """File, architecture and text of each part of llvm-readobj's output."""
    parts = re.split(r"^File: (.*)\nFormat: .*\nArch: (\w+)\n", text, flags=re.MULTILINE)
    for name, machine, part in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        yield Path(name), machine, part


def read_pe(files: Sequence[Path]) -> dict[Path, Facts]:
    """PE files, by llvm-readobj."""
    text = run(
        [program("llvm-readobj"), "--file-headers", "--coff-imports", "--coff-exports", *files],
        quiet=True,
        warnings=False,
    )
    return {file: _pe(machine, part) for file, machine, part in _sections(text)}


def _pe(machine: str, text: str) -> Facts:
    exports, imports, libraries = [], [], []
    for block in re.findall(r"^(?:Delay)?Import \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        library = re.search(r"^  Name: (.*)$", block, re.MULTILINE)
        libraries.append(library[1].lower() if library else "")
        # `Symbol: name (hint)` on a line of its own, indented deeper for delayed ones; without a name `Symbol: (17)`.
        for name, number in re.findall(r"^ *Symbol: (\S*) ?\((\d+)\)$", block, re.MULTILINE):
            imports.append(f"{libraries[-1]}!{name or f'#{number}'}")
    for name in re.findall(r"^Export \{\n  Ordinal: \d+\n  Name: ?(\S*)$", text, re.MULTILINE):
        exports.append(name)
    return with_entry_points(
        {
            "machine": [_MACHINES.get(machine, machine)],
            "kind": ["shared-library" if "IMAGE_FILE_DLL " in text else "other"],
            "exports": [name for name in exports if name],
            "imports": imports,
            "libraries": libraries,
            "load flags": [flag for flag, name in _LOAD_FLAGS.items() if f"IMAGE_DLL_CHARACTERISTICS_{name} " in text],
        }
    )


_LOAD_FLAGS = {"dynamic_base": "DYNAMIC_BASE", "high_entropy": "HIGH_ENTROPY_VA", "no_execute": "NX_COMPAT"}


def read_macho(files: Sequence[Path]) -> dict[tuple[Path, str], Facts]:
    """Mach-O files and slices of fat ones, by llvm-readobj. What is exported is llvm-objdump's to say."""
    words = ["--file-headers", "--symbols", "--needed-libs", "--macho-version-min"]
    text = run([program("llvm-readobj"), *words, *files], quiet=True, warnings=False)
    return {(file, _SLICES.get(machine, machine)): _macho(machine, part) for file, machine, part in _sections(text)}


_SYMBOL = re.compile(
    r"^  Symbol \{\n    Name: (?P<name>.*) \(\d+\)\n(?P<flags>(?:    \w+\n)*)"
    r"    (?P<type>SymDebugTable|Type): (?P<kind>\S*)",
    re.MULTILINE,
)


def _macho(machine: str, text: str) -> Facts:
    symbols = [one for one in _SYMBOL.finditer(text) if one["type"] == "Type" and "Extern" in one["flags"].split()]
    kinds = {"DynamicLibrary": "shared-library", "Bundle": "bundle", "Executable": "executable"}
    kind = re.search(r"^  FileType: (\w+)", text, re.MULTILINE)
    libraries = re.search(r"^NeededLibraries \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    version = re.search(r"^  Version: (\S+)$", text, re.MULTILINE)
    return with_entry_points(
        {
            "machine": [_MACHINES.get(machine, machine)],
            "kind": [kinds.get(kind[1], kind[1])] if kind else [],
            "imports": [one["name"] for one in symbols if one["kind"] == "Undef"],
            "libraries": [line.strip() for line in libraries[1].splitlines()] if libraries else [],
            "minimum system": [short_version(version[1]) if version else ""],
        }
    )


def read_macho_load(files: Sequence[Path]) -> dict[tuple[Path, str], Facts]:
    """What dyld is told, by llvm-objdump: the export trie, the names that are bound, the run paths."""
    words = ["--macho", "--arch=all", "--exports-trie", "--bind", "--lazy-bind", "--rpaths", "--dylib-id"]
    words.append("--dylibs-used")
    text = run([program("llvm-objdump"), *words, *files], quiet=True, warnings=False)
    slices: dict[tuple[Path, str], list[str]] = {}
    current: list[str] = []
    names = {str(file): file for file in files}
    for line in text.splitlines():
        head = re.fullmatch(r"(.*?)(?: \(architecture (\w+)\))?:", line)
        if head and head[1] in names:
            current = slices.setdefault((names[head[1]], head[2] or ""), [])
        else:
            current.append(line)
    return {place: _macho_load(lines) for place, lines in slices.items()}


def _macho_load(lines: Iterable[str]) -> Facts:
    found: dict[str, list[str]] = {"exports": [], "bound": [], "libraries": []}
    plain = []  # the run paths and, in a library, its own name
    part = ""
    for line in lines:
        words = line.split()
        if line.endswith(" table:") or line == "Exports trie:":
            part = line
        elif not words or words[0] == "segment":
            continue
        elif part == "Exports trie:" and line.startswith(("0x", "[re-export]")):
            found["exports"].append(words[1])
        elif part.endswith(" table:") and line.startswith("__"):
            if part != "Weak bind table:" and " this-image " not in line:
                found["bound"].append(line.removesuffix(" (weak_import)").split()[-1])
        elif line.startswith("\t"):
            found["libraries"].append(line.partition(" (compatibility")[0].strip())
        else:
            plain.append(line)
    own = [name for name in found["libraries"][:1] if name in plain]
    found["libraries"] = found["libraries"][len(own) :]
    found["own name"] = own or [""]
    found["run paths"] = [line for line in plain if line not in own]
    found["exports"] = [name.removeprefix("_") for name in found["exports"] if name.startswith("_")]
    return with_entry_points(found)
