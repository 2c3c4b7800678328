"""What a build leaves: names, tags, members, flags of the module, the same bytes everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nasm_ext_calls import without_rules
from projects import Build, Toolbox
from running import FREE_THREADED, NEUTRAL_PLATFORM, SILENT_ABOUT_THE_GIL, SUFFIX, TAG
from sources import SETUP_PYPROJECT, answer, demo, pyproject

Projects = Callable[..., Path]


def module_of(build: Build, folder: Path) -> Path:
    """The one module of a wheel, unpacked."""
    names = [name for name in build.members() if name.endswith(".so")]
    assert len(names) == 1, names
    path = folder / Path(names[0]).name
    path.write_bytes(build.read(names[0]))
    return path


def readelf(path: Path, *words: str) -> str:
    return subprocess.run(["readelf", "-W", *words, path], check=True, capture_output=True, text=True).stdout


@pytest.mark.every_python
def test_a_module_imports_and_answers(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.build(project(demo()))
    assert build.wheel.name == f"demo-1.0-{TAG}.whl"
    assert build.members() == ["demo" + SUFFIX]
    done = toolbox.call(build.wheel, "import demo; print(demo.answer())", env=SILENT_ABOUT_THE_GIL)
    assert done.output == "42\n"


NO_ABI3 = """\
error: a free-threaded CPython imports no abi3 module, and abi3 was asked for with {} [toolchain]
  fix: build a module for that version alone (leave out --abi3, py-limited-api), or promise abi3t: --abi3 3.15t
"""


@pytest.mark.every_python
def test_the_stable_abi_sets_name_tag_and_macro_together(toolbox: Toolbox, project: Projects) -> None:
    files = demo(extra='py-limited-api = "3.10"\n')
    files["demo.asm"] += "%if Py_LIMITED_API != 0x030A0000\n%error the macro is not set\n%endif\n"
    if FREE_THREADED:
        build = toolbox.hook(project(files))
        assert (build.returncode, build.wheels) == (1, ())
        assert build.output.endswith(NO_ABI3.format("{}.{}t".format(*sys.version_info)))
        return
    build = toolbox.build(project(files))
    assert build.wheel.name == f"demo-1.0-cp310-abi3-{NEUTRAL_PLATFORM}.whl"
    assert build.members() == ["demo.abi3.so"]
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"


def test_the_module_is_what_a_strict_loader_takes(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """No executable stack, read-only relocations, bound at load, no library needed, nothing exported but the entry."""
    module = module_of(toolbox.hook(project(demo())), tmp_path)
    headers, dynamic, symbols = readelf(module, "-l"), readelf(module, "-d"), readelf(module, "--dyn-syms")
    assert re.search(r"GNU_STACK .* RW +0x", headers)
    assert "GNU_RELRO" in headers
    assert not re.search(r" RWE ", headers)
    assert "BIND_NOW" in dynamic
    assert "NEEDED" not in dynamic
    assert "RUNPATH" not in dynamic
    assert "TEXTREL" not in dynamic
    exported = [line.split()[-1] for line in symbols.splitlines() if re.search(r"(GLOBAL|WEAK) +DEFAULT +\d+ ", line)]
    assert exported == ["PyInit_demo"]
    assert ".debug_info" not in readelf(module, "-S")


def test_libc_is_linked_exactly_when_it_is_needed(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    files = demo()
    files["demo.asm"] = (
        files["demo.asm"]
        .replace("extern PyModuleDef_Init", "extern labs, PyModuleDef_Init")
        .replace("    mov     edi, 42", "    mov     rdi, -42\n    call    labs wrt ..plt\n    mov     rdi, rax")
    )
    build = toolbox.hook(project(files))
    assert "NEEDED" in readelf(module_of(build, tmp_path), "-d")
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"


def test_what_libc_links_statically_has_the_start_files_that_it_needs(toolbox: Toolbox, project: Projects) -> None:
    """glibc's atexit is in no shared library, and asks for __dso_handle of crtbeginS.o."""
    files = demo()
    files["demo.asm"] = (
        files["demo.asm"]
        .replace("extern PyModuleDef_Init", "extern atexit, PyModuleDef_Init")
        .replace("    mov     edi, 42", "    lea     rdi, [nothing]\n    call    atexit wrt ..plt\n    mov     edi, 42")
        .replace("section .rodata", "nothing: ret\n\nsection .rodata")
    )
    build = toolbox.hook(project(files))
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"


