"""Writes src/inspect/data/python_symbols.inc: which CPython exports which name, and what is in the stable ABI.

Run by hand, when a CPython comes out:  python tools/python_symbols/generate.py FOLDER
FOLDER holds the files that sources.toml lists. Only facts are carried over: names, versions, conditions.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from declared import free_threaded_only
from exported import exported
from stable_abi import StableName, from_table, names_in_test, with_later

_HERE = Path(__file__).resolve().parent
_RESULT = _HERE.parents[1] / "src" / "inspect" / "data" / "python_symbols.inc"
_PLATFORMS = ("linux", "macos", "windows")
_OLDEST, _NEWEST = 6, 15
_CONDITIONS = ("", "MS_WINDOWS", "HAVE_FORK", "USE_STACKCHECK", "PY_HAVE_THREAD_NATIVE_ID", "Py_REF_DEBUG")

#: minor version to names
ByVersion = dict[int, frozenset[str]]


@dataclass
class Collected:
    """Everything that was read, before it is turned into rows."""

    platforms: dict[str, ByVersion] = field(default_factory=lambda: {platform: {} for platform in _PLATFORMS})
    debug_only: ByVersion = field(default_factory=dict)
    free_threaded_only: ByVersion = field(default_factory=dict)
    stable: dict[str, StableName] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  #: the lines that say where each part comes from


def _python_names(names: frozenset[str]) -> frozenset[str]:
    """Python's own: a linker's and the C library's names, and which modules happen to be built in, are not."""
    return frozenset(
        name
        for name in names
        if name.startswith(("Py", "_Py", "__Py", "PY_")) and not name.startswith(("PyInit_", "_PyInit_"))
    )


def _minor(entry: dict[str, str]) -> int:
    return int(entry["python"].split(".")[1])


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.h")) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _toml(path: Path) -> dict[str, Any]:
    # tomllib came with 3.11; tomli is the same library for 3.10.
    tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return table


def collect(folder: Path) -> Collected:
    """Reads every file of sources.toml."""
    sources = _toml(_HERE / "sources.toml")
    found = Collected()
    data: set[str] = set()

    def note(entry: dict[str, str], what: str) -> Path:
        path = folder / entry.get("file", entry.get("headers", ""))
        found.notes.append(f"{what}: {entry['origin']}; SHA-256 {_digest(path)}…")
        return path

    for entry in sources["library"]:
        exports = exported(note(entry, f"{entry['python']} {entry['platform']}"))
        versions = found.platforms[entry["platform"]]
        versions[_minor(entry)] = versions.get(_minor(entry), frozenset()) | _python_names(exports.names)
        data |= exports.data
    for entry in sources["debug"]:
        names = _python_names(exported(note(entry, f"{entry['python']} debug")).names)
        found.debug_only[_minor(entry)] = names - found.platforms["linux"][_minor(entry)]
    for entry in sources["free_threaded"]:
        path = note(entry, f"{entry['python']} free-threaded")
        names = free_threaded_only(path) if "headers" in entry else exported(path).names
        only = _python_names(names) - found.platforms["linux"][_minor(entry)]
        before = found.free_threaded_only.setdefault(_minor(entry), only)
        if before != only:
            raise SystemExit(f"{entry['origin']}: another free-threaded set than before: {sorted(before ^ only)}")
    later = {}
    known = from_table(_toml(note(sources["stable_abi"], "stable ABI")))
    for entry in sources["stable_abi_later"]:
        later[_minor(entry)] = names_in_test(note(entry, f"stable ABI {entry['python']}"))
    found.stable = with_later(known, later, frozenset(data))
    return found


def fill_gaps(found: Collected) -> None:
    """Gives each missing pair of platform and version the names it most likely has; too many rather than too few.

    A version that was not read on a platform has what Linux has in that version, and what the nearest version read on
    that platform has beyond Linux. Debug builds that were not read have what the nearest ones on either side have.
    """
    linux = found.platforms["linux"]
    for platform in ("macos", "windows"):
        read = found.platforms[platform]
        missing = [minor for minor in range(_OLDEST, _NEWEST + 1) if minor not in read]
        filled = {}
        for minor in missing:
            nearest = min(read, key=lambda other: (abs(other - minor), other))
            filled[minor] = linux[minor] | (read[nearest] - linux[nearest])
            found.notes.append(
                f"3.{minor} {platform}: not had; the names of 3.{minor} on Linux, and those of 3.{nearest} on "
                f"{platform} that Linux does not have"
            )
        read.update(filled)
    debug = dict(found.debug_only)
    for minor in range(_OLDEST, _NEWEST + 1):
        if minor not in debug:
            below = max((other for other in debug if other < minor), default=None)
            above = min((other for other in debug if other > minor), default=None)
            sides = [side for side in (below, above) if side is not None]
            found.debug_only[minor] = frozenset[str]().union(*(debug[side] for side in sides)) - linux[minor]
            found.notes.append(
                f"3.{minor} debug: not had; what debug builds of {' and '.join(f'3.{side}' for side in sides)} add"
            )


def _mask(versions: ByVersion, name: str) -> int:
    return sum(1 << (minor - _OLDEST) for minor, names in versions.items() if name in names)


def rows(found: Collected) -> Iterator[str]:
    """One row a name, in the order of its bytes, which is what the search in C++ relies on."""
    groups = [*found.platforms.values(), found.free_threaded_only, found.debug_only]
    names = set(found.stable).union(*(names for versions in groups for names in versions.values()))
    for index, name in enumerate(sorted(names, key=lambda text: text.encode("ascii"))):
        masks = ", ".join(f"0x{_mask(versions, name):03x}" for versions in groups)
        stable = found.stable.get(name)
        if stable is None:
            facts = "0, 0"
        else:
            flags = int(stable.is_data) | int(stable.abi_only) << 1 | _CONDITIONS.index(stable.condition) << 2
            facts = f"{stable.added}, {flags}"
        yield f'PYTHON_SYMBOL({index}, "{name}", {masks}, {facts})'


def _head(found: Collected) -> Iterator[str]:
    yield "// Generated by tools/python_symbols/generate.py; do not edit."
    yield "//"
    yield "// PYTHON_SYMBOL(index, name, linux, macos, windows, free-threaded only, debug only, stable since, flags)"
    yield f"// Masks: bit n is CPython 3.(n + {_OLDEST}). Stable since: the minor version, 0 when it is not stable."
    yield "// Flags of stable names: 1 data, 2 not in the limited API, the rest the condition: " + ", ".join(
        f"{index << 2} {condition}" for index, condition in enumerate(_CONDITIONS) if condition
    )
    yield "//"
    yield "// Read from (ELF dynamic symbols with readelf, PE export directories and Mach-O symbol tables by"
    yield "// exported.py, headers through the C preprocessor by declared.py; of hashes the first 16 digits, a folder's"
    yield "// over its headers):"
    for line in found.notes:
        yield f"//   {line}"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="holds the files that sources.toml lists")
    arguments = parser.parse_args()
    found = collect(arguments.folder)
    fill_gaps(found)
    lines = [*_head(found), *rows(found)]
    _RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{_RESULT}: {sum(line.startswith('PYTHON_SYMBOL(') for line in lines)} names")


if __name__ == "__main__":
    main()
