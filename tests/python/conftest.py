"""What the Python tests share: nasm-ext, nasm-build's wheel, an environment with it, and throwaway projects.

./dev test names all of these in environment variables. Without them (pytest started by hand) they are made or taken
from this clone's build; what cannot be had is an error, never a skip.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cmake_projects import Builder
from devtools import environments, interpreters, native, wheel, wheelhouse
from projects import Toolbox, write_project

Projects = Callable[..., Path]


@pytest.fixture(scope="session")
def nasm_ext() -> Path:
    """The executable under test."""
    named = os.environ.get("NASM_EXT")
    path = Path(named) if named else native.executable()
    assert os.access(path, os.X_OK), f"{path} is no program; build it with: ./dev build"
    return path


@pytest.fixture(scope="session")
def nasm_build_wheel() -> Path:
    """nasm-build's own wheel, of the sources as they are now."""
    named = os.environ.get("NASM_BUILD_WHEEL")
    path = Path(named) if named else wheel.provide(environments.development())
    assert path.is_file(), f"{path} is not there; build it with: ./dev build"
    return path


@pytest.fixture(scope="session")
def wheelhouse_folder() -> Path:
    """A folder with every wheel that an isolated build of a test's project may require, but for nasm-build's own."""
    named = os.environ.get("NASM_BUILD_WHEELHOUSE")
    if named:
        return Path(named)
    host = interpreters.ask(Path(sys.executable))
    assert host is not None
    return wheelhouse.provide(environments.provide("tests", host.path, "tests.txt"), host)


@pytest.fixture(scope="session")
def environment(nasm_build_wheel: Path) -> Path:
    """A virtual environment with nasm-build and what builds ask for; shared by all tests, so nothing writes into it."""
    named = os.environ.get("NASM_BUILD_ENVIRONMENT")
    if named:
        return Path(named)
    host = interpreters.ask(Path(sys.executable))
    assert host is not None
    made: environments.Environment = environments.provide("builds", host.path, "builds.txt", (nasm_build_wheel,))
    return made.folder


@pytest.fixture
def toolbox(environment: Path, wheelhouse_folder: Path, nasm_build_wheel: Path, tmp_path: Path) -> Toolbox:
    """Runs a user's commands (`build`, `hook`, `run`, `call`) in a folder of this test's own."""
    return Toolbox(environment, (wheelhouse_folder, nasm_build_wheel.parent), tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Projects:
    """Writes a project: `project({"pyproject.toml": "…", "m.asm": "…"})` gives its folder."""

    def write(files: Mapping[str, str | bytes], name: str = "project") -> Path:
        return write_project(tmp_path / name, files)

    return write


@pytest.fixture
def builder(nasm_ext: Path, tmp_path: Path) -> Builder:
    """Configures and builds a CMake project of this test's own."""
    return Builder(nasm_ext, tmp_path / "project")


@pytest.fixture
def machine_without_nasm(tmp_path: Path) -> list[str]:
    """The words that run a command where the usual places have no NASM: their folders are covered by empty ones."""
    assert shutil.which("unshare"), (
        "this test hides /usr/bin/nasm in a mount namespace of its own: unshare(1) is needed"
    )
    empty = tmp_path / "no nasm"
    empty.write_text("")
    hide = " && ".join(
        f"if [ -e {place}/nasm ]; then mount --bind '{empty}' {place}/nasm; fi"
        for place in ("/usr/bin", "/usr/local/bin", "/home/linuxbrew/.linuxbrew/bin")
    )
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "sh", "-c", hide + ' && exec "$0" "$@"']
