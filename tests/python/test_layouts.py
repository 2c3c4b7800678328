"""layouts.inc, object_layouts.inc, constants.inc and slots.inc say what <Python.h> says, for every CPython and every promise.

A field that is one byte off assembles, links and often even imports. So each value is read twice: from an object file that
a C compiler made of the headers, and from what NASM assembles.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from devtools import nasms
from include_values import INCLUDE, values
from layouts import headers, probe
from layouts.names import CONSTANTS, SLOTS, STRUCTS, TABLES
from layouts.read import NEWEST, OLDEST, version_number

FIELDS = [f"{owner}.{field}" for owner, fields in STRUCTS.items() for field in fields]
LAYOUT_NAMES = FIELDS + [f"{owner}_size" for owner in STRUCTS]
CONSTANT_NAMES = [name for names in CONSTANTS.values() for name in names]
SLOT_NAMES = [name for heading in SLOTS for name in CONSTANTS[heading]]
LAYOUT_FILES = ["layouts", "object_layouts"]

OWN = headers.Headers(
    Path(sysconfig.get_path("include")),
    sys.version_info[:3],
    "linux",
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
)


def defines_for(one: headers.Headers, free_threaded: bool) -> list[str]:
    version = f"PY_VERSION_HEX={version_number(one.minor)}"
    return [version, "Py_GIL_DISABLED=1"] if free_threaded else [version]


def asked_of_c(one: headers.Headers, free_threaded: bool) -> list[str]:
    return ["Py_GIL_DISABLED=1"] if free_threaded and not one.free_threaded else []


def struct_of(name: str) -> str:
    first = name.split(".")[0]
    return first if first in STRUCTS else first.removesuffix("_size")


def check_layouts(one: headers.Headers, free_threaded: bool) -> None:
    said_by_headers = probe.layouts(one.folder, asked_of_c(one, free_threaded), one.compiler)
    said_by_include = values(LAYOUT_NAMES, defines_for(one, free_threaded), LAYOUT_FILES)
    # A struct that a later version brought is known before: there is no other that it could be taken for.
    known = {name: value for name, value in said_by_include.items() if f"{struct_of(name)}_size" in said_by_headers}
    assert known == said_by_headers
    assert {struct_of(name) for name in said_by_include.keys() - known.keys()} <= {"PySlot", "PyABIInfo"}


def check_constants(one: headers.Headers, free_threaded: bool) -> None:
    said_by_headers = probe.constants(one.folder, asked_of_c(one, free_threaded), one.compiler)
    defines = defines_for(one, free_threaded)
    said_by_include = values(CONSTANT_NAMES, defines, ["constants"])
    assert set(said_by_include) == set(CONSTANT_NAMES)
    assert {name: said_by_include[name] for name in said_by_headers} == said_by_headers
    check_since(defines, said_by_headers, one.minor)


def check_since(defines: list[str], said_by_headers: dict[str, int], minor: int) -> None:
    """A slot's floor is the version whose headers were the first to have it."""
    since = values([f"py@since_{name}" for name in SLOT_NAMES], defines, ["constants", "slots"])
    floors = {name: since.get(f"py@since_{name}", 0) for name in SLOT_NAMES}
    reached = {name for name, floor in floors.items() if floor <= int(version_number(minor), 16)}
    assert reached == {name for name in SLOT_NAMES if name in said_by_headers}


@pytest.mark.every_python
@pytest.mark.parametrize("free_threaded", OWN.kinds(), ids=lambda kind: "free-threaded" if kind else "with a GIL")
def test_layouts_agree_with_the_headers(free_threaded: bool) -> None:
    check_layouts(OWN, free_threaded)


def check_module_head(one: headers.Headers, free_threaded: bool) -> None:
    said_by_headers = probe.module_head(one.folder, asked_of_c(one, free_threaded), one.compiler)
    assert module_head(defines_for(one, free_threaded)) == said_by_headers


