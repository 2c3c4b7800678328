"""What a distribution is told before its commands run: our extension modules, its packages, its private folders."""

from __future__ import annotations

import atexit
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import setuptools_plugin as plugin
from ..errors import say, user_errors
from ..session import Session, open_session
from ..settings import Settings, read_settings
from .plan import limited_api_macro, make_extension

if TYPE_CHECKING:
    from setuptools import Distribution

_ATTRIBUTE = "_nasm_build"


def set_active(session: Session | None) -> None:
    """The backend's session, for the distributions that setuptools makes while it lasts."""
    plugin.active = session


def session_of(distribution: Distribution) -> Session:
    """The session that a command of this distribution runs in.

    A script that runs commands one by one, without `setup()`, gets a session that lasts as long as its process.
    """
    session = plugin.active or getattr(distribution, _ATTRIBUTE, None)
    if session is None:
        lasting = contextlib.ExitStack()
        session = lasting.enter_context(open_session(_project_settings(), by_backend=False))
        atexit.register(lasting.close)
        setattr(distribution, _ATTRIBUTE, session)
        _note_expected(distribution, session)
    return session


def _project_settings() -> Settings:
    """Of the project in the current folder, where a setup.py runs."""
    if plugin.active is not None:
        return plugin.active.settings
    return read_settings(Path.cwd())


def before_configuration(distribution: Distribution) -> None:
    """Adds the extension modules of pyproject.toml, and says which packages there are.

    With our extension modules and nothing said in [tool.setuptools], only folders with an `__init__.py` are packages:
    setuptools' own discovery would stop at a folder `asm/` beside `inc/`, or ship its sources as a package (measured).
    """
    with user_errors():
        settings = _project_settings()
        if not settings.ext_modules:
            return
        known = {extension.name for extension in distribution.ext_modules or ()}
        added = [make_extension(row) for row in settings.ext_modules if row.name not in known]
        distribution.ext_modules = [*(distribution.ext_modules or ()), *added]
    said = settings.setuptools_names & {"packages", "py-modules", "package-dir"}
    if not said and distribution.packages is None and distribution.py_modules is None:
        _find_packages(distribution, settings.root)


def _find_packages(distribution: Distribution, root: Path) -> None:
    from setuptools.discovery import FlatLayoutPackageFinder, PackageFinder

    if (root / "src").is_dir() and not (root / "src" / "__init__.py").is_file():
        distribution.package_dir = {"": "src", **(distribution.package_dir or {})}
        packages = PackageFinder.find(str(root / "src"))
        modules = [path.stem for path in (root / "src").glob("*.py")]
    else:
        packages = PackageFinder.find(str(root), exclude=FlatLayoutPackageFinder.DEFAULT_EXCLUDE)
        modules = _modules_beside(distribution, root)
    distribution.packages = sorted(packages)
    distribution.py_modules = sorted(modules)


def _modules_beside(distribution: Distribution, root: Path) -> list[str]:
    """A `pymult.py` beside `_pymult.asm`: the module named as an extension without its underscore."""
    names = {extension.name.partition(".")[0].lstrip("_") for extension in distribution.ext_modules or ()}
    return [name for name in names if (root / f"{name}.py").is_file()]


def after_configuration(distribution: Distribution) -> None:
    """Gives the commands folders of this build alone. Done last: a setup.cfg may have named others."""
    session = plugin.active
    if session is None:
        return
    folder = session.folder / _cache_tag(session)
    for command, option, value in (
        ("build", "build_base", folder),
        ("build", "build_lib", folder / "lib"),
        ("build", "build_temp", folder / "temp"),
        ("bdist", "bdist_base", session.scratch / "bdist"),
        ("egg_info", "egg_base", session.scratch),
    ):
        distribution.get_option_dict(command)[option] = ("nasm-build", str(value))


def _cache_tag(session: Session) -> str:
    """Builds whose objects or modules differ have folders of their own."""
    python = session.python
    debug = "-debug" if session.settings.debug else ""
    if python.foreign:
        return f"cpython-{python.version}-{python.platform}{debug}"
    return f"{sys.implementation.cache_tag}-{python.platform}-{python.c_library}{debug}"


def run_in_session(distribution: Distribution, run_commands: Callable[[], None]) -> None:
    """Runs the distribution's commands, alone in its tree; a user's mistake ends as two printed lines.

    They end here, because distutils would take an interrupt or a full disk for its own and say less of it.
    """
    if plugin.active is not None:
        with user_errors():
            _note_expected(distribution, plugin.active)
            run_commands()
        return
    with user_errors(), open_session(_project_settings(), by_backend=False) as session:
        setattr(distribution, _ATTRIBUTE, session)
        _note_expected(distribution, session)
        if not session.toolchain().checked:
            say("note: not checked: this installation of nasm-build has no nasm-ext for this machine")
        run_commands()


def _complete_cffi(distribution: Distribution, session: Session) -> None:
    """cffi asks for the stable ABI and defines `Py_LIMITED_API` inside the C it writes, where no setting shows it.

    What such a module promises is this Python and every later one: its C is compiled against these headers.
    """
    if not getattr(distribution, "cffi_modules", None) or session.python.free_threaded:
        return
    macro = ("Py_LIMITED_API", limited_api_macro(f"3.{session.python.minor}"))
    for extension in distribution.ext_modules or ():
        wanted = getattr(extension, "py_limited_api", False)
        if wanted and all(name != macro[0] for name, *_ in extension.define_macros):
            extension.define_macros.append(macro)


def _note_expected(distribution: Distribution, session: Session) -> None:
    _complete_cffi(distribution, session)
    for extension in distribution.ext_modules or ():
        session.expected[extension.name] = bool(getattr(extension, "optional", False))
