"""Which engine builds a project. Chosen from files alone, so that `get_requires_*` imports nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import failed
from ..settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..session import Session

RULE = "engine"


class Engine(Protocol):
    """What an engine module offers; each function is a PEP 517 or PEP 660 hook inside a session."""

    def requires(self, options: Mapping[str, Any]) -> list[str]: ...

    def build_wheel(self, session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str: ...

    def build_editable(
        self, session: Session, folder: str, options: Mapping[str, Any], metadata: str | None
    ) -> str: ...

    def build_sdist(self, session: Session, folder: str, options: Mapping[str, Any]) -> str: ...

    def prepare_metadata(self, session: Session, folder: str, options: Mapping[str, Any], *, editable: bool) -> str: ...


def engine_name(settings: Settings) -> str:
    """`setuptools` or `scikit-build-core`. Raises BuildError when the project's files ask for both, or for none."""
    if settings.engine:
        return settings.engine
    root = settings.root
    setuptools = [
        name
        for name, there in (
            ("[[tool.nasm-build.ext-modules]]", bool(settings.ext_modules)),
            ("setup.py", (root / "setup.py").is_file()),
            ("[tool.setuptools]", "setuptools" in settings.tools),
        )
        if there
    ]
    cmake = [
        name
        for name, there in (
            ("CMakeLists.txt", (root / "CMakeLists.txt").is_file()),
            ("[tool.scikit-build]", "scikit-build" in settings.tools),
        )
        if there
    ]
    if setuptools and cmake:
        raise failed(
            f"this project has {' and '.join(setuptools)}, and also {' and '.join(cmake)}",
            RULE,
            'say which builds it: [tool.nasm-build] engine = "setuptools" or engine = "scikit-build-core"',
            file="pyproject.toml",
        )
    if cmake:
        return "scikit-build-core"
    if setuptools:
        return "setuptools"
    raise failed(
        "this project has nothing to build: no [[tool.nasm-build.ext-modules]], no setup.py, no CMakeLists.txt",
        RULE,
        '[[tool.nasm-build.ext-modules]]\nname = "module"\nsources = ["module.asm"]',
        file="pyproject.toml",
    )


def engine_module(name: str) -> Engine:
    """The engine itself; imports nothing of setuptools or scikit-build-core yet."""
    module: Any = importlib.import_module("." + name.replace("-", "_") + "_engine", __name__)
    engine: Engine = module
    return engine
