"""`nasm-ext import-library`: whether tools that are none of ours, LLVM's and GNU's and Windows' own loader, find in the
libraries what we say is there, and whether modules are the same that other libraries give."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devtools.pythons import maven, wine
from nasm_ext_calls import call
from windows_links import assemble, link, tool

SOURCES = Path(__file__).parents[2] / "src"
PARTS = "convert environment filesystem heap locale math runtime stdio string time utility".split()
RUNTIME = [*(f"api-ms-win-crt-{part}-l1-1-0" for part in PARTS), "vcruntime140"]

# Every way to an import: through its address and through the code that jumps there, a variable, names that the DLL knows
# otherwise (strdup, time), and a name of CPython that is in no stable ABI (PyUnicode_AsUTF8).
PROBE = """
default rel
extern __imp_PyModuleDef_Init, __imp_PyUnicode_AsUTF8, __imp_PyErr_SetString, __imp_PyExc_KeyError
extern PyLong_FromSize_t, PyLong_FromLongLong, PyFloat_FromDouble
extern strdup, __imp_strlen, __imp_free, __imp_time, pow

global PyInit_probe

section .text
PyInit_probe:
    lea     rcx, [definition]
    jmp     [__imp_PyModuleDef_Init]

length:                                 ; (module, text) -> bytes of UTF-8, counted in a copy
    push    rbx
    push    rsi
    sub     rsp, 40
    mov     rcx, rdx
    call    [__imp_PyUnicode_AsUTF8]
    mov     rcx, rax
    call    strdup
    mov     rbx, rax
    mov     rcx, rax
    call    [__imp_strlen]
    mov     rsi, rax
    mov     rcx, rbx
    call    [__imp_free]
    mov     rcx, rsi
    call    PyLong_FromSize_t
    add     rsp, 40
    pop     rsi
    pop     rbx
    ret

now:                                    ; () -> seconds
    sub     rsp, 40
    xor     ecx, ecx
    call    [__imp_time]
    mov     rcx, rax
    call    PyLong_FromLongLong
    add     rsp, 40
    ret

power:                                  ; () -> 2.0 ** 10.0
    sub     rsp, 40
    movsd   xmm0, [two]
    movsd   xmm1, [ten]
    call    pow
    call    PyFloat_FromDouble
    add     rsp, 40
    ret

fail:                                   ; () raises KeyError
    sub     rsp, 40
    mov     rcx, [__imp_PyExc_KeyError]
    mov     rcx, [rcx]
    lea     rdx, [message]
    call    [__imp_PyErr_SetString]
    xor     eax, eax
    add     rsp, 40
    ret

section .rdata rdata
two:        dq 2.0
ten:        dq 10.0
message:    db "as asked", 0
name:       db "probe", 0
names:      db "length", 0
            db "now", 0
            db "power", 0
            db "fail", 0

section .data
align 8
methods:
    dq names, length, 8, 0              ; METH_O
    dq names + 7, now, 4, 0             ; METH_NOARGS
    dq names + 11, power, 4, 0
    dq names + 17, fail, 4, 0
    times 4 dq 0
definition:
    dq 1, 0, 0, 0, 0
    dq name, 0, 0, methods, 0, 0, 0, 0
"""

# The same as module definition files, for libraries that are not ours.
DEFINITIONS = {
    "python313": [
        "PyErr_SetString",
        "PyExc_KeyError DATA",
        "PyFloat_FromDouble",
        "PyLong_FromLongLong",
        "PyLong_FromSize_t",
        "PyModuleDef_Init",
        "PyUnicode_AsUTF8",
    ],
    "api-ms-win-crt-heap-l1-1-0": ["free"],
    "api-ms-win-crt-math-l1-1-0": ["pow"],
    "api-ms-win-crt-string-l1-1-0": ["_strdup", "strlen"],
    "api-ms-win-crt-time-l1-1-0": ["_time64"],
}
ALIASES = {"api-ms-win-crt-string-l1-1-0": ["strdup == _strdup"], "api-ms-win-crt-time-l1-1-0": ["time == _time64"]}


def write_libraries(nasm_ext: Path, folder: Path, *words: str) -> dict[str, Path]:
    """The libraries by their names, CPython's first."""
    status, output = call(nasm_ext, "import-library", *words, "--output", folder)
    assert status == 0, output
    return {Path(line).stem: Path(line) for line in output.splitlines()}


