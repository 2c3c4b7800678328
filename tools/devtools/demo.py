"""./dev demo: what a user does, from a project in assembly to a product on the screen, with every command shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

from . import environments, examples, interpreters
from .environments import Environment
from .shell import ROOT, DevelopmentError, Stopwatch, run, say


def run_demo(development: Environment, nasm_build: Path) -> None:
    """Builds, checks, installs and calls examples/pymult with the given wheel. Raises DevelopmentError."""
    host = interpreters.ask(development.python)
    if host is None:
        raise DevelopmentError(f"{development.python} is no CPython that nasm-build supports")
    with Stopwatch("the demonstration"), tempfile.TemporaryDirectory(prefix="nasm-build-demo-") as work:
        here = Path(work)
        project, wheels = examples.copy(ROOT / "examples/pymult", here), here / "wheels"
        say("1. nasm-build in an environment, as its users have it")
        tool = _new_environment(host.path, here / "tool")
        run([*_pip(tool), "install", "--quiet", "--find-links", nasm_build.parent, "nasm-build"])
        say("2. the project's wheel, in an isolated build")
        run([*_pip(tool), "wheel", ".", "--find-links", nasm_build.parent, "--wheel-dir", wheels], cwd=project)
        built = list(wheels.glob("pymult-*.whl"))
        if len(built) != 1:
            raise DevelopmentError(f"pip wheel left {[path.name for path in built]}, not one wheel of pymult")
        say("3. the finished wheel, checked")
        run([tool.script("nasm-ext"), "check", built[0]])
        say("4. the wheel, installed in a new environment and called")
        user = _new_environment(host.path, here / "user")
        run([*_pip(user), "install", "--quiet", "--no-index", built[0]])
        expression = "import pymult; print(pymult.multiply(6, 7))"
        product = run([user.python, "-c", expression], quiet=True).strip()
        say(f'$ {user.python} -c "{expression}"')
        if product != "42":
            raise DevelopmentError(f"multiply(6, 7) gave {product}")
        print()
        print(f"wheel:   {built[0].name}")
        print(f"size:    {built[0].stat().st_size} bytes")
        print(f"tag:     {'-'.join(built[0].stem.split('-')[-3:])}")
        print(f"product: multiply(6, 7) = {product}")
        print(flush=True)


def _new_environment(interpreter: Path, folder: Path) -> Environment:
    run([interpreter, "-m", "venv", folder])
    return environments.Environment(folder)


def _pip(environment: Environment) -> list[str | Path]:
    return [environment.python, "-m", "pip", "--disable-pip-version-check"]
