"""What a linker's refusal means for the source: the words of GNU ld, lld and lld-link, told as what to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import BuildError, Problem, failed
from .run import RULE, LinkFailed

LINES_OF = Callable[[str], "list[tuple[str, int]]"]
"""The source lines that refer to a symbol."""

_POSITION = re.compile(
    r"relocation (?P<kind>R_\w+) (?:against|cannot be used against) (?:\w+ )*symbol [`'](?P<name>[^'`]+)'"
)
_TEXT_RELOCATION = re.compile(r"relocation (?P<kind>R_\w+)? ?(?:against|cannot be used against) [`'](?P<name>[^'`]+)'")
_SECTION = re.compile(r"relocation (?P<kind>R_\w+) against [`'](?P<name>\.[\w.]+)'")
_DISK = re.compile(r"(No space left on device|Read-only file system|Disk quota exceeded)", re.IGNORECASE)
_UNDEFINED = re.compile(r"error: undefined symbol: (?:__declspec\(dllimport\) )?(?P<name>\S+)$")
_REFERENCE = re.compile(r">>> referenced by (?P<file>.+):(?P<line>\d+)$")


def explain(refusal: LinkFailed, lines_of: LINES_OF, root: Path, python: str) -> BuildError:
    """What a linker's refusal means for the source, with the lines that caused it where they can be told.

    `root` is the project, `python` the CPython that a module for Windows is linked to: messages name both.
    """
    details = f"  command: {shlex.join(refusal.command)}\n  exit status {refusal.status}"
    disk = _DISK.search(refusal.output)
    if disk:
        fix = "free some space there, or build elsewhere: -C build-dir=FOLDER"
        return failed(f"the linker cannot write: {disk[1].lower()}", "disk", fix, details=details)
    lines = refusal.output.splitlines()
    problems = _undefined_symbols(lines, root, python)
    problems = problems or _refused_relocations([line for line in lines if "warning:" not in line], lines_of)
    problems = problems or _refused_relocations(lines, lines_of)
    if problems:
        return BuildError(list(dict.fromkeys(problems)), details)
    return failed("the linker failed", RULE, details=f"{details}\n{refusal.output.rstrip()}")


# -- PE: nothing may stay undefined -----------------------------------------------------------------------------------


def _undefined_symbols(lines: Sequence[str], root: Path, python: str) -> list[Problem]:
    """lld-link's blocks: the symbol, then each place, whose line it reads from the object's own CodeView data."""
    places: dict[str, list[tuple[str, int]]] = {}
    name = ""
    for line in lines:
        symbol, place = _UNDEFINED.search(line), _REFERENCE.search(line)
        if symbol:
            name = symbol["name"]
            places.setdefault(name, [])
        elif place and name:
            places[name].append((_in_project(place["file"], root), int(place["line"])))
        elif not line.startswith(">>>"):
            name = ""
    # An object without lines leaves a symbol without a place.
    return [_undefined(name, python, *place) for name, found in places.items() for place in found or [("", 0)]]


def _in_project(file: str, root: Path) -> str:
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file


def _undefined(name: str, python: str, file: str, line: int) -> Problem:
    is_python = name.startswith(("Py", "_Py"))
    where = f"CPython {python} for Windows does not export it" if is_python else "nothing that is linked defines it"
    fix = (
        f"correct the name, or build for a CPython that has {name}"
        if is_python
        else f'define {name}, or link the library that has it: libraries = ["…"]'
    )
    return Problem(f"symbol '{name}' is undefined: {where}", "undefined-symbol", fix, file, line)


# -- ELF: references that hold only at a fixed address ----------------------------------------------------------------


def _refused_relocations(lines: Sequence[str], lines_of: LINES_OF) -> list[Problem]:
    """The relocations that a linker names. GNU ld repeats an error's symbol in a warning that says less."""
    found: list[Problem] = []
    for line in lines:
        match = _SECTION.search(line) or _POSITION.search(line) or _TEXT_RELOCATION.search(line)
        if match:
            found += _position_problems(match["name"], match["kind"] or "", lines_of)
    return found


def _position_problems(name: str, kind: str, lines_of: LINES_OF) -> list[Problem]:
    """A reference that holds only at a fixed address: a module is loaded anywhere."""
    if kind in ("R_X86_64_PC32", "R_X86_64_PLT32"):
        message = f"'{name}' is outside this module and is referred to directly"
        fix = f"call {name} wrt ..plt\nor, for its address or data: mov rax, [rel {name} wrt ..got]"
    else:
        message = f"'{name}' is referred to by a fixed address" + (f" ({kind})" if kind else "")
        fix = f"lea rax, [rel {name}]" if not name.startswith(".") else "state 'default rel', and use lea rax, [rel …]"
        fix += "\nand keep tables of addresses in a writable section (section .data)"
    rule = "position-dependent"
    places = [] if name.startswith(".") else lines_of(name)
    if not places:
        return [Problem(message, rule, fix)]
    return [Problem(message, rule, fix, file, line) for file, line in places]
