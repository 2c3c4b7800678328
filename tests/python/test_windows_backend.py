"""The backend on Windows: a real CPython for Windows, with nasm.exe, lld-link and nasm-ext.exe, builds examples/pymult.

Wine runs all of them. The module must be the one that a cross build on Linux writes, byte for byte, when both use the
same releases of NASM and of lld: nothing of the machine that builds goes into a module.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools import environments, windows_native
from devtools.environments import REQUIREMENTS
from devtools.nasms import fetch_nasms
from devtools.pythons import maven, offer, windows_tools, wine
from projects import Toolbox

ROOT = Path(__file__).resolve().parents[2]
WHEEL = "pymult-1.0.0-cp313-cp313-win_amd64.whl"
MEMBER = "pymult.cp313-win_amd64.pyd"
ARTEFACT = next(one for one in maven.ARTEFACTS if one.minor == "3.13")
BUILD = "import sys; from nasm_build import backend; print('->', backend.build_wheel(sys.argv[1]))"


@dataclass(frozen=True)
class WindowsBuild:
    """What a build there printed, with `<project>` for its folder, and the wheels that it left."""

    status: int
    output: str
    wheels: tuple[Path, ...]

    def own_lines(self) -> list[str]:
        """What is not the engine's own progress."""
        return [line for line in self.output.splitlines() if not line.startswith(("running ", "building "))]


@pytest.fixture(scope="session")
def packages() -> Path:
    """A folder for PYTHONPATH with setuptools."""
    requirements = REQUIREMENTS / "builds-windows.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]

    def make(work: Path, _: Path) -> None:
        words = ["--platform", "any", "--python-version", ARTEFACT.minor]
        environments.install_foreign(requirements, work / "result", words)

    return offer.provide(f"windows-builds-{key}", "fetching setuptools for Windows", make)


@pytest.fixture(scope="session")
def windows_nasm_ext() -> Path:
    """nasm-ext.exe of this tree."""
    return windows_native.executable(environments.development())


class Windows:
    """Builds projects with nasm-build's Python sources and the Windows programs."""

    def __init__(self, packages: Path, nasm_ext: Path, work: Path) -> None:
        self.work = work
        # As pip leaves ziglang: a package with its program in it, which a build finds without a setting.
        ziglang = work / "packages/ziglang"
        ziglang.mkdir(parents=True)
        (ziglang / "__init__.py").touch()
        (ziglang / "zig.exe").symlink_to(windows_tools.zig())
        self.variables = {
            "PYTHONPATH": wine.search_path(ROOT / "python", packages, ziglang.parent),
            "PYTHONDONTWRITEBYTECODE": "1",  # into the tree
            "NASM": wine.windows_path(windows_tools.nasm()),
            "NASM_EXT": wine.windows_path(nasm_ext),
        }

    def build(self, project: Path) -> WindowsBuild:
        wheels = self.work / f"{project.name}-windows"
        wheels.mkdir()
        done = self.run(["-c", BUILD, wheels], project)
        output = done.output.replace(wine.windows_path(project), "<project>")
        return WindowsBuild(done.status, output, tuple(sorted(wheels.glob("*.whl"))))

    def run(self, words: list[str | Path], folder: Path, more_packages: tuple[Path, ...] = ()) -> wine.Done:
        path = ";".join([wine.search_path(*more_packages), self.variables["PYTHONPATH"]])
        return wine.run_windows(
            maven.provide(ARTEFACT), words, env={**self.variables, "PYTHONPATH": path}, cwd=folder, timeout=300
        )


@pytest.fixture
def windows(packages: Path, windows_nasm_ext: Path, tmp_path: Path) -> Windows:
    return Windows(packages, windows_nasm_ext, tmp_path)


@pytest.fixture
def pymult(tmp_path: Path) -> Path:
    """A copy of the example, as a user would have it."""
    left = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "tests")
    return shutil.copytree(ROOT / "examples/pymult", tmp_path / "pymult", ignore=left)


def module(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        assert sorted(name for name in archive.namelist() if ".dist-info/" not in name) == [MEMBER, "pymult.pyi"]
        return archive.read(MEMBER)


def built_on_linux(toolbox: Toolbox, project: Path) -> bytes:
    """The module of a cross build, by the releases of NASM and of lld whose Windows programs the other build uses."""
    tools = toolbox.work / "linux-tools"
    with zipfile.ZipFile(windows_tools.zig_for_linux()) as archive:
        zig = Path(archive.extract("ziglang/zig", tools))
    zig.chmod(0o755)
    linker = tools / "lld-link"
    linker.write_text(f'#!/bin/sh\nexec {zig} lld-link "$@"\n')
    linker.chmod(0o755)
    made = toolbox.hook(
        project,
        env={"NASM": str(fetch_nasms()["2.16.03"]), "NASM_BUILD_LINKER": str(linker)},
        config_settings={"target": "win-amd64", "target-python": ARTEFACT.minor},
    )
    assert made.wheel.name == WHEEL
    return module(made.wheel)


def test_pymult_is_built_imported_and_called_there_and_is_the_cross_built_one(
    windows: Windows, toolbox: Toolbox, pymult: Path
) -> None:
    elsewhere = shutil.copytree(pymult, toolbox.work / "linux" / "pymult")
    made = windows.build(pymult)
    assert made.status == 0, made.output
    assert made.output.endswith(f"-> {WHEEL}\n"), made.output
    assert [wheel.name for wheel in made.wheels] == [WHEEL]

    with zipfile.ZipFile(made.wheels[0]) as archive:
        archive.extractall(windows.work / "installed")
    program = "import pymult, sys; print(sys.platform, pymult.__file__.rpartition('\\\\')[2], pymult.multiply(6, 7))"
    done = windows.run(["-c", program], windows.work, (windows.work / "installed",))
    assert done == wine.Done(0, f"win32 {MEMBER} 42\n")

    assert module(made.wheels[0]) == built_on_linux(toolbox, elsewhere)


def test_a_second_build_there_gives_the_same_wheel(windows: Windows, pymult: Path) -> None:
    first = windows.build(pymult)
    assert first.status == 0, first.output
    kept = first.wheels[0].read_bytes()
    shutil.rmtree(first.wheels[0].parent)
    second = windows.build(pymult)
    assert second.status == 0, second.output
    assert second.wheels[0].read_bytes() == kept


def test_a_mistake_in_the_source_is_told_with_its_line_and_leaves_no_wheel(windows: Windows, pymult: Path) -> None:
    source = pymult / "pymult.asm"
    text = source.read_text(encoding="utf-8")
    assert text.count("    imul    rax, first\n") == 1
    source.write_text(text.replace("    imul    rax, first\n", "    imull   rax, first\n"), encoding="utf-8")
    line = text[: text.index("    imul ")].count("\n") + 1
    made = windows.build(pymult)
    assert made.status == 1, made.output
    assert made.wheels == ()
    told, command, status, *rest = made.own_lines()
    assert told == f"pymult.asm:{line}: error: parser: instruction expected [nasm]", made.output
    assert command.startswith("  command: nasm -f win64 ") and command.endswith(" pymult.asm"), made.output
    assert status == "  exit status 1" and "".join(rest) == "", made.output
