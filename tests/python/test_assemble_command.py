"""`nasm-ext assemble`, which the rules of build systems run: its objects, its list of dependencies, its messages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from nasm_ext_calls import call

WORDS = ("-f", "elf64", "-g", "-F", "dwarf")
PLAIN = """\
section .text
global f:function
f:  mov     eax, VALUE
    ret
"""


@dataclass(frozen=True)
class Assembler:
    """Calls the command in a folder of the test's own, with the machine's NASM."""

    nasm_ext: Path
    nasm: Path
    folder: Path

    def __call__(self, *words: str | Path, nasm: Path | None = None, **env: str) -> tuple[int, str]:
        """Its status and its output, in which NASM's path is the word `nasm`."""
        status, output = call(self.nasm_ext, *self.command(*words, nasm=nasm), env=env, cwd=self.folder)
        return status, output.replace(f"{nasm or self.nasm} -", "nasm -")

    def command(self, *words: str | Path, nasm: Path | None = None) -> list[str | Path]:
        return ["assemble", "--nasm", nasm or self.nasm, *words]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def assemble(nasm_ext: Path, tmp_path: Path) -> Assembler:
    program = shutil.which("nasm")
    assert program, "there is no nasm: install it"
    (tmp_path / "work").mkdir()
    return Assembler(nasm_ext, Path(program), tmp_path / "work")


