"""Nothing is made without need, and everything that changed is noticed: sources, includes, binaries, flags, NASM."""

from __future__ import annotations

import os
import shutil
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import nasms
from projects import Build, Toolbox
from sources import demo

Projects = Callable[..., Path]

PARTS = """
[build-system]
requires = ["nasm-build"]
build-backend = "nasm_build.backend"

[project]
name = "demo"
version = "1.0"

[[tool.nasm-build.ext-modules]]
name = "demo"
sources = ["demo.asm", "a/part.asm", "b/part.asm"]
include-dirs = ["inc"]
"""

PART = """
default rel
%include "{letter}.inc"
global part_{letter}:function hidden
section .text
part_{letter}:
    mov     eax, VALUE_{letter}
    ret
section .rodata
    incbin  "data.bin"
%depend "note.txt"
"""

MAIN = demo()["demo.asm"].replace(
    "    mov     edi, 42", "    call    part_a\n    mov     edi, eax\n    call    part_b\n    add     edi, eax"
)


@pytest.fixture
def parts(project: Projects) -> Path:
    """A module of three objects, two of which have the same file name; `answer()` is 40 + 2."""
    folder = project(
        {
            "pyproject.toml": PARTS,
            "demo.asm": MAIN.replace("default rel", "default rel\nextern part_a, part_b"),
            "a/part.asm": PART.format(letter="a"),
            "b/part.asm": PART.format(letter="b"),
            "inc/a.inc": '%include "nested.inc"\n',
            "inc/nested.inc": "VALUE_a equ 40\n",
            "inc/b.inc": "VALUE_b equ 2\n",
            "data.bin": b"1234",
            "note.txt": "x",
        }
    )
    time.sleep(0.05)  # older than the build, as sources are: a file of this very moment is read again
    return folder


class Watched:
    """Builds, and tells which sources NASM was run on and whether the module was linked."""

    def __init__(self, toolbox: Toolbox, folder: Path, nasm: Path | None = None) -> None:
        self.toolbox, self.folder, self.log = toolbox, folder, toolbox.work / "log"
        self.builds = 0
        real = nasm or shutil.which("nasm", path="/usr/local/bin:/usr/bin")
        assert real is not None
        self.nasm = self.write_nasm("watched", real)

    def write_nasm(self, folder: str, real: Path | str) -> Path:
        """A NASM that writes down how it was called, in a folder of that name."""
        program = self.toolbox.work / folder / "nasm"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "$*" >>"{self.log}"\nexec {real} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def build(self, **config: str) -> tuple[list[str], int]:
        """The sources that were assembled, and what `answer()` gives."""
        assembled, build = self.try_to_build(**config)
        self.builds += 1
        installed = self.toolbox.work / f"installed-{self.builds}"
        with zipfile.ZipFile(build.wheel) as archive:  # as pip does, in a tenth of its time
            archive.extractall(installed)
        called = self.toolbox.run(
            [self.toolbox.python, "-c", "import demo; print(demo.answer())"], env={"PYTHONPATH": str(installed)}
        )
        return assembled, int(called.output)

    def try_to_build(self, **config: str) -> tuple[list[str], Build]:
        """The sources that NASM was run on to make an object, and the build, which may have failed."""
        self.log.write_text("")
        build = self.toolbox.hook(self.folder, env={"NASM": str(self.nasm)}, config_settings=config or None)
        lines = self.log.read_text().splitlines()
        return sorted(line.split()[-1] for line in lines if " -o " in line and " -M " not in line), build


def test_nothing_changed(toolbox: Toolbox, parts: Path) -> None:
    watched = Watched(toolbox, parts)
    assert watched.build() == (["a/part.asm", "b/part.asm", "demo.asm"], 42)
    module = next(parts.glob("build/nasm-build/*/lib/*.so"))
    made = module.stat().st_mtime_ns
    assert watched.build() == ([], 42)
    assert module.stat().st_mtime_ns == made


