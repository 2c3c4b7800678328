"""The example projects, taken out of the tree and built there, as the project of a user who copied one."""

from __future__ import annotations

import shutil
from pathlib import Path

from .environments import Environment
from .shell import ROOT, DevelopmentError, run

LEFTOVERS = ("build", "*.so", "*.egg-info", "__pycache__", ".pytest_cache", ".hypothesis")
"""What earlier builds and tests may have left in an example's folder."""


def found() -> list[Path]:
    """The examples' folders: each is a project with tests of its own."""
    folders = sorted(path.parent for path in (ROOT / "examples").glob("*/tests") if any(path.glob("test_*.py")))
    if not folders:
        raise DevelopmentError("no example with tests was found in examples/")
    return folders


def copy(folder: Path, work: Path) -> Path:
    """A clean copy of an example in a folder outside the tree."""
    project = work / folder.name
    shutil.copytree(folder, project, ignore=shutil.ignore_patterns(*LEFTOVERS))
    return project


def install(project: Path, builds: Environment, work: Path) -> Path:
    """Builds a project's wheel with an environment's nasm-build; returns a folder for PYTHONPATH it is installed in."""
    wheels, installed = work / "wheels", work / "installed"
    pip: list[str | Path] = [builds.python, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "wheel", project, "--no-deps", "--no-build-isolation", "--wheel-dir", wheels], quiet=True)
    run([*pip, "install", "--no-deps", "--target", installed, *wheels.glob("*.whl")], quiet=True)
    return installed
