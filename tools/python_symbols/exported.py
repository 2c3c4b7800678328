"""The names that an interpreter's library exports, read from the file itself: ELF, PE or Mach-O.

ELF goes through readelf; the other two are read here, because no tool for them is on every Linux machine.
"""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Exported:
    """What one file exports; `data` are those names that the file itself says are objects (ELF alone says so)."""

    names: frozenset[str]
    data: frozenset[str] = field(default=frozenset())


def exported(path: Path) -> Exported:
    """Reads the exports of `path` in any of the three formats; of an archive, what a library made of it exports."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"\x7fELF":
        return _elf(path, "--dyn-syms")
    if magic == b"!<ar":
        return _elf(path, "--syms")
    if magic[:2] == b"MZ":
        return Exported(frozenset(_pe(path.read_bytes())))
    if magic == b"\xcf\xfa\xed\xfe":
        return Exported(frozenset(_macho(path.read_bytes())))
    raise SystemExit(f"{path}: neither ELF, PE nor 64-bit Mach-O")


def _elf(path: Path, which: str) -> Exported:
    listing = subprocess.run(["readelf", which, "-W", str(path)], check=True, capture_output=True, text=True).stdout
    names, data = set(), set()
    for line in listing.splitlines():
        # Num: Value Size Type Bind Vis Ndx Name
        words = line.split()
        if len(words) < 8 or not words[0].endswith(":") or not words[0][:-1].isdigit():
            continue
        kind, binding, section = words[3], words[4], words[6]
        if section == "UND" or binding not in ("GLOBAL", "WEAK") or words[5] not in ("DEFAULT", "PROTECTED"):
            continue
        name = words[7].split("@", 1)[0]
        names.add(name)
        if kind == "OBJECT":
            data.add(name)
    return Exported(frozenset(names), frozenset(data))


def _pe(file: bytes) -> set[str]:
    """The name table of the export directory (PE format, 6.3)."""
    header = struct.unpack_from("<I", file, 0x3C)[0]
    sections, _, _, _, optional_size = struct.unpack_from("<HIIIH", file, header + 6)
    optional = header + 24
    directories = optional + (112 if struct.unpack_from("<H", file, optional)[0] == 0x20B else 96)
    table = [struct.unpack_from("<IIII", file, optional + optional_size + 40 * index + 8) for index in range(sections)]

    def offset(address: int) -> int:
        for _, start, size, raw in table:
            if start <= address < start + size:
                return int(raw + address - start)
        raise SystemExit(f"address {address:#x} lies in no section")

    exports = offset(struct.unpack_from("<I", file, directories)[0])
    count = struct.unpack_from("<I", file, exports + 24)[0]
    pointers = offset(struct.unpack_from("<I", file, exports + 32)[0])
    names = set()
    for (address,) in struct.iter_unpack("<I", file[pointers : pointers + 4 * count]):
        start = offset(address)
        names.add(file[start : file.index(b"\0", start)].decode("ascii"))
    return names


def _macho(file: bytes) -> set[str]:
    """External, defined, not private symbols of LC_SYMTAB, without their leading underscore (mach-o/nlist.h)."""
    commands = struct.unpack_from("<I", file, 16)[0]
    place = 32
    names = set()
    for _ in range(commands):
        command, size = struct.unpack_from("<II", file, place)
        if command == 2:
            symbols, count, strings, _ = struct.unpack_from("<IIII", file, place + 8)
            for index in range(count):
                text, kind, _, _, _ = struct.unpack_from("<IBBHQ", file, symbols + 16 * index)
                is_debugging, is_private, is_external = kind & 0xE0, kind & 0x10, kind & 0x01
                if is_debugging or is_private or not is_external or kind & 0x0E == 0:
                    continue
                start = strings + text
                names.add(file[start : file.index(b"\0", start)].decode("ascii").removeprefix("_"))
        place += size
    return names
