"""`nasm-ext toolchain` and `nasm-ext flags` as they are called: whole outputs, and fakes of the NASMs that people have."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nasm_ext_calls import call

GOOD = "echo 'NASM version 2.16.03 compiled on Apr 17 2024'"
YASM = "echo 'yasm 1.3.0'; echo 'Compiled on Dec 14 2022.'"
XCODE = "echo 'NASM version 0.98.40 (Apple Computer, Inc. build 11) compiled on Aug 24 2015'"
# What PyPI's nasm does under Python 3: the script that pip writes, dying of the package's own imports.
ASSEMBLER_6502 = "#!/usr/bin/env python3\nimport sys\nfrom nasm.console import main\nsys.exit(main())\n"

INSTALL = "apt-get install nasm" if shutil.which("dpkg") else None
"""The command that the error names on this machine, where it is known."""


def write_program(path: Path, text: str) -> Path:
    """Writes a shell script, or with a `#!` of its own another one, and makes it executable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def toolchain(nasm_ext: Path, *words: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The answer in JSON."""
    status, output = call(nasm_ext, "toolchain", "--format", "json", *words, env=env)
    assert status == 0, output
    answer: dict[str, Any] = json.loads(output)
    return answer


LINUX = {
    "name": "linux-x86_64",
    "platform": "linux-x86_64",
    "assembles": True,
    "fallback_half": "",
    "object_format": "elf64",
    "symbol_prefix": "",
    "debug_format": "dwarf",
    "defines": ["PIE", "LINUX"],
    "link_style": "elf",
    "object_suffix": ".o",
}
LINUX_FLAGS = ["-f", "elf64", "-g", "-F", "dwarf", "--reproducible", "--before", "default rel", "-DPIE", "-DLINUX"]


def test_version(nasm_ext: Path) -> None:
    assert call(nasm_ext, "--version") == (0, "nasm-ext 0.1.0\n")


def test_the_whole_answer(nasm_ext: Path, tmp_path: Path) -> None:
    program = write_program(tmp_path / "nasm", GOOD)
    assert toolchain(
        nasm_ext, "--target", "linux-x86_64", "--python", "3.13", env={"PATH": str(tmp_path) + ":/nowhere"}
    ) == {
        "schema_version": 1,
        "version": "0.1.0",
        "target": LINUX,
        "nasm": {"path": str(program), "version": "2.16.03", "origin": "PATH", "warnings": []},
        "nasm_rejected": [],
        "nasm_error": None,
        "flags": [*LINUX_FLAGS, "-DPY_VERSION_HEX=0x030D0000"],
        "python": {"version": "3.13", "free_threaded": False, "abi": "version-specific"},
        "module": {
            "suffix": ".cpython-313-x86_64-linux-gnu.so",
            "python_tag": "cp313",
            "abi_tag": "cp313",
            "platform_tag": "linux_x86_64",
        },
    }


def test_a_cross_build_with_the_stable_abi(nasm_ext: Path, tmp_path: Path) -> None:
    program = write_program(tmp_path / "nasm", GOOD)
    words = ("--target", "win-amd64", "--python", "3.13", "--abi3", "3.10", "--nasm", str(program))
    assert toolchain(nasm_ext, *words) == {
        "schema_version": 1,
        "version": "0.1.0",
        "target": {
            "name": "win-amd64",
            "platform": "win-amd64",
            "assembles": True,
            "fallback_half": "",
            "object_format": "win64",
            "symbol_prefix": "",
            "debug_format": "cv8",
            "defines": ["NOPIE", "WINDOWS"],
            "link_style": "coff",
            "object_suffix": ".obj",
        },
        "nasm": {"path": str(program), "version": "2.16.03", "origin": "setting", "warnings": []},
        "nasm_rejected": [],
        "nasm_error": None,
        "flags": [
            *("-f", "win64", "-g", "-F", "cv8", "--reproducible", "--before", "default rel", "-DNOPIE", "-DWINDOWS"),
            "-DPY_VERSION_HEX=0x030A0000",
            "-DPy_LIMITED_API=0x030A0000",
        ],
        "python": {"version": "3.13", "free_threaded": False, "abi": "abi3"},
        "module": {"suffix": ".pyd", "python_tag": "cp310", "abi_tag": "abi3", "platform_tag": "win_amd64"},
    }


def test_a_fallback_target_looks_for_no_nasm(nasm_ext: Path) -> None:
    words = ("--target", "linux-x86_64", "--pointer-bits", "32", "--python", "3.12", "--c-library", "musl")
    assert toolchain(nasm_ext, *words) == {
        "schema_version": 1,
        "version": "0.1.0",
        "target": {
            "name": "linux-i686",
            "platform": "linux-x86_64",
            "assembles": False,
            "fallback_half": "",
            "object_format": "",
            "symbol_prefix": "",
            "debug_format": "",
            "defines": [],
            "link_style": "none",
            "object_suffix": "",
        },
        "nasm": None,
        "nasm_rejected": [],
        "nasm_error": None,
        "flags": [],
        "python": {"version": "3.12", "free_threaded": False, "abi": "version-specific"},
        "module": {
            "suffix": ".cpython-312-i386-linux-musl.so",
            "python_tag": "cp312",
            "abi_tag": "cp312",
            "platform_tag": "linux_i686",
        },
    }


def test_without_a_python_there_is_no_module(nasm_ext: Path) -> None:
    answer = toolchain(nasm_ext, "--target", "macosx-11.0-x86_64")
    assert answer["python"] is None
    assert answer["module"] is None
    assert answer["target"]["symbol_prefix"] == "_"
    assert answer["flags"][8:10] == ["--prefix", "_"]


def test_abi3t(nasm_ext: Path) -> None:
    answer = toolchain(nasm_ext, "--target", "linux-x86_64", "--python", "3.15t", "--abi3", "3.15t")
    assert answer["python"] == {"version": "3.15", "free_threaded": True, "abi": "abi3t"}
    assert answer["module"] == {
        "suffix": ".abi3t.so",
        "python_tag": "cp315",
        "abi_tag": "abi3.abi3t",
        "platform_tag": "linux_x86_64",
    }
    assert answer["flags"][-2:] == ["-DPy_LIMITED_API=0x030F0000", "-DPy_TARGET_ABI3T=0x030F0000"]


@pytest.mark.skipif(os.name == "nt", reason="the fakes are shell scripts, which Windows does not run as programs")
class TestFakes:
    """Programs named nasm that are not what is wanted."""

    def test_each_is_passed_over_with_its_reason(self, nasm_ext: Path, tmp_path: Path) -> None:
        write_program(tmp_path / "6502/nasm", ASSEMBLER_6502)
        write_program(tmp_path / "yasm/nasm", YASM)
        write_program(tmp_path / "xcode/nasm", XCODE)
        write_program(tmp_path / "hangs/nasm", "sleep 60")
        write_program(tmp_path / "killed/nasm", "kill -SEGV $$")
        write_program(tmp_path / "plain/nasm", GOOD).chmod(0o644)
        (tmp_path / "folder/nasm").mkdir(parents=True)
        (tmp_path / "empty").mkdir()
        good = write_program(tmp_path / "good/nasm", GOOD)
        names = "6502 yasm xcode hangs killed plain folder empty good".split()
        path = ":".join([*(str(tmp_path / name) for name in names), "/usr/bin", "/bin"])
        start = time.monotonic()
        answer = toolchain(nasm_ext, "--target", "linux-x86_64", env={"PATH": path})
        assert time.monotonic() - start < 20, "the one that hangs is given 2 s"
        assert answer["nasm"] == {"path": str(good), "version": "2.16.03", "origin": "PATH", "warnings": []}
        assert answer["nasm_error"] is None
        assert answer["nasm_rejected"] == [
            {"path": str(tmp_path / name / "nasm"), "origin": "PATH", "reason": reason}
            for name, reason in [
                ("6502", "it is an assembler for the 6502 (PyPI's package `nasm`), not NASM"),
                ("yasm", "it is Yasm, not NASM"),
                ("xcode", "it is NASM 0.98.40, and 2.15.05 is the oldest that is used"),
                ("hangs", "it did not answer `-v` within 2 s"),
                ("killed", "it was ended by SIGSEGV when asked for its version"),
                ("plain", "it is not executable"),
                ("folder", "it is a folder"),
            ]
        ]

    def test_the_setting_must_be_usable(self, nasm_ext: Path, tmp_path: Path) -> None:
        write_program(tmp_path / "nasm", GOOD)
        yasm = write_program(tmp_path / "yasm", YASM)
        words = ("--target", "linux-x86_64", "--nasm", str(yasm))
        answer = toolchain(nasm_ext, *words, env={"PATH": str(tmp_path)})
        assert answer["nasm"] is None
        assert answer["nasm_rejected"] == [{"path": str(yasm), "origin": "setting", "reason": "it is Yasm, not NASM"}]
        assert answer["nasm_error"] == {
            "message": f"the project's NASM setting names {yasm}, which cannot be used: it is Yasm, not NASM",
            "fix": "give it the path of a NASM 2.15.05 or later, or take the setting out",
        }

    def test_the_variable_must_be_usable(self, nasm_ext: Path, tmp_path: Path) -> None:
        write_program(tmp_path / "nasm", GOOD)
        gone = tmp_path / "gone"
        answer = toolchain(nasm_ext, "--target", "linux-x86_64", env={"PATH": str(tmp_path), "NASM": str(gone)})
        assert answer["nasm"] is None
        assert answer["nasm_error"] == {
            "message": f"the variable NASM names {gone}, which cannot be used: there is no such file",
            "fix": "set it to the path of a NASM 2.15.05 or later, or unset NASM",
        }

    def test_the_setting_comes_before_the_variable_and_it_before_path(self, nasm_ext: Path, tmp_path: Path) -> None:
        write_program(tmp_path / "path/nasm", GOOD)
        variable = write_program(tmp_path / "variable", GOOD)
        setting = write_program(tmp_path / "setting", GOOD)
        env = {"PATH": str(tmp_path / "path"), "NASM": str(variable)}
        named = toolchain(nasm_ext, "--target", "linux-x86_64", "--nasm", str(setting), env=env)
        assert (named["nasm"]["path"], named["nasm"]["origin"]) == (str(setting), "setting")
        from_variable = toolchain(nasm_ext, "--target", "linux-x86_64", env=env)
        assert (from_variable["nasm"]["path"], from_variable["nasm"]["origin"]) == (str(variable), "NASM")
        del env["NASM"]
        from_path = toolchain(nasm_ext, "--target", "linux-x86_64", env=env)
        assert (from_path["nasm"]["path"], from_path["nasm"]["origin"]) == (str(tmp_path / "path/nasm"), "PATH")

    def test_paths_that_are_not_ascii(self, nasm_ext: Path, tmp_path: Path) -> None:
        program = write_program(tmp_path / "größe 日本/nasm", GOOD)
        answer = toolchain(nasm_ext, "--target", "linux-x86_64", "--nasm", str(program))
        assert answer["nasm"]["path"] == str(program)

    def test_a_relative_setting_is_told_as_an_absolute_path(self, nasm_ext: Path, tmp_path: Path) -> None:
        program = write_program(tmp_path / "tools/nasm", GOOD)
        words = ("toolchain", "--target", "linux-x86_64", "--format", "json", "--nasm", "./tools/nasm")
        status, output = call(nasm_ext, *words, cwd=tmp_path)
        assert status == 0
        assert json.loads(output)["nasm"]["path"] == str(program)

    def test_the_warned_ones(self, nasm_ext: Path, tmp_path: Path) -> None:
        program = write_program(tmp_path / "nasm", "echo 'NASM version 3.01 compiled on Oct 11 2025'")
        warning = (
            "NASM 3.01 writes wrong displacements into some AVX-512 instructions (nasm#185): use 3.02 or later, or"
            " 2.16.03"
        )
        answer = toolchain(nasm_ext, "--target", "linux-x86_64", "--nasm", str(program))
        assert answer["nasm"]["warnings"] == [warning]

    def test_the_text_for_people(self, nasm_ext: Path, tmp_path: Path) -> None:
        write_program(tmp_path / "a/nasm", YASM)
        program = write_program(tmp_path / "b/nasm", "echo 'NASM version 3.00'")
        words = ("toolchain", "--target", "linux-x86_64", "--python", "3.13t")
        status, output = call(nasm_ext, *words, env={"PATH": f"{tmp_path}/a:{tmp_path}/b"})
        assert (status, output) == (
            0,
            "target: linux-x86_64 (elf64 objects, dwarf debug data)\n"
            f"nasm: {program} 3.00 (PATH)\n"
            "  warning: NASM 3.00 writes wrong displacements into some AVX-512 instructions (nasm#185): use 3.02 or"
            " later, or 2.16.03\n"
            f"  passed over {tmp_path}/a/nasm (PATH): it is Yasm, not NASM\n"
            "flags: -f elf64 -g -F dwarf --reproducible --before 'default rel' -DPIE -DLINUX"
            " -DPY_VERSION_HEX=0x030D0000 -DPy_GIL_DISABLED=1\n"
            "module: NAME.cpython-313t-x86_64-linux-gnu.so\n"
            "wheel: cp313-cp313t-linux_x86_64\n",
        )

    def test_the_text_for_people_without_nasm(self, nasm_ext: Path, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        status, output = call(nasm_ext, "toolchain", "--target", "linux-x86_64", "--nasm", str(gone))
        assert (status, output) == (
            0,
            "target: linux-x86_64 (elf64 objects, dwarf debug data)\n"
            "nasm: none\n"
            f"  passed over {gone} (setting): there is no such file\n"
            f"  error: the project's NASM setting names {gone}, which cannot be used: there is no such file\n"
            "  fix: give it the path of a NASM 2.15.05 or later, or take the setting out\n"
            "flags: -f elf64 -g -F dwarf --reproducible --before 'default rel' -DPIE -DLINUX\n",
        )


only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has mount namespaces")


@only_linux
def test_no_nasm_at_all(nasm_ext: Path, tmp_path: Path, machine_without_nasm: list[str]) -> None:
    write_program(tmp_path / "path/nasm", XCODE)
    done = subprocess.run(
        [*machine_without_nasm, nasm_ext, "toolchain", "--target", "linux-x86_64", "--format", "json"],
        env={"PATH": f"{tmp_path}/path:/usr/sbin:/sbin:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["nasm"] is None
    old = "it is NASM 0.98.40, and 2.15.05 is the oldest that is used"
    hidden = [one for one in answer["nasm_rejected"] if one["reason"] == "it is not executable"]
    assert {"path": f"{tmp_path}/path/nasm", "origin": "PATH", "reason": old} in answer["nasm_rejected"]
    listed = "; ".join(f"{one['path']} ({one['origin']}): {one['reason']}" for one in answer["nasm_rejected"])
    assert answer["nasm_error"]["message"] == f"no usable NASM was found: {listed}"
    assert len(hidden) + 1 == len(answer["nasm_rejected"])
    if INSTALL:
        assert answer["nasm_error"]["fix"] == (
            f"{INSTALL}; where that gives one older than 2.15.05: conda install -c conda-forge nasm, or set NASM to the"
            " path of a newer one"
        )


@only_linux
def test_a_carried_nasm_is_the_last_candidate(nasm_ext: Path, tmp_path: Path, machine_without_nasm: list[str]) -> None:
    modules = tmp_path / "venv/lib/python3.13/site-packages"
    (modules / "nasm_build-0.1.0.dist-info").mkdir(parents=True)
    program = write_program(modules / "nasm_build/carried/nasm", GOOD)
    (tmp_path / "venv/bin").mkdir()
    installed = Path(shutil.copy2(nasm_ext, tmp_path / "venv/bin/nasm-ext"))
    done = subprocess.run(
        [*machine_without_nasm, installed, "toolchain", "--target", "linux-x86_64", "--format", "json"],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["nasm"] == {"path": str(program), "version": "2.16.03", "origin": "carried", "warnings": []}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")
@pytest.mark.parametrize("words", [["toolchain", "--format", "json"], ["flags"]])
def test_output_that_cannot_be_written(nasm_ext: Path, words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [nasm_ext, *words, "--target", "linux-x86_64"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (
        2,
        "error: the output could not be written: No space left on device\n",
    )


class TestFlags:
    """The words for people, Makefiles and Meson."""

    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (["--target", "linux-x86_64"], "-f elf64 -g -F dwarf --reproducible --before 'default rel' -DPIE -DLINUX"),
            (
                ["--target", "macosx-11.0-x86_64"],
                "-f macho64 -g -F dwarf --reproducible --before 'default rel' --prefix _ -DNOPIE -DMACOS",
            ),
            (
                ["--target", "win-amd64", "--abi3", "3.10"],
                "-f win64 -g -F cv8 --reproducible --before 'default rel' -DNOPIE -DWINDOWS"
                " -DPY_VERSION_HEX=0x030A0000 -DPy_LIMITED_API=0x030A0000",
            ),
            (
                ["--target", "linux-x86_64", "--include-dir", "/a folder/include"],
                "-f elf64 -g -F dwarf --reproducible --before 'default rel' -DPIE -DLINUX '-I/a folder/include/'",
            ),
        ],
    )
    def test_the_line(self, nasm_ext: Path, words: list[str], line: str) -> None:
        assert call(nasm_ext, "flags", *words) == (0, line + "\n")

    def test_the_include_folder_of_the_installed_package(self, nasm_ext: Path, tmp_path: Path) -> None:
        modules = tmp_path / "venv/lib/python3.12/site-packages"
        (modules / "nasm_build-0.1.0.dist-info").mkdir(parents=True)
        (modules / "nasm_build/include").mkdir(parents=True)
        (tmp_path / "venv/bin").mkdir()
        installed = Path(shutil.copy2(nasm_ext, tmp_path / "venv/bin/nasm-ext"))
        status, output = call(installed, "flags", "--target", "linux-x86_64", "--include")
        assert status == 0
        assert output.split()[-1] == f"-I{modules}/nasm_build/include/"

    def test_the_include_folder_that_is_not_there(self, nasm_ext: Path, tmp_path: Path) -> None:
        alone = Path(shutil.copy2(nasm_ext, tmp_path / "nasm-ext"))
        assert call(alone, "flags", "--target", "linux-x86_64", "--include") == (
            2,
            "error: the include folder was not found: this nasm-ext does not stand beside an installed nasm_build"
            " package\n"
            "fix: name it: nasm-ext flags --include-dir \"$(python -c 'import nasm_build;"
            " print(nasm_build.get_include())')\"\n",
        )

    def test_a_target_that_nasm_cannot_write_for(self, nasm_ext: Path) -> None:
        assert call(nasm_ext, "flags", "--target", "linux-aarch64") == (
            2,
            "error: NASM cannot write for linux-aarch64\n"
            "fix: build C sources in place of the assembly there, or name another target: --target linux-x86_64\n",
        )


class TestMistakes:
    """What a person mistypes: one line that says what is wrong, one that says what to type, exit status 2."""

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ([], "no command was given\nfix: nasm-ext --help"),
            (["flagz"], "unknown command flagz\nfix: did you mean flags? nasm-ext --help lists what there is"),
            (["frobnicate"], "unknown command frobnicate\nfix: nasm-ext --help"),
            (["flags", "x.asm"], "flags takes no argument x.asm\nfix: nasm-ext flags --help"),
            (
                ["flags", "--targt", "win32"],
                "unknown option --targt\nfix: did you mean --target? nasm-ext flags --help lists what there is",
            ),
            (
                ["toolchain", "--pointer-bits", "16"],
                "--pointer-bits: 16 not in {64,32}\nfix: nasm-ext toolchain --help",
            ),
            (
                ["toolchain", "--target", "win_amd64"],
                "`win_amd64` is no platform\nfix: did you mean win-amd64? Otherwise give the platform as"
                " sysconfig.get_platform() prints it: linux-x86_64, macosx-11.0-x86_64, win-amd64",
            ),
            (
                ["toolchain", "--python", "3.13.1"],
                "`3.13.1` is no CPython version\n"
                "fix: give one like 3.13, or 3.13t for a free-threaded build, 3.13d for a debug build",
            ),
            (
                ["flags", "--abi3", "3.14t"],
                "abi3t begins with CPython 3.15 (PEP 803), not with 3.14\nfix: promise 3.15t or later: --abi3 3.15t",
            ),
            (
                ["toolchain", "--python", "3.13t", "--abi3", "3.10"],
                "a free-threaded CPython imports no abi3 module, and abi3 was asked for with 3.13t\n"
                "fix: build a module for that version alone (leave out --abi3, py-limited-api), or promise abi3t:"
                " --abi3 3.15t",
            ),
        ],
    )
    def test_the_message(self, nasm_ext: Path, words: list[str], message: str) -> None:
        assert call(nasm_ext, *words) == (2, f"error: {message}\n")