def module_head(defines: list[str]) -> tuple[int, ...]:
    with tempfile.TemporaryDirectory() as text:
        source, result = Path(text) / "m.asm", Path(text) / "m.bin"
        source.write_text('%include "nasm_build/layouts.inc"\nPyModuleDef_HEAD_INIT\n')
        words = ["nasm", "-f", "bin", "-w+all", "-w+error", *(f"-D{word}" for word in defines), f"-I{INCLUDE}/"]
        subprocess.run([*words, str(source), "-o", str(result)], check=True)
        return tuple(number for (number,) in struct.iter_unpack("<Q", result.read_bytes()))


def test_module_heads_for_several_versions() -> None:
    assert module_head([]) == module_head(["Py_LIMITED_API=0x030A0000", "PY_VERSION_HEX=0x030E0000"]) == (1,)
    assert module_head(["Py_GIL_DISABLED=1"]) == (0, 0xFFFFFFFF00000004, 0)
    # One that is not known yet is taken for the newest.
    assert module_head(["PY_VERSION_HEX=0x03100000"]) == module_head(["PY_VERSION_HEX=0x030F0000"])


@pytest.mark.every_python
@pytest.mark.parametrize("free_threaded", OWN.kinds(), ids=lambda kind: "free-threaded" if kind else "with a GIL")
def test_module_head_agrees_with_the_headers(free_threaded: bool) -> None:
    check_module_head(OWN, free_threaded)


@pytest.mark.every_python
@pytest.mark.parametrize("free_threaded", OWN.kinds(), ids=lambda kind: "free-threaded" if kind else "with a GIL")
def test_constants_agree_with_the_headers(free_threaded: bool) -> None:
    check_constants(OWN, free_threaded)


@pytest.mark.every_python
@pytest.mark.parametrize("promised", range(OLDEST, OWN.minor + 1), ids=lambda minor: f"3.{minor}")
def test_limited_api_shows_no_more_than_the_headers(promised: int) -> None:
    define = [f"Py_LIMITED_API={version_number(promised)}"]
    if OWN.free_threaded and OWN.minor < NEWEST:  # abi3t came with 3.15: until then there is nothing to compare
        with pytest.raises(SystemExit, match="The limited API is not currently supported in the free-threaded build"):
            probe.layouts(OWN.folder, define)
        return
    said_by_headers = probe.layouts(OWN.folder, define)
    seen = values(LAYOUT_NAMES, define, LAYOUT_FILES)
    in_headers = {name: value for name, value in seen.items() if struct_of(name) not in ("PySlot", "PyABIInfo")}
    assert in_headers.items() <= said_by_headers.items()
    # The other way round: what headers show from the promised version on, and a later one does not hide.
    always = {"PyObject.ob_type", "PyVarObject.ob_size", "PyModuleDef.m_slots", "PyMethodDef_size", "PyType_Spec.slots"}
    assert always <= seen.keys()
    assert ("Py_buffer.len" in seen) == (promised >= 11)

    constants = probe.constants(OWN.folder, define)
    said_by_include = values(CONSTANT_NAMES, define, ["constants"])
    assert {name: said_by_include[name] for name in constants} == constants
    if promised == OWN.minor:
        check_since(define, constants, promised)


def test_every_other_cpython_agrees_too() -> None:
    found = headers.find_all()
    assert {one.minor for one in found if one.platform == "linux"} == set(range(OLDEST, NEWEST + 1))
    assert {one.minor for one in found if one.platform == "windows"} >= {10, 11, 12, 13, 14}
    for one in found:
        for free_threaded in one.kinds():
            check_layouts(one, free_threaded)
            check_constants(one, free_threaded)
            if one.platform == "linux":
                check_module_head(one, free_threaded)
    newest = max((one for one in found if one.platform == "linux"), key=lambda one: one.version)
    opaque = f"Py_TARGET_ABI3T={version_number(NEWEST)}"
    assert values(LAYOUT_NAMES, [opaque], LAYOUT_FILES) == probe.layouts(newest.folder, [opaque])
    # The limited API of a free-threaded build is abi3t.
    limited = f"Py_LIMITED_API={version_number(NEWEST)}"
    seen = values(LAYOUT_NAMES, [limited, "Py_GIL_DISABLED=1"], LAYOUT_FILES)
    assert seen == probe.layouts(newest.folder, [opaque])


