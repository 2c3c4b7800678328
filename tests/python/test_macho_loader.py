"""The test loader of tests/macho_loader: what it must get right before a test that it runs says anything about macOS."""

from __future__ import annotations

import json
import os
import shlex
import struct
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Projects
from devtools.cache import locked
from projects import Toolbox

LOADER = Path(__file__).resolve().parents[1] / "macho_loader"
INCLUDE = Path(__file__).resolve().parents[2] / "python" / "nasm_build" / "include"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}" + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
SUFFIX = f".cpython-{VERSION.replace('.', '')}-darwin.so"

DEMO = """
%include "Python.inc"
py_function answer, module
    py_call PyLong_FromLong, 42
    py_return rax
py_methods
    py_method "answer", answer, METH_NOARGS, "answer()", "The answer."
py_module demo, "Answers."
"""

# Calls what a sample offers, and tells what came of it.
PROBE = """
import ctypes, json, sys
import macho_loader
path, catching = sys.argv[1:]
type_address = ctypes.addressof(ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyLong_Type"))
def call(name, result=ctypes.c_void_p):
    return ctypes.PYFUNCTYPE(result)(macho_loader.address(path, name))()
catch = ctypes.CDLL(catching).caught_through
catch.restype = ctypes.c_int64
found = {
    "rebased": call("_rebased") - macho_loader.address(path, "_marker"),
    "far_rebased": call("_far_rebased") - macho_loader.address(path, "_marker"),
    "bound": call("_bound") - type_address,
    "added": call("_added") - type_address,
    "called": call("_called", ctypes.py_object),
    "marker": call("_marker"),
    "caught": catch(ctypes.c_void_p(macho_loader.address(path, "_through"))),
}
for name in ("_added_by_import", "_missing", "_initialised"):
    try:
        found[name] = call(name)
    except ImportError as error:
        assert str(error) == f"{path}: it exports no {name}"
if "_added_by_import" in found:
    found["_added_by_import"] -= type_address
    found["_initialised again"] = call("_initialised")
maps = [line.split()[:2] for line in open("/proc/self/maps")]
ranges = [(*(int(end, 16) for end in addresses.split("-")), mode) for addresses, mode in maps]
for name, start, size in macho_loader.segments(path):
    found[name] = [mode for low, high, mode in ranges if low <= start and start + size <= high]
print(json.dumps(found))
"""

ALWAYS = {
    "rebased": 0,
    "far_rebased": 0,
    "bound": 0,
    "added": 24,
    "called": 42,
    "marker": 0x600D,
    "caught": 42_01_02_03,
    "__TEXT": ["r-xp"],
    "__DATA": ["rw-p"],
    "__LINKEDIT": ["r--p"],
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loader, built for this CPython, and catch.so beside it: once, whatever the number of pytest's processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "macho-loader"
    with locked(folder):
        if not folder.is_dir():
            work = folder.with_name("macho-loader.part")
            subprocess.run([sys.executable, LOADER / "build.py", work], check=True)
            compiler = shlex.split(os.environ.get("CXX", "c++"))
            words: list[str | Path] = ["-O2", "-fomit-frame-pointer", "-shared", "-fPIC", LOADER / "samples/catch.cpp"]
            subprocess.run([*compiler, *words, "-o", work / "catch.so"], check=True)
            work.rename(folder)
    return folder


@pytest.fixture
def run(loader: Path, tmp_path: Path) -> Run:
    """Runs this CPython with the loader; a keyword is a variable of the environment."""

    def start(*words: str | Path, **variables: str | Path) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(loader), **{name: str(value) for name, value in variables.items()}}
        return subprocess.run([sys.executable, *words], env=env, cwd=tmp_path, capture_output=True, text=True)

    return start


