"""Every program's reading of one wheel: each is called once for all the modules that it can read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..environments import Environment
from ..shell import run
from . import gnu, llvm
from .compare import Witnesses
from .facts import Facts, Place, short_version, with_entry_points

_ELF, _PE, _FAT = b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe"
_LIEF = Path(__file__).with_name("lief_reader.py")
_SLICES = {"x86-64": "x86_64"}


def unpack(wheel: Path, members: Sequence[str], folder: Path) -> dict[Path, str]:
    """The members, each in a file of its own whose name says nothing, with the names that they have in the wheel."""
    unpacked = {}
    with zipfile.ZipFile(wheel) as archive:
        for number, member in enumerate(members):
            path = folder / f"module-{number}"
            path.write_bytes(archive.read(member))
            unpacked[path] = member
    return unpacked


def by_others(files: Mapping[Path, str], tools: Environment) -> Witnesses:
    """What readelf, LLVM's programs and lief read of unpacked members."""
    formats: dict[bytes, list[Path]] = {}
    fat = set()
    for file in files:
        with file.open("rb") as opened:
            start = opened.read(4)
        kind = _ELF if start == _ELF else _PE if start[:2] == _PE else _FAT
        formats.setdefault(kind, []).append(file)
        if start == _FAT:
            fat.add(file)
    elf, pe, macho = (formats.get(kind, []) for kind in (_ELF, _PE, _FAT))

    def place(file: Path, part: str = "") -> Place:
        return files[file], part if file in fat else ""

    witnesses: dict[str, dict[Place, Facts]] = {"lief": _lief(files, fat, tools)}
    if elf:
        witnesses["readelf"] = {place(file): facts for file, facts in gnu.read(elf).items()}
    readobj: dict[Place, Facts] = {}
    if elf:
        readobj |= {place(file): facts for file, facts in llvm.read_elf(elf).items()}
    if pe:
        readobj |= {place(file): facts for file, facts in llvm.read_pe(pe).items()}
    if macho:
        readobj |= {place(file, part): facts for (file, part), facts in llvm.read_macho(macho).items()}
        load = llvm.read_macho_load(macho)
        witnesses["llvm-objdump"] = {place(file, part): facts for (file, part), facts in load.items()}
        # llvm-readobj lists a library's own name among those that it needs.
        for one, facts in witnesses["llvm-objdump"].items():
            needed = readobj[one]["libraries"] - facts["own name"]
            readobj[one] = {**readobj[one], "libraries": needed}
    witnesses["llvm-readobj"] = readobj
    return witnesses


def _lief(files: Mapping[Path, str], fat: set[Path], tools: Environment) -> dict[Place, Facts]:
    found: dict[Place, Facts] = {}
    for path, parts in json.loads(run([tools.python, _LIEF, *files], quiet=True)).items():
        for facts in parts:
            file = Path(path)
            if "minimum system" in facts:
                facts["minimum system"] = [short_version(one) for one in facts["minimum system"]]
            machine = facts["machine"][0]
            found[files[file], _SLICES.get(machine, machine) if file in fat else ""] = with_entry_points(facts)
    return found
