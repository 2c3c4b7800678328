"""nasm-ext.exe under Wine: what it says of a file or a target is what nasm-ext says of it on Linux.

And the C++ tests whose subject is the system, run there.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from check_samples import ELF, LINUX, MACOS, PE, WINDOWS, Samples
from devtools import environments, windows_native
from devtools.nasms import fetch_nasms
from devtools.pythons import windows_tools, wine
from nasm_ext_calls import without_rules

VERSION = "2.16.03"
"""The release of nasm.exe."""


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with what is compiled for Windows."""
    return windows_native.provide(environments.development())


@dataclass(frozen=True)
class Both:
    """Runs nasm-ext on Linux and on Windows in one folder, with nothing on PATH."""

    nasm_ext: Path
    programs: Path
    folder: Path

    def linux(self, *words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
        done = subprocess.run(
            [self.nasm_ext, *words],
            cwd=self.folder,
            env={"PATH": "/nowhere", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def windows(self, *words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
        done = wine.run_windows(self.programs / "nasm-ext.exe", words, cwd=self.folder, env=env, timeout=120)
        return done.status, done.output

    def same(self, *words: str) -> tuple[int, str]:
        """What both say, which must be the same."""
        there = self.windows(*words)
        assert there == self.linux(*words)
        return there

    def checked(self, *words: str) -> tuple[int, str]:
        """What both say of the files, without the line on the rules."""
        status, output = self.same("check", *words)
        return status, without_rules(output)


@pytest.fixture
def both(nasm_ext: Path, programs: Path, tmp_path: Path) -> Both:
    return Both(nasm_ext, programs, tmp_path)


@pytest.fixture
def samples(nasm_ext: Path, tmp_path: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def test_version_and_mistakes_on_the_command_line(both: Both) -> None:
    status, output = both.same("--version")
    assert status == 0 and output.startswith("nasm-ext ")
    assert both.same("chekc") == (
        2,
        "error: unknown command chekc\nfix: did you mean check? nasm-ext --help lists what there is\n",
    )


def test_modules_of_every_platform_are_read_alike(both: Both, samples: Samples) -> None:
    samples.pe()
    samples.macho()
    samples.elf()
    assert both.checked(WINDOWS) == (0, "checked 1 module: 0 errors, 0 warnings, 0 notes\n")
    assert both.checked(WINDOWS, MACOS, LINUX) == (0, "checked 3 modules: 0 errors, 0 warnings, 0 notes\n")
    status, output = both.checked("--format", "json", WINDOWS, MACOS, LINUX)
    assert status == 0 and len(json.loads(output)["files"]) == 3


def test_findings_in_a_module_for_windows(both: Both, samples: Samples) -> None:
    samples.pe(PE.replace("PyInit_pymult", "PyInit_pymul"), link=("/export:PyInit_pymul",))
    status, output = both.checked(WINDOWS)
    assert status == 1
    assert output == (
        f"{WINDOWS}: error: exports PyInit_pymul, not PyInit_pymult: CPython finds no entry point for a module named "
        "pymult [entry-missing]\n"
        "  fix: spell it PyInit_pymult in the source, or name the module pymul\n"
        "checked 1 module: 1 error, 0 warnings, 0 notes\n"
    )


def test_findings_name_the_lines_of_the_object_s_source(both: Both, samples: Samples) -> None:
    samples.elf(ELF.replace("PyModuleDef_Init", "PyModuleDef_Int"))
    status, output = both.checked("--object", "pymult.o", LINUX)
    assert status == 1 and "pymult.asm:9: error: " in output, output


def test_a_wheel_a_damaged_module_and_a_name_beyond_the_code_page(both: Both, samples: Samples) -> None:
    good = samples.pe()
    wheel = samples.wheel("größe_日本-1.0-cp313-cp313-win_amd64.whl", {f"pkg/{WINDOWS}": good, "pkg/__init__.py": b""})
    assert both.checked(wheel) == (0, "checked 1 module: 0 errors, 0 warnings, 0 notes\n")
    cut = samples.wheel(
        "cut-1.0-cp313-cp313-win_amd64.whl", {f"cut/{WINDOWS}": (both.folder / good).read_bytes()[:300]}
    )
    status, output = both.checked(cut)
    assert status == 2 and output.startswith(f"{cut}: cut/{WINDOWS}: error: "), output
    assert both.checked("nowhere.pyd") == (
        2,
        "nowhere.pyd: error: there is no such file\n"
        "checked 0 modules: 0 errors, 0 warnings, 0 notes, 1 file unreadable\n",
    )


@pytest.mark.parametrize("target", ["win-amd64", "linux-x86_64", "macosx-11.0-x86_64"])
def test_the_toolchain_of_a_target(both: Both, target: str) -> None:
    words = ("toolchain", "--format", "json", "--target", target, "--python", "3.13")
    nasm = wine.windows_path(windows_tools.nasm())
    here, there = (
        json.loads(output)
        for status, output in (
            both.linux(*words, env={"PATH": os.environ["PATH"], "NASM": str(fetch_nasms()[VERSION])}),
            both.windows(*words, env={"NASM": nasm}),
        )
        if status == 0
    )
    assert there["nasm"].pop("path") == nasm
    here["nasm"].pop("path")
    assert there == here
    assert there["nasm"]["version"] == VERSION


def test_the_platform_is_windows_when_none_is_named_and_nasm_is_found_there(both: Both, tmp_path: Path) -> None:
    """On PATH, in a folder whose name has blanks: Windows' own search and quotation marks."""
    folder = tmp_path / "two words"
    folder.mkdir()
    (folder / "nasm.exe").symlink_to(windows_tools.nasm())
    place = wine.windows_path(folder)
    status, output = both.windows("toolchain", env={"WINEPATH": place})
    assert status == 0
    assert output.splitlines()[:2] == [
        "target: win-amd64 (win64 objects, cv8 debug data)",
        f"nasm: {place}\\nasm.exe {VERSION} (PATH)",
    ]
    assert both.windows("toolchain")[1].splitlines()[1:4] == [
        "nasm: none",
        "  error: NASM was not found",
        "  fix: winget install NASM.NASM",
    ]


def test_a_program_that_windows_does_not_start_is_passed_over_with_the_reason(both: Both, tmp_path: Path) -> None:
    (tmp_path / "nasm.exe").write_text("no program\n")
    place = wine.windows_path(tmp_path / "nasm.exe")
    status, output = both.windows("toolchain", env={"NASM": place})
    assert status == 0
    error = next(line for line in output.splitlines() if line.startswith("  error: "))
    start = f"  error: the variable NASM names {place}, which cannot be used: it could not be started: "
    # Windows' own sentence, or Wine's: `… is not a valid Win32 application`, `Bad EXE format for …`.
    assert error.startswith(start) and "the file" in error[len(start) :] and not error.endswith("."), output


def test_zig_is_the_linker_where_there_is_no_other(both: Both) -> None:
    zig = wine.windows_path(windows_tools.zig())
    status, output = both.windows("linker", "--target", "win-amd64", "--zig", zig, "--format", "json")
    found = json.loads(output)["linker"]
    assert status == 0
    assert int(found.pop("version").split(".")[0]) >= 19, output
    assert found == {"words": [zig, "lld-link"], "kind": "lld-link", "origin": "ziglang"}
    assert both.windows("linker", "--target", "win-amd64") == (
        0,
        "linker: none\n"
        "  error: no linker for win-amd64 was found: lld-link is not there\n"
        "  fix: winget install LLVM.LLVM; or: pip install ziglang\n",
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--python", "3.13"],
        ["--python", "3.14t"],
        ["--python", "3.13", "--abi3", "3.11"],
        ["--target", "macosx-11.0-x86_64"],
    ],
    ids=" ".join,
)
def test_import_libraries_are_the_same_files(both: Both, words: list[str]) -> None:
    assert both.linux("import-library", *words, "--output", "linux")[0] == 0
    status, output = both.windows("import-library", *words, "--output", "windows")
    assert status == 0, output
    made = {path.name: path.read_bytes() for path in (both.folder / "windows").iterdir()}
    assert made == {path.name: path.read_bytes() for path in (both.folder / "linux").iterdir()}
    named = [line.replace("\\", "/") for line in output.splitlines()]
    assert sorted(named) == sorted(f"windows/{name}" for name in made)


def test_entry_points_of_objects(both: Both, samples: Samples) -> None:
    samples.object(PE, "win64")
    assert both.same("entry-points", "pymult.o") == (0, "PyInit_pymult\n")


@pytest.mark.parametrize("name", windows_native.TESTS)
def test_cpp_tests_pass_there(programs: Path, name: str) -> None:
    done = wine.run_windows(programs / f"{name}.exe", ["--gtest_brief=1"], cwd=programs, timeout=300)
    last = done.output.strip().splitlines()[-1]
    assert done.status == 0 and last.startswith("[  PASSED  ]") and "SKIPPED" not in done.output, done.output
