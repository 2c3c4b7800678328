"""Builds for another platform: `-C target=…`, from the command to a module that is imported there, and what is refused."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from conftest import Projects
from devtools.pythons import maven, windows_tools, wine
from nasm_ext_calls import without_rules
from projects import Build, Result, Toolbox
from running import TAG
from sources import pyproject

MACOS = "macosx-11.0-x86_64"
WINDOWS = "win-amd64"

ANSWER = """
%include "Python.inc"

py_function answer, module
    py_call PyLong_FromLong, 42
    py_return rax

py_function length, module, text
    py_call PyUnicode_AsUTF8AndSize, text, 0
    test    rax, rax
    jz      .failed
    py_call strlen, rax
    py_call PyLong_FromSize_t, rax
    py_return rax
.failed:
    py_return 0

py_methods
    py_method "answer", answer, METH_NOARGS, "answer()", "The answer."
    py_method "length", length, METH_O, "length(text, /)", "Bytes of UTF-8."
py_module demo, "Answers."
"""


def demo(extra: str = "", source: str = ANSWER) -> dict[str, str]:
    return {"pyproject.toml": pyproject(extra), "demo.asm": source}


def build(toolbox: Toolbox, folder: Path, target: str = WINDOWS, python: str = "3.13", **more: str) -> Build:
    return toolbox.hook(folder, config_settings={"target": target, "target-python": python, **more})


def says(done: Result, *lines: str) -> None:
    """The whole of what was printed but for the engine's own progress."""
    own = [line for line in done.output.splitlines() if not line.startswith(("running ", "building "))]
    assert own == list(lines), str(done)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("target", "python", "extra", "tag", "member"),
    [
        (WINDOWS, "3.10", "", "cp310-cp310-win_amd64", "demo.cp310-win_amd64.pyd"),
        (WINDOWS, "3.14", "", "cp314-cp314-win_amd64", "demo.cp314-win_amd64.pyd"),
        (WINDOWS, "3.13t", "", "cp313-cp313t-win_amd64", "demo.cp313t-win_amd64.pyd"),
        (WINDOWS, "3.13", 'py-limited-api = "3.11"\n', "cp311-abi3-win_amd64", "demo.pyd"),
        (WINDOWS, "3.15", 'py-limited-api = "3.15t"\n', "cp315-abi3.abi3t-win_amd64", "demo.pyd"),
        (MACOS, "3.12", "", "cp312-cp312-macosx_11_0_x86_64", "demo.cpython-312-darwin.so"),
        ("macosx-12.3-x86_64", "3.13t", "", "cp313-cp313t-macosx_12_0_x86_64", "demo.cpython-313t-darwin.so"),
        (MACOS, "3.13", 'py-limited-api = "3.11"\n', "cp311-abi3-macosx_11_0_x86_64", "demo.abi3.so"),
    ],
)
def test_a_wheel_has_the_name_of_its_target(
    toolbox: Toolbox, project: Projects, target: str, python: str, extra: str, tag: str, member: str
) -> None:
    made = build(toolbox, project(demo(extra)), target, python)
    assert made.wheel.name == f"demo-1.0-{tag}.whl"
    assert made.members() == [member]
    done = toolbox.run([toolbox.scripts / "nasm-ext", "check", made.wheel])
    assert without_rules(done.output) == "checked 1 module: 0 errors, 0 warnings, 0 notes\n"


@pytest.mark.parametrize("artefact", maven.ARTEFACTS, ids=lambda artefact: artefact.minor)
def test_windows_imports_what_linux_built(toolbox: Toolbox, project: Projects, artefact: maven.Artefact) -> None:
    made = build(toolbox, project(demo()), WINDOWS, artefact.minor)
    with zipfile.ZipFile(made.wheel) as archive:
        archive.extractall(toolbox.work / "installed")
    program = "import demo, inspect; print(demo.answer(), demo.length('héllo'), inspect.signature(demo.length))"
    done = wine.run_windows(
        maven.provide(artefact),
        ["-c", program],
        env={"PYTHONPATH": wine.search_path(toolbox.work / "installed")},
        timeout=120,
    )
    assert done == wine.Done(0, "42 6 (text, /)\n")


DEEP = """
function inner, pointer
    mov     rax, [pointer]
    return  rax

function middle, pointer, saved(kept)
    invoke  inner, pointer
    add     rax, kept
    return  rax

exported_function outer
    invoke  middle, 0, 1
    return  rax
"""


