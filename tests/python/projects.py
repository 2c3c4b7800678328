"""Throwaway projects for tests: written to a folder, built as a user builds them, the whole output kept."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_SECONDS = 300

# What could change a build from outside is taken away, so that a test sees the same on every machine.
_REMOVED = (
    "ARCHFLAGS CC CFLAGS CPPFLAGS CXX CXXFLAGS DIST_EXTRA_CONFIG LDFLAGS LDSHARED NASM NASM_EXT NASMENV PYTHONPATH"
    " PYTHONHOME PYTHONDONTWRITEBYTECODE SETUPTOOLS_EXT_SUFFIX SOURCE_DATE_EPOCH VIRTUAL_ENV"
    " _PYTHON_HOST_PLATFORM"
).split()

# Calls one PEP 517 or PEP 660 hook of the project in the current folder, as a front end's child process does.
_HOOK = """
import importlib, json, sys, tomllib as toml
sys.argv[1:], (hook, arguments) = [], json.loads(sys.argv[1])
with open("pyproject.toml", "rb") as file:
    system = toml.load(file).get("build-system", {})
backend = importlib.import_module(system.get("build-backend", "setuptools.build_meta"))
result = getattr(backend, hook)(**arguments)
print("->", result)
"""


@dataclass(frozen=True)
class Result:
    """How a command ended: its exit status and everything that it printed, standard error among it."""

    returncode: int
    raw: str
    replacements: Mapping[str, str] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The output with machine-dependent paths replaced by words such as `<project>`."""
        text = self.raw
        for path in sorted(self.replacements, key=len, reverse=True):
            text = text.replace(path, self.replacements[path])
        return text

    def __str__(self) -> str:
        return f"exit status {self.returncode}\n{self.output}"


@dataclass(frozen=True)
class Build(Result):
    """A build's result; `wheels` holds what it left, which is nothing when it failed."""

    wheels: tuple[Path, ...] = ()

    @property
    def wheel(self) -> Path:
        """The one wheel of a build that went well."""
        assert self.returncode == 0, str(self)
        assert len(self.wheels) == 1, f"{[path.name for path in self.wheels]}\n{self}"
        return self.wheels[0]

    def members(self) -> list[str]:
        """The wheel's files, sorted, without the metadata folder."""
        with zipfile.ZipFile(self.wheel) as archive:
            return sorted(name for name in archive.namelist() if ".dist-info/" not in name)

    def read(self, name: str) -> bytes:
        """One file of the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.read(name)


class Toolbox:
    """Runs a user's commands with one environment's interpreter. Nothing in here writes into that environment."""

    def __init__(self, environment: Path, find_links: Sequence[Path], work: Path) -> None:
        self.environment = environment
        self.find_links = tuple(find_links)
        self.work = work
        self.scripts = environment / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")

    def variables(self, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The environment variables of a user's shell in which the environment is active."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in _REMOVED and not name.startswith(("PIP_", "NASM_BUILD_", "PYTEST_", "COV_", "CIBW_"))
        }
        clean["PATH"] = os.pathsep.join([str(self.scripts), os.environ["PATH"]])
        # Builds ask no network: everything that they may require lies in the wheelhouse.
        clean["PIP_NO_INDEX"] = "1"
        clean["PIP_FIND_LINKS"] = " ".join(map(str, self.find_links))
        clean["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        for name, value in (changes or {}).items():
            if value is None:
                clean.pop(name, None)
            else:
                clean[name] = value
        return clean

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
    ) -> Result:
        """Runs a command to its end. `env` changes variables; None takes one away."""
        returncode, raw = self._run(command, cwd or self.work, env)
        return Result(returncode, raw, self._replacements(cwd))

    def build(
        self,
        project: Path,
        *,
        isolated: bool = False,
        config: Mapping[str, str] | None = None,
        env: Mapping[str, str | None] | None = None,
        verbose: bool = False,
        to: Path | None = None,
    ) -> Build:
        """`pip wheel .` in a project; without isolation unless asked, which is several times faster."""
        target = to or self.work / f"{project.name}-wheels"
        before = set(target.glob("*.whl"))
        command: list[str | Path] = [self.python, "-m", "pip", "wheel", ".", "--no-deps", "--wheel-dir", target]
        command += [] if isolated else ["--no-build-isolation"]
        command += ["--verbose"] if verbose else []
        command += [f"-C{name}={value}" for name, value in (config or {}).items()]
        returncode, raw = self._run(command, project, env)
        wheels = tuple(sorted(set(target.glob("*.whl")) - before)) or tuple(sorted(target.glob("*.whl")))
        replacements = {**self._replacements(project), str(target): "<wheels>"}
        return Build(returncode, raw, replacements, wheels if returncode == 0 else ())

    def hook(
        self,
        project: Path,
        name: str = "build_wheel",
        *,
        env: Mapping[str, str | None] | None = None,
        to: Path | None = None,
        **arguments: object,
    ) -> Build:
        """Calls one build hook in a fresh process: the same output as pip's `--verbose`, without pip's own words."""
        target = to or self.work / f"{project.name}-wheels"
        target.mkdir(parents=True, exist_ok=True)
        if name.startswith("build_"):
            key = "sdist_directory" if name == "build_sdist" else "wheel_directory"
            arguments.setdefault(key, str(target))
        elif name.startswith("prepare_"):
            arguments.setdefault("metadata_directory", str(target))
        script = _HOOK if sys.version_info >= (3, 11) else _HOOK.replace("tomllib as toml", "tomli as toml")
        returncode, raw = self._run([self.python, "-c", script, json.dumps([name, arguments])], project, env)
        named = re.search(r"^-> (\S+)$", raw, re.MULTILINE)
        made = (target / named[1],) if named and name.startswith("build_") else ()
        replacements = {**self._replacements(project), str(target): "<wheels>"}
        return Build(returncode, raw, replacements, made)

    def install(self, wheel: Path, target: Path) -> Path:
        """Installs a wheel into a folder of its own, to be put into PYTHONPATH."""
        done = self.run(
            [self.python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel], cwd=self.work
        )
        assert done.returncode == 0, str(done)
        return target

    def call(self, wheel: Path, code: str, *, env: Mapping[str, str | None] | None = None) -> Result:
        """Installs a wheel and runs Python code that imports it, in a fresh process."""
        number = sum(1 for _ in self.work.glob("installed-*"))
        folder = self.install(wheel, self.work / f"installed-{number}")
        return self.run(
            [self.python, "-c", textwrap.dedent(code)], env={"PYTHONPATH": str(folder), **(env or {})}, cwd=self.work
        )

    def new_environment(self, name: str, *packages: str) -> Toolbox:
        """A virtual environment of this test's own, with packages of the wheelhouse in it, and no pip unless named."""
        folder = self.work / name
        commands: list[list[str | Path]] = [[self.python, "-m", "venv", "--without-pip", folder]]
        if packages:
            commands.append([self.python, "-m", "pip", "--python", folder, "install", "--quiet", *packages])
        for command in commands:
            done = self.run(command)
            assert done.returncode == 0, str(done)
        return Toolbox(folder, self.find_links, self.work)

    def _run(self, command: Sequence[str | Path], cwd: Path, env: Mapping[str, str | None] | None) -> tuple[int, str]:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=self.variables(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def _replacements(self, project: Path | None) -> dict[str, str]:
        words = {str(self.work): "<work>", str(self.environment): "<environment>"}
        if project is not None:
            words[str(project)] = "<project>"
        return words


def write_project(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files, their common indentation removed, and returns the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(textwrap.dedent(content).lstrip("\n"), encoding="utf-8")
    return folder
