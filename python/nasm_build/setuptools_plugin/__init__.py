"""The setuptools plugin: assembly in any `Extension`, whichever command classes a project or another plugin brings.

setuptools calls `finalize_distribution_options` for every distribution in an environment that has nasm-build, before
pyproject.toml is read. A command class set here would be replaced silently by `[tool.setuptools.cmdclass]` later
(measured), so the distribution object itself is asked to wrap whatever class it hands out. A project without assembly
keeps every class it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..source import is_assembly

if TYPE_CHECKING:
    from setuptools import Distribution

    from ..session import Session

_MARK = "_nasm_build"

active: Session | None = None
"""The backend's session while it builds; None under plain setuptools."""


def uses_assembly(distribution: Distribution) -> bool:
    """Whether this is a distribution that we have anything to do with."""
    if active is not None and active.settings.ext_modules:
        return True
    return any(is_assembly(str(name)) for extension in distribution.ext_modules or () for name in extension.sources)


def _has_settings() -> bool:
    """Whether the project in the current folder, where setup() runs, has settings of ours; read as text, for speed."""
    if active is not None:
        return True
    try:
        with open("pyproject.toml", encoding="utf-8", errors="replace") as file:
            return "tool.nasm-build" in file.read()
    except OSError:
        return False


def finalize_distribution_options(distribution: Distribution) -> None:
    """The entry point. Costs a project without assembly four attribute assignments."""
    if hasattr(distribution, _MARK):
        return
    parse_config_files = distribution.parse_config_files
    get_command_class = distribution.get_command_class
    run_commands = distribution.run_commands

    def wrapped_parse_config_files(*args: Any, **words: Any) -> None:
        if not _has_settings():
            parse_config_files(*args, **words)
            return
        from .configure import after_configuration, before_configuration

        before_configuration(distribution)
        parse_config_files(*args, **words)
        after_configuration(distribution)

    def wrapped_get_command_class(command: str) -> Any:
        found: Any = get_command_class(command)
        if not uses_assembly(distribution):
            return found
        from .commands import wrapped_class

        return wrapped_class(command, found)

    def wrapped_run_commands() -> None:
        if not uses_assembly(distribution):
            run_commands()
            return
        from .configure import run_in_session

        run_in_session(distribution, run_commands)

    setattr(distribution, _MARK, None)
    for name, function in (
        ("parse_config_files", wrapped_parse_config_files),
        ("get_command_class", wrapped_get_command_class),
        ("run_commands", wrapped_run_commands),
    ):
        setattr(distribution, name, function)