def test_an_access_violation_below_our_frames_is_an_os_error(toolbox: Toolbox, project: Projects) -> None:
    """Windows walks the unwind data of Python.inc's functions to find ctypes' handler; without it the process ends."""
    functions, _, tables = ANSWER.partition("py_methods")
    source = functions + DEEP + "\npy_methods" + tables
    folder = project({
        "pyproject.toml": '[build-system]\nrequires = ["nasm-build"]\nbuild-backend = "nasm_build.backend"\n',
        "setup.py": """
            from nasm_build import Extension
            from setuptools import setup
            setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.asm"], export_symbols=["outer"])])
            """,
        "demo.asm": source,
    })  # fmt: skip
    artefact = maven.ARTEFACTS[-1]
    made = build(toolbox, folder, WINDOWS, artefact.minor)
    with zipfile.ZipFile(made.wheel) as archive:
        archive.extractall(toolbox.work / "installed")
    program = (
        "import ctypes, demo\n"
        "print(demo.answer())\n"
        "try:\n    ctypes.CDLL(demo.__file__).outer()\nexcept OSError as error:\n    print(error)\n"
    )
    places = {"PYTHONPATH": wine.search_path(toolbox.work / "installed")}
    done = wine.run_windows(maven.provide(artefact), ["-c", program], env=places, timeout=120)
    assert done == wine.Done(0, "42\nexception: access violation reading 0x0000000000000000\n")


@pytest.mark.parametrize("target", [WINDOWS, MACOS])
def test_two_folders_give_one_wheel(toolbox: Toolbox, project: Projects, target: str) -> None:
    first, second = (build(toolbox, project(demo(), name), target).wheel.read_bytes() for name in ("one", "two"))
    assert first == second


def test_debug_data_is_beside_a_module_for_windows(toolbox: Toolbox, project: Projects) -> None:
    made = build(toolbox, project(demo()), debug="true")
    assert made.members() == ["demo.cp313-win_amd64.pdb", "demo.cp313-win_amd64.pyd"]
    assert made.read("demo.cp313-win_amd64.pdb").startswith(b"Microsoft C/C++ MSF 7.00")
    # The module names it without a folder, so that it is found wherever the two were installed.
    module = made.read("demo.cp313-win_amd64.pyd")
    assert b"demo.cp313-win_amd64.pdb\0" in module
    assert b"/demo.cp313-win_amd64.pdb" not in module


def test_the_environment_names_a_target_and_config_settings_go_over_it(toolbox: Toolbox, project: Projects) -> None:
    folder = project(demo())
    named = {"NASM_BUILD_TARGET": WINDOWS, "NASM_BUILD_TARGET_PYTHON": "3.12"}
    assert toolbox.build(folder, env=named).wheel.name == "demo-1.0-cp312-cp312-win_amd64.whl"
    made = toolbox.build(folder, env=named, config={"target": MACOS})
    assert made.wheel.name == "demo-1.0-cp312-cp312-macosx_11_0_x86_64.whl"


def test_the_environment_of_pip_itself_names_no_target(toolbox: Toolbox, project: Projects) -> None:
    made = toolbox.hook(project(demo()), env={"_PYTHON_HOST_PLATFORM": WINDOWS})
    assert made.wheel.name == f"demo-1.0-{TAG}.whl"
    assert (
        "note: _PYTHON_HOST_PLATFORM=win-amd64 is not taken as the target, because pip chooses its own packages by it; "
        "for modules of another platform: -C target=win-amd64, or NASM_BUILD_TARGET=win-amd64\n"
    ) in made.output


def test_a_setup_py_of_plain_setuptools_takes_the_target_too(toolbox: Toolbox, project: Projects) -> None:
    folder = project({
        "pyproject.toml": '[build-system]\nrequires = ["setuptools", "nasm-build"]\nbuild-backend = "setuptools.build_meta"\n',
        "setup.py": 'from setuptools import Extension, setup\nsetup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.asm"])])\n',
        "demo.asm": ANSWER,
    })  # fmt: skip
    made = toolbox.hook(folder, env={"NASM_BUILD_TARGET": WINDOWS, "NASM_BUILD_TARGET_PYTHON": "3.12"})
    assert made.wheel.name == "demo-1.0-cp312-cp312-win_amd64.whl"
    assert made.members() == ["demo.cp312-win_amd64.pyd"]


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_name_that_windows_lacks_is_told_with_its_line(toolbox: Toolbox, project: Projects) -> None:
    source = ANSWER.replace("PyLong_FromLong,", "PyLong_FromLongg,").replace("strlen", "strlenn")
    done = build(toolbox, project(demo(source=source)))
    lines = done.output.splitlines()
    assert lines[lines.index("building 'demo' extension") + 1 :][:4] == [
        "demo.asm:4: error: symbol 'PyLong_FromLongg' is undefined: CPython 3.13 for Windows does not export it [undefined-symbol]",
        "  fix: correct the name, or build for a CPython that has PyLong_FromLongg",
        "demo.asm:11: error: symbol 'strlenn' is undefined: nothing that is linked defines it [undefined-symbol]",
        '  fix: define strlenn, or link the library that has it: libraries = ["…"]',
    ], str(done)
    assert done.returncode == 1
    assert done.wheels == ()


