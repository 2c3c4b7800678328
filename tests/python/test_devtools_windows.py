"""The machinery that runs modules for Windows: the CPythons under Wine, the python3.dll made for them, unwind data.

The modules are assembled and linked by hand, so that a failure here is one of the machinery and not of nasm-build.
"""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest

from devtools.nasms import fetch_nasms
from devtools.pythons import forwarder, maven, windows_tools, wine
from devtools.shell import DevelopmentError

STABLE = """
bits 64
default rel
section .text
extern __imp_PyModule_Create2, __imp_PyLong_FromLongLong, __imp_PyExc_ValueError, __imp_PyErr_SetString
global PyInit_answer
PyInit_answer:
    sub rsp, 40
    lea rcx, [definition]
    mov edx, 3                          ; PYTHON_ABI_VERSION
    call [__imp_PyModule_Create2]
    add rsp, 40
    ret
answer:
    sub rsp, 40
    mov ecx, 42
    call [__imp_PyLong_FromLongLong]
    add rsp, 40
    ret
refuse:
    sub rsp, 40
    mov rcx, [__imp_PyExc_ValueError]   ; data through the forwarder
    mov rcx, [rcx]
    lea rdx, [name]
    call [__imp_PyErr_SetString]
    xor eax, eax
    add rsp, 40
    ret
section .data align=8
definition: dq 1, 0, 0, 0, 0, name, 0, -1, methods, 0, 0, 0, 0
methods: dq name, answer, 4, 0, refusal, refuse, 4, 0, 0, 0, 0, 0
name: db "answer", 0
refusal: db "refuse", 0
"""

DEEP = """
bits 64
default rel
section .text
global outer, DllMain
DllMain:
    mov eax, 1
    ret
outer:
    sub rsp, 40
.body:
    call inner
    add rsp, 40
    ret
.end:
inner:
    push rbx
.pushed:
    sub rsp, 32
.body:
    xor ebx, ebx
    mov eax, [rbx]
    add rsp, 32
    pop rbx
    ret
.end:
"""

# Each function's first byte after its end, and what its prologue did, last first: UWOP_ALLOC_SMALL, UWOP_PUSH_NONVOL.
UNWIND = """
section .xdata rdata align=8
outer_info: db 1, outer.body - outer, 1, 0
    db outer.body - outer, 2 | (40 / 8 - 1) << 4, 0, 0
inner_info: db 1, inner.body - inner, 2, 0
    db inner.body - inner, 2 | (32 / 8 - 1) << 4, inner.pushed - inner, 0 | 3 << 4
section .pdata rdata align=4
    dd outer wrt ..imagebase, outer.end wrt ..imagebase, outer_info wrt ..imagebase
    dd inner wrt ..imagebase, inner.end wrt ..imagebase, inner_info wrt ..imagebase
"""


def link(folder: Path, source: str, file: str, export: str, imports: tuple[str, ...] = ()) -> Path:
    """A library for Windows in `folder`; its imports come from python3.dll."""
    (folder / "m.asm").write_text(source)
    (folder / "python3.def").write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *imports, ""]))
    library = folder / file
    for command in (
        ["nasm", "-f", "win64", "-o", folder / "m.obj", folder / "m.asm"],
        ["llvm-dlltool", "-m", "i386:x86-64", "-d", folder / "python3.def", "-l", folder / "python3.lib"],
        ["lld-link", "/dll", "/noentry", "/machine:x64", f"/export:{export}", f"/out:{library}", folder / "m.obj",
         folder / "python3.lib"],
    ):  # fmt: skip
        subprocess.run([str(word) for word in command], check=True)
    return library


@pytest.mark.parametrize("artefact", maven.ARTEFACTS, ids=lambda artefact: artefact.minor)
def test_a_stable_module_runs_under_every_windows_cpython(artefact: maven.Artefact, tmp_path: Path) -> None:
    imports = ("PyModule_Create2", "PyLong_FromLongLong", "PyExc_ValueError DATA", "PyErr_SetString")
    link(tmp_path, STABLE, "answer.pyd", "PyInit_answer", imports)
    program = (
        "import ctypes, ssl, sys, zlib, answer\n"
        "print(sys.platform, '{}.{}.{}'.format(*sys.version_info), answer.answer(), sep='\\n')\n"
        "try:\n"
        "    answer.refuse()\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    done = wine.run_windows(
        maven.provide(artefact), ["-c", program], env={"PYTHONPATH": wine.search_path(tmp_path)}, timeout=120
    )
    assert done == wine.Done(0, f"win32\n{artefact.release}\n42\nanswer\n")


