"""What an extension asks for, whichever way it was written down: ours, plain setuptools, or pyproject.toml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import failed
from ..source import Macro, Source, is_assembly

if TYPE_CHECKING:
    from setuptools._distutils.extension import Extension  # the class that every kind of Extension derives from

    from ..settings import ExtensionSettings


@dataclass(frozen=True)
class Plan:
    """An extension at the moment it is built: read from the live object, which `setup.py` may have changed."""

    name: str
    assembly: tuple[Source, ...]
    others: tuple[str, ...]  #: sources that the engine compiles
    include_dirs: tuple[str, ...]
    define_macros: tuple[Macro, ...]
    undef_macros: tuple[str, ...]
    nasm_args: tuple[str, ...]
    limited_api: str  #: `3.10`, `3.15t` for abi3t, or empty


def has_assembly(extension: Extension) -> bool:
    """Whether NASM has anything to do with an extension."""
    return any(is_assembly(str(source)) for source in extension.sources)


def make_extension(settings: ExtensionSettings) -> Extension:
    """The setuptools object for one `[[tool.nasm-build.ext-modules]]`."""
    from ..extension import Extension as OurExtension

    return OurExtension(
        settings.name,
        settings.sources,
        include_dirs=list(settings.include_dirs),
        define_macros=list(settings.define_macros),
        undef_macros=list(settings.undef_macros),
        depends=list(settings.depends),
        libraries=list(settings.libraries),
        library_dirs=list(settings.library_dirs),
        extra_compile_args=list(settings.extra_compile_args),
        extra_link_args=list(settings.extra_link_args),
        optional=settings.optional,
        py_limited_api=settings.py_limited_api or False,
        nasm_args=settings.nasm_args,
    )


def plan_of(extension: Extension) -> Plan:
    """Reads an extension. Raises BuildError for half a stable-ABI setting."""
    named: Sequence[Source] = getattr(extension, "assembly_sources", ())
    files = {source.file for source in named}
    sources = [str(source) for source in extension.sources]
    # A plain Extension, or a name that setup.py added to `sources` later.
    added = [Source(source) for source in sources if is_assembly(source) and source not in files]
    return Plan(
        name=extension.name,
        assembly=tuple(source for source in named if source.file in sources) + tuple(added),
        others=tuple(source for source in sources if not is_assembly(source)),
        include_dirs=tuple(str(folder) for folder in extension.include_dirs or ()),
        define_macros=tuple((macro[0], macro[1]) for macro in extension.define_macros or ()),
        undef_macros=tuple(extension.undef_macros or ()),
        nasm_args=tuple(getattr(extension, "nasm_args", ())),
        limited_api=limited_api_of(extension),
    )


def limited_api_of(extension: Extension) -> str:
    """The oldest CPython that a stable-ABI module promises, as `3.10`, or `3.15t` for abi3t; empty for no promise.

    setuptools takes the suffix, the macro and the wheel's tag as three settings; two of the three make a module that
    is not what its name says, so half a setting is an error.
    """
    stated = getattr(extension, "limited_api", "")
    value = next((macro[1] for macro in extension.define_macros or () if macro[0] == "Py_LIMITED_API"), "")
    defined = any(macro[0] == "Py_LIMITED_API" for macro in extension.define_macros or ())
    wanted = bool(getattr(extension, "py_limited_api", False))
    whole = 'use nasm_build.Extension(…, py_limited_api="3.10"), which sets suffix, tag and macro together'
    rule = "limited-api"
    if stated:
        if not re.fullmatch(r"3\.\d+t?", stated):
            raise failed(f"py_limited_api={stated!r} of module '{extension.name}' is no version", rule, whole)
        if defined and _version_of(value) != stated.rstrip("t"):
            raise failed(
                f"module '{extension.name}' promises {stated} and defines Py_LIMITED_API={value}",
                rule,
                "leave Py_LIMITED_API out of the macros: py_limited_api sets it",
            )
        return str(stated)
    if wanted and not defined:
        raise failed(f"module '{extension.name}' sets py_limited_api without Py_LIMITED_API", rule, whole)
    if defined and not wanted:
        raise failed(f"module '{extension.name}' defines Py_LIMITED_API without py_limited_api", rule, whole)
    if not wanted:
        return ""
    version = _version_of(value)
    if not version:
        raise failed(f"Py_LIMITED_API={value} of module '{extension.name}' names no version", rule, whole)
    return version


def _version_of(value: str | None) -> str:
    """`0x030A0000` is 3.10; empty for anything else."""
    try:
        number = int((value or "").strip().rstrip("uUlL"), 0)
    except ValueError:
        return ""
    major, minor = number >> 24, number >> 16 & 0xFF
    return f"{major}.{minor}" if major == 3 else ""


def limited_api_macro(version: str) -> str:
    """`3.10`, or `3.15t`, as CPython's headers want it: `0x030A0000`."""
    major, minor = version.rstrip("t").split(".")
    return f"0x{int(major):02X}{int(minor):02X}0000"