def test_a_name_that_only_later_cpythons_have_is_told_for_the_promised_one(toolbox: Toolbox, project: Projects) -> None:
    source = ANSWER.replace("PyLong_FromLong, 42", "PyLong_AsInt, module")
    assert build(toolbox, project(demo(source=source)), WINDOWS, "3.13").returncode == 0
    done = build(toolbox, project(demo(source=source), "older"), WINDOWS, "3.12")
    assert (
        "demo.asm:4: error: symbol 'PyLong_AsInt' is undefined: CPython 3.12 for Windows does not export it [undefined-symbol]"
        in done.output
    )


def test_a_32_bit_address_is_refused_for_windows(toolbox: Toolbox, project: Projects) -> None:
    source = (
        ANSWER.replace("PyLong_FromLong, 42", "PyLong_FromLong, dword [abs known]") + "SECTION_DATA\nknown: dd 42\n"
    )
    done = build(toolbox, project(demo(source=source)))
    assert done.returncode == 1
    assert "by a 32-bit address" in done.output, str(done)
    assert (
        "[position-dependent]\n  fix: lea rax, [rel name], or [rel name] as the operand; in tables: dq name\n"
        in done.output
    )


def test_c_is_refused(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["pyproject.toml"] = files["pyproject.toml"].replace('["demo.asm"]', '["demo.asm", "glue.c"]')
    done = build(toolbox, project({**files, "glue.c": "int glue;\n"}))
    says(
        done,
        "glue.c: error: 'glue.c' of module 'demo' is C, and there is no compiler here for CPython 3.13 on win-amd64 [cross-build]",
        "  fix: build it with that CPython on its own platform (cibuildwheel does); modules of assembly alone are built for it here",
    )


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        (
            {"target": "win-amd65"},
            [
                "demo.asm: error: NASM writes x86-64 code for Linux, macOS and Windows, and the target is win-amd65 [no-fallback]",
                "  fix: -C target=win-amd64, -C target=macosx-11.0-x86_64",
            ],
        ),
        (
            {"target": "windows"},
            [
                "error: `windows` is no platform [toolchain]",
                "  fix: give the platform as sysconfig.get_platform() prints it: linux-x86_64, macosx-11.0-x86_64, win-amd64",
            ],
        ),
        (
            {"target": WINDOWS, "target-python": "2.7"},
            ["error: target-python is '2.7', which is no CPython [settings]", "  fix: -C target-python=3.13, or 3.13t"],
        ),
        (
            {"target": WINDOWS, "target-python": "3.16"},
            [
                "error: the names of CPython 3.16 for Windows are not known: those of 3.6 to 3.15 are [linker-missing]",
                "  fix: build for one of these, or with a nasm-build that knows it: pip install --upgrade nasm-build",
            ],
        ),
        (
            {"target": WINDOWS, "linker": "/nowhere/lld-link"},
            [
                "error: the setting linker names /nowhere/lld-link, which cannot be used: there is no such file [linker-missing]",
                "  fix: give the path of lld-link 14 or later, or take the setting out",
            ],
        ),
        (
            {"tagret": WINDOWS},
            ["error: unknown config-setting 'tagret' [settings]", "  fix: did you mean '-C target=…'?"],
        ),
    ],
)
def test_a_wrong_word_is_told(toolbox: Toolbox, project: Projects, config: dict[str, str], lines: list[str]) -> None:
    says(toolbox.hook(project(demo()), config_settings=config), *lines)


def test_an_editable_install_for_another_platform_is_refused(toolbox: Toolbox, project: Projects) -> None:
    done = toolbox.hook(project(demo()), "build_editable", config_settings={"target": WINDOWS, "target-python": "3.13"})
    says(
        done,
        "error: an editable install is imported here, and the target is CPython 3.13 on win-amd64 [cross-build]",
        "  fix: build a wheel for it: pip wheel . -C target=…; or leave the target out (also NASM_BUILD_TARGET)",
    )


# -- no linker on the machine -----------------------------------------------------------------------------------------


def hidden_linkers(toolbox: Toolbox, folder: Path, code: str) -> Result:
    """Runs Python code in a mount namespace where no LLVM is installed."""
    empty = toolbox.work / "empty"
    empty.mkdir(exist_ok=True)
    hide = f'for d in /usr/lib/llvm-*/bin; do /bin/mount --bind "{empty}" "$d"; done; exec "$@"'
    return toolbox.run(
        ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", hide, "sh", toolbox.python, "-c", code], cwd=folder
    )