CHANGES: dict[str, tuple[str, bytes, list[str], int]] = {
    "a source": ("demo.asm", b"\n; a comment\n", ["demo.asm"], 42),
    "a nested include": ("inc/nested.inc", b"%define unused\n", ["a/part.asm"], 42),
    "a binary": ("data.bin", b"5", ["a/part.asm", "b/part.asm"], 42),
    "a %depend": ("note.txt", b"y", ["a/part.asm", "b/part.asm"], 42),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_rebuilds_what_it_reaches(toolbox: Toolbox, parts: Path, name: str) -> None:
    file, added, assembled, value = CHANGES[name]
    watched = Watched(toolbox, parts)
    watched.build()
    with (parts / file).open("ab") as stream:
        stream.write(added)
    assert watched.build() == (assembled, value)
    assert watched.build() == ([], value)


def test_a_changed_value_arrives_in_the_module(toolbox: Toolbox, parts: Path) -> None:
    watched = Watched(toolbox, parts)
    watched.build()
    (parts / "inc/b.inc").write_text("VALUE_b equ 3\n")
    assert watched.build() == (["b/part.asm"], 43)


def test_the_same_size_and_time_do_not_hide_a_change_of_this_moment(toolbox: Toolbox, parts: Path) -> None:
    watched = Watched(toolbox, parts)
    include = parts / "inc/b.inc"
    include.write_text("VALUE_b equ 4\n")
    assert watched.build()[1] == 44
    kept = include.stat()
    include.write_text("VALUE_b equ 5\n")
    os.utime(include, ns=(kept.st_atime_ns, kept.st_mtime_ns + 1))
    assert watched.build() == (["b/part.asm"], 45)


def test_touching_a_file_assembles_nothing(toolbox: Toolbox, parts: Path) -> None:
    """Content decides: a fresh checkout has new times."""
    watched = Watched(toolbox, parts)
    watched.build()
    for path in parts.rglob("*.asm"):
        os.utime(path)
    assert watched.build() == ([], 42)


def test_changed_settings(toolbox: Toolbox, parts: Path) -> None:
    watched = Watched(toolbox, parts)
    watched.build()
    settings = parts / "pyproject.toml"
    settings.write_text(settings.read_text() + 'define-macros = ["EXTRA=1"]\n')
    assert watched.build()[0] == ["a/part.asm", "b/part.asm", "demo.asm"]
    module = next(parts.glob("build/nasm-build/*/lib/*.so"))
    made = module.stat().st_mtime_ns
    settings.write_text(settings.read_text() + 'extra-link-args = ["-Wl,-O1"]\n')
    assert watched.build() == ([], 42)
    assert module.stat().st_mtime_ns > made


def test_another_nasm(toolbox: Toolbox, parts: Path) -> None:
    watched = Watched(toolbox, parts)
    watched.build()
    watched.nasm.write_text(watched.nasm.read_text() + "# another\n")
    assert watched.build()[0] == ["a/part.asm", "b/part.asm", "demo.asm"]


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("version", nasms.THREE)
def test_every_change_under_every_nasm(toolbox: Toolbox, parts: Path, version: str) -> None:
    """The table of test_cmake_rebuild.py, in a module of three sources."""
    programs = nasms.fetch_three()
    watched = Watched(toolbox, parts, programs[version])
    everything = ["a/part.asm", "b/part.asm", "demo.asm"]
    assert watched.build() == (everything, 42)
    assert watched.build() == ([], 42)
    for file, added, assembled, value in CHANGES.values():
        with (parts / file).open("ab") as stream:
            stream.write(added)
        assert (file, watched.build()) == (file, (assembled, value))
    (parts / "inc/nested.inc").write_text("VALUE_a equ 41\n")
    assert watched.build() == (["a/part.asm"], 43)
    # The nested include goes, and the line that included it.
    (parts / "inc/nested.inc").unlink()
    (parts / "inc/a.inc").write_text("VALUE_a equ 40\n")
    assert watched.build() == (["a/part.asm"], 42)
    edited(
        parts / "pyproject.toml",
        "[[tool.nasm-build.ext-modules]]\n",
        "[[tool.nasm-build.ext-modules]]\ndefine-macros = ['A=1']\n",
    )
    assert watched.build() == (everything, 42)
    other = programs["2.16.01" if version == "newest" else "newest"]
    watched.write_nasm("watched", other)
    assert watched.build() == (everything, 42)
    watched.nasm = watched.write_nasm("named", programs[version])
    assert watched.build() == (everything, 42)
    assert watched.build() == ([], 42)


@pytest.mark.parametrize("version", nasms.THREE)
def test_what_failed_is_made_by_the_next_build(toolbox: Toolbox, parts: Path, version: str) -> None:
    watched = Watched(toolbox, parts, nasms.fetch_three()[version])
    watched.build()
    source = parts / "b/part.asm"
    edited(source, "    mov     eax", "    mvo     eax")
    refused = "b/part.asm:6: error: "
    for _ in range(2):
        assembled, build = watched.try_to_build()
        assert (assembled, build.wheels) == (["b/part.asm"], ()) and refused in build.output, build
    edited(source, "    mvo     eax", "    mov     eax")
    assert watched.build() == (["b/part.asm"], 42)
    edited(source, "    mov     eax", "    mov     ebx, 1\n    mov     eax")
    for expected in (["b/part.asm"], []):
        assembled, build = watched.try_to_build()
        assert (assembled, build.wheels) == (expected, ()) and "[callee-saved]" in build.output, build
    edited(source, "    mov     ebx, 1\n", "")
    assert watched.build() == (["b/part.asm"], 42)
    assert watched.build() == ([], 42)


def test_nasmenv_does_not_reach_nasm(toolbox: Toolbox, project: Projects) -> None:
    """NASM takes words from this variable; objects would depend on a shell's settings."""
    assert toolbox.hook(project(demo()), env={"NASMENV": "--no-such-option"}).wheel


def test_isolated_builds_assemble_nothing_again(toolbox: Toolbox, project: Projects) -> None:
    """Each isolated build has our include files in a new folder; only their content counts."""
    files = demo()
    files["demo.asm"] = '%include "Python.inc"\n' + files["demo.asm"]
    folder = project(files)
    first = toolbox.build(folder, isolated=True)
    objects = list(folder.rglob("*.o"))
    made = [path.stat().st_mtime_ns for path in objects]
    assert len(objects) == 1
    second = toolbox.build(folder, isolated=True, to=toolbox.work / "second")
    assert [path.stat().st_mtime_ns for path in objects] == made
    assert first.wheel.read_bytes() == second.wheel.read_bytes()


def test_one_file_twice_with_other_macros(toolbox: Toolbox, project: Projects) -> None:
    files = {
        "pyproject.toml": PARTS.replace(
            '["demo.asm", "a/part.asm", "b/part.asm"]',
            '["demo.asm", { file = "k.asm", define-macros = ["NAME=part_a", "VALUE=1"] }, '
            '{ file = "k.asm", define-macros = ["NAME=part_b", "VALUE=2"] }]',
        ),
        "demo.asm": MAIN.replace("default rel", "default rel\nextern part_a, part_b"),
        "k.asm": "global NAME:function hidden\nsection .text\nNAME:\n    mov eax, VALUE\n    ret\n",
    }
    wheel = toolbox.hook(project(files)).wheel
    assert toolbox.call(wheel, "import demo; print(demo.answer())").output == "3\n"
