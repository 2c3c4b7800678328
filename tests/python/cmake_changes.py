"""One table of changes for CMake builds: what is changed, and exactly what the next build must make again.

A module of many sources with shared includes goes through it; after each change, the sources that NASM was run on,
whether the module was checked, and what the module answers in Python must be what the table says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cmake_builds import Built, CMakeProject
from sources import answer

LISTS = """\
cmake_minimum_required(VERSION 3.24)
project(demo LANGUAGES C)
find_package(NasmBuild REQUIRED)
nasm_add_module(demo
  SOURCES {sources}
  INCLUDE inc
  DEFINE SCALE=1)
"""

SETTINGS = "[tool.nasm-build.check]\n"
IGNORED = SETTINGS + 'ignore = [{ rule = "callee-saved", reason = "demo.asm saves it" }]\n'

# What a part has in its sum: three kinds, in turn.
NESTED = """\
default rel
%include "a.inc"
global {name}:function hidden
section .text
{name}:
    mov     eax, NESTED * SCALE
    ret
"""
PLAIN = NESTED.replace("a.inc", "b.inc").replace("NESTED", "PLAIN")
BINARY = """\
default rel
global {name}:function hidden
section .text
{name}:
    movzx   eax, byte [data]
    imul    eax, eax, SCALE
    ret
section .rodata
data: incbin "data.bin"
"""
KINDS = (NESTED, PLAIN, BINARY)


class Parts:
    """The module's sources: demo.asm calls every part and adds up what they return."""

    def __init__(self, count: int) -> None:
        self.names = [f"part_{number:03}" for number in range(count - 1)]

    def files(self) -> dict[str, str | bytes]:
        calls = "".join(f"    call    {name}\n    add     ebx, eax\n" for name in self.names)
        main = (
            answer()
            .replace("default rel", f"default rel\nextern {', '.join(self.names)}")
            .replace("    sub     rsp, 8", "    push    rbx\n    xor     ebx, ebx")
            .replace("    mov     edi, 42", f"{calls}    mov     edi, ebx")
            .replace("    add     rsp, 8", "    pop     rbx")
        )
        parts = {f"{name}.asm": KINDS[i % 3].format(name=name) for i, name in enumerate(self.names)}
        return {
            "CMakeLists.txt": LISTS.format(sources=" ".join(["demo.asm", *parts])),
            "pyproject.toml": SETTINGS,
            "demo.asm": main,
            **parts,
            "inc/a.inc": '%include "nested.inc"\n%include "gone.inc"\n',
            "inc/nested.inc": "NESTED equ 40\n",
            "inc/gone.inc": "; nothing\n",
            "inc/b.inc": "PLAIN equ 2\n",
            "inc/data.bin": b"\3",
        }

    def of_kind(self, kind: str) -> list[str]:
        return [f"{name}.asm" for i, name in enumerate(self.names) if KINDS[i % 3] is kind]

    def all(self) -> list[str]:
        return sorted(["demo.asm", *(f"{name}.asm" for name in self.names)])

    def total(self, nested: int = 40, plain: int = 2, binary: int = 3, scale: int = 1) -> int:
        values = {NESTED: nested, PLAIN: plain, BINARY: binary}
        return scale * sum(len(self.of_kind(kind)) * value for kind, value in values.items())


@dataclass(frozen=True)
class Seen:
    """A build as the table has it: `result` is what the module answers, or the errors of a build that failed."""

    assembled: list[str]
    checks: int
    result: int | list[str]


def seen(project: CMakeProject, built: Built) -> Seen:
    if not built.failed:
        return Seen(built.assembled, built.checks, int(project.call("import demo; print(demo.answer())")))
    assert not (built.checks and project.modules()), f"a module that the check refused is there\n{built.output}"
    errors = re.findall(r"^.*\berror: .*$", built.output, re.MULTILINE)
    return Seen(built.assembled, built.checks, [re.sub(r"^\S*/demo\.\S+\.so", "demo.so", line) for line in errors])


Step = tuple[str, Callable[[], object], Seen]
"""What is changed, how, and the build after it."""