def readelf(file: Path, *words: str) -> str:
    done = subprocess.run(["readelf", "--wide", *words, file], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def code(file: Path) -> str:
    text = readelf(file, "--hex-dump=.text")
    assert "0x00000000" in text, text
    return text


# -- dependencies --------------------------------------------------------------------------------------------------------

ODD = "in c/$x#y"
ODD_SOURCE = f"{ODD}/a b.asm"
INPUTS = (ODD_SOURCE, f"{ODD}/t.inc", "in c/u v.inc", f"{ODD}/d$a#b.bin")


def write_odd(assemble: Assembler) -> None:
    """A source that reads three files, all with letters that rules must escape."""
    lines = ['%include "t.inc"', '%include "u v.inc"', "section .rodata", 'incbin "d$a#b.bin"']
    assemble.write(ODD_SOURCE, PLAIN.replace("VALUE", "1") + "\n".join(lines) + "\n")
    for name in INPUTS[1:]:
        assemble.write(name, "; nothing\n")


ODD_WORDS = (ODD_SOURCE, "--object", "o p/$a#.o", "--depfile", "o p/$a#.d", "--", *WORDS, f"-I{ODD}/", "-Iin c/")


def test_the_depfile_names_every_input_by_its_whole_path(assemble: Assembler) -> None:
    write_odd(assemble)
    assert assemble(*ODD_WORDS) == (0, "")
    base = str(assemble.folder).replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")
    assert (assemble.folder / "o p/$a#.d").read_text() == (
        "o\\ p/$$a\\#.o: \\\n"
        f"  {base}/in\\ c/$$x\\#y/a\\ b.asm \\\n"
        f"  {base}/in\\ c/$$x\\#y/t.inc \\\n"
        f"  {base}/in\\ c/u\\ v.inc \\\n"
        f"  {base}/in\\ c/$$x\\#y/d$$a\\#b.bin\n"
    )


def test_ninja_reads_the_depfile(assemble: Assembler) -> None:
    write_odd(assemble)
    words = [*assemble.command(*ODD_WORDS)]
    command = " ".join("'" + str(word).replace("$", "$$") + "'" for word in [assemble.nasm_ext, *words])
    assemble.write(
        "build.ninja",
        f"rule asm\n  command = {command}\n  depfile = o p/$$a#.d\n  deps = gcc\nbuild o$ p/$$a#.o: asm\n",
    )

    def ninja(*extra: str) -> str:
        return subprocess.run(["ninja", *extra], cwd=assemble.folder, capture_output=True, text=True, check=True).stdout

    ninja()
    listed = re.findall(r"^    (.*)$", ninja("-t", "deps"), re.MULTILINE)
    assert listed == [str(assemble.folder / name) for name in INPUTS]
    assert ninja() == "ninja: no work to do.\n"
    for name in INPUTS:
        make_newer(assemble.folder / name, than=assemble.folder / "o p/$a#.o")
        assert "no work to do" not in ninja(), name


def test_make_reads_the_depfile(assemble: Assembler) -> None:
    write_odd(assemble)
    assert assemble(*ODD_WORDS) == (0, "")
    assemble.write("Makefile", "o\\ p/$$a\\#.o:\n\t@echo made\n")

    def is_current() -> bool:
        done = subprocess.run(
            ["make", "--question", "-f", "Makefile", "-f", "o p/$a#.d", "o p/$a#.o"],
            cwd=assemble.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0

    assert is_current()
    for name in INPUTS:
        before = (assemble.folder / name).stat()
        make_newer(assemble.folder / name, than=assemble.folder / "o p/$a#.o")
        assert not is_current(), name
        os.utime(assemble.folder / name, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert is_current()


def make_newer(file: Path, *, than: Path) -> None:
    time = than.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(time, time))


# -- objects -------------------------------------------------------------------------------------------------------------


def test_lines_gives_the_same_code_twice(assemble: Assembler) -> None:
    assemble.write("a.asm", PLAIN)
    status = assemble("a.asm", "--object", "a.o", "--lines", "l/a.lines.o", "--", *WORDS, "-DVALUE=7")
    assert status == (0, "")
    plain, lined = assemble.folder / "a.o", assemble.folder / "l/a.lines.o"
    assert assemble.files() == ["a.asm", "a.o", "l/a.lines.o"]
    assert code(plain) == code(lined)
    assert ".debug" not in readelf(plain, "--section-headers")
    assert re.search(r"^a\.asm +3 +0", readelf(lined, "--debug-dump=decodedline"), re.MULTILINE)


def test_lines_takes_debug_data_out_however_it_was_asked_for(assemble: Assembler) -> None:
    assemble.write("a.asm", PLAIN)
    for words in (("-g",), ("-gdwarf",), ("-g", "-Fdwarf"), ("-F", "dwarf", "-g")):
        status = assemble("a.asm", "--object", "a.o", "--lines", "l.o", "--", "-felf64", *words, "-DVALUE=7")
        assert status == (0, ""), words
        assert ".debug" not in readelf(assemble.folder / "a.o", "--section-headers"), words
        assert ".debug_line" in readelf(assemble.folder / "l.o", "--section-headers"), words


def test_without_lines_the_object_has_what_the_words_say(assemble: Assembler) -> None:
    assemble.write("a.asm", PLAIN)
    for words, has_lines in ((WORDS, True), (WORDS[:2], False)):
        assert assemble("a.asm", "--object", "a.o", "--", *words, "-DVALUE=7") == (0, "")
        assert (".debug_line" in readelf(assemble.folder / "a.o", "--section-headers")) == has_lines


SYMBOLS = """
section .text
global {p}f, {p}shown, {p}PyInit_m, {p}PyModExport_m
{p}f:               mov     eax, 1
{p}local:           ret
{p}shown:           ret
{p}PyInit_m:        ret
{p}PyModExport_m:   ret
extern {p}g
    dq {p}g
"""


@pytest.mark.parametrize("exports", [(), ("shown",)])
def test_hide_in_elf(assemble: Assembler, exports: tuple[str, ...]) -> None:
    assemble.write("a.asm", SYMBOLS.format(p=""))
    words = [word for name in exports for word in ("--export", name)]
    assert assemble("a.asm", "--object", "a.o", "--hide", *words, "--", *WORDS[:2]) == (0, "")
    rows = re.findall(
        r"(LOCAL|GLOBAL) +(DEFAULT|HIDDEN) +(\w+) (\w+)$", readelf(assemble.folder / "a.o", "--symbols"), re.MULTILINE
    )
    assert sorted((name, binding, visibility) for binding, visibility, section, name in rows) == [
        ("PyInit_m", "GLOBAL", "DEFAULT"),
        ("PyModExport_m", "GLOBAL", "DEFAULT"),
        ("f", "GLOBAL", "HIDDEN"),
        ("g", "GLOBAL", "DEFAULT"),
        ("local", "LOCAL", "DEFAULT"),
        ("shown", "GLOBAL", "DEFAULT" if exports else "HIDDEN"),
    ]


@pytest.mark.parametrize("exports", [(), ("shown",)])
def test_hide_in_macho(assemble: Assembler, exports: tuple[str, ...]) -> None:
    assemble.write("a.asm", SYMBOLS.format(p="_"))
    words = [word for name in exports for word in ("--export", name)]
    assert assemble("a.asm", "--object", "a.o", "--hide", *words, "--", "-f", "macho64") == (0, "")
    reader = shutil.which("llvm-readobj-19") or shutil.which("llvm-readobj")
    assert reader, "there is no llvm-readobj: install llvm"
    text = subprocess.run(
        [reader, "--symbols", assemble.folder / "a.o"], capture_output=True, text=True, check=True
    ).stdout
    told = {
        re.findall(r"Name: (\S+)", symbol)[0]: ("PrivateExtern" in symbol, "  Extern\n" in symbol)
        for symbol in text.split("Symbol {")[1:]
    }
    assert told == {
        "_PyInit_m": (False, True),
        "_PyModExport_m": (False, True),
        "_f": (True, True),
        "_g": (False, True),
        "_shown": (not exports, True),
    } | {name: flags for name, flags in told.items() if name == "_local"}
    assert told.get("_local", (False, False)) == (False, False)


def test_hide_leaves_objects_for_windows_alone(assemble: Assembler) -> None:
    """Nothing is exported there but by a list."""
    assemble.write("a.asm", SYMBOLS.format(p=""))
    for name, words in (("a.obj", ()), ("b.obj", ("--hide",))):
        assert assemble("a.asm", "--object", name, *words, "--", "-f", "win64", "--reproducible") == (0, "")
    assert (assemble.folder / "a.obj").read_bytes() == (assemble.folder / "b.obj").read_bytes()


def test_nasmenv_is_ignored(assemble: Assembler) -> None:
    """NASM takes words from there, which no build system would see change."""
    assemble.write("a.asm", PLAIN.replace("VALUE", "VALUE\n%ifdef SEEN\n%error NASMENV was read\n%endif"))
    words = ("a.asm", "--object", "a.o", "--lines", "l.o", "--depfile", "a.d", "--", *WORDS, "-DVALUE=7")
    assert assemble(*words, NASMENV="-DSEEN=1") == (0, "")
    seen = subprocess.run(
        [assemble.nasm, *WORDS, "-DVALUE=7", "-o", "x.o", "a.asm"],
        cwd=assemble.folder, env={"NASMENV": "-DSEEN=1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert seen.returncode != 0, "this NASM reads no NASMENV, so the test shows nothing"


def test_words_of_a_file_stand_before_those_of_the_command(assemble: Assembler) -> None:
    assemble.write("a.asm", PLAIN)
    assemble.write("words", "-f\nelf64\n--before\n%define VALUE 1 + 1\n\n-DOTHER=1\r\n")
    assert assemble("a.asm", "--object", "a.o", "--words", "words", "--", "-DOTHER=2") == (0, "")
    assert "b8020000 00c3" in code(assemble.folder / "a.o")


# -- failures ------------------------------------------------------------------------------------------------------------


def test_an_error_has_its_line_and_its_fix_and_leaves_no_file(assemble: Assembler) -> None:
    assemble.write("a.asm", PLAIN)
    words = ("--object", "o/a.o", "--lines", "o/l.o", "--depfile", "o/a.d", "--hide", "--", *WORDS)
    assert assemble("a.asm", *words) == (
        1,
        "a.asm:3: error: symbol `VALUE' not defined [nasm]\n"
        "  fix: define VALUE, or declare it with 'extern VALUE' when another file or Python has it\n"
        "  command: nasm -f elf64 -o o/a.o a.asm\n"
        "  exit status 1\n",
    )
    assert assemble.files() == ["a.asm"]


def test_a_failure_keeps_no_half_of_an_earlier_success(assemble: Assembler) -> None:
    """What was there before stays whole: the build system knows that it is out of date."""
    assemble.write("a.asm", PLAIN)
    words = ("a.asm", "--object", "a.o", "--depfile", "a.d", "--", *WORDS)
    assert assemble(*words, "-DVALUE=7") == (0, "")
    before = (assemble.folder / "a.o").read_bytes()
    assert assemble(*words)[0] == 1
    assert (assemble.folder / "a.o").read_bytes() == before
    assert assemble.files() == ["a.asm", "a.d", "a.o"]


def test_warnings_are_told_of_a_success(assemble: Assembler) -> None:
    assemble.write("a.asm", "%warning look here\n" + PLAIN)
    status, output = assemble("a.asm", "--object", "a.o", "--", *WORDS, "-DVALUE=7")
    assert status == 0
    assert re.fullmatch(r"a\.asm:1: warning: look here( \[-w\+user\])? \[nasm\]\n", output)
    assert assemble.files() == ["a.asm", "a.o"]


@dataclass(frozen=True)
class Refusal:
    words: tuple[str, ...]
    output: str


REFUSALS = {
    "no NASM there": Refusal(
        ("a.asm", "--object", "a.o", "--nasm", "/nowhere/nasm"),
        "error: NASM cannot be run: /nowhere/nasm: No such file or directory\n"
        "fix: reinstall NASM, or name another one: NASM=/path/to/nasm\n",
    ),
    "a NASM that may not be run": Refusal(
        ("a.asm", "--object", "a.o", "--nasm", "./a.asm"),
        "error: NASM cannot be run: ./a.asm: Permission denied\n"
        "fix: reinstall NASM, or name another one: NASM=/path/to/nasm\n",
    ),
    "no words there": Refusal(
        ("a.asm", "--object", "a.o", "--words", "words"),
        "error: words: cannot be read\nfix: configure the build again\n",
    ),
    "no object named": Refusal(("a.asm",), "error: --object is required\nfix: nasm-ext assemble --help\n"),
    "a folder in the object's place": Refusal(
        ("a.asm", "--object", "folder", "--", "-felf64"),
        "error: folder: cannot be written: Is a directory\nfix: let its folder be written to, and its disk have room\n",
    ),
    "a depfile below a file": Refusal(
        ("a.asm", "--object", "a.o", "--depfile", "a.asm/a.d", "--", "-felf64"),
        "error: a.asm/a.d: cannot be written\nfix: let its folder be written to, and its disk have room\n",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_could_not_be_done_is_status_2(nasm_ext: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.asm").write_text("ret\n")
    (tmp_path / "folder").mkdir()
    assert call(nasm_ext, "assemble", *REFUSALS[name].words, cwd=tmp_path) == (2, REFUSALS[name].output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.asm", "folder"]


def test_a_nasm_that_is_killed(assemble: Assembler) -> None:
    assemble.write("a.asm", PLAIN)
    killed = assemble.write("killed", '#!/bin/sh\necho half >"$4"\necho said before\nkill -9 $$\n')
    killed.chmod(0o755)
    status, output = assemble("a.asm", "--object", "a.o", "--", "-f", "elf64", nasm=killed)
    assert (status, [line for line in output.splitlines() if line]) == (
        1,
        [
            "a.asm: error: NASM failed on a.asm [nasm]",
            "  command: nasm -f elf64 -o a.o a.asm",
            "  ended by SIGKILL",
            "said before",
        ],
    )
    assert assemble.files() == ["a.asm", "killed"]


@pytest.mark.parametrize("words", [("-E",), ("-h",)])
def test_a_nasm_that_writes_no_object(assemble: Assembler, words: tuple[str, ...]) -> None:
    assemble.write("a.asm", PLAIN)
    assert assemble("a.asm", "--object", "a.o", "--", "-f", "elf64", *words) == (
        2,
        "error: a.asm: NASM ended well and wrote no object\n"
        "fix: take the words out that make NASM write something else (-E, -M, -h), or name another NASM: NASM=/path/to/nasm\n",
    )
    assert assemble.files() == ["a.asm"]
