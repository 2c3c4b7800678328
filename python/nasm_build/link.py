"""Joins objects into a module: what each object format needs of the linker, and what its refusals mean.

On ELF (measured, reference: NASM marks no stack and gives no section for it): `-z noexecstack` whatever the source
says, RELRO with BIND_NOW, no text relocations, only entry points exported, and no libc exactly when nothing but
Python's symbols is left undefined.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import BuildError, Problem, failed
from .programs import run_program

RULE = "link"

ENTRY_POINTS = ("PyInit_*", "PyInitU_*", "PyModExport_*", "PyModExportU_*")
"""Exported by pattern, so that a misspelt entry point is still seen, and named, by the inspector."""

LINES_OF = Callable[[str], "list[tuple[str, int]]"]


def elf_words(version_script: str, *, debug: bool, has_c: bool) -> list[str]:
    """What every ELF module is linked with. C beside the assembly keeps its symbol names for profilers."""
    words = ["-Wl,-z,noexecstack", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,text", "-Wl,-z,separate-code"]
    words.append(f"-Wl,--version-script={version_script}")
    if not debug:
        words.append("-Wl,--strip-debug" if has_c else "-Wl,-s")
    return words


def link_words(link_style: str, version_script: str, *, debug: bool, has_c: bool) -> list[str]:
    """What the target's linker must be told beyond what the engine tells it."""
    if link_style == "elf":
        return elf_words(version_script, debug=debug, has_c=has_c)
    if link_style == "macho":
        exported = [f"-Wl,-exported_symbol,_{pattern}" for pattern in ENTRY_POINTS]
        return exported if debug else [*exported, "-Wl,-x", "-Wl,-S"]
    if link_style == "coff":
        return ["/BREPRO"] if os.name == "nt" else []
    return []


def version_script(extra_exports: Sequence[str]) -> str:
    """The linker script that hides everything but entry points and what the project exports by name."""
    names = "".join(f"    {name};\n" for name in (*ENTRY_POINTS, *extra_exports))
    return f"{{\n  global:\n{names}  local:\n    *;\n}};\n"


def link_assembly(
    driver: Sequence[str], objects: Sequence[str], words: Sequence[str], output: str, *, libc: bool, root: Path
) -> None:
    """Links objects of assembly alone through the compiler driver, without the interpreter's own LDFLAGS.

    sysconfig's flags carry the build interpreter's library folder as a run path, which a module without a needed
    library has no use for. The user's LDFLAGS are kept. Raises BuildError through `explain`.
    """
    command = [*driver, "-shared", *([] if libc else ["-nostdlib"]), *objects]
    command += [*shlex.split(os.environ.get("LDFLAGS", "")), *words, "-o", output]
    try:
        done = run_program(command, root)
    except OSError as error:
        raise failed(
            f"no linker: '{command[0]}' cannot be run: {(error.strerror or str(error)).lower()}",
            RULE,
            "install a C compiler (Debian: apt install gcc; Fedora: dnf install gcc; Alpine: apk add gcc musl-dev), "
            "or name one: CC=/path/to/cc",
        ) from None
    if done.returncode != 0:
        raise LinkFailed(command, done.returncode, done.stdout)


class LinkFailed(Exception):
    """The linker refused; `explain` turns it into what the source needs."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        super().__init__(output)
        self.command = list(command)
        self.status = status
        self.output = output


_POSITION = re.compile(
    r"relocation (?P<kind>R_\w+) (?:against|cannot be used against) (?:\w+ )*symbol [`'](?P<name>[^'`]+)'"
)
_TEXT_RELOCATION = re.compile(r"relocation (?P<kind>R_\w+)? ?(?:against|cannot be used against) [`'](?P<name>[^'`]+)'")
_SECTION = re.compile(r"relocation (?P<kind>R_\w+) against [`'](?P<name>\.[\w.]+)'")
_DISK = re.compile(r"(No space left on device|Read-only file system|Disk quota exceeded)")


def explain(refusal: LinkFailed, lines_of: LINES_OF) -> BuildError:
    """What a linker's refusal means for the source, with the lines that caused it where they can be told."""
    details = f"  command: {shlex.join(refusal.command)}\n  exit status {refusal.status}"
    disk = _DISK.search(refusal.output)
    if disk:
        fix = "free some space there, or build elsewhere: -C build-dir=FOLDER"
        return failed(f"the linker cannot write: {disk[1].lower()}", "disk", fix, details=details)
    lines = refusal.output.splitlines()
    problems = _refused_relocations([line for line in lines if "warning:" not in line], lines_of)
    problems = problems or _refused_relocations(lines, lines_of)
    if problems:
        return BuildError(list(dict.fromkeys(problems)), details)
    return failed("the linker failed", RULE, details=f"{details}\n{refusal.output.rstrip()}")


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