def shown_imports(library: Path) -> dict[str, str]:
    """Each import that llvm-readobj reads in a library, and its type: `code` or `data`."""
    kinds: dict[str, str] = {}
    kind = ""
    for line in tool("llvm-readobj", library).splitlines():
        word, _, rest = line.partition(": ")
        if word == "Type":
            kind = rest
        elif word == "Symbol" and rest.startswith("__imp_"):
            kinds[rest.removeprefix("__imp_")] = kind
    return kinds


def table(name: str, row: str) -> Iterator[tuple[str, ...]]:
    """The rows of one of the generated tables."""
    for groups in re.findall(row, (SOURCES / name).read_text(encoding="utf-8"), re.MULTILINE):
        yield groups if isinstance(groups, tuple) else (groups,)


PYTHON_ROW = r'^PYTHON_SYMBOL\(\d+, "(\w+)", \w+, \w+, (\w+), (\w+), \w+, (\d+), \d+\)$'
VARIABLES = {name for (name,) in table("toolchain/python_variables.inc", r'^PYTHON_VARIABLE\("(\w+)"\)$')}
FUNCTIONS = list(table("toolchain/windows_runtime.inc", r'^RUNTIME_FUNCTION\("(\w+)", "(\w+)", "([\w.-]+)"\)$'))


def expected_names(minor: int, *, free_threaded: bool = False, stable: bool = False) -> set[str]:
    """The names of a DLL, as the table has them; the test reads it in its own way."""
    bit = 1 << (minor - 6)
    return {
        name
        for name, windows, without_lock, since in table("inspect/data/python_symbols.inc", PYTHON_ROW)
        if int(windows, 16) & bit or (free_threaded and int(without_lock, 16) & bit)
        if not stable or 0 < int(since) <= minor
    }


