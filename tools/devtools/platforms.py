"""Runs the examples' own tests: under Linux's CPythons, under Windows' by Wine, and as macOS' bundles in process.

Each example is copied out of the tree, its wheel built with nasm-build's, and its tests run against what is installed.
A run is a row of the table, whatever comes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import environments, examples, results
from .environments import REQUIREMENTS, Environment
from .forms import Form, Plan
from .interpreters import Interpreter
from .pythons import offer, windows_tools, wine
from .pythons.catalogue import WindowsPython
from .pythons.offer import Missing
from .results import Outcome
from .shell import ROOT, DevelopmentError, Stopwatch, build_folder, run, say, succeeds

WINDOWS_TARGET = "win-amd64"
MACOS_TARGET = "macosx-11.0-x86_64"
MACHO_LOADER = ROOT / "tests/macho_loader"
PYTEST = ("--quiet", "-p", "no:cacheprovider", "--import-mode=importlib")
LIMIT_SECONDS = 1200
"""After this long a run under Wine hangs."""


class Runs:
    """The runs of one ./dev test. `work` is a folder for everything that they build."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._count = 0
        self._once: dict[tuple[Path, str, str], Path] = {}

    def native(
        self, plan: Plan, form: Form, interpreter: Interpreter, tools: Environment, builds: Environment
    ) -> Outcome:
        """An example's tests under a CPython for Linux."""

        def test(folder: Path, report: Path) -> bool:
            wheel = self._wheel(plan, form, builds, folder)
            installed = folder / "installed"
            # The one wheel of a form may be tagged for another C library than this CPython's, and loads all the same.
            if form.once:
                examples.unpack(wheel, installed)
            else:
                examples.install(wheel, builds, installed)
            return _pytest(tools, folder / plan.folder.name, report, {"PYTHONPATH": str(installed)})

        return self._run(plan.label(form), interpreter.label, test)

    def windows(self, plan: Plan, form: Form, python: WindowsPython, builds: Environment) -> Outcome:
        """An example's tests under a CPython for Windows, with the module that was linked on Linux."""

        def test(folder: Path, report: Path) -> bool:
            wheel = self._wheel(plan, form, builds, folder, WINDOWS_TARGET, python.minor)
            examples.unpack(wheel, folder / "installed")
            project = folder / plan.folder.name
            words: list[str | Path] = ["-m", "pytest", *PYTEST, "--rootdir", project, "--junit-xml", report]
            done = wine.run_windows(
                python.path,
                [*words, "--basetemp", folder / "temporary", project / "tests"],
                env={
                    "PYTHONPATH": wine.search_path(folder / "installed", windows_packages()),
                    "NASM": wine.windows_path(windows_tools.nasm()),
                },
                cwd=folder,
                timeout=LIMIT_SECONDS,
            )
            print(done.output, end="", flush=True)
            return done.status == 0

        return self._run(plan.label(form), python.label, test)

    def macos(
        self, plan: Plan, form: Form, interpreter: Interpreter, tools: Environment, builds: Environment
    ) -> Outcome:
        """An example's tests with the bundle for macOS, loaded into a CPython for Linux of the same version."""

        def test(folder: Path, report: Path) -> bool:
            loader = folder / "loader"
            run([tools.python, MACHO_LOADER / "build.py", loader], quiet=True)
            minor = ".".join(map(str, interpreter.version[:2])) + ("t" if interpreter.free_threaded else "")
            wheel = self._wheel(plan, form, builds, folder, MACOS_TARGET, minor)
            examples.unpack(wheel, folder / "installed")
            variables = {
                "MACHO_LOADER_FOLDER": str(folder / "installed"),
                "PYTHONPATH": str(loader),
            }
            return _pytest(tools, folder / plan.folder.name, report, variables, "-p", "macho_loader")

        return self._run(plan.label(form), f"{interpreter.label} macOS", test)

    def _wheel(
        self, plan: Plan, form: Form, builds: Environment, folder: Path, target: str = "", python: str = ""
    ) -> Path:
        """The wheel of an example in a form. It leaves a copy of the project, with its tests, in `folder`."""
        project = examples.copy(plan.folder, folder)
        key = (plan.folder, form.name, target)
        if key in self._once:
            return self._once[key]
        settings = (f"target={target}", f"target-python={python}") if target else ()
        wheel = examples.build(project, form, builds, folder, settings)
        if form.once:
            self._once[key] = wheel
        return wheel

    def _run(self, what: str, label: str, test: Callable[[Path, Path], bool]) -> Outcome:
        self._count += 1
        folder = self.work / str(self._count)
        folder.mkdir()
        report = report_file(f"{what}-{label}")
        with Stopwatch(f"{what} under CPython {label}") as watch:
            try:
                succeeded = test(folder, report)
            except DevelopmentError as error:
                say(str(error))
                return Outcome(what, label, failed=1, seconds=watch.seconds(), error=str(error))
            return results.from_junit(what, label, report, succeeded=succeeded, seconds=watch.seconds())


def absent(missing: Missing, *, ci: bool) -> Outcome:
    """The row of a CPython that nothing ran under: a failure where everything that can be had must be there."""
    if ci and not missing.expected:
        return Outcome("CPython", missing.label, failed=1, error=f"not run: {missing.reason}")
    return Outcome("CPython", missing.label, counts=False, not_run=missing.reason)


def left_out(plan: Plan) -> list[Outcome]:
    """The rows of the platforms that an example says that it does not run on."""
    names = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
    return [
        Outcome(f"examples/{plan.folder.name}", names[platform], counts=False, not_run=plan.reason)
        for platform in names
        if platform not in plan.platforms
    ]


def windows_packages() -> Path:
    """A folder for PYTHONPATH with pytest and what the examples' tests import, in pure Python."""
    requirements = REQUIREMENTS / "tests-windows.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]

    def make(work: Path, _: Path) -> None:
        environments.install_foreign(requirements, work / "result", ["--platform", "any", "--python-version", "3.10"])

    return offer.provide(f"windows-packages-{key}", "fetching pytest for Windows", make)


def report_file(name: str) -> Path:
    """Where a run's JUnit file goes; one of an earlier run is removed."""
    folder = build_folder() / "reports"
    folder.mkdir(exist_ok=True)
    report = folder / f"{name.replace('/', '-').replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    return report


def _pytest(tools: Environment, project: Path, report: Path, env: Mapping[str, str], *words: str) -> bool:
    command: Sequence[str | Path] = [
        tools.script("pytest"), *PYTEST, *words, "--rootdir", project, f"--junit-xml={report}", project / "tests"
    ]  # fmt: skip
    return succeeds(command, env=env)