class Walk:
    """The table of changes: each step changes the project and tells what the next build must be."""

    def __init__(self, project: CMakeProject, parts: Parts, other_nasm: Path) -> None:
        self.project, self.parts, self.other_nasm = project, parts, other_nasm

    def all(self) -> Iterator[Step]:
        yield from self.edits()
        yield from self.commands()
        yield from self.failures(scale=2)

    def but_commands(self) -> Iterator[Step]:
        """Without the changes that reach every object, time after time."""
        yield from self.edits()
        yield from self.failures(scale=1)

    def edits(self) -> Iterator[Step]:
        project, parts, total = self.project, self.parts, self.parts.total
        source = project.source
        yield "the first build", lambda: None, Seen(parts.all(), 1, total())
        yield "nothing", lambda: None, Seen([], 0, total())
        yield "a source", lambda: append(source / "part_001.asm"), Seen(["part_001.asm"], 1, total())
        yield (
            "a nested include",
            lambda: project.write({"inc/nested.inc": "NESTED equ 41\n"}),
            Seen(parts.of_kind(NESTED), 1, total(nested=41)),
        )
        yield (
            "the file of an incbin",
            lambda: project.write({"inc/data.bin": b"\5"}),
            Seen(parts.of_kind(BINARY), 1, total(nested=41, binary=5)),
        )
        yield (
            "an include that is gone, and the line that included it",
            self.remove_include,
            Seen(parts.of_kind(NESTED), 1, total(nested=41, binary=5)),
        )
        yield "nothing after that", lambda: None, Seen([], 0, total(nested=41, binary=5))
        yield (
            "an object that is gone",
            lambda: (project.objects_folder("demo") / "part_002.asm.o").unlink(),
            Seen(["part_002.asm"], 1, total(nested=41, binary=5)),
        )
        yield (
            "a definition of one source",
            lambda: append(
                project.source / "CMakeLists.txt",
                "set_source_files_properties(part_001.asm PROPERTIES COMPILE_DEFINITIONS UNUSED)\n",
                before="nasm_add_module",
            ),
            Seen(["part_001.asm"], 1, total(nested=41, binary=5)),
        )

    def commands(self) -> Iterator[Step]:
        project, everything = self.project, self.parts.all()
        after = self.parts.total(nested=41, binary=5, scale=2)
        yield (
            "a definition of the module",
            lambda: project.replace("CMakeLists.txt", "SCALE=1", "SCALE=2"),
            Seen(everything, 1, after),
        )
        yield "configured again as it was", project.configure, Seen([], 0, after)
        yield (
            "another NASM at the same path",
            lambda: project.write_logging_program(project.nasm, self.other_nasm),
            Seen(everything, 1, after),
        )
        yield "another NASM with the date of its package", self.install_old_nasm, Seen(everything, 1, after)
        yield "another NASM by name", self.name_nasm, Seen(everything, 1, after)
        yield "the first NASM by name again", project.configure, Seen(everything, 1, after)
        yield "another nasm-ext", lambda: os.utime(project.nasm_ext), Seen(everything, 1, after)
        yield "nothing at all", lambda: None, Seen([], 0, after)

    def remove_include(self) -> None:
        self.project.write({"inc/a.inc": '%include "nested.inc"\n'})
        (self.project.source / "inc/gone.inc").unlink()

    def install_old_nasm(self) -> None:
        """As a package manager does: the file has the date of its own build, and is older than every object."""
        self.project.write_logging_program(self.project.nasm, self.other_nasm, "# of a package\n")
        os.utime(self.project.nasm, (1_600_000_000, 1_600_000_000))
        self.project.configure()

    def name_nasm(self) -> None:
        other = self.project.nasm.parent.with_name("second") / "nasm"
        self.project.write_logging_program(other, self.other_nasm)
        os.utime(other, (1_600_000_000, 1_600_000_000))
        self.project.configure(NASM_BUILD_NASM=other)

    def failures(self, scale: int) -> Iterator[Step]:
        project, value = self.project, self.parts.total(nested=41, binary=5, scale=scale)
        refused = "part_001.asm:6: error: refused [nasm]"
        yield (
            "a source that NASM refuses",
            lambda: project.replace("part_001.asm", "    mov ", "%error refused\n    mov "),
            Seen(["part_001.asm"], 0, [refused]),
        )
        yield "the same once more", lambda: None, Seen(["part_001.asm"], 0, [refused])
        yield (
            "the source put right",
            lambda: project.replace("part_001.asm", "%error refused\n", ""),
            Seen(["part_001.asm"], 1, value),
        )
        finding = "part_001.asm:8: error: part_001 returns with rbx changed [callee-saved]"
        yield (
            "a module that the check refuses",
            lambda: project.replace("part_001.asm", "    mov     eax,", "    mov     ebx, 1\n    mov     eax,"),
            Seen(["part_001.asm"], 1, [finding]),
        )
        yield "the module checked once more", lambda: None, Seen([], 1, [finding])
        # The sum so far stands in rbx: part_000's share is lost.
        spoilt = value - 41 * scale + 1
        yield "a finding ignored", lambda: project.write({"pyproject.toml": IGNORED}), Seen([], 1, spoilt)
        yield "ignored no more", lambda: project.write({"pyproject.toml": SETTINGS}), Seen([], 1, [finding])
        yield (
            "the module put right",
            lambda: project.replace("part_001.asm", "    mov     ebx, 1\n", ""),
            Seen(["part_001.asm"], 1, value),
        )
        yield "nothing at the end", lambda: None, Seen([], 0, value)


def append(path: Path, text: str = "; a comment\n", before: str = "") -> None:
    """Puts text at the end of a file, or before its first line that begins so."""
    old = path.read_text()
    at = old.index(f"\n{before}") + 1 if before else len(old)
    path.write_text(old[:at] + text + old[at:])


def follow(project: CMakeProject, steps: Iterator[Step]) -> None:
    """Goes through a table, step by step."""
    for name, change, expected in steps:
        change()
        built = project.build()
        assert (name, seen(project, built)) == (name, expected), built.output
