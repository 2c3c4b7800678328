"""The build backend: every hook of PEP 517 and PEP 660, over an engine, with the gate between it and the caller.

The engine writes into a private folder. A wheel is renamed into the caller's folder only after every module in it was
read back, so nothing that a project configures, no command class, plugin or engine, can step round the check.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .engines import engine_module, engine_name
from .errors import failed, user_errors
from .settings import Settings, read_settings

if TYPE_CHECKING:
    from .session import Session
    from .target_python import TargetPython

ConfigSettings = Mapping[str, Any] | None

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def _settings(config_settings: ConfigSettings) -> Settings:
    return read_settings(Path.cwd(), config_settings)


def _requires(config_settings: ConfigSettings, *, linker: bool = False) -> list[str]:
    with user_errors():
        settings = _settings(config_settings)
        name = engine_name(settings)
        found = [*engine_module(name).requires(settings.engine_options)]
        found += _linker_requirement(settings) if linker and name == "setuptools" else []
    return found


def _linker_requirement(settings: Settings) -> list[str]:
    """The linker from PyPI, where another platform's modules are to be linked and this machine has none."""
    if not settings.target:
        return []
    from .linker import ZIGLANG, find_linker
    from .target_python import target_python
    from .toolchain import load_toolchain

    python = target_python(settings.target, settings.target_python)
    if not python.foreign or load_toolchain(python, nasm=settings.nasm).link_style not in ("coff", "macho"):
        return []
    search = find_linker(python.platform, settings.linker, with_zig=False)
    return [] if search.linker or search.named else [ZIGLANG]


def get_requires_for_build_wheel(config_settings: ConfigSettings = None) -> list[str]:
    return _requires(config_settings, linker=True)


def get_requires_for_build_editable(config_settings: ConfigSettings = None) -> list[str]:
    return _requires(config_settings)


def get_requires_for_build_sdist(config_settings: ConfigSettings = None) -> list[str]:
    return _requires(config_settings)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: ConfigSettings = None) -> str:
    return _prepare(metadata_directory, config_settings, editable=False)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: ConfigSettings = None) -> str:
    return _prepare(metadata_directory, config_settings, editable=True)


def _prepare(metadata_directory: str, config_settings: ConfigSettings, *, editable: bool) -> str:
    from .session import open_session

    with user_errors():
        settings = _settings(config_settings)
        engine = engine_module(engine_name(settings))
        with open_session(settings, by_backend=True) as session:
            name = engine.prepare_metadata(session, metadata_directory, settings.engine_options, editable=editable)
    return name


def build_wheel(
    wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None
) -> str:
    """Builds the wheel and returns its name; ends with status 1 and the reason on standard error when it cannot."""

    def make(session: Session, folder: str) -> str:
        engine = engine_module(engine_name(session.settings))
        return engine.build_wheel(session, folder, session.settings.engine_options, metadata_directory)

    with user_errors():
        name = _through_the_gate(_settings(config_settings), wheel_directory, make, gate=True)
    return name


def build_editable(
    wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None
) -> str:
    """Builds the modules into the source tree, each read back after its link, and a wheel that leads there."""

    def make(session: Session, folder: str) -> str:
        _require_own_python(session.python)
        engine = engine_module(engine_name(session.settings))
        return engine.build_editable(session, folder, session.settings.engine_options, metadata_directory)

    with user_errors():
        name = _through_the_gate(_settings(config_settings), wheel_directory, make, gate=False)
    return name


def _require_own_python(python: TargetPython) -> None:
    """An editable install is imported by the Python that runs the build."""
    if python.foreign:
        raise failed(
            f"an editable install is imported here, and the target is CPython {python.version} on {python.platform}",
            "cross-build",
            "build a wheel for it: pip wheel . -C target=…; or leave the target out (also NASM_BUILD_TARGET)",
        )


def build_sdist(sdist_directory: str, config_settings: ConfigSettings = None) -> str:
    """Builds the source distribution, with every assembly source and all it includes, for all platforms."""

    def make(session: Session, folder: str) -> str:
        engine = engine_module(engine_name(session.settings))
        return engine.build_sdist(session, folder, session.settings.engine_options)

    with user_errors():
        name = _through_the_gate(_settings(config_settings), sdist_directory, make, gate=False)
    return name


def _through_the_gate(settings: Settings, directory: str, make: Callable[[Session, str], str], *, gate: bool) -> str:
    """Lets `make` work in a private folder, checks what it made, and only then gives it its place."""
    from .build_folder import private_folder
    from .session import open_session

    place = Path(directory)
    with open_session(settings, by_backend=True) as session, private_folder(place) as private:
        name = make(session, str(private))
        if gate:
            from .gate import pass_wheel

            name = pass_wheel(private / name, session).name
        os.replace(private / name, place / name)
    return name