def test_a_version_that_is_not_known_has_no_layouts_of_its_own() -> None:
    for defines in ([], ["PY_VERSION_HEX=0x03100000"]):
        seen = values(LAYOUT_NAMES, defines, LAYOUT_FILES)
        assert (seen["PyObject.ob_type"], seen["PyTypeObject.tp_name"], seen["PyListObject_size"]) == (8, 24, 40)
        assert not seen.keys() & {"PyTypeObject_size", "PyUnicodeObject.data", "PyTupleObject.ob_item"}


def kinds(folder: Path, defines: list[str]) -> dict[str, str]:
    lines = [f'%include "nasm_build/{include}.inc"' for include in LAYOUT_FILES]
    lines += [f"{struct}=py@layout_{struct}" for struct in STRUCTS]
    source = folder / "m.asm"
    source.write_text("\n".join(lines) + "\n")
    words = ["nasm", "-E", *(f"-D{word}" for word in defines), f"-I{INCLUDE}/", str(source)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return dict(line.split("=") for line in done.stdout.splitlines() if "=" in line)


def test_kinds_of_layouts(tmp_path: Path) -> None:
    known = kinds(tmp_path, [])
    assert known == kinds(tmp_path, ["Py_LIMITED_API=0x030A0000"]) == kinds(tmp_path, ["PY_VERSION_HEX=0x030F0000"])
    assert {struct for struct, kind in known.items() if kind == "version"} == set(
        "PyTypeObject PyHeapTypeObject PyLongObject PyTupleObject PyByteArrayObject PyASCIIObject "
        "PyCompactUnicodeObject PyUnicodeObject".split()
    )
    assert {struct for struct, kind in known.items() if kind == "stable"} == TABLES | {
        "PyObject", "PyVarObject", "Py_buffer"
    }  # fmt: skip


@pytest.mark.parametrize("words", [["-f", "elf64"], ["-f", "macho64", "--gprefix", "_"], ["-f", "win64"]])
@pytest.mark.parametrize(
    "defines",
    [[], ["PY_VERSION_HEX=0x030D0000", "Py_GIL_DISABLED=1"], ["Py_LIMITED_API=0x030A0000"]],
    ids=["no version", "3.13t", "abi3"],
)
def test_every_nasm_writes_tables_without_a_warning(tmp_path: Path, words: list[str], defines: list[str]) -> None:
    source, result = tmp_path / "m.asm", tmp_path / "m.o"
    lines = [f'%include "nasm_build/{name}.inc"' for name in (*LAYOUT_FILES, "constants", "python_data") * 2]
    lines.append("section .data")
    for table in sorted(TABLES):
        first, last = STRUCTS[table][0], STRUCTS[table][-1]
        lines += [f"istruc {table}", f"at {table}.{first}, db 1", f"at {table}.{last}, db 2", "iend"]
        lines += [f"%if $-$$ < {table}_size", "%error too short", "%endif"]
    source.write_text("\n".join(lines) + "\n")
    programs = nasms.fetch_nasms()
    assert len(programs) >= 4
    for program in programs.values():
        command = [program, *words, "-w+all", "-w+error", *(f"-D{word}" for word in defines), f"-I{INCLUDE}/"]
        done = subprocess.run([*map(str, command), str(source), "-o", str(result)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_object_files_hold_no_symbols_of_fields(tmp_path: Path) -> None:
    source, result = tmp_path / "m.asm", tmp_path / "m.o"
    source.write_text("".join(f'%include "nasm_build/{name}.inc"\n' for name in (*LAYOUT_FILES, "constants")))
    subprocess.run(["nasm", "-f", "elf64", f"-I{INCLUDE}/", str(source), "-o", str(result)], check=True)
    listing = subprocess.run(["nm", str(result)], check=True, capture_output=True, text=True).stdout
    assert {line.split()[-1] for line in listing.splitlines()} == TABLES
