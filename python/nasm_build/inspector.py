"""Asks `nasm-ext check` what it finds in a finished module or wheel. Python itself never parses a binary."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import BuildError, Problem, say
from .executable import find_executable

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class CheckedFile:
    """What was found in one binary (one slice of it, where it has several)."""

    path: str
    member: str
    status: str  #: `checked`, `unreadable`, `not-checked`
    reason: str
    problems: tuple[Problem, ...]
    silenced: tuple[tuple[Problem, str], ...]
    symbols: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: rule id -> symbols it was found for


@dataclass(frozen=True)
class Report:
    """Everything that one call of the inspector said."""

    files: tuple[CheckedFile, ...]

    @property
    def errors(self) -> list[Problem]:
        found = [problem for file in self.files for problem in file.problems if problem.severity == "error"]
        found += [
            Problem(
                file.reason, UNREADABLE, "build it again; if it stays, the linker wrote a damaged file", _name(file)
            )
            for file in self.files
            if file.status == UNREADABLE
        ]
        return list(dict.fromkeys(found))

    def symbols_of(self, rule: str) -> list[str]:
        return [symbol for file in self.files for symbol in file.symbols.get(rule, ())]

    def tell(self) -> None:
        """Prints warnings, and what a project has silenced with its reason. Notes are for `nasm-ext check`."""
        for file in self.files:
            for problem in file.problems:
                if problem.severity == "warning":
                    say(problem.render())
            for problem, reason in file.silenced:
                say(f"{_name(file)}: silenced: {problem.message} [{problem.rule}], because {reason}")

    def require_clean(self) -> None:
        """Raises BuildError with every error; prints the rest."""
        self.tell()
        if self.errors:
            raise BuildError(self.errors)


def _name(file: CheckedFile) -> str:
    return f"{file.path}: {file.member}" if file.member else file.path


def check(
    paths: Sequence[Path],
    *,
    root: Path,
    name: str = "",
    python: str = "",
    limited_api: str = "",
    target: str = "",
    objects: Sequence[Path] = (),
) -> Report | None:
    """Reads the files back; None where there is no inspector on this machine (the caller says so).

    `root` is the project, whose pyproject.toml may silence rules. `objects` give findings their source lines.
    """
    executable = find_executable()
    if executable is None:
        return None
    command = [str(executable), "check", "--abi", "--format", "json"]
    config = root / "pyproject.toml"
    command += ["--config", str(config)] if config.is_file() else ["--no-config"]
    for option, value in (("--name", name), ("--python", python), ("--abi3", limited_api), ("--target", target)):
        if value:
            command += [option, value]
    for item in objects:
        command += ["--object", str(item)]
    command += ["--", *map(str, paths)]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise BuildError(_usage_problem(done.stderr, done.returncode), f"  command: {' '.join(command)}") from None
    return Report(tuple(_file(row, root) for row in answer["files"]))


def _usage_problem(output: str, status: int, command: str = "check") -> Problem:
    """What nasm-ext said instead of a report: a wrong rule id in pyproject.toml, say."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    message = next((line.partition("error: ")[2] for line in lines if "error: " in line), "")
    fix = next((line.partition("fix: ")[2] for line in lines if line.startswith("fix: ")), "")
    return Problem(message or f"nasm-ext {command} ended with status {status}: {output.strip()}", command, fix)


def _file(row: dict[str, Any], root: Path) -> CheckedFile:
    path = _shown(row["path"], root)
    open_problems: list[Problem] = []
    silenced: list[tuple[Problem, str]] = []
    symbols: dict[str, tuple[str, ...]] = {}
    for finding in row["findings"]:
        for problem in _problems(finding, path, row):
            if finding["silenced"] is not None:
                silenced.append((problem, finding["silenced"]))
            else:
                open_problems.append(problem)
        if finding["symbol"]:
            symbols[finding["rule"]] = (*symbols.get(finding["rule"], ()), finding["symbol"])
    return CheckedFile(
        path=path,
        member=row["member"] or "",
        status=row["status"],
        reason=row["reason"] or "",
        problems=tuple(open_problems),
        silenced=tuple(silenced),
        symbols=symbols,
    )


def _problems(finding: dict[str, Any], path: str, row: dict[str, Any]) -> list[Problem]:
    """One problem a source line that the finding is about, or one for the binary."""
    places = [(place["file"], place["line"]) for place in finding["places"]]
    if not places:
        place = f"{path}: {row['member']}" if row["member"] else path
        places = [(f"{place} ({row['slice']})" if row["slice"] else place, 0)]
    words = (finding["message"], finding["rule"], finding["fix"] or "")
    return [Problem(*words, file, line, finding["severity"]) for file, line in places]


def _shown(path: str, root: Path) -> str:
    """A path as a reader knows it: relative to the project, or just the name where it lies elsewhere."""
    try:
        return Path(path).resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return Path(path).name


@dataclass(frozen=True)
class PlatformTags:
    """The lowest platform tags that a wheel's binaries allow together."""

    tags: tuple[str, ...]  #: empty where they allow none; `any` without a binary
    local: bool  #: for machines like the one that built it
    why: tuple[str, ...]


def platform_tags(wheel: Path, c_library: str) -> PlatformTags | None:
    """What `nasm-ext tag` says of a wheel; None where there is no inspector on this machine."""
    executable = find_executable()
    if executable is None:
        return None
    words = ["--libc", "musl"] if c_library == "musl" else []
    command = [str(executable), "tag", "--format", "json", *words, "--", str(wheel)]
    done = subprocess.run(
        command, cwd=wheel.parent, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise BuildError(
            _usage_problem(done.stderr, done.returncode, "tag"), f"  command: {' '.join(command)}"
        ) from None
    return PlatformTags(tuple(answer["tags"]), answer["local"], tuple(answer["why"]))


def references(objects: Sequence[Path], symbol: str, root: Path) -> list[tuple[str, int]]:
    """The source lines that refer to a symbol, from the objects' debug data; empty where they cannot be told."""
    executable = find_executable()
    if executable is None or not objects:
        return []
    command = [str(executable), "references", "--symbol", symbol, "--format", "json", "--", *map(str, objects)]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    try:
        places = json.loads(done.stdout)["places"]
    except (ValueError, KeyError):
        return []
    return list(dict.fromkeys((place["file"], place["line"]) for place in places if place["line"]))
