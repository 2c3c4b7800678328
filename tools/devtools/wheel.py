"""Builds nasm-build's own wheel, once for each content of its sources, and keeps the newest few."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import lief, native
from .cache import cache_folder, locked, prune, touch
from .environments import Environment
from .shell import ROOT, DevelopmentError, Stopwatch, build_folder, run, say

SOURCES = (
    "CMakeLists.txt",
    "LICENSE",
    "LICENSE-0BSD",
    "README.md",
    "cmake",
    "docs/rules",
    "pyproject.toml",
    "python",
    "src",
)
KEPT = 6


def provide(environment: Environment) -> Path:
    """The wheel of this tree's sources as they are now. Raises DevelopmentError."""
    prefix = lief.prefix(environment.python)
    with locked(build_folder() / "wheel"):
        kept = cache_folder("wheels") / content_hash(prefix.name)
        wheels = list(kept.glob("*.whl"))
        if not wheels:
            with Stopwatch("building nasm-build's wheel"):
                kept = _build_unchanged(environment, prefix)
            prune((path for path in kept.parent.iterdir() if path.is_dir()), KEPT)
            wheels = list(kept.glob("*.whl"))
    if len(wheels) != 1:
        raise DevelopmentError(f"{kept} has {len(wheels)} wheels; remove the folder and try again")
    touch(kept)
    return wheels[0]


def content_hash(*others: str, sources: Sequence[str] = SOURCES) -> str:
    """A name for the content of every file that the wheel is made from, and of what else decides it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *sources],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\0")
    names = [name for name in listed if name] or _walk(sources)
    key = hashlib.sha256("\0".join([*others, sys.platform]).encode())
    for name in sorted(set(names)):
        file = ROOT / name
        if file.is_file():
            key.update(f"{name}\0{os.access(file, os.X_OK)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return key.hexdigest()[:16]


def _walk(sources: Sequence[str]) -> list[str]:
    """The same list where there is no git checkout, as in an unpacked sdist."""
    found: list[str] = []
    for name in sources:
        path = ROOT / name
        files = path.rglob("*") if path.is_dir() else [path]
        found += [str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts]
    return found


def _build_unchanged(environment: Environment, prefix: Path) -> Path:
    """Builds until no source was edited meanwhile: a wheel must be what its folder's name says."""
    while True:
        before = content_hash(prefix.name)
        kept = cache_folder("wheels") / before
        _build(environment, prefix, kept)
        if content_hash(prefix.name) == before:
            return kept
        shutil.rmtree(kept)
        say("sources were edited during the build: building again")


def _build(environment: Environment, prefix: Path, kept: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=kept.parent) as work:
        # In the build folder of the C++ part: what its tests' build has compiled is not compiled again.
        run(
            [environment.python, "-m", "build", "--wheel", "--no-isolation", "--outdir", work,
             f"-Cbuild-dir={native.folder()}",
             "-Ccmake.define.CMAKE_EXPORT_COMPILE_COMMANDS=ON", "-Ccmake.define.NASM_BUILD_WARNINGS_AS_ERRORS=ON"],
            env={
                **native.compiler_cache(),
                "CMAKE_PREFIX_PATH": str(prefix),
                "CMAKE_GENERATOR": "Ninja",
                "PATH": os.pathsep.join([str(environment.scripts), os.environ["PATH"]]),
            },
        )  # fmt: skip
        shutil.rmtree(kept, ignore_errors=True)
        staged = Path(work) / "staged"
        staged.mkdir()
        for wheel in Path(work).glob("*.whl"):
            wheel.rename(staged / wheel.name)
        staged.rename(kept)