# -- the libraries, as other tools read them --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "dll", "names"),
    [
        (("--python", "3.10"), "python310", expected_names(10)),
        (("--python", "3.13"), "python313", expected_names(13)),
        (("--python", "3.13t"), "python313t", expected_names(13, free_threaded=True)),
        (("--abi3", "3.10"), "python3", expected_names(10, stable=True)),
        (("--abi3", "3.12", "--python", "3.13"), "python3", expected_names(12, stable=True)),
        (("--abi3", "3.15t"), "python3t", expected_names(15, free_threaded=True, stable=True)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_llvm_reads_every_name_of_pythons_library(
    nasm_ext: Path, tmp_path: Path, words: tuple[str, ...], dll: str, names: set[str]
) -> None:
    libraries = write_libraries(nasm_ext, tmp_path, *words)
    assert list(libraries) == [dll, *RUNTIME]
    assert len(names) > 700
    assert shown_imports(libraries[dll]) == {name: "data" if name in VARIABLES else "code" for name in names}


def test_llvm_reads_every_function_of_the_c_runtime(nasm_ext: Path, tmp_path: Path) -> None:
    libraries = write_libraries(nasm_ext, tmp_path, "--python", "3.13")
    for dll in RUNTIME:
        exported = {export for _, export, file in FUNCTIONS if file == f"{dll}.dll"}
        assert shown_imports(libraries[dll]) == dict.fromkeys(exported, "code")


def test_the_index_of_an_archive_leads_to_its_members(nasm_ext: Path, tmp_path: Path) -> None:
    """Each symbol once, in the member that defines it: what LLVM reads out of the index and out of the members."""
    libraries = write_libraries(nasm_ext, tmp_path, "--python", "3.13")
    for name, library in libraries.items():
        lines = tool("llvm-nm", "--print-armap", library).splitlines()
        start, end = lines.index("Archive map"), lines.index("")
        indexed = [line.rsplit(" in ", 1) for line in lines[start + 1 : end]]
        assert {member for _, member in indexed} == {f"{name}.dll"}
        symbols = [symbol for symbol, _ in indexed]
        assert symbols == sorted(symbols)
        assert len(symbols) == len(set(symbols))
        # A weak name (w) is an alias; an undefined one (U) belongs to another member.
        defined = [line.split()[-1] for line in lines[end:] if re.match(r"[0-9a-f ]{8,16} [^U] ", line)]
        own = {symbol for symbol in defined if not symbol.startswith(".idata")}
        assert own == set(symbols)


@pytest.mark.parametrize("command", [["llvm-ar", "t"], ["ar", "t"]])
def test_archivers_list_a_member_for_each_import(nasm_ext: Path, tmp_path: Path, command: list[str]) -> None:
    for name, library in write_libraries(nasm_ext, tmp_path, "--python", "3.13").items():
        imports = len(shown_imports(library))
        aliases = 2 * sum(alias != export for alias, export, file in FUNCTIONS if file == f"{name}.dll")
        assert tool(*command, library).splitlines() == [f"{name}.dll"] * (3 + imports + aliases)


def test_the_libraries_are_the_same_each_time(nasm_ext: Path, tmp_path: Path) -> None:
    one = write_libraries(nasm_ext, tmp_path / "one", "--python", "3.13")
    two = write_libraries(nasm_ext, tmp_path / "a folder/größe", "--python", "3.13")
    assert {name: path.read_bytes() for name, path in one.items()} == {
        name: path.read_bytes() for name, path in two.items()
    }
    again = write_libraries(nasm_ext, tmp_path / "one", "--python", "3.13")  # over what is there
    assert again == one
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(path.name for path in one.values())


# -- modules that are linked with them --------------------------------------------------------------------------------


@pytest.fixture
def libraries(nasm_ext: Path, tmp_path: Path) -> dict[str, Path]:
    return write_libraries(nasm_ext, tmp_path / "ours", "--python", "3.13")


def dlltool(folder: Path, dll: str, names: list[str]) -> None:
    """A library by LLVM's maker of import libraries."""
    (folder / f"{dll}.def").write_text("\n".join([f"LIBRARY {dll}.dll", "EXPORTS", *names, *ALIASES.get(dll, ())]))
    tool("llvm-dlltool", "-m", "i386:x86-64", "-d", f"{dll}.def", "-l", f"{dll}.lib", cwd=folder)


def linker(folder: Path, dll: str, names: list[str]) -> None:
    """A library as LLVM's linker writes it beside a DLL, which here has no code: its exports lead to another's."""
    exports = [re.sub(r"^(\w+)", r"\1 = elsewhere.\1", name) for name in names]
    (folder / f"{dll}.def").write_text("\n".join([f"LIBRARY {dll}.dll", "EXPORTS", *exports]))
    empty = assemble(folder, "section .text\n", "empty")
    words = ["/nologo", "/dll", "/noentry", "/machine:x64", f"/def:{dll}.def", f"/implib:{dll}.lib", f"/out:{dll}.dll"]
    tool("lld-link", *words, empty, cwd=folder)


WITHOUT_ALIASES = PROBE.replace("strdup", "_strdup").replace("__imp_time", "__imp__time64")


@pytest.mark.parametrize(("make", "source"), [(dlltool, PROBE), (linker, WITHOUT_ALIASES)])
def test_a_module_is_the_one_that_other_libraries_give(
    tmp_path: Path, libraries: dict[str, Path], make: Callable[[Path, str, list[str]], None], source: str
) -> None:
    """To the byte, though ours hold all the names of a DLL and the others those that are used."""
    probe = assemble(tmp_path, source)
    module = link([probe], [libraries[dll] for dll in DEFINITIONS], tmp_path / "probe.pyd")
    ours, imports = module.read_bytes(), tool("llvm-readobj", "--coff-imports", module)
    others = tmp_path / "others"
    others.mkdir()
    for dll, names in DEFINITIONS.items():
        make(others, dll, names)
    link([probe], [others / f"{dll}.lib" for dll in DEFINITIONS], module)
    assert imports == tool("llvm-readobj", "--coff-imports", module)
    assert ours == module.read_bytes()
    shown = dict(re.findall(r"Name: (\S+)\.dll\n(.*?)\n}", imports, re.DOTALL))
    assert {dll: re.findall(r"Symbol: (\S+) \(0\)", text) for dll, text in shown.items()} == {
        dll: [name.split()[0] for name in names] for dll, names in DEFINITIONS.items()
    }


def test_windows_runs_what_was_linked_with_them(tmp_path: Path, libraries: dict[str, Path]) -> None:
    link([assemble(tmp_path, PROBE)], list(libraries.values()), tmp_path / "probe.pyd")
    program = """
        import probe, time
        print(probe.length("héllo"), abs(probe.now() - time.time()) < 60, probe.power())
        try:
            probe.fail()
        except KeyError as error:
            print(repr(error))
    """
    artefact = next(one for one in maven.ARTEFACTS if one.minor == "3.13")
    done = wine.run_windows(
        maven.provide(artefact),
        ["-c", textwrap.dedent(program)],
        env={"PYTHONPATH": wine.search_path(tmp_path)},
        timeout=120,
    )
    assert done == wine.Done(0, "6 True 1024.0\nKeyError('as asked')\n")


def test_windows_has_every_function_of_the_c_runtime_where_we_say() -> None:
    """Asked of the loader under Wine, whose C runtime was written without regard to ours."""
    wanted = json.dumps([[dll, export] for _, export, dll in FUNCTIONS])
    program = """
        import ctypes, json, sys
        kernel = ctypes.WinDLL("kernel32")
        kernel.LoadLibraryW.restype = kernel.GetProcAddress.restype = ctypes.c_void_p
        kernel.GetProcAddress.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        asked = [*json.loads(sys.argv[1]), ["api-ms-win-crt-stdio-l1-1-0.dll", "open"]]
        print([(dll, name) for dll, name in asked if not kernel.GetProcAddress(kernel.LoadLibraryW(dll), name.encode())])
    """
    done = wine.run_windows(maven.provide(maven.ARTEFACTS[-1]), ["-c", textwrap.dedent(program), wanted], timeout=120)
    assert done == wine.Done(0, "[('api-ms-win-crt-stdio-l1-1-0.dll', 'open')]\n")


def test_a_variable_has_no_name_without_imp(tmp_path: Path, libraries: dict[str, Path]) -> None:
    """Its address would be that of code which jumps, and a module would read that code for the value."""
    source = "default rel\nextern PyExc_KeyError\nglobal get\nsection .text\nget: mov rax, [PyExc_KeyError]\n ret\n"
    words = [
        "/nologo",
        "/dll",
        "/noentry",
        "/machine:x64",
        "/nodefaultlib",
        "/export:get",
        f"/out:{tmp_path / 'm.pyd'}",
    ]
    done = subprocess.run(
        ["lld-link", *words, assemble(tmp_path, source), *libraries.values()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "lld-link: error: undefined symbol: PyExc_KeyError"


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--python", "3.13"], "--output is required\nfix: nasm-ext import-library --help"),
        (
            ["--output", "x"],
            "neither --python nor --abi3 was given\nfix: nasm-ext import-library --python 3.13 --output FOLDER",
        ),
        (
            ["--output", "x", "--python", "3.16"],
            "the names of CPython 3.16 for Windows are not known: those of 3.6 to 3.15 are\nfix: build for one of these,"
            " or with a nasm-build that knows it: pip install --upgrade nasm-build",
        ),
        (
            ["--output", "x", "--abi3", "3.5"],
            "the names of CPython 3.5 for Windows are not known: those of 3.6 to 3.15 are\nfix: build for one of these,"
            " or with a nasm-build that knows it: pip install --upgrade nasm-build",
        ),
        (
            ["--output", "x", "--python", "snake"],
            "`snake` is no CPython version\n"
            "fix: give one like 3.13, or 3.13t for a free-threaded build, 3.13d for a debug build",
        ),
        (
            ["--output", "x", "--python", "3.13t", "--abi3", "3.10"],
            "a free-threaded CPython imports no abi3 module, and abi3 was asked for with 3.13t\n"
            "fix: build a module for that version alone (leave out --abi3, py-limited-api), or promise abi3t:"
            " --abi3 3.15t",
        ),
        (
            ["--output", "/dev/null/x", "--python", "3.13"],
            "/dev/null/x is no folder that can be written to\nfix: give another: --output FOLDER",
        ),
        (
            ["--output", "file", "--python", "3.13"],
            "file is no folder that can be written to\nfix: give another: --output FOLDER",
        ),
        (
            ["--output", "full", "--python", "3.13"],
            "full/python313.lib cannot be written\nfix: give a folder that can be written to",
        ),
        (
            ["--output", "taken", "--python", "3.13"],
            "taken/python313.lib cannot be written\nfix: give a folder that can be written to",
        ),
        (
            ["--output", "x", "--target", "linux-x86_64"],
            "modules for linux-x86_64 are linked without import libraries\n"
            "fix: name a target of Windows or macOS: --target win-amd64, --target macosx-11.0-x86_64",
        ),
    ],
)
def test_import_library_refuses(nasm_ext: Path, tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/python313.lib.partial").symlink_to("/dev/full")
    (tmp_path / "taken/python313.lib").mkdir(parents=True)
    assert call(nasm_ext, "import-library", *words, cwd=tmp_path) == (2, f"error: {message}\n")
    assert not (tmp_path / "x").exists() or not list((tmp_path / "x").iterdir())
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["python313.lib"]
    assert not list((tmp_path / "full").glob("*.lib"))
