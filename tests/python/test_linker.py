"""`nasm-ext entry-points` and `nasm-ext linker` as they are called before a link for Windows or macOS: whole outputs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nasm_ext_calls import call
from windows_links import assemble, tool

# -- entry points -----------------------------------------------------------------------------------------------------


def test_entry_points_of_several_objects(nasm_ext: Path, tmp_path: Path) -> None:
    source = "global {0}, helper{1}\nsection .text\n{0}: ret\nhelper{1}: ret\nPyInit_local{1}: ret\n"
    names = ["PyInit_a_module_with_a_long_name", "PyInitU_gre_kva", "PyModExport_demo", "PyInit_x"]
    objects = [assemble(tmp_path, source.format(name, number), f"o{number}") for number, name in enumerate(names)]
    assert call(nasm_ext, "entry-points", *objects) == (0, "\n".join(sorted(names)) + "\n")
    assert call(nasm_ext, "entry-points", objects[0], objects[0]) == (0, f"{names[0]}\n")
    nothing = assemble(tmp_path, "extern PyInit_other\nsection .data\ndq PyInit_other\n", "nothing")
    assert call(nasm_ext, "entry-points", nothing) == (0, "")


def test_entry_points_of_gccs_object(nasm_ext: Path, tmp_path: Path) -> None:
    """It has a section a function, auxiliary records and debug data, which NASM's have not."""
    (tmp_path / "c.c").write_text(
        "int PyInit_c_module(void) { return 1; }\nstatic int hidden;\nint other(void) { return hidden++; }\n"
    )
    tool("x86_64-w64-mingw32-gcc", "-g", "-ffunction-sections", "-c", "c.c", "-o", "c.obj", cwd=tmp_path)
    assert call(nasm_ext, "entry-points", tmp_path / "c.obj") == (0, "PyInit_c_module\n")


def test_entry_points_refuses(nasm_ext: Path, tmp_path: Path) -> None:
    whole = assemble(tmp_path, "global PyInit_demo_of_a_name\nsection .text\nPyInit_demo_of_a_name: ret\n")
    cut = tmp_path / "cut.obj"
    cut.write_bytes(whole.read_bytes()[:-1])
    elf = tmp_path / "elf.o"
    tool("nasm", "-f", "elf64", "-o", elf, tmp_path / "probe.asm")
    fix = "fix: assemble it with nasm -f win64, or compile it for x86-64\n"
    for path in (cut, elf):
        refused = (2, f"error: {path}: is no whole COFF object for x86-64\n{fix}")
        assert call(nasm_ext, "entry-points", whole, path) == refused
    gone = tmp_path / "gone.obj"
    assert call(nasm_ext, "entry-points", gone) == (2, f"error: {gone}: there is no such file\n")
    assert call(nasm_ext, "entry-points", tmp_path) == (2, f"error: {tmp_path}: this is a folder, not a file\n")
    assert call(nasm_ext, "entry-points") == (2, "error: OBJECT is required\nfix: nasm-ext entry-points --help\n")


def test_entry_points_refuses_addresses_that_would_be_cut(nasm_ext: Path, tmp_path: Path) -> None:
    source = (
        "default abs\nglobal PyInit_m\nsection .text\nPyInit_m: mov eax, [value]\n ret\nsection .data\nvalue: dd 1\n"
    )
    path = assemble(tmp_path, source)
    assert call(nasm_ext, "entry-points", path) == (
        2,
        f"error: {path}: '.data' is referred to by a 32-bit address (at .text+0x3), and modules for Windows lie above"
        " 4 GB\nfix: lea rax, [rel name], or [rel name] as the operand; in tables: dq name\n",
    )


# -- the linker -------------------------------------------------------------------------------------------------------


