"""setuptools as the engine: its own hooks, with our plugin working inside and its folders private to the build."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import failed

if TYPE_CHECKING:
    from ..session import Session

REQUIRES = ["setuptools>=77"]
"""77 is the first with PEP 639's licence expressions, which new projects are written with."""


def requires(options: Mapping[str, Any]) -> list[str]:
    """What a build needs beside us."""
    return REQUIRES


@contextlib.contextmanager
def _hooks(session: Session) -> Iterator[Any]:
    """setuptools' hooks, in our session. A project's mistake that setuptools names ends as one line."""
    try:
        import setuptools.build_meta
        from setuptools.errors import BaseError
    except ModuleNotFoundError:
        raise failed(
            "setuptools is not installed, and this project is built with it", "engine", "pip install 'setuptools>=77'"
        ) from None
    from ..setuptools_plugin import finalize_distribution_options as ours
    from ..setuptools_plugin.configure import set_active

    _require_plugin(ours)
    set_active(session)
    try:
        yield setuptools.build_meta
    except BaseError as error:
        raise failed(str(error), "setuptools", "see the engine's output above") from None
    finally:
        set_active(None)


def _require_plugin(ours: Any) -> None:
    """Puts the plugin in where its entry point is not seen: a source tree on PYTHONPATH, a broken installation."""
    from setuptools import Distribution

    if getattr(Distribution.finalize_options, "_nasm_build", False):
        return
    finalize_options = Distribution.finalize_options

    def with_plugin(self: Distribution) -> None:
        ours(self)
        finalize_options(self)

    with_plugin._nasm_build = True  # type: ignore[attr-defined]
    setattr(Distribution, "finalize_options", with_plugin)  # noqa: B010


def build_wheel(session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str:
    with _hooks(session) as hooks:
        return str(hooks.build_wheel(folder, dict(options), metadata))


def build_editable(session: Session, folder: str, options: Mapping[str, Any], metadata: str | None) -> str:
    with _hooks(session) as hooks:
        return str(hooks.build_editable(folder, dict(options), metadata))


def build_sdist(session: Session, folder: str, options: Mapping[str, Any]) -> str:
    with _hooks(session) as hooks:
        return str(hooks.build_sdist(folder, dict(options)))


def prepare_metadata(session: Session, folder: str, options: Mapping[str, Any], *, editable: bool) -> str:
    with _hooks(session) as hooks:
        prepare = hooks.prepare_metadata_for_build_editable if editable else hooks.prepare_metadata_for_build_wheel
        return str(prepare(folder, dict(options)))
