"""CMake projects through `nasm_build.backend`: scikit-build-core builds, nasm-build's gate, tags and settings hold."""

from __future__ import annotations

import shutil
import time
import zipfile
from pathlib import Path

import pytest

from cmake_projects import ASK, PURE
from conftest import Projects
from devtools import examples
from devtools.shell import ROOT
from projects import Toolbox

EXAMPLE = ROOT / "examples/cmake-module"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of examples/cmake-module."""
    return examples.copy(EXAMPLE, tmp_path)


def changed(folder: Path, name: str, old: str, new: str) -> None:
    """Changes one place of a file."""
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_the_example_from_its_sdist_isolated(toolbox: Toolbox, example: Path) -> None:
    """`pip wheel` of the sdist, everything fetched anew: a checked wheel with the lowest tag that it allows."""
    made = toolbox.hook(example, "build_sdist")
    assert made.returncode == 0, str(made)
    unpacked = toolbox.work / "unpacked"
    shutil.unpack_archive(made.wheels[0], unpacked)
    build = toolbox.build(next(unpacked.iterdir()), isolated=True)
    assert build.returncode == 0, str(build)
    assert "-manylinux_2_" in build.wheels[0].name
    with zipfile.ZipFile(build.wheels[0]) as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith(".so")] == [
        name for name in names if name.startswith("bytecount.cp")
    ]
    asked = "import bytecount; print(bytecount.count(b'assembly', ord('s')), bytecount.KERNEL)"
    assert toolbox.call(build.wheel, asked).output == "2 assembly\n"


def test_a_module_of_assembly_alone(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(PURE))
    assert build.returncode == 0, str(build)
    assert build.wheel.stat().st_size < 6000
    assert toolbox.call(build.wheel, ASK).output == "42\n"


def test_the_gate_stands_behind_the_engine(toolbox: Toolbox, project: Projects) -> None:
    """What CMake was told not to check is read back in the finished wheel all the same."""
    folder = project(PURE)
    changed(folder, "CMakeLists.txt", "SOURCES answer.asm", "SOURCES answer.asm NO_CHECK")
    changed(folder, "answer.asm", "py_module answer,", "py_module answers,")
    build = toolbox.hook(folder)
    assert build.returncode != 0
    message = "exports PyInit_answers, not PyInit_answer: CPython finds no entry point for a module named answer"
    assert f"error: {message} [entry-missing]" in build.output
    assert not build.wheels


def test_settings_mean_what_they_mean_elsewhere(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """`debug`, `nasm` and `build-dir` of ours; `cmake.define` of the engine's own."""
    folder = project(PURE)
    log = tmp_path / "log"
    real = shutil.which("nasm")
    assert real is not None
    logging = tmp_path / "logging-nasm"
    logging.write_text(f'#!/bin/sh\necho "$*" >>"{log}"\nexec {real} "$@"\n', encoding="utf-8")
    logging.chmod(0o755)
    config = {"debug": "true", "nasm": str(logging), "cmake.define.WANTED": "yes", "build-dir": "elsewhere"}
    build = toolbox.hook(folder, config_settings=config)
    assert build.returncode == 0, str(build)
    assert " answer.asm" in log.read_text(encoding="utf-8")
    cache = (folder / "elsewhere/CMakeCache.txt").read_text(encoding="utf-8")
    assert "CMAKE_BUILD_TYPE:STRING=Debug" in cache
    assert "WANTED:UNINITIALIZED=yes" in cache or "WANTED:STRING=yes" in cache
    with zipfile.ZipFile(build.wheel) as archive:
        module = next(name for name in archive.namelist() if name.endswith(".so"))
        assert b".debug_line" in archive.read(module)


def test_an_edit_is_there_at_the_next_import(toolbox: Toolbox, project: Projects) -> None:
    """An editable install without isolation, with the engine's rebuild-on-import."""
    folder = project(PURE)
    own = toolbox.new_environment("editing", "pip", "nasm-build", "scikit-build-core", "pathspec", "packaging")
    words = ["-m", "pip", "install", "--no-deps", "--no-build-isolation", "-C", "editable.rebuild=true", "-e", "."]
    installed = own.run([own.python, *words], cwd=folder)
    assert installed.returncode == 0, str(installed)
    assert own.run([own.python, "-c", ASK]).output.splitlines()[-1] == "42"
    time.sleep(1.1)  # CMake installs no file whose time is less than a second younger than what is there
    changed(folder, "answer.asm", "PyLong_FromLong, 42", "PyLong_FromLong, 43")
    edited = own.run([own.python, "-c", ASK])
    assert edited.output.splitlines()[-1] == "43", str(edited)
    changed(folder, "answer.asm", "PyLong_FromLong, 43", "PyLong_FromLong, no_such_number")
    broken = own.run([own.python, "-c", ASK])
    assert broken.returncode != 0
    assert "answer.asm:4: error: symbol `no_such_number' not defined [nasm]" in broken.output


def test_an_isolated_editable_install_cannot_rebuild(toolbox: Toolbox, project: Projects) -> None:
    folder = project(PURE)
    own = toolbox.new_environment("isolated", "pip")
    words = ["-m", "pip", "install", "--no-deps", "--verbose", "-e", "."]
    refused = own.run([own.python, *words, "-C", "editable.rebuild=true"], cwd=folder)
    assert refused.returncode != 0
    assert (
        "error: editable.rebuild builds at import, with the CMake and the nasm-build of this build environment, and pip "
        "deletes that when the install is done [editable]"
    ) in refused.output
    assert "fix: pip install nasm-build scikit-build-core cmake ninja; then pip install" in refused.output
    installed = own.run([own.python, *words], cwd=folder)
    assert installed.returncode == 0, str(installed)
    assert "note: an editable install from an isolated build cannot rebuild" in installed.output
    assert own.run([own.python, "-c", ASK]).output == "42\n"


def test_another_platform_is_refused(toolbox: Toolbox, project: Projects) -> None:
    done = toolbox.hook(project(PURE), config_settings={"target": "win-amd64", "target-python": "3.13"})
    assert done.returncode != 0
    assert (
        "error: this project is built by CMake for its own Python, and the target is CPython 3.13 on win-amd64 "
        "[cross-build]"
    ) in done.output


def test_without_the_engine_the_hook_asks_for_it(toolbox: Toolbox, project: Projects) -> None:
    """Requirements of a project that names nasm-build alone: pip fetches the engine, and CMake where there is none."""
    own = toolbox.new_environment("bare", "nasm-build")
    folder = project(PURE)
    script = "import nasm_build.backend as b; print(b.get_requires_for_build_wheel())"
    assert own.run([own.python, "-c", script], cwd=folder).output == "['scikit-build-core>=0.11']\n"
    bare = {"PATH": str(own.scripts)}
    assert own.run([own.python, "-c", script], cwd=folder, env=bare).output == (
        "['scikit-build-core>=0.11', 'cmake>=3.24', 'ninja']\n"
    )
