"""The reading and the comparing behind ./dev prove windows-imports, on modules and wheels that are made here."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from devtools import windows_imports
from devtools.shell import DevelopmentError
from devtools.windows_imports import Imports, Row
from windows_links import assemble, link, tool

# Names of the stable ABI since 3.2, 3.11 and 3.13, one of no ABI, and a function of the C runtime.
SOURCE = """
default rel
extern __imp_PyLong_FromLong, __imp_PyObject_GetBuffer, __imp_PyModule_Add, __imp__PyLong_AsByteArray, __imp_strlen
global PyInit_m
section .text
PyInit_m:
    mov     rax, [__imp_PyLong_FromLong]
    mov     rax, [__imp_PyObject_GetBuffer]
    mov     rax, [__imp_PyModule_Add]
    mov     rax, [__imp__PyLong_AsByteArray]
    mov     rax, [__imp_strlen]
    ret
"""
NAMES = frozenset({"PyLong_FromLong", "PyObject_GetBuffer", "PyModule_Add", "_PyLong_AsByteArray"})


@pytest.fixture
def module(nasm_ext: Path, tmp_path: Path) -> Path:
    """A module that imports all of them from `python3.dll`, as only a wrong library lets it."""
    (tmp_path / "python3.def").write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *sorted(NAMES)]))
    tool("llvm-dlltool", "-m", "i386:x86-64", "-d", tmp_path / "python3.def", "-l", tmp_path / "python3.lib")
    tool(nasm_ext, "import-library", "--python", "3.13", "--output", tmp_path / "ours")
    libraries = [tmp_path / "python3.lib", tmp_path / "ours/api-ms-win-crt-string-l1-1-0.lib"]
    return link([assemble(tmp_path, SOURCE, "m")], libraries, tmp_path / "m.pyd", "PyInit_m")


def wheel_of(module: Path, tag: str) -> Path:
    path = module.parent / f"m-1.0-{tag}-win_amd64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(module, "package/m.pyd")
        archive.writestr("package/m.py", "")
    return path


def rows_of(nasm_ext: Path, wheel: Path) -> list[Row]:
    imported = windows_imports.imports_of_wheel(wheel)
    return windows_imports.rows_of(wheel.name, imported, lambda *words: windows_imports.written(nasm_ext, words))


def test_the_imports_of_a_module(module: Path) -> None:
    assert windows_imports.imports_of(module) == {
        "python3.dll": NAMES,
        "api-ms-win-crt-string-l1-1-0.dll": frozenset({"strlen"}),
    }


def test_what_a_library_of_ours_has(nasm_ext: Path) -> None:
    written = windows_imports.written(nasm_ext, ["--abi3", "3.10"])
    assert {"PyLong_FromLong", "PyExc_ValueError"} <= written["python3.dll"]
    assert not {"PyObject_GetBuffer", "_PyLong_AsByteArray"} & written["python3.dll"]
    assert "strlen" in written["api-ms-win-crt-string-l1-1-0.dll"]


def test_a_name_that_we_lack_is_told_apart_from_one_that_the_wheel_does_not_promise(
    nasm_ext: Path, module: Path
) -> None:
    (row,) = rows_of(nasm_ext, wheel_of(module, "cp310-abi3"))
    assert row == Row(
        wheel="m-1.0-cp310-abi3-win_amd64.whl",
        promise="--abi3 3.10",
        dll="python3.dll",
        modules=1,
        names=NAMES,
        missing=frozenset({"_PyLong_AsByteArray"}),
        beyond={"PyModule_Add": "3.13", "PyObject_GetBuffer": "3.11"},
    )
    (row,) = rows_of(nasm_ext, wheel_of(module, "cp311-abi3"))
    assert (row.missing, row.beyond) == ({"_PyLong_AsByteArray"}, {"PyModule_Add": "3.13"})


def test_a_dll_of_another_name_has_nothing_of_ours(nasm_ext: Path, module: Path) -> None:
    (row,) = rows_of(nasm_ext, wheel_of(module, "cp313-cp313t"))
    assert (row.promise, row.dll, row.missing, row.beyond) == ("--python 3.13t", "python3.dll", NAMES, {})


def test_a_proof_names_what_is_missing_and_fails(
    nasm_ext: Path, module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = wheel_of(module, "cp310-abi3")
    monkeypatch.setattr(windows_imports, "fetch", lambda _: wheel)
    monkeypatch.setattr(windows_imports, "WHEELS", windows_imports.WHEELS[:1])
    with pytest.raises(DevelopmentError) as error:
        windows_imports.prove(nasm_ext)
    assert str(error.value) == "not in our tables: python3.dll: _PyLong_AsByteArray"
    ours = windows_imports.written(nasm_ext, ["--python", "3.13"])
    functions = sum(len(names) for dll, names in ours.items() if dll != "python313.dll")
    assert capsys.readouterr().out.splitlines() == [
        "wheel                       promise      DLL          modules  names  we lack                it does not promise",
        "m-1.0-cp310-abi3-win_amd64  --abi3 3.10  python3.dll  1        4      1 _PyLong_AsByteArray  2 PyModule_Add (3.13) PyObject_GetBuffer (3.11)",
        f"[dev] C runtime: 1 of our {functions} functions are imported, 0 never from our DLL",
        "[dev] 1 wheels, 4 different names, 1 that we lack",
    ]


def test_a_function_that_no_wheel_takes_from_our_dll() -> None:
    ours: Imports = {
        "python313.dll": frozenset({"Py_IncRef"}),
        "vcruntime140.dll": frozenset({"memcpy", "memset"}),
        "api-ms-win-crt-math-l1-1-0.dll": frozenset({"pow"}),
    }
    imported = {
        "vcruntime140.dll": {"memcpy", "__C_specific_handler"},
        "api-ms-win-crt-private-l1-1-0.dll": {"memcpy"},
        "api-ms-win-crt-string-l1-1-0.dll": {"memset", "pow"},
        "kernel32.dll": {"pow"},
        "python3.dll": {"Py_IncRef"},
    }
    assert windows_imports.misplaced_functions(imported, ours) == [
        "api-ms-win-crt-string-l1-1-0.dll: memset (ours names vcruntime140.dll)",
        "api-ms-win-crt-string-l1-1-0.dll: pow (ours names api-ms-win-crt-math-l1-1-0.dll)",
    ]


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("cp39-abi3", ("--abi3", "3.9")),
        ("cp315-abi3.abi3t", ("--abi3", "3.15t")),
        ("cp313-cp313t", ("--python", "3.13t")),
        ("cp315-cp315", ("--python", "3.15")),
    ],
)
def test_the_promise_of_a_tag(tag: str, words: tuple[str, str]) -> None:
    assert windows_imports.promise_of(f"some_name-1.0-{tag}-win_amd64.whl") == words


@pytest.mark.parametrize("tag", ["py3-none-any", "cp312-abi3-win32", "cp310-abi3-manylinux_2_17_x86_64"])
def test_a_wheel_for_another_platform_is_refused(tag: str) -> None:
    with pytest.raises(DevelopmentError, match="promises no CPython for Windows that we link for"):
        windows_imports.promise_of(f"m-1.0-{tag}.whl")


def test_a_wheel_that_imports_nothing_shows_nothing(nasm_ext: Path) -> None:
    with pytest.raises(DevelopmentError, match=r"^m-1\.0-cp310-abi3-win_amd64\.whl imports nothing of CPython's"):
        windows_imports.rows_of("m-1.0-cp310-abi3-win_amd64.whl", {}, lambda *_: {})
