"""./dev prove windows-imports: what public wheels for Windows import, held against the import libraries we write.

The libraries come from our own tables of names (`nasm-ext import-library`). What a wheel's modules import was decided
by other linkers and other import libraries, and the wheels run: so each name which they import and ours lack is a hole
in our tables, unless the wheel imports what its own tag does not promise, which is its fault and is counted apart.
Wheels are pinned; LLVM's tools read the modules and the libraries.
"""

from __future__ import annotations

import functools
import re
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import public_wheels
from .public_wheels import Wanted
from .shell import DevelopmentError, run, say

NEWEST = 15
"""The newest minor version of CPython 3 that our tables know."""

Imports = dict[str, frozenset[str]]
"""DLL, in small letters, to names."""


@dataclass(frozen=True)
class Pinned:
    """A wheel, by the words that pip finds it with."""

    requirement: str
    python: str = "3.12"
    abi: str = "abi3"


WHEELS = (
    *(
        Pinned(requirement)
        for requirement in (
            "argon2-cffi-bindings==26.2.0",
            "base2048==0.1.3",
            "bcrypt==5.0.0",
            "cryptography==50.0.2",
            "css-inline==0.24.0",
            "duckdb==2.0.1",
            "fastobo==0.14.2",
            "hf-xet==1.8.0",
            "mitmproxy-rs==0.12.15",
            "nh3==0.3.8",
            "obstore==0.12.1",
            "primp==2.0.1",
            "psutil==7.2.2",
            "pynacl==1.6.2",
            "pyzmq==27.3.0",
            "qh3==2.1.0",
            "rfc3161-client==1.0.9",
            "rustworkx==0.18.1",
            "safetensors==0.8.0",
            "shiboken6==6.12.0",
            "tokenizers==0.23.3",
            "tornado==6.6.1",
            "watchfiles==1.3.0",
        )
    ),
    Pinned("cryptography==50.0.2", "3.15", "abi3t"),
    Pinned("markupsafe==3.0.3", "3.13", "cp313t"),
    Pinned("numpy==2.4.6", "3.13", "cp313t"),
    Pinned("pydantic-core==2.41.4", "3.13", "cp313t"),
    *(
        Pinned(requirement, python, abi)
        for python, abi in (("3.14", "cp314t"), ("3.15", "cp315"), ("3.15", "cp315t"))
        for requirement in ("markupsafe==3.0.4", "numpy==2.5.5", "pydantic-core==2.50.5", "greenlet==3.5.6")
    ),
)


@dataclass(frozen=True)
class Row:
    """What the modules of one wheel import from one DLL of CPython's."""

    wheel: str
    promise: str
    dll: str
    modules: int
    names: frozenset[str]
    missing: frozenset[str] = frozenset()
    """Imported, and in no library of ours: our fault."""
    beyond: Mapping[str, str] | None = None
    """Imported though the tag promises CPythons that lack them, with the first that has them: the wheel's fault."""


def prove(nasm_ext: Path) -> None:
    """Reads every pinned wheel, prints the table, and raises DevelopmentError when a name is missing from ours."""
    libraries = functools.cache(lambda *words: written(nasm_ext, words))
    rows: list[Row] = []
    runtime: dict[str, set[str]] = defaultdict(set)
    for pinned in WHEELS:
        wheel = fetch(pinned)
        imported = imports_of_wheel(wheel)
        rows += rows_of(wheel.name, imported, libraries)
        for imports in imported.values():
            for dll, names in imports.items():
                runtime[dll] |= names
    for line in table(rows):
        print(line)
    misplaced = misplaced_functions(runtime, libraries("--python", "3.13"))
    missing = sorted({f"{row.dll}: {name}" for row in rows for name in row.missing})
    distinct = {name for row in rows for name in row.names}
    say(f"{len(rows)} wheels, {len(distinct)} different names, {len(missing)} that we lack")
    if missing or misplaced:
        raise DevelopmentError(f"not in our tables: {', '.join([*missing, *misplaced])}")


def misplaced_functions(imported: Mapping[str, Iterable[str]], ours: Imports) -> list[str]:
    """Of the C runtime's functions that the wheels import and we know: those that no wheel takes from the DLL we name.

    Some are in two DLLs: vcruntime140's once more in api-ms-win-crt-private, which wheels made by other tools use.
    """
    owners = {name: dll for dll, names in ours.items() if not dll.startswith("python") for name in names}
    taken_from: dict[str, set[str]] = defaultdict(set)
    for dll, names in imported.items():
        if dll.startswith(("api-ms-win-crt-", "vcruntime140.")):
            for name in owners.keys() & set(names):
                taken_from[name].add(dll)
    wrong = [
        f"{dll}: {name} (ours names {owners[name]})"
        for name, dlls in sorted(taken_from.items())
        if owners[name] not in dlls
        for dll in sorted(dlls)
    ]
    say(f"C runtime: {len(taken_from)} of our {len(owners)} functions are imported, {len(wrong)} never from our DLL")
    return wrong


