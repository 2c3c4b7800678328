"""python3.dll, made for a Windows CPython that came without it: every name of the stable ABI, forwarded.

A stable ABI module imports its names from python3.dll, which holds no code: each export says where the running
CPython's own library has it. The names are those that the table of Python's symbols, which nasm-ext itself goes by,
calls stable in that version, as far as that library exports them. A name that became stable later is left out even
where the library has it: python.org's python3.dll lacks it too, and a module that imports it must fail here as there.
"""

from __future__ import annotations

import re
import struct
import tempfile
from pathlib import Path

from ..shell import ROOT, DevelopmentError, run

TABLE = ROOT / "src/inspect/data/python_symbols.inc"
_ROW = re.compile(r'PYTHON_SYMBOL\(\d+, "(\w+)", [^)]*?, (\d+), (\d+)\)')
_DATA = 1


def make(library: Path, minor: int, target: Path) -> None:
    """Writes the python3.dll of the python3NN.dll of CPython 3.`minor`. Raises DevelopmentError."""
    names = stable_names(TABLE.read_text(encoding="utf-8"), minor)
    own = exports(library.read_bytes())
    both = {name: is_data for name, is_data in names.items() if name in own}
    if len(both) < 500:  # 3.10 has more than 800
        raise DevelopmentError(f"{library.name} exports only {len(both)} names of the stable ABI")
    with tempfile.TemporaryDirectory(prefix="python3-dll-") as text:
        work = Path(text)
        (work / "python3.def").write_text(definition(library.stem, both))
        (work / "empty.asm").write_text("section .text\n")  # the linker wants one object to know the machine by
        run(["nasm", "-f", "win64", "-o", work / "empty.obj", work / "empty.asm"], quiet=True)
        run(
            ["lld-link", "/dll", "/noentry", "/machine:x64", "/brepro", f"/def:{work / 'python3.def'}",
             f"/out:{work / 'python3.dll'}", f"/implib:{work / 'python3.lib'}", work / "empty.obj"],
            quiet=True,
        )  # fmt: skip
        target.write_bytes((work / "python3.dll").read_bytes())


def definition(library: str, names: dict[str, bool]) -> str:
    """The module definition file: every name forwarded to `library`."""
    lines = [f"    {name} = {library}.{name}{' DATA' if names[name] else ''}" for name in sorted(names)]
    return "\n".join(["LIBRARY python3", "EXPORTS", *lines, ""])


def stable_names(table: str, minor: int) -> dict[str, bool]:
    """The names of 3.`minor`'s stable ABI in the generated table, and whether each is data."""
    rows = [(name, int(since), int(flags)) for name, since, flags in _ROW.findall(table)]
    return {name: bool(flags & _DATA) for name, since, flags in rows if 0 < since <= minor}


def exports(file: bytes) -> set[str]:
    """The names that a PE32+ library exports (PE format: the export directory's name pointers)."""
    header = struct.unpack_from("<I", file, 0x3C)[0]
    sections, optional_size = struct.unpack_from("<H12xH", file, header + 6)
    optional = header + 24
    table = [struct.unpack_from("<IIII", file, optional + optional_size + 40 * index + 8) for index in range(sections)]

    def offset(address: int) -> int:
        for size, start, length, raw in table:
            if 0 <= address - start < max(size, length):
                return int(raw + address - start)
        raise DevelopmentError(f"a library's export directory names the address {address:#x}, which no section holds")

    directory = offset(struct.unpack_from("<I", file, optional + 112)[0])
    count, pointers = struct.unpack_from("<I4xI", file, directory + 24)
    names = set()
    for (address,) in struct.iter_unpack("<I", file[offset(pointers) : offset(pointers) + 4 * count]):
        start = offset(address)
        names.add(file[start : file.index(b"\0", start)].decode("ascii"))
    return names
