"""`nasm-ext trim-object`: objects of every NASM, looked at with LLVM's tools before and after, linked, and built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from check_samples import tool
from conftest import Projects
from devtools.nasms import fetch_nasms
from macho_objects import (
    NO_UNWIND_DATA,
    encodings,
    letters,
    link,
    meanings,
    recorded_functions,
    relocations,
    run,
    sections,
    symbols,
    unwind_entries,
)
from nasm_build.assemble import Assembler, Unit
from nasm_build.errors import BuildError
from projects import Toolbox
from sources import pyproject

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "python" / "nasm_build" / "include"
TARGET = ("--target", "macosx-11.0-x86_64", "--python", "3.13")
EXAMPLES = sorted(path.relative_to(ROOT / "examples").as_posix() for path in ROOT.glob("examples/*/*.asm"))

# Labels that are referred to in every way that NASM has, and a function whose name has a dot.
LABELS = """\
        default rel
        global _switch
        extern _other

        section .data
        align 8
table:  dq _switch.first, _switch.second, inside, kernel.avx2.loop, _switch + 3, .own
.own:   dq table

        section .text
_switch:
        lea     rax, [table]
        jmp     [rax + rdi * 8]
.first:
        lea     rax, [.second]
        mov     rax, [_other wrt ..gotpcrel]
        call    _other
        cmp     dword [table], 5
        cmp     dword [table.own + 1], 1000
        cmp     word [table.own + 1], 1000
        cmp     byte [table.own + 1], 10
inside:
        jmp     cold
.later:
        nop
_switch.second:
        ret
_switch.end:

kernel.avx2:
.loop:
        dec     rdi
        jnz     .loop
        ret
.end:

plain:
        ret

        section __TEXT,__cold align=16
        nop
cold:
        jmp     inside.later
        call    inside
        lea     rax, [_switch.second]
        cmp     dword [rel _switch.second], 1000
        cmp     byte [rel kernel.avx2.loop], 10
        ret

SIZE    equ 40
        struc Pair
.one:   resq 1
.two:   resq 1
        endstruc

        section __LD,__compact_unwind align=8
        dq _switch
        dd _switch.end - _switch, 0x02010000
        dq 0, 0
        dq kernel.avx2
        dd kernel.avx2.end - kernel.avx2, 0x01000000
        dq 0, 0