def rows_of(wheel: str, imported: Mapping[str, Imports], libraries: Callable[..., Imports]) -> list[Row]:
    """One row a DLL of CPython's. `libraries` gives what we write for the words of `nasm-ext import-library`."""
    words = promise_of(wheel)
    names: dict[str, set[str]] = defaultdict(set)
    modules: dict[str, int] = defaultdict(int)
    for imports in imported.values():
        for dll, some in imports.items():
            if dll.startswith("python"):
                names[dll] |= some
                modules[dll] += 1
    if not names:
        raise DevelopmentError(f"{wheel} imports nothing of CPython's; take it out of the list")
    rows = []
    for dll, imported_names in sorted(names.items()):
        lacking = imported_names - libraries(*words).get(dll, frozenset())
        beyond = _in_later(words, dll, lacking, libraries)
        missing = frozenset(lacking - beyond.keys())
        rows.append(Row(wheel, " ".join(words), dll, modules[dll], frozenset(imported_names), missing, beyond))
    return rows


def _in_later(
    words: Sequence[str], dll: str, names: Iterable[str], libraries: Callable[..., Imports]
) -> dict[str, str]:
    """Of a stable ABI the names that a later one has, with its version."""
    option, promise = words
    if option != "--abi3" or not names:
        return {}
    mark = "t" if promise.endswith("t") else ""
    found: dict[str, str] = {}
    for minor in range(int(promise.removesuffix("t").split(".")[1]) + 1, NEWEST + 1):
        has = libraries(option, f"3.{minor}{mark}").get(dll, frozenset())
        found.update({name: f"3.{minor}{mark}" for name in names if name in has and name not in found})
    return found


def promise_of(wheel: str) -> tuple[str, str]:
    """The words of `nasm-ext import-library` for a wheel's tag: cp39-abi3, cp315-abi3.abi3t, cp313-cp313t."""
    tag = re.search(r"-cp3(\d+)-(abi3\.abi3t|abi3|cp3\d+t?)-win_amd64\.whl$", wheel)
    if not tag:
        raise DevelopmentError(f"{wheel} promises no CPython for Windows that we link for")
    if tag[2].startswith("abi3"):
        return "--abi3", f"3.{tag[1]}{'t' if tag[2].endswith('t') else ''}"
    return "--python", f"3.{tag[1]}{'t' if tag[2].endswith('t') else ''}"


def written(nasm_ext: Path, words: Sequence[str]) -> Imports:
    """The libraries that nasm-ext writes for those words: each DLL with the names that LLVM finds in its library."""
    with tempfile.TemporaryDirectory(prefix="import-libraries-") as folder:
        paths = run([nasm_ext, "import-library", *words, "--output", folder], quiet=True).splitlines()
        return {f"{Path(path).stem}.dll": _library_names(Path(path)) for path in paths}


def _library_names(library: Path) -> frozenset[str]:
    """The names with which a module's import table may refer to a DLL: `Symbol:` of each short import."""
    listing = run(["llvm-readobj", library], quiet=True)
    return frozenset(re.findall(r"^Symbol: __imp_(\S+)$", listing, re.MULTILINE))


def imports_of_wheel(wheel: Path) -> dict[str, Imports]:
    """Each module and DLL of a wheel with what it imports."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(prefix="wheel-") as folder:
        members = [name for name in archive.namelist() if name.endswith((".pyd", ".dll"))]
        return {name: imports_of(Path(archive.extract(name, folder))) for name in members}


def imports_of(module: Path) -> Imports:
    """What a module imports, at once and delayed, as llvm-readobj reads it."""
    found: dict[str, set[str]] = defaultdict(set)
    dll = ""
    for line in run(["llvm-readobj", "--coff-imports", module], quiet=True).splitlines():
        word, _, rest = line.strip().partition(": ")
        if word == "Name":
            dll = rest.lower()
        elif word == "Symbol" and (name := re.match(r"(\S+) \(\d+\)$", rest)):
            found[dll].add(name[1])
    return {dll: frozenset(names) for dll, names in found.items()}


def fetch(pinned: Pinned) -> Path:
    """The wheel, from the cache or downloaded into it."""
    words = (
        "--platform",
        "win_amd64",
        "--implementation",
        "cp",
        "--python-version",
        pinned.python,
        "--abi",
        pinned.abi,
    )
    return public_wheels.fetch(Wanted(pinned.requirement, words, f"windows-wheels/{pinned.requirement}-{pinned.abi}"))


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as text; a name that we lack, and one that the wheel does not promise, are told behind them."""
    cells = [("wheel", "promise", "DLL", "modules", "names", "we lack", "it does not promise")]
    for row in rows:
        beyond = row.beyond or {}
        cells.append(
            (row.wheel.removesuffix(".whl"), row.promise, row.dll, str(row.modules), str(len(row.names)),
             " ".join([str(len(row.missing)), *sorted(row.missing)]),
             " ".join([str(len(beyond)), *(f"{name} ({version})" for name, version in sorted(beyond.items()))]))
        )  # fmt: skip
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]) for line in cells
    ]
