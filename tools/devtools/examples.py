"""The example projects, taken out of the tree and built there, as the project of a user who copied one."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from .environments import Environment
from .forms import Form
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


def build(project: Path, form: Form, builds: Environment, work: Path, settings: Sequence[str] = ()) -> Path:
    """Builds a project's wheel in a form, with an environment's nasm-build and further config settings.

    Raises DevelopmentError.
    """
    # As where the environment is active: Meson, Ninja and nasm-ext are looked for on PATH.
    path = os.pathsep.join([str(builds.scripts), os.environ["PATH"]])
    wheels = work / "wheels"
    form.apply(project)
    run(
        [builds.python, "-m", "pip", "--disable-pip-version-check", "wheel", project, "--no-deps",
         "--no-build-isolation", "--wheel-dir", wheels,
         *(word for setting in (*form.config_settings, *settings) for word in ("-C", setting))],
        env={"PATH": path, **form.environment},
        quiet=True,
    )  # fmt: skip
    made = list(wheels.glob("*.whl"))
    if len(made) != 1:
        raise DevelopmentError(f"pip wheel left {[path.name for path in made]}, not one wheel of {project.name}")
    return made[0]


def install(wheel: Path, builds: Environment, folder: Path) -> None:
    """Installs a wheel into a folder for PYTHONPATH: pip decides whether it is one for this CPython."""
    pip: list[str | Path] = [builds.python, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "--no-deps", "--target", folder, wheel], quiet=True)


def unpack(wheel: Path, folder: Path) -> None:
    """Unpacks a wheel for another platform: what pip does of it, but for the question whether it may."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
