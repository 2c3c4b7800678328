"""The command line of ./dev: parses words, sees to what a command needs, calls the part that does the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .shell import DevelopmentError, Stopwatch, say


@dataclass(frozen=True)
class Command:
    """One command: its help line, whether the tests' packages are needed, and what it does."""

    summary: str
    needs_test_packages: bool
    run: Callable[[argparse.Namespace], bool]


def main(words: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit status: 0 when all is well, 1 when not, 2 for a wrong word."""
    arguments = _parser().parse_args(_without_separator(list(sys.argv[1:] if words is None else words)))
    command = COMMANDS[arguments.command]
    from . import packages

    try:
        packages.provide(tests=command.needs_test_packages)
        return 0 if command.run(arguments) else 1
    except DevelopmentError as error:
        print(f"./dev {arguments.command}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"./dev {arguments.command}: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    from .fuzzing import Effort
    from .proofs import PROOFS
    from .testing import PARTS

    parser = argparse.ArgumentParser(prog="./dev", description="Builds, tests and shows nasm-build")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {
        name: commands.add_parser(name, help=one.summary, description=one.summary) for name, one in COMMANDS.items()
    }
    parsers["test"].add_argument(
        "--only", action="append", choices=PARTS, help="run this part alone (may be given several times)"
    )
    parsers["test"].add_argument(
        "pytest_arguments",
        nargs=argparse.REMAINDER,
        metavar="-- PYTEST ARGUMENTS",
        help="run the Python tests alone, under one CPython, with these words for pytest: ./dev test -- -k settings",
    )
    parsers["prove"].add_argument(
        "names", nargs="*", metavar="NAME", help=f"which of these, all without a name: {', '.join(PROOFS)}"
    )
    usual = Effort()
    parsers["prove"].add_argument(
        "--count", type=int, default=usual.count, help=f"damaged inputs a format in the proofs fuzz ({usual.count})"
    )
    parsers["prove"].add_argument(
        "--seconds", type=int, default=usual.seconds, help=f"how long each target of libfuzzer runs ({usual.seconds})"
    )
    return parser


def _without_separator(words: list[str]) -> list[str]:
    """Lets `./dev test -k x` mean `./dev test -- -k x`: the first word that ./dev test does not know is pytest's."""
    if words[:1] != ["test"]:
        return words
    own, rest = ["test"], words[1:]
    while rest:
        if rest[0] in ("--help", "-h") or rest[0].startswith("--only="):
            own.append(rest.pop(0))
        elif rest[0] == "--only":
            own += rest[:2]
            rest = rest[2:]
        else:
            break
    if rest[:1] == ["--"]:
        rest = rest[1:]
    return [*own, *(["--", *rest] if rest else [])]


def _setup(_: argparse.Namespace) -> bool:
    from . import environments, lief

    development = environments.development()
    say(f"development environment: {development.folder}")
    say(f"LIEF: {lief.prefix(development.python)} (for CMake: -DCMAKE_PREFIX_PATH=…)")
    return True


def _build(_: argparse.Namespace) -> bool:
    from . import environments, native, wheel

    development = environments.development()
    say(f"executable: {native.build(development, tests=True)}")
    say(f"wheel: {wheel.provide(development)}")
    return True


def _demo(_: argparse.Namespace) -> bool:
    from . import demo, environments, wheel

    development = environments.development()
    demo.run_demo(development, wheel.provide(development))
    return True


def _test(arguments: argparse.Namespace) -> bool:
    from . import environments, testing

    pytest_arguments = [word for word in arguments.pytest_arguments if word != "--"]
    parts = arguments.only or (("python",) if pytest_arguments else testing.USUAL)
    with Stopwatch("./dev test"):
        outcomes = testing.run_all(environments.development(), parts, pytest_arguments)
    return testing.report(outcomes)


def _prove(arguments: argparse.Namespace) -> bool:
    from . import environments, fuzzing, proofs

    effort = fuzzing.Effort(arguments.count, arguments.seconds)
    return proofs.run_all(environments.development(), arguments.names, effort)


def _lint(_: argparse.Namespace) -> bool:
    from . import environments, lint, native

    development = environments.development()
    native.configure(development)
    found = [name for name, clean in lint.lint(development) if not clean]
    say(f"not clean: {', '.join(found)}" if found else "all linters are content")
    return not found


def _format(_: argparse.Namespace) -> bool:
    from . import environments, lint

    lint.apply_formats(environments.development())
    return True


COMMANDS = {
    "setup": Command("install what building and testing need, and build LIEF once for this machine", True, _setup),
    "build": Command("build nasm-ext, its tests, and nasm-build's wheel", True, _build),
    "demo": Command("build a wheel of examples/pymult as a user does, check it, install it, call it", False, _demo),
    "test": Command("run the linters and every test, under every CPython of the machine", True, _test),
    "prove": Command(
        "run what takes too long for every change: fuzzing, builds at once, leaks, public wheels", True, _prove
    ),
    "lint": Command("run the linters alone", True, _lint),
    "format": Command("format every source", True, _format),
}
