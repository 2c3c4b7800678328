"""Every file that the assembly of a distribution is made from, on every platform: what an sdist must hold."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..assemble import nasm_environment
from ..dependencies import dependency_words, make_rule_inputs, scan
from ..session import Session
from ..source import Source
from .plan import Plan, has_assembly, plan_of

if TYPE_CHECKING:
    from setuptools import Distribution

PLATFORMS = ("linux-x86_64", "macosx-11.0-x86_64", "win-amd64")
_SEEN = "_nasm_build_inputs"


def named_inputs(session: Session, distribution: Distribution) -> set[str]:
    """The assembly sources and what their text includes, relative to the project; nothing outside it."""
    found: set[str] = set()
    for plan, source in _assembly_of(distribution):
        folders = source_folders(plan, source, session.root)
        inside = [folder for folder in folders if not Path(folder).is_absolute()]
        found.update(scan(session.root, source.file, inside))
    return _of_the_project(session, found)


def assembly_inputs(session: Session, distribution: Distribution) -> set[str]:
    """The assembly sources and all they include, on every platform: what an sdist must hold and no wheel.

    The union of what NASM says for each target and of a scan of the text: NASM on Linux does not list what stands
    under `%ifdef WINDOWS`, and a scan does not see names that macros make. Runs NASM once a source and target, so
    it is asked only where it matters.
    """
    known: set[str] | None = getattr(distribution, _SEEN, None)
    if known is not None:
        return known
    asked: set[str] = set()
    for plan, source in _assembly_of(distribution):
        asked.update(_asked(session, plan, source, source_folders(plan, source, session.root)))
    found = named_inputs(session, distribution) | _of_the_project(session, asked)
    setattr(distribution, _SEEN, found)
    return found


def _assembly_of(distribution: Distribution) -> Iterator[tuple[Plan, Source]]:
    for extension in distribution.ext_modules or ():
        if has_assembly(extension):
            plan = plan_of(extension)
            for source in plan.assembly:
                yield plan, source


def source_folders(plan: Plan, source: Source, root: Path) -> list[str]:
    """Where NASM looks for what a source includes: the extension's folders, then the source's own."""
    folders = []
    for folder in plan.include_dirs:
        path = Path(folder)
        folders.append(
            path.relative_to(root).as_posix() if path.is_absolute() and path.is_relative_to(root) else folder
        )
    beside = str(PurePosixPath(source.file.replace("\\", "/")).parent)
    return list(dict.fromkeys([*folders, beside]))


def _of_the_project(session: Session, names: set[str]) -> set[str]:
    """Those of the names that are files of the project, and not our own include files."""
    inside = {name for name in map(_project_path, names) if name and (session.root / name).is_file()}
    return inside - _ours(session)


def _ours(session: Session) -> set[str]:
    """Our own include files, which every build brings again."""
    folder = session.folder / "include"
    return {session.relative(path) for path in folder.rglob("*") if path.is_file()}


def _project_path(name: str) -> str:
    """The path inside the project, or empty for one outside."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":"):
        return ""
    return str(path)


def _asked(session: Session, plan: Plan, source: Source, folders: list[str]) -> set[str]:
    """What `nasm -M` lists for each target; nothing where there is no NASM, which a scan then answers for."""
    own = session.toolchain(plan.limited_api)
    if not own.nasm:
        return set()
    words = [word for folder in (*folders, session.include_folder()) for word in ("-I", folder.rstrip("/") + "/")]
    words += macro_words(plan, source)
    found: set[str] = set()
    for platform in PLATFORMS:
        flags = _flags_for(session, platform)
        command = dependency_words([own.nasm, *flags, *words, "-MG", source.file])
        done = subprocess.run(
            command, cwd=session.root, env=nasm_environment(), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", check=False,
        )  # fmt: skip
        found.update(make_rule_inputs(done.stdout))
    return found


def _flags_for(session: Session, platform: str) -> tuple[str, ...]:
    from dataclasses import replace

    from ..toolchain import load_toolchain

    python = replace(session.python, platform=platform, pointer_bits=64, c_library="gnu")
    return load_toolchain(python, nasm=session.settings.nasm).flags


def macro_words(plan: Plan, source: Source) -> list[str]:
    """The words that define and undefine macros for NASM: the extension's, then the source's own."""
    words = [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in plan.define_macros]
    words += [f"-U{name}" for name in plan.undef_macros]
    words += [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in source.define_macros]
    return [*words, *plan.nasm_args, *source.nasm_args]
