"""./dev test: linters, C++ tests, the Python tests in full under one CPython, and in part under every other.

The build backend itself does not depend on the CPython that runs it, so its suite runs once; the tests marked
`every_python` and each example's own tests run under every CPython of the machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import environments, examples, interpreters, lint, native, results, wheel, wheelhouse
from .environments import Environment
from .interpreters import Interpreter
from .results import Outcome
from .shell import DevelopmentError, Stopwatch, build_folder, cores, say, succeeds

PARTS = ("lint", "cpp", "python", "examples")


def run_all(development: Environment, parts: Sequence[str], arguments: Sequence[str]) -> list[Outcome]:
    """Runs the parts that are asked for, each to its end. `arguments` go to pytest, under one CPython."""
    outcomes: list[Outcome] = []
    if "cpp" in parts or "lint" in parts:
        native.build(development, tests=True)  # clang-tidy reads its compile commands
    if "lint" in parts:
        for name, clean in lint.lint(development):
            outcomes.append(Outcome(name, counts=False, error="" if clean else "see above"))
    if "cpp" in parts:
        outcomes.append(_cpp())
    if "python" in parts or "examples" in parts:
        outcomes += _python(development, parts, arguments)
    return outcomes


def report(outcomes: Sequence[Outcome]) -> bool:
    """Prints what ran under what, with one closing line, and returns whether all is well."""
    say("what ran:")
    print(results.table(outcomes))
    for one in outcomes:
        if one.skipped:
            say(f"{one.what} {one.python}: {one.skipped} tests did not run; a test that cannot run here has failed")
    print(results.summary(outcomes), flush=True)
    return bool(outcomes) and all(one.good for one in outcomes)


def _report(name: str) -> Path:
    folder = build_folder() / "reports"
    folder.mkdir(exist_ok=True)
    report = folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    return report


def _cpp() -> Outcome:
    report = _report("cpp")
    with Stopwatch("C++ tests") as watch:
        succeeded = succeeds(
            ["ctest", "--test-dir", native.folder(), "--parallel", str(cores()), "--output-on-failure",
             "--no-tests=error", "--progress", "--output-junit", report],
        )  # fmt: skip
        return results.from_junit("C++", "", report, succeeded=succeeded, seconds=watch.seconds())


def _python(development: Environment, parts: Sequence[str], arguments: Sequence[str]) -> list[Outcome]:
    """The Python suite in full under ./dev's own CPython, and what depends on the CPython under every other."""
    built = wheel.provide(development)
    main = interpreters.ask(development.python)
    if main is None:
        raise DevelopmentError(f"{development.python} is no CPython that nasm-build supports")
    others = [] if arguments else [one for one in interpreters.find_all() if one.path.resolve() != main.path.resolve()]
    say(f"CPythons: {', '.join(one.label for one in [main, *others])}")
    outcomes = []
    for interpreter in [main, *others]:
        problem = "has no venv module" if not interpreter.venv else "" if interpreter.headers else "has no Python.h"
        if problem:
            outcomes.append(Outcome("Python", interpreter.label, failed=1, error=f"{interpreter.path} {problem}"))
            continue
        tools = environments.provide("tests", interpreter.path, "tests.txt")
        builds = environments.provide("builds", interpreter.path, "builds.txt", (built,))
        if "python" in parts:
            selection = arguments if interpreter is main else ["-m", "every_python"]
            outcomes.append(_suite(interpreter, tools, builds, built, selection))
        if "examples" in parts and not arguments:
            outcomes += [_example(folder, interpreter, tools, builds) for folder in examples.found()]
    return outcomes


def _suite(
    interpreter: Interpreter, tools: Environment, builds: Environment, built: Path, selection: Sequence[str]
) -> Outcome:
    report = _report(f"python-{interpreter.label}")
    houses = wheelhouse.provide(tools, interpreter.label)
    with Stopwatch(f"Python tests under CPython {interpreter.label}") as watch:
        succeeded = succeeds(
            [tools.script("pytest"), "--numprocesses", str(cores()), "--dist", "worksteal", "--quiet",
             f"--junit-xml={report}", *selection],
            env={
                "NASM_EXT": str(builds.script("nasm-ext")),
                "NASM_BUILD_WHEEL": str(built),
                "NASM_BUILD_ENVIRONMENT": str(builds.folder),
                "NASM_BUILD_WHEELHOUSE": str(houses),
                "PYTHONPATH": "",
            },
        )  # fmt: skip
        return results.from_junit("Python", interpreter.label, report, succeeded=succeeded, seconds=watch.seconds())


def _example(folder: Path, interpreter: Interpreter, tools: Environment, builds: Environment) -> Outcome:
    """Builds an example's wheel outside the tree, installs it, and runs the example's own tests against it."""
    what = f"examples/{folder.name}"
    report = _report(f"{folder.name}-{interpreter.label}")
    with (
        Stopwatch(f"{what} under CPython {interpreter.label}") as watch,
        tempfile.TemporaryDirectory(prefix=f"{folder.name}-") as work,
    ):
        project = examples.copy(folder, Path(work))
        try:
            installed = examples.install(project, builds, Path(work))
        except DevelopmentError as error:
            return Outcome(what, interpreter.label, failed=1, seconds=watch.seconds(), error=str(error))
        succeeded = succeeds(
            [tools.script("pytest"), "--quiet", "-p", "no:cacheprovider", "--import-mode=importlib",
             "--rootdir", project, f"--junit-xml={report}", project / "tests"],
            env={"PYTHONPATH": str(installed)},
        )  # fmt: skip
        return results.from_junit(what, interpreter.label, report, succeeded=succeeded, seconds=watch.seconds())
