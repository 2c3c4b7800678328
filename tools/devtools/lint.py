"""The linters and formatters of ./dev lint and ./dev format: ruff, mypy, clang-format, clang-tidy.

clang-tidy takes seconds a file, so a file found clean is remembered by the content of everything that decides the
answer: the file, the headers of ours that it includes, the checks, the compile command and clang-tidy itself.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import native
from .cache import cache_folder
from .environments import Environment
from .shell import ROOT, DevelopmentError, Stopwatch, cores, run, say, succeeds

CPP_FOLDERS = ("src", "tests/cpp", "tests/macho_loader")
PYTHON = (".", "dev")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def lint(environment: Environment) -> list[tuple[str, bool]]:
    """Runs every linter, each to its end, and returns what each found: (name, clean)."""
    return [
        ("ruff check", succeeds([environment.script("ruff"), "check", *PYTHON])),
        ("ruff format", succeeds([environment.script("ruff"), "format", "--check", *PYTHON])),
        ("mypy --strict", succeeds([environment.script("mypy")])),
        ("clang-format", succeeds([environment.script("clang-format"), "--dry-run", "-Werror", *_cpp_files()])),
        ("clang-tidy", _clang_tidy()),
    ]


def apply_formats(environment: Environment) -> None:
    """Formats every source in place."""
    run([environment.script("ruff"), "check", "--fix", "--exit-zero", "--quiet", *PYTHON])
    run([environment.script("ruff"), "format", *PYTHON])
    run([environment.script("clang-format"), "-i", *_cpp_files()])


def _cpp_files() -> list[str]:
    """Every C++ source and header of ours, relative to the repository; there are always some."""
    found = [path for folder in CPP_FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".cpp", ".hpp")]
    if not found:
        raise DevelopmentError("no C++ source was found")
    return sorted(str(path.relative_to(ROOT)) for path in found)


@dataclass(frozen=True)
class _Unit:
    """One compiled source: its path, and a key that changes whenever clang-tidy's answer may."""

    source: Path
    key: str


def _clang_tidy() -> bool:
    clean = cache_folder("clang-tidy")
    units = _units()
    waiting = [unit for unit in units if not (clean / unit.key).exists()]
    say(f"clang-tidy: {len(units)} sources, {len(units) - len(waiting)} known to be clean")
    failed: list[str] = []
    with (
        Stopwatch(f"clang-tidy on {len(waiting)} sources"),
        concurrent.futures.ThreadPoolExecutor(max_workers=cores()) as pool,
    ):
        for number, (unit, output) in enumerate(zip(waiting, pool.map(_check, waiting), strict=True), 1):
            if number % 10 == 0:
                say(f"clang-tidy: {number} of {len(waiting)}")
            if output is None:
                (clean / unit.key).touch()
            else:
                failed.append(str(unit.source.relative_to(ROOT)))
                print(output, flush=True)
    if failed:
        say(f"clang-tidy found something in {' '.join(failed)}")
    return not failed


def _check(unit: _Unit) -> str | None:
    """What clang-tidy says of one source; None when it is clean."""
    done = subprocess.run(
        ["clang-tidy", "--quiet", "-p", str(native.folder()), str(unit.source)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return None if done.returncode == 0 else done.stdout + done.stderr


def _units() -> list[_Unit]:
    database = native.folder() / "compile_commands.json"
    if not database.is_file():
        raise DevelopmentError("clang-tidy needs the C++ part to be configured; do that with: ./dev build")
    version = run(["clang-tidy", "--version"], quiet=True)
    common = hashlib.sha256((version + (ROOT / ".clang-tidy").read_text()).encode())
    units = []
    for entry in json.loads(database.read_text()):
        source = Path(entry["file"])
        if not source.is_relative_to(ROOT / "src"):
            continue  # a test's source: GoogleTest's macros draw findings of their own
        key = common.copy()
        # The clone's own path says nothing about a source: another clone's answer holds here too.
        key.update(" ".join(shlex.split(entry["command"])).replace(str(ROOT), ".").encode())
        for file in _with_headers(source):
            key.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
        units.append(_Unit(source, key.hexdigest()))
    if not units:
        raise DevelopmentError(f"{database} names no source of ours")
    return units


def _with_headers(source: Path) -> list[Path]:
    """A source and every header of this repository that it includes, directly or not, in a fixed order."""
    found: set[Path] = set()
    waiting = [source]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for name in INCLUDE.findall(file.read_text(errors="replace")):
            for base in (file.parent, ROOT / "src"):
                header = (base / name).resolve()
                if header.is_file() and header.is_relative_to(ROOT):
                    waiting.append(header)
                    break
    return sorted(found)