BY_MACROS = """
%include "Python.inc"

py_function answer, module
    {call}
    py_call PyLong_FromLong, 42
    py_return rax

py_methods
    py_method "answer", answer, METH_NOARGS, "answer()", "The answer."
py_module demo, "Answers."
"""


@pytest.mark.parametrize("call", ["", "c_call labs, -42"], ids=["alone", "libc"])
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "unmarked"])
def test_a_module_by_macros_lacks_no_protection(
    toolbox: Toolbox, project: Projects, tmp_path: Path, call: str, marked: bool
) -> None:
    """The link keeps Python.inc's mark for shadow stacks, and the wheel stays small; a source can do without the mark."""
    files = demo()
    files["demo.asm"] = ("" if marked else "%define NO_SHADOW_STACK\n") + BY_MACROS.format(call=call)
    build = toolbox.hook(project(files))
    assert build.wheel.stat().st_size < 6 * 1024
    module = module_of(build, tmp_path)
    assert ("Properties: x86 feature: SHSTK" in readelf(module, "-n")) == marked
    note = (
        f"<work>/{module.name}: note: does without the mark for shadow stacks (SHSTK) [missing-mitigations]\n"
        "  fix: link with -z shstk (-z shstk only where each function returns by `ret`)\n"
    )
    said = without_rules(toolbox.run([toolbox.scripts / "nasm-ext", "check", module]).output)
    counts = "checked 1 module: 0 errors, 0 warnings, "
    assert said == (f"{counts}0 notes\n" if marked else f"{note}{counts}1 note\n")
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"


