"""nasm-build's own distribution: what its wheel holds, how it installs, what it says where it cannot be built."""

from __future__ import annotations

import configparser
import platform
import re
import subprocess
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from projects import Toolbox

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r'^VERSION = "(.*)"$', (ROOT / "python/nasm_build/_version.py").read_text(), re.MULTILINE)[1]  # type: ignore[index]


def metadata(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"nasm_build-{VERSION}.dist-info/{name}").decode()


def members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_serves_every_cpython_of_its_platform(nasm_build_wheel: Path) -> None:
    assert re.fullmatch(rf"nasm_build-{re.escape(VERSION)}-py3-none-(?!any)\w+\.whl", nasm_build_wheel.name)
    names = members(nasm_build_wheel)
    assert f"nasm_build-{VERSION}.data/scripts/nasm-ext" in names
    assert {"nasm_build/__init__.py", "nasm_build/py.typed", "nasm_build/include/Python.inc"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc", ".cpp", ".o"))]
    assert {name.split("/")[0] for name in names} == {
        "nasm_build",
        f"nasm_build-{VERSION}.data",
        f"nasm_build-{VERSION}.dist-info",
    }


def test_the_wheel_says_under_which_licences_it_is(nasm_build_wheel: Path) -> None:
    described = Parser().parsestr(metadata(nasm_build_wheel, "METADATA"))
    assert described["License-Expression"] == "MIT AND 0BSD"
    assert described.get_all("License-File") == ["LICENSE", "LICENSE-0BSD"]
    assert described["Requires-Python"] == ">=3.10"
    assert described.get_all("Requires-Dist") == ['tomli>=2.0; python_version < "3.11"']


def test_setuptools_finds_the_plugin(nasm_build_wheel: Path) -> None:
    points = configparser.ConfigParser()
    points.read_string(metadata(nasm_build_wheel, "entry_points.txt"))
    assert dict(points["setuptools.finalize_distribution_options"]) == {
        "nasm_build": "nasm_build.setuptools_plugin:finalize_distribution_options"
    }


def test_both_halves_state_one_version(nasm_ext: Path, environment: Path) -> None:
    native = subprocess.run([nasm_ext, "--version"], capture_output=True, text=True, check=True)
    assert native.stdout == f"nasm-ext {VERSION}\n"


@pytest.fixture(scope="module")
def source_release(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    subprocess.run(
        [environment / "bin/python", "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        check=True,
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else opened.extractall(folder)
    return folder / f"nasm_build-{VERSION}"


FIND = "from nasm_build.executable import find_executable; print(find_executable())"

# As a machine of another kind sees it: the build asks platform.machine().
PRETEND = """
import platform, sys
platform.machine = lambda: sys.argv[1]
from scikit_build_core.build import build_wheel, get_requires_for_build_wheel
print("requires", get_requires_for_build_wheel())
print("->", build_wheel(sys.argv[2]))
"""


@pytest.mark.parametrize("machine", ["riscv64", "ppc64le", "s390x", "armv7l", "i686"])
def test_other_machines_get_pure_python(machine: str, source_release: Path, toolbox: Toolbox, tmp_path: Path) -> None:
    done = toolbox.run(
        [toolbox.python, "-c", PRETEND, machine, tmp_path], cwd=source_release, env={"PATH": str(toolbox.scripts)}
    )
    assert done.returncode == 0, str(done)
    assert "requires []" in done.output, "pure Python needs no CMake"
    wheel = tmp_path / f"nasm_build-{VERSION}-py3-none-any.whl"
    assert f"-> {wheel.name}" in done.output
    assert not [name for name in members(wheel) if "nasm-ext" in name]
    installed = toolbox.install(wheel, tmp_path / "installed")
    bare = toolbox.new_environment("bare")
    found = bare.run([bare.python, "-c", FIND], env={"PYTHONPATH": str(installed), "PATH": "/nowhere"})
    assert found.output == "None\n"


@pytest.mark.parametrize("machine", ["x86_64", "AMD64", "arm64", "aarch64", platform.machine()])
def test_x86_and_arm_get_the_native_part(machine: str, source_release: Path, toolbox: Toolbox, tmp_path: Path) -> None:
    script = PRETEND.replace('print("->", build_wheel(sys.argv[2]))', "")
    done = toolbox.run(
        [toolbox.python, "-c", script, machine, tmp_path], cwd=source_release, env={"PATH": str(toolbox.scripts)}
    )
    assert done.returncode == 0, str(done)
    assert re.search(r"requires \['cmake>=3\.24.*'ninja", done.output), "without them on PATH, both are asked for"


def configure(build: Path, *definitions: str) -> tuple[int, str]:
    """CMake's exit status for our sources, and what it said of errors, in one line."""
    done = subprocess.run(
        ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", *definitions], capture_output=True, text=True, check=False
    )
    return done.returncode, " ".join(done.stderr.split())


def pretended_lief(folder: Path, version: str) -> str:
    """The definition by which CMake finds a LIEF that is nothing but its version."""
    folder.mkdir()
    (folder / "LIEFConfig.cmake").write_text("")
    (folder / "LIEFConfigVersion.cmake").write_text(
        f'set(PACKAGE_VERSION "{version}")\n'
        "if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)\n  set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n"
    )
    return f"-DLIEF_DIR={folder}"


def test_a_missing_lief_is_told_with_what_to_do(tmp_path: Path) -> None:
    status, said = configure(tmp_path, "-DCMAKE_DISABLE_FIND_PACKAGE_LIEF=ON")
    assert status == 1
    assert "LIEF 0.12.3 or newer was not found fix: " in said
    assert "fix: run ./dev setup, which builds it once for this machine and prints the folder" in said


def test_a_lief_that_is_older_than_a_release_wants_is_told_with_its_place(tmp_path: Path) -> None:
    lief = pretended_lief(tmp_path / "lief", "0.17.6")
    status, said = configure(tmp_path / "build", lief, "-DNASM_BUILD_LIEF_MINIMUM=1.0.0")
    assert status == 1
    assert f"LIEF 1.0.0 or newer was not found: there is 0.17.6, by {tmp_path}/lief/LIEFConfig.cmake fix: " in said
    assert "./dev setup" not in said, "that one builds 0.12.3"


def test_a_lief_between_the_two_that_are_known_is_refused(tmp_path: Path) -> None:
    status, said = configure(tmp_path / "build", pretended_lief(tmp_path / "lief", "0.16.7"))
    assert status == 1
    assert f"LIEF 0.16.7 ({tmp_path}/lief) is not one that can be built with fix: take 1.0.0" in said


def test_a_lief_whose_own_libraries_are_missing_is_told_with_them(tmp_path: Path) -> None:
    lief = pretended_lief(tmp_path / "lief", "1.0.0")
    (tmp_path / "lief/LIEFConfig.cmake").write_text(
        "include(CMakeFindDependencyMacro)\nfind_dependency(NothingLikeThis)\n"
    )
    status, said = configure(tmp_path / "build", lief)
    assert status == 1
    assert "LIEF could not be found because dependency NothingLikeThis could not be found" in said
