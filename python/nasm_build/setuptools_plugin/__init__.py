"""The setuptools plugin: assembly in any `Extension`, whichever command classes a project or another plugin brings.

setuptools calls `finalize_distribution_options` for every distribution in an environment that has nasm-build, before
pyproject.toml is read. A command class set here would be replaced silently by `[tool.setuptools.cmdclass]` later
(measured), so the distribution object itself is asked to wrap whatever class it hands out. A project without assembly
keeps every class it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from setuptools import Distribution

_MARK = "_nasm_build"


def finalize_distribution_options(distribution: Distribution) -> None:
    """The entry point. Costs a project without assembly four attribute assignments."""
    if hasattr(distribution, _MARK):
        return
    parse_config_files = distribution.parse_config_files
    get_command_class = distribution.get_command_class
    run_commands = distribution.run_commands

    def wrapped_parse_config_files(*args: Any, **words: Any) -> None:
        from .configure import after_configuration, before_configuration

        before_configuration(distribution)
        parse_config_files(*args, **words)
        after_configuration(distribution)

    def wrapped_get_command_class(command: str) -> Any:
        from .configure import uses_assembly

        found: Any = get_command_class(command)
        if not uses_assembly(distribution):
            return found
        from .commands import wrapped_class

        return wrapped_class(command, found)

    def wrapped_run_commands() -> None:
        from .configure import run_in_session

        run_in_session(distribution, run_commands)

    setattr(distribution, _MARK, None)
    for name, function in (
        ("parse_config_files", wrapped_parse_config_files),
        ("get_command_class", wrapped_get_command_class),
        ("run_commands", wrapped_run_commands),
    ):
        setattr(distribution, name, function)
