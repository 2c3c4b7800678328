"""Sources as people have written them, assembled with the printed flags by several NASMs, linked, and imported.

The three forms are those of public modules: for `nasm -f elf64 -DPIE`, for `nasm -f macho64 --prefix _ -DNOPIE` and for
`nasm -f win64 -DNOPIE -DWINDOWS`; each with and without `default rel` on its first line.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from devtools.nasms import fetch_nasms

SYSTEM_V = """
%ifdef PIE
    %define CALL(name) name wrt ..plt
%elifdef NOPIE
    %define CALL(name) name
%else
    %error "neither PIE nor NOPIE"
%endif
%ifnidn __?OUTPUT_FORMAT?__, FORMAT
    %error "another format"
%endif
extern PyModule_Create2, PyLong_FromLong
global PyInit_forms
section .data
value: dq 42
name: db "forms", 0
method: db "answer", 0
    align 8
methods: dq method, answer, 4, 0, 0, 0, 0, 0
definition: dq 1, 0, 0, 0, 0, name, 0, -1, methods, 0, 0, 0, 0
section .text
answer:
    sub rsp, 8
    mov rdi, [value]
    call CALL(PyLong_FromLong)
    add rsp, 8
    ret
PyInit_forms:
    sub rsp, 8
    lea rdi, [definition]
    mov esi, 1013
    call CALL(PyModule_Create2)
    add rsp, 8
    ret
"""

ELF = "%ifndef LINUX\n    %error not Linux\n%endif\n" + SYSTEM_V.replace("FORMAT\n", "elf64\n")
MACHO = "%ifndef MACOS\n    %error not macOS\n%endif\n" + SYSTEM_V.replace("FORMAT\n", "macho64\n")
WIN64 = """
%ifndef WINDOWS
    %error not Windows
%endif
%ifndef NOPIE
    %error "not NOPIE"
%endif
extern PyModule_Create2, __imp_PyLong_FromLong
global PyInit_forms
section .data
value: dd 42
name: db "forms", 0
method: db "answer", 0
    align 8
methods: dq method, answer, 4, 0, 0, 0, 0, 0
definition: dq 1, 0, 0, 0, 0, name, 0, -1, methods, 0, 0, 0, 0
section .text
answer:
    sub rsp, 40
    mov ecx, [value]
    call [__imp_PyLong_FromLong]
    add rsp, 40
    ret
PyInit_forms:
    sub rsp, 40
    lea rcx, [definition]
    mov edx, 1013
    call PyModule_Create2
    add rsp, 40
    ret
"""

OPENINGS = {"without default rel": "", "with default rel": "default rel\n"}


def _nasms() -> dict[str, Path]:
    """The NASMs to try: those of Debian's releases, or the machine's own where there is no Debian."""
    fetched = fetch_nasms()
    if fetched:
        return fetched
    own = shutil.which("nasm")
    assert own, "NASM is needed: ./dev test installs it"
    return {"of this machine": Path(own)}


@pytest.fixture(scope="session")
def nasms() -> dict[str, Path]:
    return _nasms()


def _run(words: Sequence[str | Path], cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(map(str, words))}\n{done.stdout}"
    return done.stdout


def _tool(name: str) -> str:
    """A program of LLVM's, under its plain name or, as Debian has some, with its version."""
    for folder in _path_folders():
        for candidate in [folder / name, *sorted(folder.glob(f"{name}-[0-9]*"), reverse=True)]:
            if candidate.exists():
                return str(candidate)
    raise AssertionError(f"{name} is needed: ./dev test installs it")


def _path_folders() -> list[Path]:
    return [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]


def _flags(nasm_ext: Path, target: str) -> list[str]:
    """What `nasm-ext flags` prints, taken apart as a shell would."""
    line = subprocess.run([nasm_ext, "flags", "--target", target], stdout=subprocess.PIPE, text=True, check=True).stdout
    return shlex.split(line)


def _assemble(nasm_ext: Path, nasm: Path, target: str, source: str, folder: Path) -> Path:
    (folder / "forms.asm").write_text(source)
    said = _run([nasm, *_flags(nasm_ext, target), "-o", "forms.o", "forms.asm"], folder)
    assert said == ""
    return folder / "forms.o"


@pytest.fixture(params=OPENINGS)
def opening(request: pytest.FixtureRequest) -> str:
    return OPENINGS[request.param]


def test_the_oldest_and_a_newer_nasm_are_tried(nasms: dict[str, Path]) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("the older and newer NASMs are Debian's packages, and this is no Debian")
    assert "2.15.05" in nasms
    assert any(version.startswith("3.") for version in nasms)
    assert len(nasms) >= 3