def test_c_beside_assembly_does_without_libc_where_it_can(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    files = demo()
    files["pyproject.toml"] = files["pyproject.toml"].replace('["demo.asm"]', '["demo.asm", "half.c"]')
    files["demo.asm"] = (
        files["demo.asm"]
        .replace("extern PyModuleDef_Init", "extern half, PyModuleDef_Init")
        .replace("    mov     edi, 42", "    mov     edi, 84\n    call    half wrt ..plt\n    mov     edi, eax")
    )
    files["half.c"] = "#if !NASM_BUILD_ASM\n#error\n#endif\nint half(int n) { return n / 2; }\n"
    build = toolbox.hook(project(files))
    module = module_of(build, tmp_path)
    assert "NEEDED" not in readelf(module, "-d")
    assert "RUNPATH" not in readelf(module, "-d")
    assert " half" not in readelf(module, "--dyn-syms")
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"


def test_two_folders_and_two_times_give_the_same_bytes(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["pyproject.toml"] = files["pyproject.toml"].replace('["demo.asm"]', '["demo.asm", "half.c"]')
    files["half.c"] = "const char *where(void) { return __FILE__; }\n"
    first = toolbox.build(project(files, "here"))
    time.sleep(2.1)  # zip archives count in steps of two seconds
    second = toolbox.build(project(files, "a/longer/folder/elsewhere"), env={"HOME": str(toolbox.work)})
    assert first.wheel.read_bytes() == second.wheel.read_bytes()


def test_source_date_epoch_is_honoured(toolbox: Toolbox, project: Projects) -> None:
    import zipfile

    build = toolbox.hook(project(demo()), env={"SOURCE_DATE_EPOCH": "1700000000"})
    with zipfile.ZipFile(build.wheel) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_a_wheel_from_the_sdist_is_the_same_wheel(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """Everything for every platform is in the sdist; assembly sources are in no wheel."""
    files = demo()
    files["demo.asm"] = (
        '%include "asm/all.inc"\n%ifdef WINDOWS\n%include "asm/windows.inc"\n%elifdef MACOS\n'
        '%include "asm/macos.inc"\n%endif\n' + files["demo.asm"]
    )
    files |= {
        "asm/all.inc": '%include "asm/nested.inc"\n',
        "asm/nested.inc": "; nothing\n",
        "asm/windows.inc": "; nothing\n",
        "asm/macos.inc": "; nothing\n",
        "inc/unused.inc": "; nothing\n",
        "demo.pyi": "def answer() -> int: ...\n",
        "tools/__init__.py.txt": "",
    }
    folder = project(files)
    sdist = toolbox.hook(folder, "build_sdist")
    archive = sdist.wheels[0]
    with tarfile.open(archive) as packed:
        names = sorted(name.partition("/")[2] for name in packed.getnames())
        packed.extractall(tmp_path / "unpacked", **({"filter": "data"} if sys.version_info >= (3, 12) else {}))
    assert [name for name in names if name.endswith((".asm", ".inc", ".pyi"))] == [
        "asm/all.inc",
        "asm/macos.inc",
        "asm/nested.inc",
        "asm/windows.inc",
        "demo.asm",
        "demo.pyi",
    ]
    direct = toolbox.hook(folder)
    assert direct.members() == ["demo" + SUFFIX, "demo.pyi"]
    again = toolbox.hook(tmp_path / "unpacked/demo-1.0", to=tmp_path / "again")
    assert again.wheel.read_bytes() == direct.wheel.read_bytes()


def test_what_ships_from_a_package(toolbox: Toolbox, project: Projects) -> None:
    files = {
        "pyproject.toml": pyproject().replace(
            'name = "demo"\nsources = ["demo.asm"]', 'name = "pkg._demo"\nsources = ["pkg/_demo.asm"]'
        ),
        "pkg/__init__.py": "from ._demo import answer\n",
        "pkg/_demo.asm": answer(name="_demo"),
        "pkg/_demo.pyi": "def answer() -> int: ...\n",
        "pkg/py.typed": "",
        "pkg/extra.inc": "",
        "asm/other.inc": "",
        "tests/__init__.py": "",
    }
    build = toolbox.hook(project(files))
    assert build.members() == ["pkg/__init__.py", "pkg/_demo" + SUFFIX, "pkg/_demo.pyi", "pkg/py.typed"]
    assert toolbox.call(build.wheel, "import pkg; print(pkg.answer())").output == "42\n"


def test_modules_of_earlier_builds_do_not_ship(toolbox: Toolbox, project: Projects) -> None:
    folder = project(demo())
    toolbox.hook(folder)
    (folder / "other.asm").write_text(answer(7, "other"))
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(
        text.replace('name = "demo"\nsources = ["demo.asm"]', 'name = "other"\nsources = ["other.asm"]')
    )
    assert toolbox.hook(folder).members() == ["other" + SUFFIX]


EDITABLE = """
import demo, pathlib, sys
print(demo.answer(), pathlib.Path(demo.__file__).parent)
"""


def test_an_editable_install_imports_and_leaves_later_wheels_clean(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["pyproject.toml"] = (
        files["pyproject.toml"].replace("demo", "pkg.demo").replace('"pkg.demo.asm"', '"pkg/demo.asm"')
    )
    files["pyproject.toml"] = files["pyproject.toml"].replace('name = "pkg.demo"\nversion', 'name = "demo"\nversion')
    files["pyproject.toml"] += (
        '\n[tool.setuptools]\npackages = ["pkg"]\n[tool.setuptools.package-data]\npkg = ["*.so"]\n'
    )
    files["pkg/demo.asm"] = files.pop("demo.asm")
    files["pkg/__init__.py"] = ""
    folder = project(files)
    (folder / "pkg/demo.cpython-36m-x86_64-linux-gnu.so").write_bytes(b"of another CPython")
    build = toolbox.hook(folder, "build_editable")
    assert (folder / f"pkg/demo{SUFFIX}").is_file()
    installed = toolbox.install(build.wheels[0], toolbox.work / "editable")
    done = toolbox.run(
        [
            toolbox.python,
            "-c",
            f"import site; site.addsitedir({str(installed)!r}); import pkg.demo; print(pkg.demo.answer())",
        ]
    )
    assert done.output == "42\n"
    assert toolbox.hook(folder).members() == ["pkg/__init__.py", "pkg/demo" + SUFFIX]


def test_debug_data_stays_when_asked_for(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """gdb stops at the line of the assembly source, and shows it."""
    folder = project(demo())
    build = toolbox.hook(folder, config_settings={"debug": "true"})
    installed = toolbox.install(build.wheel, tmp_path / "installed")
    done = toolbox.run(
        ["gdb", "-q", "-batch", "-nx", "-ex", "set breakpoint pending on", "-ex", "break demo.asm:10", "-ex", "run",
         "-ex", "bt 1", "--args", toolbox.python, "-c", "import demo; demo.answer()"],
        cwd=folder, env={"PYTHONPATH": str(installed), "DEBUGINFOD_URLS": ""},
    )  # fmt: skip
    assert re.search(r"Breakpoint 1, answer \(\) at demo\.asm:10\n10\t +mov +edi, 42\n", done.output), done.output


def test_half_a_stable_abi_setting(toolbox: Toolbox, project: Projects) -> None:
    files = {
        "pyproject.toml": SETUP_PYPROJECT,
        "setup.py": "from setuptools import setup, Extension\n"
        'setup(name="demo", version="1", ext_modules=[Extension("demo", ["demo.asm"], py_limited_api=True)])\n',
        "demo.asm": answer(),
    }
    build = toolbox.hook(project(files))
    assert build.returncode == 1
    assert build.output.endswith(
        "error: module 'demo' sets py_limited_api without Py_LIMITED_API [limited-api]\n"
        '  fix: use nasm_build.Extension(…, py_limited_api="3.10"), which sets suffix, tag and macro together\n'
    ), build.output


def test_an_abi_newer_than_this_python(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(demo(extra='py-limited-api = "3.99"\n')))
    assert build.returncode == 1
    assert "3.99" in build.output
    assert "  fix: " in build.output
    assert "Traceback" not in build.output


def test_builds_at_once_in_one_tree(toolbox: Toolbox, project: Projects) -> None:
    """A short form of the proof with thirty pairs."""
    folder = project(demo())
    processes = []
    for number in range(6):
        target = toolbox.work / f"at-once-{number}"
        target.mkdir()
        code = f"from nasm_build import backend; print(backend.build_wheel({str(target)!r}))"
        processes.append(
            (target, subprocess.Popen([toolbox.python, "-c", code], cwd=folder, env=toolbox.variables(),
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        )  # fmt: skip
    wheels = set()
    for target, process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0, output
        wheels.add((target / f"demo-1.0-{TAG}.whl").read_bytes())
        assert len(os.listdir(target)) == 1
    assert len(wheels) == 1


def test_metadata_can_be_asked_for_first(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    folder = project(demo())
    prepared = toolbox.hook(folder, "prepare_metadata_for_build_wheel", metadata_directory=str(tmp_path))
    assert prepared.output.endswith("-> demo-1.0.dist-info\n")
    build = toolbox.hook(folder, metadata_directory=str(tmp_path / "demo-1.0.dist-info"))
    assert build.members() == ["demo" + SUFFIX]
    assert sorted(path.name for path in folder.iterdir()) == ["build", "demo.asm", "pyproject.toml"]
