"""One build of one project: its settings, its locked folder, and what was learnt on the way.

The backend opens a session before it starts an engine; under plain setuptools the plugin opens one for as long as the
commands run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .build_folder import build_folder, private_folder, sync_folder, termination_as_exit
from .errors import say
from .settings import Settings
from .target_python import ON_MACOS, TargetPython, note_on_environment, target_python
from .toolchain import Toolchain, load_toolchain

EPOCH = "315532800"
"""1980-01-01, the oldest time a zip archive can hold: what `SOURCE_DATE_EPOCH` is when the caller set none."""


@dataclass
class Session:
    """`folder` is this build's own while the session lasts, and `scratch` in it is gone afterwards.

    `by_backend`: the gate stands outside the engine.
    """

    settings: Settings
    folder: Path
    scratch: Path
    by_backend: bool
    python: TargetPython
    checked: set[str] = field(default_factory=set)  #: modules that were read back right after their link
    expected: dict[str, bool] = field(default_factory=dict)  #: module name -> whether a wheel may lack it
    warned: set[str] = field(default_factory=set)

    @property
    def root(self) -> Path:
        return self.settings.root

    def toolchain(self, limited_api: str = "") -> Toolchain:
        """What the target needs, for one ABI; NASM's own warnings are said once."""
        found = load_toolchain(self.python, limited_api=limited_api, nasm=self.settings.nasm)
        for warning in found.warnings:
            if warning not in self.warned:
                self.warned.add(warning)
                say(f"warning: {warning} [nasm-version]")
        return found

    def include_folder(self) -> str:
        """Our NASM include files, in a folder of the project, relative to it wherever that is possible."""
        target = self.folder / "include"
        sync_folder(Path(__file__).parent / "include", target)
        return self.relative(target)

    def relative(self, path: Path) -> str:
        """A path as NASM and messages should see it: relative to the project if it lies there."""
        try:
            return path.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return path.resolve().as_posix()


@contextlib.contextmanager
def open_session(settings: Settings, *, by_backend: bool) -> Iterator[Session]:
    """Takes the project's build folder for one build, and makes what it writes the same at every time and place."""
    python = target_python(settings.target, settings.target_python)
    note = note_on_environment()
    if note and not settings.target:
        say(f"note: {note}")
    with (
        termination_as_exit(),
        build_folder(settings.root, settings.build_dir) as folder,
        private_folder(folder) as scratch,
        _same_everywhere(),
        _deployment_target(python),
    ):
        yield Session(settings, folder, scratch, by_backend, python)


@contextlib.contextmanager
def _deployment_target(python: TargetPython) -> Iterator[None]:
    """On macOS, lets clang and setuptools build for the oldest macOS that the target names."""
    name = "MACOSX_DEPLOYMENT_TARGET"
    if not ON_MACOS or name in os.environ or not python.platform.startswith("macosx-"):
        yield
        return
    os.environ[name] = python.platform.split("-")[1]
    try:
        yield
    finally:
        os.environ.pop(name, None)


@contextlib.contextmanager
def _same_everywhere() -> Iterator[None]:
    """Fixes the times and permissions that would differ between two builds of the same sources."""
    unset = "SOURCE_DATE_EPOCH" not in os.environ
    if unset:
        os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    mask = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(mask)
        if unset:
            os.environ.pop("SOURCE_DATE_EPOCH", None)