def write_linker(path: Path, text: str) -> Path:
    """A program that answers `--version`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)
    return path


def test_the_linker_in_json(nasm_ext: Path, tmp_path: Path) -> None:
    other = write_linker(tmp_path / "a/lld-link", "Microsoft (R) Incremental Linker")
    good = write_linker(tmp_path / "b/lld-link", "Debian LLD 19.1.7")
    words = ("linker", "--target", "win-amd64", "--format", "json")
    status, output = call(nasm_ext, *words, env={"PATH": f"{other.parent}:{good.parent}"})
    assert status == 0
    assert json.loads(output) == {
        "schema_version": 1,
        "linker": {"words": [str(good)], "kind": "lld-link", "version": "19.1.7", "origin": "PATH"},
        "linker_rejected": [
            {
                "path": str(other),
                "origin": "PATH",
                "reason": 'it is not LLVM\'s lld: `--version` printed "Microsoft (R) Incremental Linker"',
            }
        ],
        "linker_error": None,
    }


def test_the_linker_in_json_for_macos(nasm_ext: Path, tmp_path: Path) -> None:
    good = write_linker(tmp_path / "ld64.lld-15", "Homebrew LLD 15.0.7")
    words = ("linker", "--target", "macosx-11.0-universal2", "--format", "json")
    status, output = call(nasm_ext, *words, env={"PATH": str(tmp_path)})
    assert status == 0
    assert json.loads(output)["linker"] == {
        "words": [str(good)],
        "kind": "ld64",
        "version": "15.0.7",
        "origin": "PATH",
    }


def test_the_linker_that_the_variable_names(nasm_ext: Path, tmp_path: Path) -> None:
    good = write_linker(tmp_path / "größe 日本/my-linker", "LLD 19.1.7")
    words = ("linker", "--target", "win-amd64")
    found = {"NASM_BUILD_LINKER": str(good)}
    assert call(nasm_ext, *words, env=found) == (0, f"linker: '{good}' 19.1.7 (NASM_BUILD_LINKER)\n")
    status, output = call(nasm_ext, *words, "--format", "json", env=found)
    assert (status, json.loads(output)["linker"]["words"]) == (0, [str(good)])
    # The setting goes before it.
    other = write_linker(tmp_path / "other", "LLD 18.1.0")
    assert call(nasm_ext, *words, "--linker", "./other", env=found, cwd=tmp_path) == (
        0,
        f"linker: {other} 18.1.0 (setting)\n",
    )


def test_the_linker_that_the_variable_names_in_vain(nasm_ext: Path, tmp_path: Path) -> None:
    old = write_linker(tmp_path / "old", "LLD 13.0.1")
    words = ("linker", "--target", "win-amd64")
    reason = "it is lld 13.0.1, and 14 is the oldest that is used"
    message = f"the variable NASM_BUILD_LINKER names {old}, which cannot be used: {reason}"
    fix = "give the path of lld-link 14 or later, or unset NASM_BUILD_LINKER"
    env = {"NASM_BUILD_LINKER": str(old), "PATH": "/usr/bin:/bin"}
    assert call(nasm_ext, *words, env=env) == (
        0,
        f"linker: none\n  passed over {old} (NASM_BUILD_LINKER): {reason}\n  error: {message}\n  fix: {fix}\n",
    )
    status, output = call(nasm_ext, *words, "--format", "json", env=env)
    assert status == 0
    assert json.loads(output) == {
        "schema_version": 1,
        "linker": None,
        "linker_rejected": [{"path": str(old), "origin": "NASM_BUILD_LINKER", "reason": reason}],
        "linker_error": {"message": message, "fix": fix},
    }


@pytest.mark.parametrize("target", ["win-amd64", "macosx-11.0-x86_64"])
def test_the_linker_of_this_machine_says_the_version_that_it_has(nasm_ext: Path, target: str) -> None:
    status, output = call(nasm_ext, "linker", "--target", target, env={"PATH": "/usr/bin:/bin"})
    assert status == 0
    line = re.fullmatch(r"linker: (\S+) (\S+) \((?:PATH|usual place)\)\n", output)
    assert line, output
    assert f"LLD {line[2]}" in tool(line[1], "--version")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--target is required\nfix: nasm-ext linker --help"),
        (
            ["--target", "linux-x86_64"],
            "modules for linux-x86_64 are linked by the compiler of that platform\n"
            "fix: name a target of Windows or macOS: --target win-amd64, --target macosx-11.0-x86_64",
        ),
        (
            ["--target", "win_amd64"],
            "`win_amd64` is no platform\nfix: did you mean win-amd64? Otherwise give the platform as"
            " sysconfig.get_platform() prints it: linux-x86_64, macosx-11.0-x86_64, win-amd64",
        ),
    ],
)
def test_linker_refuses(nasm_ext: Path, words: list[str], message: str) -> None:
    assert call(nasm_ext, "linker", *words) == (2, f"error: {message}\n")


def test_without_a_linker_the_answer_says_how_to_get_one(nasm_ext: Path, tmp_path: Path) -> None:
    """In a mount namespace of its own, where the folders that may have LLVM's programs hold none that starts."""
    assert shutil.which("unshare"), "this test hides LLVM in a mount namespace of its own: unshare(1) is needed"
    (tmp_path / "empty").write_text("")
    places = " ".join(f"{folder}/lld-link*" for folder in ("/usr/bin", "/usr/local/bin", "/usr/lib/llvm-*/bin"))
    hide = f"for f in {places}; do [ ! -e $f ] || mount --bind '{tmp_path}/empty' $f; done"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{hide}; exec "$0" "$@"', nasm_ext, "linker",
         "--target", "win-amd64", "--format", "json"],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert answer["linker"] is None
    assert answer["linker_rejected"]
    assert {one["reason"] for one in answer["linker_rejected"]} == {"it is not executable"}
    listed = "; ".join(f"{one['path']} ({one['origin']}): {one['reason']}" for one in answer["linker_rejected"])
    assert answer["linker_error"]["message"] == f"no usable linker for win-amd64 was found: {listed}"
    assert answer["linker_error"]["fix"].endswith("; or: pip install ziglang")