@pytest.mark.skipif(sys.platform != "linux", reason="links and imports an ELF module")
@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="the source lays out a GIL build's object"
)
def test_the_elf_form_imports(nasm_ext: Path, nasms: dict[str, Path], opening: str, tmp_path: Path) -> None:
    for version, nasm in nasms.items():
        folder = tmp_path / version
        folder.mkdir()
        module = _assemble(nasm_ext, nasm, "linux-x86_64", opening + ELF, folder)
        _run(["gcc", "-shared", "-nostdlib", "-Wl,-z,text", "-Wl,-z,noexecstack", "-o", "forms.so", module], folder)
        assert "TEXTREL" not in _run(["readelf", "-dW", "forms.so"], folder)
        assert _run([sys.executable, "-c", "import forms; print(forms.answer())"], folder) == "42\n", version


def test_the_macho_form_links(nasm_ext: Path, nasms: dict[str, Path], opening: str, tmp_path: Path) -> None:
    for version, nasm in nasms.items():
        folder = tmp_path / version
        folder.mkdir()
        module = _assemble(nasm_ext, nasm, "macosx-10.13-x86_64", opening + MACHO, folder)
        # Before 3.00 NASM states no platform in the object, which the linker says and the option mends.
        options = "-arch x86_64 -bundle -undefined dynamic_lookup -platform_version macos 10.13 11.0 -o forms.so"
        _run([_tool("ld64.lld"), *options.split(), module], folder)
        symbols = _run([_tool("llvm-nm"), "--extern-only", "forms.so"], folder)
        assert re.findall(r"T (\w+)", symbols) == ["_PyInit_forms"], version
        assert sorted(re.findall(r"U (\w+)", symbols)) == ["_PyLong_FromLong", "_PyModule_Create2", "dyld_stub_binder"]


def test_the_win64_form_links(nasm_ext: Path, nasms: dict[str, Path], opening: str, tmp_path: Path) -> None:
    (tmp_path / "python.def").write_text("LIBRARY python313.dll\nEXPORTS\nPyModule_Create2\nPyLong_FromLong\n")
    _run([_tool("llvm-dlltool"), "-m", "i386:x86-64", "-d", "python.def", "-l", "python.lib"], tmp_path)
    for version, nasm in nasms.items():
        folder = tmp_path / version
        folder.mkdir()
        module = _assemble(nasm_ext, nasm, "win-amd64", opening + WIN64, folder)
        relocations = _run([_tool("llvm-readobj"), "--relocations", module], folder)
        # 32-bit absolute addresses would link, and be cut off when the DLL is loaded above 2 GB.
        assert not re.findall(r"IMAGE_REL_AMD64_ADDR32\b", relocations), version
        options = "/dll /noentry /machine:x64 /brepro /export:PyInit_forms /out:forms.pyd"
        _run([_tool("lld-link"), *options.split(), module, tmp_path / "python.lib"], folder)
        facts = _run([_tool("llvm-readobj"), "--coff-exports", "--coff-imports", "forms.pyd"], folder)
        assert re.findall(r"Name: (\S+)", facts) == ["python313.dll", "PyInit_forms"], version
        assert sorted(re.findall(r"Symbol: (\S+)", facts)) == ["PyLong_FromLong", "PyModule_Create2"]


def test_the_statement_before_the_source_moves_no_line(nasm_ext: Path, nasms: dict[str, Path], tmp_path: Path) -> None:
    flags = _flags(nasm_ext, "linux-x86_64")
    before = flags.index("--before")
    plain_flags = flags[:before] + flags[before + 2 :]
    (tmp_path / "included.inc").write_text("; one\n" * 6 + "mov rcx, [value]\n")
    (tmp_path / "right.asm").write_text(
        'section .text\nmov rax, [rel value]\n%include "included.inc"\nnop\nsection .data\nvalue: dq 1\n'
    )
    (tmp_path / "wrong.asm").write_text("section .text\nnop\nbogus rax, 1\n")
    for version, nasm in nasms.items():
        lines = {}
        for name, words in (("with", flags), ("without", plain_flags)):
            _run([nasm, *words, "-o", f"{name}.o", "right.asm"], tmp_path)
            decoded = _run(["objdump", "--dwarf=decodedline", f"{name}.o"], tmp_path)
            lines[name] = re.findall(r"^(\S+\.(?:asm|inc))\s+(\d+)\s", decoded, re.MULTILINE)
        assert lines["with"] == lines["without"], version
        assert ("right.asm", "2") in lines["with"], version
        # 2.15.05 counts an included file's lines from the including one, with the statement and without.
        if version != "2.15.05":
            assert ("included.inc", "7") in lines["with"], version
        failed = subprocess.run(
            [nasm, *flags, "-o", "wrong.o", "wrong.asm"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False
        )
        assert failed.returncode != 0
        assert failed.stderr.startswith("wrong.asm:3: error: "), version
        assert _run([nasm, "-M", *flags, "right.asm"], tmp_path).split()[1:] == [":", "right.asm", "included.inc"]
