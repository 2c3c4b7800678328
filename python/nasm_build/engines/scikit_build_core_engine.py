"""scikit-build-core as the engine, for CMake projects: its own hooks, its wheel held at our gate.

nasm-build's settings mean here what they mean elsewhere: they become the engine's own. CMake finds our package through
the entry point `cmake.prefix`, and nasm-ext by the variable that this process was told it by.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import failed, say
from ..executable import find_executable

if TYPE_CHECKING:
    from ..session import Session

REQUIRES = ["scikit-build-core>=0.11"]
_CMAKE = "cmake>=3.24"  # the oldest that find_package(NasmBuild) takes
_WITHOUT_ISOLATION = "pip install nasm-build scikit-build-core cmake ninja; then pip install --no-build-isolation -e ."


def requires(options: Mapping[str, Any]) -> list[str]:
    """What a build needs beside us. The engine says itself whether CMake and Ninja are to come from PyPI.

    Where the project does not name the engine in its requirements, it is not there yet, and PATH is looked at.
    """
    if importlib.util.find_spec("scikit_build_core") is not None:
        return [*REQUIRES, *_hooks().get_requires_for_build_wheel(dict(options))]
    programs = {"cmake": _CMAKE, "ninja": "ninja"}
    return [*REQUIRES, *(package for program, package in programs.items() if shutil.which(program) is None)]


def build_wheel(session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str:
    with _prepared(session, options) as words:
        return str(_hooks().build_wheel(folder, words, metadata))


def build_editable(session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str:
    with _prepared(session, options) as words:
        _require_rebuilds(words)
        return str(_hooks().build_editable(folder, words, metadata))


def build_sdist(session: Session, folder: str, options: Mapping[str, Any]) -> str:
    with _prepared(session, options) as words:
        return str(_hooks().build_sdist(folder, words))


def prepare_metadata(session: Session, folder: str, options: Mapping[str, Any], *, editable: bool) -> str:
    hooks = _hooks()
    prepare = hooks.prepare_metadata_for_build_editable if editable else hooks.prepare_metadata_for_build_wheel
    with _prepared(session, options) as words:
        return str(prepare(folder, words))


def _hooks() -> Any:
    try:
        import scikit_build_core.build
    except ModuleNotFoundError:
        raise failed(
            "scikit-build-core is not installed, and this project is built with it",
            "engine",
            "pip install 'scikit-build-core>=0.11'",
        ) from None
    return scikit_build_core.build


@contextlib.contextmanager
def _prepared(session: Session, options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The engine's config-settings with ours among them, while CMake can see which nasm-ext is meant."""
    _require_own_target(session)
    settings = session.settings
    words = dict(options)
    if settings.nasm:
        words.setdefault("cmake.define.NASM_BUILD_NASM", settings.nasm)
    if settings.debug:
        words.setdefault("cmake.build-type", "Debug")
        words.setdefault("install.strip", "false")
    if settings.build_dir:
        words.setdefault("build-dir", settings.build_dir)
    before = os.environ.get("NASM_EXT")
    executable = find_executable()
    if executable is not None:
        os.environ["NASM_EXT"] = str(executable)
    try:
        yield words
    finally:
        if before is None:
            os.environ.pop("NASM_EXT", None)
        else:
            os.environ["NASM_EXT"] = before


def _require_own_target(session: Session) -> None:
    """CMake builds for another platform by a toolchain file, and the engine names wheels for its own Python alone."""
    if session.python.foreign:
        raise failed(
            f"this project is built by CMake for its own Python, and the target is CPython {session.python.version} on "
            f"{session.python.platform}",
            "cross-build",
            "build it with that CPython on its own platform (cibuildwheel does), or the modules alone with CMake and "
            "a toolchain file (docs/cmake.md)",
        )


def _require_rebuilds(options: Mapping[str, Any]) -> None:
    """An editable install that rebuilds at import needs what builds now, and an isolated environment is gone then.

    Raises BuildError where the project asks for rebuilds; otherwise it is said that edits need another install.
    """
    if not _is_isolated():
        return
    from scikit_build_core.settings.skbuild_read_settings import SettingsReader

    reader: Any = SettingsReader.from_file("pyproject.toml", dict(options))
    if reader.settings.editable.rebuild:
        raise failed(
            "editable.rebuild builds at import, with the CMake and the nasm-build of this build environment, and pip "
            "deletes that when the install is done",
            "editable",
            _WITHOUT_ISOLATION,
        )
    say(
        "note: an editable install from an isolated build cannot rebuild: after an edit of a compiled source, install "
        f"again; or, to have it rebuilt at import: {_WITHOUT_ISOLATION} -C editable.rebuild=true"
    )


def _is_isolated() -> bool:
    """Whether the environment of this build is gone after it.

    pip puts packages of an isolated build outside every site-packages; build and uv make a virtual environment, which
    shows by its name.
    """
    package = Path(__file__).resolve().parents[1]
    lasting = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    lasting.add(site.getusersitepackages())
    is_installed = any(package.is_relative_to(Path(folder).resolve()) for folder in lasting)
    is_source_tree = (package.parents[1] / "pyproject.toml").is_file()
    prefix = Path(sys.prefix)
    is_made_for_build = prefix.name.startswith("build-env-") or prefix.parent.name == "builds-v0"
    return is_made_for_build or not (is_installed or is_source_tree)