def test_without_a_linker_ziglang_is_asked_for_and_links(toolbox: Toolbox, project: Projects) -> None:
    folder = project(demo())
    ask = "from nasm_build import backend; print(backend.get_requires_for_build_wheel({'target': '%s'}))"
    there = toolbox.run([toolbox.python, "-c", ask % WINDOWS], cwd=folder)
    assert there.output == "['setuptools>=77']\n"
    for target in (WINDOWS, MACOS):
        missing = hidden_linkers(toolbox, folder, ask % target)
        assert missing.output == "['setuptools>=77', 'ziglang>=0.13']\n"
    assert hidden_linkers(toolbox, folder, ask % "linux-x86_64").output == "['setuptools>=77']\n"

    make = "from nasm_build import backend; backend.build_wheel('%s', {'target': '%s', 'target-python': '3.13'})"
    without = hidden_linkers(toolbox, folder, make % (toolbox.work, WINDOWS))
    assert without.returncode == 1
    assert "[linker-missing]\n  fix: apt-get install lld; or: pip install ziglang\n" in without.output, str(without)

    wheels = windows_tools.zig_for_linux().parent
    zig = Toolbox(toolbox.environment, (*toolbox.find_links, wheels), toolbox.work).new_environment(
        "with-zig", "nasm-build", "setuptools", "ziglang"
    )
    for target, name in ((WINDOWS, "cp313-cp313-win_amd64"), (MACOS, "cp313-cp313-macosx_11_0_x86_64")):
        done = hidden_linkers(zig, folder, make % (toolbox.work, target))
        assert done.returncode == 0, str(done)
        made = toolbox.work / f"demo-1.0-{name}.whl"
        checked = toolbox.run([toolbox.scripts / "nasm-ext", "check", made])
        assert ": 0 errors, 0 warnings" in checked.output, str(checked)
    with zipfile.ZipFile(toolbox.work / "demo-1.0-cp313-cp313-win_amd64.whl") as archive:
        archive.extractall(toolbox.work / "by-zig")
    done = wine.run_windows(
        maven.provide(next(one for one in maven.ARTEFACTS if one.minor == "3.13")),
        ["-c", "import demo; print(demo.answer())"],
        env={"PYTHONPATH": wine.search_path(toolbox.work / "by-zig")},
        timeout=120,
    )
    assert done == wine.Done(0, "42\n")


# -- the two halves of universal2 -------------------------------------------------------------------------------------


def test_halves_are_joined_into_one_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What macOS' own builds do with each source; lipo is LLVM's here."""
    from nasm_build.setuptools_plugin.halves import join

    folders = sorted(Path("/usr/lib").glob("llvm-*/bin"))
    tools = next(folder for folder in folders if (folder / "clang").is_file() and (folder / "llvm-lipo").is_file())
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    (tmp_path / "k.asm").write_text("global _kernel\nsection .text\n_kernel: mov eax, 1\nret\n")
    (tmp_path / "k.c").write_text("int kernel(void) { return 1; }\n")
    subprocess.run(["nasm", "-f", "macho64", "k.asm", "-o", "x86.o"], cwd=tmp_path, check=True)
    words = ["--target=arm64-apple-macos11", "-ffreestanding", "-c", "k.c", "-o", "arm.o"]
    subprocess.run([tools / "clang", *words], cwd=tmp_path, check=True)
    join(tmp_path, ["x86.o", "arm.o"], "both.o")
    shown = subprocess.run(
        [tools / "llvm-lipo", "-archs", "both.o"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert sorted(shown.split()) == ["arm64", "x86_64"]


@pytest.mark.parametrize(
    ("platform", "variables", "meant"),
    [
        ("macosx-11.0-arm64", {}, "macosx-11.0-arm64"),
        ("macosx-10.13-universal2", {"ARCHFLAGS": "-arch x86_64"}, "macosx-10.13-x86_64"),
        ("macosx-10.13-universal2", {"ARCHFLAGS": "-arch arm64"}, "macosx-11.0-arm64"),
        ("macosx-11.0-arm64", {"ARCHFLAGS": "-arch arm64 -arch x86_64"}, "macosx-11.0-universal2"),
        ("macosx-11.0-x86_64", {"MACOSX_DEPLOYMENT_TARGET": "13"}, "macosx-13.0-x86_64"),
        ("macosx-11.0-x86_64", {"MACOSX_DEPLOYMENT_TARGET": "10.15.7"}, "macosx-10.15-x86_64"),
    ],
)
def test_the_words_of_cibuildwheel_on_macos(platform: str, variables: dict[str, str], meant: str) -> None:
    from nasm_build.target_python import macos_platform

    assert macos_platform(platform, variables) == meant
