"""scikit-build-core as the engine, for CMake projects: its own hooks, its wheel held at our gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import failed

if TYPE_CHECKING:
    from ..session import Session

REQUIRES = ["scikit-build-core>=0.10"]


def _hooks() -> Any:
    try:
        import scikit_build_core.build
    except ModuleNotFoundError:
        raise failed(
            "scikit-build-core is not installed, and this project is built with it",
            "engine",
            "pip install 'scikit-build-core>=0.10'",
        ) from None
    return scikit_build_core.build


def build_wheel(session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str:
    return str(_hooks().build_wheel(folder, dict(options), metadata))


def build_editable(session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str:
    return str(_hooks().build_editable(folder, dict(options), metadata))


def build_sdist(session: Session, folder: str, options: Mapping[str, Any]) -> str:
    return str(_hooks().build_sdist(folder, dict(options)))


def prepare_metadata(session: Session, folder: str, options: Mapping[str, Any], *, editable: bool) -> str:
    hooks = _hooks()
    prepare = hooks.prepare_metadata_for_build_editable if editable else hooks.prepare_metadata_for_build_wheel
    return str(prepare(folder, dict(options)))