@pytest.fixture(scope="module")
def link(nasm_ext: Path) -> Callable[..., Path]:
    """Assembles a source for macOS and links it: link(source, output, *words of nasm)."""

    def make(source: Path, output: Path, *words: str) -> Path:
        target = ["--target", "macosx-11.0-x86_64"]
        found = subprocess.run([nasm_ext, "linker", *target, "--format", "json"], capture_output=True, check=True)
        linker = json.loads(found.stdout)["linker"]
        assert linker["kind"] == "ld64", "lld is not there; ./dev setup installs it"
        item = output.with_suffix(".o")
        subprocess.run(["nasm", *(words or ("-f", "macho64")), source, "-o", item], check=True)
        last: list[str | Path] = ["-undefined", "dynamic_lookup", item, "-o", output]
        bundle = ["-bundle", "-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0"]
        subprocess.run([*linker["words"], *bundle, *last], check=True)
        return output

    return make


@pytest.fixture
def linked(link: Callable[..., Path], tmp_path: Path) -> Path:
    return link(LOADER / "samples/linked.asm", tmp_path / "linked.so")


@pytest.fixture
def demo(link: Callable[..., Path], nasm_ext: Path, tmp_path: Path) -> Path:
    """A folder with an extension module for macOS, `demo`."""
    words: list[str | Path] = [
        nasm_ext,
        "flags",
        "--target",
        "macosx-11.0-x86_64",
        "--python",
        VERSION,
        "--include-dir",
        INCLUDE,
    ]
    flags = shlex.split(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    source = tmp_path / "demo.asm"
    source.write_text(DEMO)
    (tmp_path / "modules").mkdir()
    link(source, tmp_path / "modules" / f"demo{SUFFIX}", *flags)
    return tmp_path / "modules"


def lay_out(folder: Path, pointers: int = 6, imports: int = 1) -> Path:
    path = folder / f"laid_out-{pointers}-{imports}.so"
    words = ["nasm", "-f", "bin", f"-DPOINTERS={pointers}", f"-DIMPORTS={imports}"]
    subprocess.run([*words, LOADER / "samples/laid_out.asm", "-o", path], check=True)
    return path


# ---- Loading --------------------------------------------------------------------------------------------------------


def probe(run: Run, loader: Path, path: Path) -> dict[str, object]:
    done = run("-c", PROBE, path, loader / "catch.so")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_opcodes_lazy_binds_and_compact_unwind_data(run: Run, loader: Path, linked: Path) -> None:
    assert probe(run, loader, linked) == {**ALWAYS, "__DATA_CONST": ["r--p"]}


@pytest.mark.parametrize("imports", [1, 2, 3])
@pytest.mark.parametrize("pointers", [2, 6])
def test_chained_fixups_initialisers_and_eh_frame(
    run: Run, loader: Path, tmp_path: Path, pointers: int, imports: int
) -> None:
    more = {"_added_by_import": 255 if imports == 1 else 1000, "_missing": None}
    initialised = {"_initialised": 1, "_initialised again": 1}
    assert probe(run, loader, lay_out(tmp_path, pointers, imports)) == {**ALWAYS, **more, **initialised}


def test_universal_files(run: Run, loader: Path, linked: Path, tmp_path: Path) -> None:
    """The slice for x86-64, whichever it is. It need not lie at one of Linux's pages."""
    content = linked.read_bytes()
    arm, intel = (0x0100000C, 0, 0x100, 8, 3), (0x01000007, 3, 0x110, len(content), 4)
    fat = struct.pack(">II5I5I", 0xCAFEBABE, 2, *arm, *intel).ljust(0x110, b"\0") + content
    path = tmp_path / "universal.so"
    path.write_bytes(fat)
    assert probe(run, loader, path)["caught"] == 42_01_02_03


# ---- Refusing -------------------------------------------------------------------------------------------------------


CHECK = """
import sys, macho_loader
for path in sys.argv[1:]:
    try:
        macho_loader.check(path)
        print(path, "is good")
    except ImportError as error:
        assert error.path == path
        print(error)
"""


def test_files_that_are_not_loaded_are_named_with_the_reason(run: Run, linked: Path, tmp_path: Path) -> None:
    opcodes, chained = linked.read_bytes(), lay_out(tmp_path).read_bytes()
    bind = chained.index(struct.pack("<Q", 1 << 63 | 2 << 51))  # to the first import, the next pointer 8 bytes away
    record = chained.index(b"zR") - 9
    files = {
        b"": "is empty",
        b"hello": "is no Mach-O file",
        b"\x7fELF": "is an ELF file, not a Mach-O bundle",
        b"MZ": "is a PE file, not a Mach-O bundle",
        patched(chained, 4, 0x0100000C): "is for arm64, not for x86_64",
        patched(chained, 12, 2): "is neither a bundle nor a dynamic library, but a Mach-O file of type 2",
        chained[:31]: "the Mach-O header (32 bytes at 0) reaches beyond the end of the file (31 bytes)",
        chained[
            :4096
        ]: "the segment __DATA: its content (12288 bytes at 4096) reaches beyond the end of the file (4096 bytes)",
        patched(chained, 36, 7): "a load command has a size of 7 bytes",
        patched(chained, 32, 0x80000077): "the load command 119 must be understood, and this loader does not know it",
        patched(chained, 32 + 312 + 60, 1): "a fixup is for the segment __DATA, which is not writable",
        patched(chained, bind, 99): "a chained fixup is for import 99 of 3",
        patched(chained, record, 0x1000): "a record of __TEXT,__eh_frame leads out of the section",
        opcodes.replace(b"_FromLong\0", b"_FromWord\0"): "this process has no symbol _PyLong_FromWord",
        opcodes: "is good",
    }
    paths = [tmp_path / f"{number}.so" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    done = run("-c", CHECK, *paths)
    assert done.stderr == ""
    found = [
        line.removeprefix(str(path)).lstrip(": ") for path, line in zip(paths, done.stdout.splitlines(), strict=True)
    ]
    assert found == list(files.values())


def patched(content: bytes, offset: int, number: int) -> bytes:
    return content[:offset] + struct.pack("<I", number) + content[offset + 4 :]


def test_no_damage_is_more_than_an_import_error(run: Run, linked: Path, tmp_path: Path) -> None:
    """Files cut anywhere, and files with any byte of their tables wrong."""
    program = """
import sys, macho_loader
good = bad = 0
for path in sys.argv[1:]:
    content = open(path, "rb").read()
    macho_loader.check(path)
    cuts = [content[:size] for size in [*range(1200), *range(1200, len(content), 61)]]
    places = [place for place in range(len(content)) if any(content[max(0, place - 8) : place + 9])]
    flips = (content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :] for place in places for bits in (0x81, 0xff))
    for data in [*cuts, *flips]:
        with open("damaged.so", "wb") as file:
            file.write(data)
        try:
            macho_loader.check("damaged.so")
            good += 1
        except ImportError as error:
            assert str(error).startswith("damaged.so: ") and "\\n" not in str(error), error
            bad += 1
assert good > 100 and bad > 1000, (good, bad)
"""
    done = run("-c", program, linked, lay_out(tmp_path, 2, 2), lay_out(tmp_path, 6, 3))
    assert (done.returncode, done.stderr) == (0, "")


def test_an_import_that_fails_is_one_line(run: Run, demo: Path) -> None:
    path = demo / f"demo{SUFFIX}"
    path.rename(demo / f"other{SUFFIX}")
    done = run("-c", "import other", MACHO_LOADER_FOLDER=demo)
    assert done.stderr.splitlines()[-1] == f"ImportError: {demo / ('other' + SUFFIX)}: it exports no _PyInit_other"


# ---- What nasm-build makes -------------------------------------------------------------------------------------------

# NASM writes each label into the symbol table, and linkers take it for a function without unwind data.
THROUGH = """
exported_function through, saved(called), saved(kept), register(more)
    mov     kept, 0xbad
    mov     more, 0xbad
    test    called, called
    jz      .nothing
.behind_a_label:
    call    called
    return
.nothing:
    return  0
"""

SETUP = """
from nasm_build import Extension
from setuptools import setup
setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.asm"], export_symbols=["through"])])
"""

CATCHING = """
import ctypes, sys, demo, macho_loader
catch = ctypes.CDLL(sys.argv[1]).caught_through
catch.restype = ctypes.c_int64
print(demo.answer(), catch(ctypes.c_void_p(macho_loader.address(demo.__file__, "_through"))))
"""


def test_exceptions_pass_behind_a_label_of_a_module_as_it_is_built(
    run: Run, loader: Path, toolbox: Toolbox, project: Projects, tmp_path: Path
) -> None:
    folder = project({
        "pyproject.toml": '[build-system]\nrequires = ["nasm-build"]\nbuild-backend = "nasm_build.backend"\n',
        "setup.py": SETUP,
        "demo.asm": DEMO.replace("py_methods", THROUGH + "py_methods"),
    })  # fmt: skip
    made = toolbox.hook(folder, config_settings={"target": "macosx-11.0-x86_64", "target-python": VERSION})
    assert made.returncode == 0, str(made)
    with zipfile.ZipFile(made.wheel) as archive:
        archive.extractall(tmp_path / "installed")
    done = run("-c", CATCHING, loader / "catch.so", MACHO_LOADER_FOLDER=tmp_path / "installed")
    assert done.stdout == "42 42010203\n", done.stderr


# ---- Importing ------------------------------------------------------------------------------------------------------

IMPORTING = """
import demo, importlib.metadata, importlib.util, subprocess, sys
import package.inner
print(demo.answer(), demo.__file__, type(demo.__loader__).__name__, importlib.metadata.version("demo"))
try:
    from package import demo as again
except ImportError:
    again = None
print(again is None, package.inner.WHERE, importlib.util.find_spec("nowhere"))
ask = "import demo; print(demo.answer(), demo.__file__)"
print(subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout, end="", flush=True)
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
interpreters.run_string(interpreters.create(), ask + "; import sys; sys.stdout.flush()")
"""


def test_imports_in_a_process_its_children_and_its_subinterpreters(run: Run, demo: Path) -> None:
    (demo / "demo-1.5.dist-info").mkdir()
    (demo / "demo-1.5.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.5\n")
    (demo / "package").mkdir()
    (demo / "package/__init__.py").touch()
    (demo / "package/inner.py").write_text("WHERE = __file__\n")
    done = run("-c", IMPORTING, MACHO_LOADER_FOLDER=demo)
    file = demo / f"demo{SUFFIX}"
    assert done.stdout.splitlines() == [
        f"42 {file} MachOLoader 1.5",
        f"True {demo / 'package/inner.py'} None",
        f"42 {file}",
        f"42 {file}",
    ], done.stderr


def test_modules_in_packages(run: Run, demo: Path) -> None:
    (demo / "package").mkdir()
    (demo / "package/__init__.py").touch()
    file = (demo / f"demo{SUFFIX}").rename(demo / f"package/demo{SUFFIX}")
    done = run("-c", "from package import demo; print(demo.answer(), demo.__file__)", MACHO_LOADER_FOLDER=demo)
    assert done.stdout == f"42 {file}\n", done.stderr


# ---- The plugin for pytest ------------------------------------------------------------------------------------------

PYTEST = ("-m", "pytest", "-p", "macho_loader", "-p", "no:cacheprovider")


def test_a_run_names_the_modules_that_it_loaded(run: Run, demo: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import demo\ndef test_it(): assert demo.answer() == 42\n")
    done = run(*PYTEST, "test_it.py", MACHO_LOADER_FOLDER=demo)
    assert done.returncode == 0, done.stdout
    assert f"macho_loader: extension modules for macOS from {demo}" in done.stdout.splitlines()
    assert f"demo loaded from {demo / ('demo' + SUFFIX)}" in done.stdout.splitlines()
    assert "warning" not in done.stdout


@pytest.mark.parametrize("is_there", [True, False])
def test_a_run_that_loaded_none_has_failed(run: Run, demo: Path, tmp_path: Path, is_there: bool) -> None:
    """The folder is a wrong one, or none is named: the tests pass with another module, and the run does not."""
    (tmp_path / "demo.py").write_text("def answer(): return 42\n")
    (tmp_path / "test_it.py").write_text("import demo\ndef test_it(): assert demo.answer() == 42\n")
    folder = tmp_path / "empty" if is_there else ""
    done = run(*PYTEST, "test_it.py", MACHO_LOADER_FOLDER=folder)
    where = f"from {folder or 'nowhere: MACHO_LOADER_FOLDER is not set'}; the tests say nothing about one"
    assert f"error: no module for macOS was loaded {where}" in done.stdout.splitlines(), done.stdout
    assert "1 passed" in done.stdout
    assert done.returncode == 1