def test_an_access_violation_two_frames_deep_is_an_os_error_with_unwind_data_alone(tmp_path: Path) -> None:
    python = maven.provide(maven.ARTEFACTS[-1])
    program = (
        "import ctypes, sys\ntry:\n    ctypes.CDLL(sys.argv[1]).outer()\nexcept OSError as error:\n    print(error)\n"
    )
    for name, source, survives in (("with", DEEP + UNWIND, True), ("without", DEEP, False)):
        folder = tmp_path / name
        folder.mkdir()
        done = wine.run_windows(python, ["-c", program, link(folder, source, "deep.dll", "outer")], timeout=120)
        if survives:
            assert done == wine.Done(0, "exception: access violation reading 0x0000000000000000\n")
        else:
            assert done.status != 0, done
            assert "access violation reading" not in done.output


def test_output_ends_when_the_program_does_although_the_server_stays() -> None:
    python = maven.provide(maven.ARTEFACTS[0])
    assert wine.run_windows(python, ["-c", "print('one\\ntwo')"], timeout=60) == wine.Done(0, "one\ntwo\n")
    failed = wine.run_windows(python, ["-c", "raise SystemExit(3)"], timeout=60)
    assert failed == wine.Done(3, "")


def test_a_windows_program_sees_no_variables_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    python = maven.provide(maven.ARTEFACTS[0])
    done = wine.run_windows(python, ["-c", "import os; print(os.environ.get('PYTHONHOME'))"], timeout=60)
    assert done == wine.Done(0, "None\n")


def test_the_forwarder_holds_what_is_stable_in_that_version() -> None:
    for artefact in maven.ARTEFACTS:
        folder = maven.provide(artefact).parent
        made = forwarder.exports((folder / "python3.dll").read_bytes())
        own = forwarder.exports((folder / f"python{artefact.minor.replace('.', '')}.dll").read_bytes())
        assert made <= own
        assert {"PyModule_Create2", "PyExc_ValueError", "_Py_NoneStruct", "Py_IncRef", "_Py_Dealloc"} <= made
        # Exported by 3.11's own library, and stable only from 3.13 on.
        assert ("PyType_GetModuleByDef" in made) == (artefact.minor >= "3.13")
        assert len(made) > 700


def test_a_program_that_hangs_is_ended() -> None:
    python = maven.provide(maven.ARTEFACTS[0])
    with pytest.raises(DevelopmentError, match=r"under Wine, python\.exe did not end within 3 seconds"):
        wine.run_windows(python, ["-c", "import time; time.sleep(60)"], timeout=3)


def test_a_process_that_wine_did_not_start_is_started_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A stand-in for what happens once in thousands: the first run ends with status 1 and says nothing."""
    python = maven.provide(maven.ARTEFACTS[0])
    program = """
        import os, sys
        if not os.path.exists(sys.argv[1]):
            open(sys.argv[1], "w").close()
            os._exit(1)
        print("second run")
    """
    done = wine.run_windows(python, ["-c", textwrap.dedent(program), tmp_path / "first"], timeout=60)
    assert done == wine.Done(0, "second run\n")
    assert "a process died before its first instruction (attempt 1 of 3): python.exe" in capfd.readouterr().err
    always = wine.run_windows(python, ["-c", "raise OSError(1359, 'Internal error', 'x', 1359)"], timeout=60)
    assert always.status == 1 and always.output.endswith("OSError: [WinError 1359] Internal error: 'x'\n")
    assert capfd.readouterr().err.count("attempt") == 3
    assert wine.run_windows(python, ["-c", "raise ValueError"], timeout=60).status == 1
    assert capfd.readouterr().err == ""


def test_nasm_and_the_linker_under_wine_write_what_they_write_on_linux(tmp_path: Path) -> None:
    """So a build on Windows and a cross build may be expected to give the same module."""
    (tmp_path / "m.asm").write_text(DEEP + UNWIND)
    here = fetch_nasms()["2.16.03"]
    words = ["-f", "win64", "--reproducible", "-o"]
    subprocess.run([here, *words, "linux.obj", "m.asm"], cwd=tmp_path, check=True)
    done = wine.run_windows(windows_tools.nasm(), [*words, "windows.obj", "m.asm"], cwd=tmp_path, timeout=120)
    assert done == wine.Done(0, "")
    assert (tmp_path / "windows.obj").read_bytes() == (tmp_path / "linux.obj").read_bytes()

    link_words = ["/dll", "/noentry", "/machine:x64", "/brepro", "/export:outer", "/out:deep.dll", "linux.obj"]
    done = wine.run_windows(windows_tools.zig(), ["lld-link", *link_words], cwd=tmp_path, timeout=120)
    assert done.status == 0, done.output
    program = "import ctypes\ntry:\n    ctypes.CDLL('./deep.dll').outer()\nexcept OSError as error:\n    print(error)\n"
    done = wine.run_windows(maven.provide(maven.ARTEFACTS[0]), ["-c", program], cwd=tmp_path, timeout=120)
    assert done == wine.Done(0, "exception: access violation reading 0x0000000000000000\n")
