"""./dev test: linters, C++ tests, the Python tests in full under one CPython, and in part under every other.

The build backend itself does not depend on the CPython that runs it, so its suite runs once; the tests marked
`every_python` and each example's own tests run under every CPython of the machine and those of the catalogue.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import environments, examples, forms, interpreters, lint, native, platforms, results, wheel, wheelhouse
from .environments import Environment
from .forms import Plan
from .interpreters import Interpreter, requirements
from .pythons import catalogue
from .results import Outcome
from .shell import DevelopmentError, Stopwatch, cores, say, succeeds

PARTS = ("lint", "cpp", "python", "examples", "platforms")
"""`examples` runs the examples' tests under Linux's CPythons, `platforms` under those of Windows and macOS as well."""

USUAL = tuple(part for part in PARTS if part != "examples")
"""What runs without --only: `platforms` has all of `examples`."""


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
    if {"python", "examples", "platforms"} & set(parts):
        outcomes += _pythons(development, parts, arguments)
    return outcomes


def report(outcomes: Sequence[Outcome]) -> bool:
    """Prints what ran under what, with one closing line, and returns whether all is well."""
    say("what ran:")
    print(results.table(outcomes))
    for one in outcomes:
        if one.not_run:
            say(f"not run: {one.what} {one.python}: {one.not_run}")
        if one.skipped:
            say(f"{one.what} {one.python}: {one.skipped} tests did not run; a test that cannot run here has failed")
    print(results.summary(outcomes), flush=True)
    return bool(outcomes) and all(one.good for one in outcomes)


def _cpp() -> Outcome:
    report = platforms.report_file("cpp")
    with Stopwatch("C++ tests") as watch:
        succeeded = succeeds(
            ["ctest", "--test-dir", native.folder(), "--parallel", str(cores()), "--output-on-failure",
             "--no-tests=error", "--progress", "--output-junit", report],
        )  # fmt: skip
        return results.from_junit("C++", "", report, succeeded=succeeded, seconds=watch.seconds())


@dataclass(frozen=True)
class _Equipped:
    """A CPython for Linux with its environments: one for pytest, one with nasm-build in it."""

    interpreter: Interpreter
    tools: Environment
    builds: Environment


def _pythons(development: Environment, parts: Sequence[str], arguments: Sequence[str]) -> list[Outcome]:
    """What runs in a CPython: the Python suite, in full under that of ./dev and in part under others; the examples."""
    built = wheel.provide(development)
    main = interpreters.ask(development.python)
    if main is None:
        raise DevelopmentError(f"{development.python} is no CPython that nasm-build supports")
    found, missing = ([main], []) if arguments else catalogue.linux()
    ci = bool(os.environ.get("CI"))
    outcomes: list[Outcome] = []
    equipped = [_equip(main, built)]
    for one in found:
        if one.path.resolve() != main.path.resolve():
            try:
                equipped.append(_equip(one, built))
            except DevelopmentError as error:
                outcomes.append(Outcome("Python", one.label, failed=1, error=str(error)))
    say(f"CPythons: {', '.join(one.interpreter.label for one in equipped)}")
    if "python" in parts:
        outcomes += [_suite(one, built, arguments if one.interpreter is main else ["-m", "every_python"])
                     for one in equipped]  # fmt: skip
    if ("examples" in parts or "platforms" in parts) and not arguments:
        everywhere = "platforms" in parts
        windows, without = catalogue.windows() if everywhere else ([], [])
        missing += without
        with tempfile.TemporaryDirectory(prefix="nasm-build-examples-") as work:
            runs = platforms.Runs(Path(work))
            for folder in examples.found():
                plan = forms.read(folder, development.python)
                outcomes += _native(runs, plan, equipped)
                if everywhere:
                    outcomes += _foreign(runs, plan, equipped[0], windows)
                    outcomes += platforms.left_out(plan)
    return outcomes + [platforms.absent(one, ci=ci) for one in (*missing, *(() if arguments else catalogue.NEVER))]


def _equip(interpreter: Interpreter, built: Path) -> _Equipped:
    """The environments of a CPython. Raises DevelopmentError for one that can have none."""
    problem = "has no venv module" if not interpreter.venv else "" if interpreter.headers else "has no Python.h"
    if problem:
        raise DevelopmentError(f"{interpreter.path} {problem}")
    return _Equipped(
        interpreter,
        environments.provide("tests", interpreter.path, requirements("tests", interpreter), musl=interpreter.musl),
        environments.provide(
            "builds", interpreter.path, requirements("builds", interpreter), (built,), musl=interpreter.musl
        ),
    )


def _suite(one: _Equipped, built: Path, selection: Sequence[str]) -> Outcome:
    label = one.interpreter.label
    report = platforms.report_file(f"python-{label}")
    houses = wheelhouse.provide(one.tools, one.interpreter)
    with Stopwatch(f"Python tests under CPython {label}") as watch:
        succeeded = succeeds(
            [one.tools.script("pytest"), "--numprocesses", str(cores()), "--dist", "worksteal", "--quiet",
             f"--junit-xml={report}", *selection],
            env={
                "NASM_EXT": str(one.builds.script("nasm-ext")),
                "NASM_BUILD_WHEEL": str(built),
                "NASM_BUILD_ENVIRONMENT": str(one.builds.folder),
                "NASM_BUILD_WHEELHOUSE": str(houses),
                "PYTHONPATH": "",
            },
        )  # fmt: skip
        return results.from_junit("Python", label, report, succeeded=succeeded, seconds=watch.seconds())


def _native(runs: platforms.Runs, plan: Plan, equipped: Sequence[_Equipped]) -> list[Outcome]:
    """An example in every form under every CPython for Linux that the form is for."""
    return [
        runs.native(plan, form, one.interpreter, one.tools, one.builds)
        for form in plan.forms
        for one in equipped
        if "linux" in plan.platforms
        and form.suits(one.interpreter.version, free_threaded=one.interpreter.free_threaded)
    ]


def _foreign(
    runs: platforms.Runs, plan: Plan, main: _Equipped, windows: Sequence[catalogue.WindowsPython]
) -> list[Outcome]:
    """The same for Windows and macOS, built by one CPython for Linux."""
    outcomes = []
    host = main.interpreter
    for form in plan.forms:
        if "windows" in plan.platforms:
            outcomes += [
                runs.windows(plan, form, python, main.builds)
                for python in windows
                if form.suits(python.version, free_threaded=False)
            ]
        if "macos" in plan.platforms and form.suits(host.version, free_threaded=host.free_threaded):
            outcomes.append(runs.macos(plan, form, host, main.tools, main.builds))
    return outcomes
