"""What Python's lief reads, printed as JSON: a program for an environment that has lief.

lief is the library that nasm-ext reads with, in another version and with nothing of ours before or after it: it is no
independent witness of how a format is to be read, but of what nasm-ext adds, leaves out and switches off.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import lief  # type: ignore[import-not-found]  # it is in the environment that runs this file

_ELF_MACHINES = {62: "x86-64", 183: "arm64", 3: "x86"}
_PE_MACHINES = {0x8664: "x86-64", 0xAA64: "arm64", 0x14C: "x86"}
_MACHO_MACHINES = {0x1000007: "x86-64", 0x100000C: "arm64"}
_LOAD_FLAGS = {"dynamic_base": 0x40, "high_entropy": 0x20, "no_execute": 0x100}
_UNDEFINED, _LOCAL_VERSION = 0, 0
_DYNAMIC_LIBRARY, _BUNDLE, _EXECUTABLE = 6, 8, 2


def _number(value: Any) -> int:
    return int(getattr(value, "value", value))


def elf(binary: Any) -> dict[str, Any]:
    exports, imports = [], []
    for symbol in binary.dynamic_symbols:
        if not symbol.name or _number(symbol.type) in (3, 4):
            continue
        version = symbol.symbol_version
        if symbol.shndx == _UNDEFINED:
            has_name = version is not None and (version.value & 0x7FFF) > 1 and version.has_auxiliary_version
            imports.append(f"{symbol.name}@{version.symbol_version_auxiliary.name}" if has_name else symbol.name)
        elif (
            _number(symbol.binding) != 0
            and _number(symbol.visibility) in (0, 3)
            and (version is None or version.value != _LOCAL_VERSION)
        ):
            exports.append(symbol.name)
    stacks = [part.flags for part in binary.segments if part.type == lief.ELF.Segment.TYPE.GNU_STACK]
    tags = {lief.ELF.DynamicEntry.TAG.RPATH: "rpath", lief.ELF.DynamicEntry.TAG.RUNPATH: "runpath"}
    paths = [getattr(entry, tags[entry.tag]) for entry in binary.dynamic_entries if entry.tag in tags]
    name = binary.get(lief.ELF.DynamicEntry.TAG.SONAME)
    executable = bool(stacks) and bool(_number(stacks[-1]) & 1)
    return {
        "machine": [_ELF_MACHINES.get(_number(binary.header.machine_type), "unknown")],
        "kind": ["shared-library" if _number(binary.header.file_type) == 3 else "other"],
        "exports": exports,
        "imports": imports,
        "libraries": list(binary.libraries),
        "run paths": [path for text in paths for path in text.split(":") if path],
        "own name": [name.name if name is not None else ""],
        "stack": ["missing" if not stacks else "executable" if executable else "not-executable"],
    }


def pe(binary: Any) -> dict[str, Any]:
    imports, libraries = [], []
    for library in [*binary.imports, *binary.delay_imports]:
        libraries.append(library.name.lower())
        imports += [
            f"{library.name.lower()}!{f'#{entry.ordinal}' if entry.is_ordinal else entry.name}"
            for entry in library.entries
        ]
    table = binary.get_export()
    is_library = lief.PE.Header.CHARACTERISTICS.DLL in binary.header.characteristics_list
    return {
        "machine": [_PE_MACHINES.get(_number(binary.header.machine), "unknown")],
        "kind": ["shared-library" if is_library else "other"],
        "exports": [entry.name for entry in table.entries if entry.name] if table else [],
        "imports": imports,
        "libraries": libraries,
        "load flags": [word for word, flag in _LOAD_FLAGS.items() if binary.optional_header.dll_characteristics & flag],
    }


def macho(binary: Any) -> dict[str, Any]:
    # <mach-o/nlist.h>: N_STAB 0xE0, N_PEXT 0x10, N_TYPE 0x0E, N_EXT 0x01.
    plain = [symbol for symbol in binary.symbols if not symbol.raw_type & 0xE0]
    imports = [symbol.name for symbol in plain if symbol.raw_type & 0x0F == 0x01]
    if binary.has_dyld_info or binary.has_dyld_exports_trie:
        exports = [symbol.name for symbol in binary.symbols if symbol.has_export_info]
    else:
        exports = [symbol.name for symbol in plain if symbol.raw_type & 0x11 == 0x01 and symbol.raw_type & 0x0E]
    kinds = {_DYNAMIC_LIBRARY: "shared-library", _BUNDLE: "bundle", _EXECUTABLE: "executable"}
    own = lief.MachO.LoadCommand.TYPE.ID_DYLIB
    names = [command.name for command in binary.commands if command.command == own]
    version = binary.build_version.minos if binary.build_version else None
    version = version or (binary.version_min.version if binary.version_min else None)
    return {
        "machine": [_MACHO_MACHINES.get(_number(binary.header.cpu_type), "unknown")],
        "kind": [kinds.get(_number(binary.header.file_type), "other")],
        "exports": [name.removeprefix("_") for name in exports if name.startswith("_")],
        "imports": imports,
        "libraries": [library.name for library in binary.libraries if library.name not in names],
        "run paths": [path.path for path in binary.rpaths],
        "own name": names or [""],
        "fixups": ["chained" if binary.has_dyld_chained_fixups else "opcodes"],
        "minimum system": [".".join(str(part) for part in version)] if version else [""],
    }


def read(path: str) -> list[dict[str, Any]]:
    """The facts of a file; one a slice of a fat one."""
    if lief.is_macho(path):
        fat = lief.MachO.parse(path)
        return [macho(binary) for binary in fat] if fat is not None else []
    if lief.is_pe(path):
        return [pe(lief.PE.parse(path))]
    return [elf(lief.ELF.parse(path))]


if __name__ == "__main__":
    json.dump({path: read(path) for path in sys.argv[1:]}, sys.stdout)
