"""One source through the three doors, setuptools, CMake and Meson: the modules promise and need the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from cmake_calls import CMakeFolder
from devtools import examples
from nasm_ext_calls import without_rules
from projects import Toolbox
from running import SUFFIX

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples/pymult/pymult.asm"
MODULE = f"pymult{SUFFIX}"


@dataclass(frozen=True)
class Facts:
    """What a loader and a reader of binaries see of a module."""

    exports: tuple[str, ...]
    imports: tuple[str, ...]
    needed: tuple[str, ...]
    stack: str
    relro: str  # the sections that are read-only once the module is loaded
    now: str  # the flags of the dynamic section
    property: str  # of processors, in .note.gnu.property
    own_name: str
    run_paths: tuple[str, ...]
    sections: tuple[str, ...]
    code: str  # of .text, which is NASM's alone
    findings: str


def by_setuptools(toolbox: Toolbox) -> Path:
    """examples/pymult as it is: nasm_build.backend over setuptools."""
    build = toolbox.build(examples.copy(SOURCE.parent, toolbox.work / "setuptools"))
    with zipfile.ZipFile(build.wheel) as archive:
        return Path(archive.extract(MODULE, toolbox.work / "from-setuptools"))


def by_cmake(toolbox: Toolbox, nasm_ext: Path) -> Path:
    """A CMake project of two lines."""
    folder = CMakeFolder(toolbox.work / "cmake", nasm_ext, variables={"Python_EXECUTABLE": toolbox.python})
    folder.write(
        {
            "CMakeLists.txt": """
            cmake_minimum_required(VERSION 3.24)
            project(pymult LANGUAGES C)
            find_package(NasmBuild REQUIRED)
            nasm_add_module(pymult SOURCES pymult.asm)
            """,
            "pymult.asm": SOURCE.read_text(),
        }
    )
    for done in (folder.configure(), folder.build()):
        assert done.returncode == 0, str(done)
    return folder.build_folder / MODULE


def by_meson(toolbox: Toolbox) -> Path:
    """examples/meson-module with the name and the source of the other two."""
    project = examples.copy(ROOT / "examples/meson-module", toolbox.work / "meson")
    for name, old, new in (
        ("meson.build", "files('gcd.asm', 'binary_gcd.asm')", "files('pymult.asm')"),
        ("meson.build", "'gcd'", "'pymult'"),
        ("exports.map", "PyInit_gcd", "PyInit_pymult"),
    ):
        text = (project / name).read_text()
        assert old in text
        (project / name).write_text(text.replace(old, new))
    shutil.copy(SOURCE, project)
    for words in (["setup", "build", "--buildtype=release"], ["compile", "-C", "build"]):
        done = toolbox.run(["meson", *words], cwd=project)
        assert done.returncode == 0, str(done)
    return project / "build" / MODULE


def readelf(module: Path, *words: str) -> str:
    return subprocess.run(
        ["readelf", "--wide", *words, module], capture_output=True, text=True, check=True, env={"LC_ALL": "C"}
    ).stdout


def relro(module: Path) -> str:
    """The sections of the segment GNU_RELRO."""
    text = readelf(module, "--program-headers")
    kinds = re.findall(r"^  ([A-Z_]+) +0x", text, re.MULTILINE)
    rows = re.findall(r"^   \d\d +(.*?) *$", text, re.MULTILINE)
    assert len(kinds) == len(rows)
    sections: dict[str, str] = dict(zip(kinds, rows, strict=True))
    return sections.get("GNU_RELRO", "none")


def found(pattern: str, text: str) -> str:
    return " ".join(" ".join(line.split()) for line in re.findall(pattern, text)) or "none"


def facts(module: Path, nasm_ext: Path) -> Facts:
    answer = subprocess.run([nasm_ext, "facts", module], capture_output=True, text=True, check=True).stdout
    told = json.loads(answer)["files"][0]
    checked = subprocess.run(
        [nasm_ext, "check", "--abi", "--strict", "--no-config", module], capture_output=True, text=True, check=False
    )
    dynamic = readelf(module, "--dynamic")
    return Facts(
        exports=tuple(one["name"] for one in told["exports"]),
        imports=tuple(sorted(f"{one['name']} {one['version']} {one['weak']}" for one in told["imports"])),
        needed=tuple(told["libraries"]),
        stack=told["stack"],
        relro=relro(module),
        now=found(r"\(FLAGS(?:_1)?\) +(.*)", dynamic),
        property=found(r"Properties: (.*)", readelf(module, "--notes")),
        own_name=str(told["own_name"]),
        run_paths=tuple(told["run_paths"]),
        sections=tuple(one["name"] for one in told["sections"]),
        code=readelf(module, "--hex-dump=.text"),
        findings=without_rules(checked.stdout).replace(str(module), MODULE),
    )


@pytest.fixture(scope="module")
def doors(
    environment: Path, nasm_build_wheel: Path, nasm_ext: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Facts]:
    toolbox = Toolbox(environment, (nasm_build_wheel.parent,), tmp_path_factory.mktemp("doors"))
    modules = {
        "setuptools": by_setuptools(toolbox),
        "CMake": by_cmake(toolbox, nasm_ext),
        "Meson": by_meson(toolbox),
    }
    return {door: facts(module, nasm_ext) for door, module in modules.items()}


def test_the_doors_give_equal_modules(doors: dict[str, Facts]) -> None:
    print(table(doors))
    first, *others = (asdict(one) for one in doors.values())
    for other in others:
        assert other == first


def test_what_every_door_promises(doors: dict[str, Facts]) -> None:
    """So that the doors are not equal in leaving something out."""
    for door, one in doors.items():
        assert (one.exports, one.needed, one.run_paths, one.own_name) == (("PyInit_pymult",), (), (), "None"), door
        assert (one.stack, one.relro, one.now, one.property) == (
            "not-executable",
            ".data.rel.ro .dynamic .got",
            "BIND_NOW Flags: NOW",
            "x86 feature: SHSTK",
        ), door
        assert one.findings.splitlines()[0] == "checked 1 module: 0 errors, 0 warnings, 0 notes", door
        assert not [name for name in one.sections if name.startswith((".debug", ".symtab"))], door


def test_c_with_a_kernel_promises_the_same_by_setuptools_and_cmake(
    environment: Path, nasm_build_wheel: Path, nasm_ext: Path, tmp_path: Path
) -> None:
    """examples/c-with-kernel: the compilers' own start files may differ, what is promised may not."""
    toolbox = Toolbox(environment, (nasm_build_wheel.parent,), tmp_path)
    project = examples.copy(ROOT / "examples/c-with-kernel", tmp_path / "setuptools")
    name = f"_bitcount{SUFFIX}"
    with zipfile.ZipFile(toolbox.build(project).wheel) as archive:
        first = facts(Path(archive.extract(f"bitcount/{name}", tmp_path / "from-setuptools")), nasm_ext)
    folder = CMakeFolder(tmp_path / "cmake", nasm_ext, variables={"Python_EXECUTABLE": toolbox.python})
    shutil.copytree(project / "native", folder.source)
    folder.write(
        {
            "CMakeLists.txt": """
            cmake_minimum_required(VERSION 3.24)
            project(bitcount LANGUAGES C)
            find_package(NasmBuild REQUIRED)
            nasm_add_module(_bitcount SOURCES bitcount.c kernel.asm FALLBACK kernel_fallback.c)
            """
        }
    )
    for done in (folder.configure(), folder.build()):
        assert done.returncode == 0, str(done)
    second = facts(folder.build_folder / name, nasm_ext)
    assert promises(second) == promises(first)
    assert first.exports == ("PyInit__bitcount",)


def promises(one: Facts) -> tuple[object, ...]:
    findings = one.findings.partition("conventions: ")[0]  # behind it stands how many functions were followed
    return one.exports, one.needed, one.stack, one.now, one.property, one.own_name, one.run_paths, findings


def table(doors: dict[str, Facts]) -> str:
    """For a reader of the test's output (`pytest -rP`)."""
    head = ("door", "exports", "needed", "stack", "relro", "now", "property", "findings")
    rows = [head]
    for door, one in doors.items():
        summary = one.findings.splitlines()[0].partition(": ")[2]
        lists = (" ".join(one.exports), " ".join(one.needed) or "none")
        rows.append((door, *lists, one.stack, one.relro, one.now, one.property, summary))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