"""
LABELS_KEPT = {
    "_other": "U",
    "_switch": "T",
    "cold": "s",
    "kernel.avx2": "t",
    "plain": "t",
    "table": "d",
    "table.own": "d",
}
PYMULT_KEPT = {
    "multiply": "t",
    **dict.fromkeys(("module_methods", "module_slots", "..@text_1", "..@text_2"), "s"),
    **{f"..@table_{text}": "s" for text in ("name_1", "doc_1", "text_2", "text_3")},
    "module_definition": "d",
    "_PyInit_pymult": "T",
    "_PyErr_Format": "U",
    "_PyExc_TypeError": "U",
    "_PyLong_AsLongLongAndOverflow": "U",
    "_PyLong_FromLongLong": "U",
    "_PyLong_Type": "U",
    "_PyModuleDef_Init": "U",
    "_PyNumber_Multiply": "U",
    "_PyType_GetFlags": "U",
}


def nasms() -> dict[str, str]:
    """Every NASM that is to be had; at least that of the machine."""
    return {version: str(path) for version, path in fetch_nasms().items()} or {"here": tool("nasm")}


def assemble(nasm_ext: Path, nasm: str, source: Path, output: Path) -> Path:
    flags = shlex.split(run(nasm_ext, "flags", *TARGET, "--include-dir", INCLUDE))
    run(nasm, *flags, "-o", output, source)
    return output


def trim(nasm_ext: Path, *objects: Path) -> None:
    """A command that succeeds is silent."""
    done = subprocess.run([nasm_ext, "trim-object", *objects], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def identity(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written or replaced."""
    status = path.stat()
    return (status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Pair:
    """One object as NASM wrote it, and the same trimmed."""

    before: Path
    after: Path


def make_pair(nasm_ext: Path, nasm: str, source: Path, folder: Path) -> Pair:
    folder.mkdir(parents=True, exist_ok=True)
    before = assemble(nasm_ext, nasm, source, folder / f"{source.stem}-before.o")
    after = Path(shutil.copy(before, folder / f"{source.stem}.o"))
    trim(nasm_ext, after)
    return Pair(before, after)


# -- objects of the examples ---------------------------------------------------------------------------------------------


def test_there_are_examples() -> None:
    assert {"counter/counter.asm", "hamming/hamming.asm", "hamming/sse2.asm", "pymult/pymult.asm"} <= {*EXAMPLES}
    assert {version[:4] for version in nasms()} >= {"2.15", "2.16", "3.01"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_names_stay_and_labels_go_with_every_nasm(nasm_ext: Path, tmp_path: Path, example: str) -> None:
    seen = set()
    for version, nasm in nasms().items():
        pair = make_pair(nasm_ext, nasm, ROOT / "examples" / example, tmp_path / version)
        before, after = letters(pair.before), letters(pair.after)
        assert after.items() <= before.items()
        assert {one.target for one in relocations(pair.after)} <= {*after, "__text"}
        needed = {one.target for one in relocations(pair.before)}
        gone = before.keys() - after.keys()
        # Nothing that is seen from outside goes, and no name that somebody gave to a function or to data.
        assert {before[name] for name in gone} <= {*"atds"}
        assert [name for name in gone if "." not in name and before[name] != "a"] == []
        # What stays with a dot is data that code or a table refers to.
        assert [name for name in after if "." in name and (name not in needed or after[name] == "t")] == []
        assert [name for name, letter in after.items() if letter == "a"] == []
        seen.add(tuple(sorted(after.items())))
    assert len(seen) == 1


def test_the_whole_symbol_table_of_pymult(nasm_ext: Path, tmp_path: Path) -> None:
    for version, nasm in nasms().items():
        pair = make_pair(nasm_ext, nasm, ROOT / "examples/pymult/pymult.asm", tmp_path / version)
        assert "multiply.wrong_count" in letters(pair.before)
        assert letters(pair.after) == PYMULT_KEPT


@pytest.mark.parametrize("example", EXAMPLES)
def test_bytes_stay_and_relocations_mean_the_same(nasm_ext: Path, tmp_path: Path, example: str) -> None:
    for version, nasm in nasms().items():
        pair = make_pair(nasm_ext, nasm, ROOT / "examples" / example, tmp_path / version)
        for one, other in zip(sections(pair.before), sections(pair.after), strict=True):
            assert one == other or one.name == "__compact_unwind"
        assert meanings(pair.before) == meanings(pair.after) != set()
        assert len(pair.after.read_bytes()) < len(pair.before.read_bytes())


@pytest.mark.parametrize("example", EXAMPLES)
def test_source_lines_stay(nasm_ext: Path, tmp_path: Path, example: str) -> None:
    pair = make_pair(nasm_ext, tool("nasm"), ROOT / "examples" / example, tmp_path)
    before, after = (run(tool("llvm-dwarfdump"), "--debug-line", path) for path in (pair.before, pair.after))
    assert before.splitlines()[1:] == after.splitlines()[1:]
    code = next(section for section in sections(pair.after) if section.name == "__text")
    places = [hex(address) for address in range(0, len(code.content), 16)]
    lines = [
        re.findall(r"(\w+\.asm):(\d+)", run(tool("llvm-symbolizer"), f"--obj={path}", *places))
        for path in (pair.before, pair.after)
    ]
    assert lines[0] == lines[1]
    assert len(lines[0]) > len(places) / 2


@pytest.mark.parametrize(
    "sources",
    [["pymult/pymult.asm"], ["counter/counter.asm"], [name for name in EXAMPLES if name.startswith("hamming/")]],
    ids=lambda names: names[0].partition("/")[0],
)
def test_unwind_data_covers_every_function_whole(nasm_ext: Path, tmp_path: Path, sources: list[str]) -> None:
    for version, nasm in nasms().items():
        folder = tmp_path / version
        pairs = [make_pair(nasm_ext, nasm, ROOT / "examples" / name, folder) for name in sources]
        images = (
            link(folder / "before.so", *(pair.before for pair in pairs)),
            link(folder / "after.so", *(pair.after for pair in pairs)),
        )
        cut, count = 0, 0
        for pair in pairs:
            own = symbols(pair.after)
            # lld gives no local name that begins with an l to the image, so places are counted from the global one.
            (name,) = [name for name, (letter, _) in own.items() if letter == "T"]
            bases = [symbols(image)[name][1] - own[name][1] for image in images]
            for function in recorded_functions(pair.after):
                before, after = (
                    encodings(unwind_entries(image), base + function.start, function.length)
                    for image, base in zip(images, bases, strict=True)
                )
                assert after == {function.encoding}, function
                cut += before != {function.encoding}
                count += 1
        assert count >= 2
        assert cut >= 1  # otherwise nothing was wrong before, and this test says nothing


# -- labels that are referred to -----------------------------------------------------------------------------------------


def test_what_refers_to_labels_refers_to_their_functions(nasm_ext: Path, tmp_path: Path) -> None:
    source = tmp_path / "labels.asm"
    source.write_text(LABELS)
    for version, nasm in nasms().items():
        folder = tmp_path / version
        folder.mkdir()
        before, after = folder / "before.o", folder / "after.o"
        run(nasm, "-f", "macho64", "-o", before, source)
        shutil.copy(before, after)
        trim(nasm_ext, after)
        assert letters(after) == LABELS_KEPT
        assert meanings(before) == meanings(after)
        names = {one.target for one in relocations(before) if one.section == "__data"}
        assert {"_switch.first", "_switch.second", "inside"} <= names  # the test would say nothing without them
        images = [link(folder / f"{item.stem}.so", item) for item in (before, after)]
        linked = [[one for one in sections(image) if one.name in ("__text", "__cold", "__data")] for image in images]
        assert linked[0] == linked[1]
        starts = [symbols(image)["_switch"][1] for image in images]
        ends = [symbols(image)["kernel.avx2"][1] for image in images]
        assert encodings(unwind_entries(images[0]), starts[0], ends[0] - starts[0]) == {0x02010000, NO_UNWIND_DATA}
        assert encodings(unwind_entries(images[1]), starts[1], ends[1] - starts[1]) == {0x02010000}
        assert encodings(unwind_entries(images[1]), ends[1], 6) == {0x01000000}


# -- the command ---------------------------------------------------------------------------------------------------------


def refused(nasm_ext: Path, folder: Path, *words: str) -> str:
    done = subprocess.run([nasm_ext, "trim-object", *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    (tmp_path / "labels.asm").write_text(LABELS)
    run(tool("nasm"), "-f", "macho64", "-o", tmp_path / "labels.o", tmp_path / "labels.asm")
    return tmp_path / "labels.o"


@pytest.mark.parametrize("form", ["elf64", "elf32", "win64", "win32", "macho32"])
def test_objects_of_other_formats_are_left_alone(nasm_ext: Path, tmp_path: Path, form: str) -> None:
    source, item = tmp_path / "m.asm", tmp_path / "m.o"
    source.write_text("f:\n.loop:\n    jmp .loop\n")
    run(tool("nasm"), "-f", form, "-o", item, source)
    before = (item.read_bytes(), identity(item))
    trim(nasm_ext, item)
    assert (item.read_bytes(), identity(item)) == before
    assert sorted(os.listdir(tmp_path)) == ["m.asm", "m.o"]


def test_several_objects_in_one_command(nasm_ext: Path, labels: Path) -> None:
    other = Path(shutil.copy(labels, labels.with_name("other.o")))
    trim(nasm_ext, labels, other)
    assert letters(labels) == letters(other) == LABELS_KEPT
    assert sorted(os.listdir(labels.parent)) == ["labels.asm", "labels.o", "other.o"]


def test_a_trimmed_object_is_not_written_again(nasm_ext: Path, labels: Path) -> None:
    trim(nasm_ext, labels)
    before = identity(labels)
    trim(nasm_ext, labels)
    assert identity(labels) == before


def test_links_and_permissions_stay(nasm_ext: Path, labels: Path) -> None:
    labels.chmod(0o640)
    link_to_it = labels.with_name("link.o")
    link_to_it.symlink_to(labels.name)
    trim(nasm_ext, link_to_it)
    assert link_to_it.is_symlink()
    assert letters(labels) == LABELS_KEPT
    assert labels.stat().st_mode & 0o777 == 0o640


def test_a_cut_object_is_refused_and_stays(nasm_ext: Path, labels: Path) -> None:
    cut = labels.read_bytes()[:-1]
    labels.write_bytes(cut)
    assert refused(nasm_ext, labels.parent, "labels.o") == (
        "error: labels.o: is no whole Mach-O object for x86-64\nfix: build it again\n"
    )
    assert labels.read_bytes() == cut
    assert sorted(os.listdir(labels.parent)) == ["labels.asm", "labels.o"]


@pytest.mark.parametrize("content", [b"", b"f:\n    ret\n" * 20], ids=["empty", "text"])
def test_what_is_no_object_is_refused(nasm_ext: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.o").write_bytes(content)
    assert refused(nasm_ext, tmp_path, "m.o") == (
        "error: m.o: is no whole Mach-O object for x86-64\nfix: build it again\n"
    )


def test_a_linked_bundle_is_refused(nasm_ext: Path, labels: Path) -> None:
    link(labels.with_name("m.so"), labels)
    assert refused(nasm_ext, labels.parent, "m.so") == (
        "error: m.so: is no whole Mach-O object for x86-64\nfix: build it again\n"
    )


def test_a_missing_object_is_named(nasm_ext: Path, tmp_path: Path) -> None:
    assert refused(nasm_ext, tmp_path, "m.o") == "error: m.o: there is no such file\n"


def test_an_object_that_cannot_be_written_stays(nasm_ext: Path, labels: Path) -> None:
    before = labels.read_bytes()
    (labels.parent / "labels.o.partial").mkdir()  # where the new object would be written
    (labels.parent / "labels.o.partial" / "file").touch()
    assert refused(nasm_ext, labels.parent, "labels.o") == (
        "error: labels.o: cannot be written\nfix: let its folder be written to, and its disk have room\n"
    )
    assert labels.read_bytes() == before


# -- builds --------------------------------------------------------------------------------------------------------------

ANSWER = """
%include "Python.inc"

py_function answer, module, number
    py_call PyLong_AsLong, number
    test    rax, rax
    jz      .nothing
    py_call PyLong_FromLong, 42
    py_return rax
.nothing:
    py_return_none

py_methods
    py_method "answer", answer, METH_O, "answer(number, /)", "The answer."
py_module demo, "Answers."
"""


def test_a_build_for_macos_trims_its_objects(toolbox: Toolbox, project: Projects) -> None:
    folder = project({"pyproject.toml": pyproject(), "demo.asm": ANSWER})
    config = {"target": "macosx-11.0-x86_64", "target-python": "3.13", "build-dir": "made"}
    assert toolbox.hook(folder, config_settings=config).wheel.is_file()
    (item,) = folder.glob("made/**/demo.o")
    names = letters(item)
    assert names["answer"] == "t"
    assert [name for name, letter in names.items() if letter == "a" or (letter == "t" and "." in name)] == []
    made = identity(item)
    assert toolbox.hook(folder, config_settings=config).wheel.is_file()
    assert identity(item) == made  # the record is of the trimmed object


def test_an_object_that_cannot_be_written_is_an_error_of_the_build(nasm_ext: Path, tmp_path: Path) -> None:
    (tmp_path / "m.asm").write_text("f:\n.loop:\n    jmp .loop\n")
    blocked = tmp_path / "objects/m.o.partial.partial"
    blocked.mkdir(parents=True)
    (blocked / "file").touch()
    for driver, message in (
        (
            nasm_ext,
            "objects/m.o.partial: cannot be written [nasm]\n  fix: let its folder be written to, and its disk have room",
        ),
        (
            tmp_path / "nasm-ext",
            f"{tmp_path}/nasm-ext cannot be run: no such file or directory [nasm]\n  fix: reinstall nasm-build",
        ),
    ):
        with pytest.raises(BuildError) as refusal:
            made = Assembler(tmp_path, str(driver), tool("nasm"), "2.16", ["-f", "macho64"], tmp_path / "record.json")
            made.assemble([Unit("m.asm", "objects/m.o")])
        assert str(refusal.value) == f"error: {message}"
        assert os.listdir(tmp_path / "objects") == ["m.o.partial.partial"]
