"""./dev prove: what takes too long for every change. A proof is one entry in PROOFS."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import environments, examples, fuzzing, interpreters, isa_agreement, native, wheel, windows_imports
from .agreement import proof as agreement
from .conventions import proof as conventions
from .environments import Environment
from .forms import Form
from .fuzzing import Effort
from .mutants import proof as mutants
from .shell import ROOT, DevelopmentError, Stopwatch, run, say

PAIRS = 30


@dataclass(frozen=True)
class Proof:
    """One long check: what it shows, and how; it raises DevelopmentError when it does not hold."""

    shows: str
    run: Callable[..., None]
    """Given the development environment and, with `takes_effort`, the effort."""
    takes_effort: bool = False
    """Whether it is told how long to try."""


def run_all(development: Environment, names: Sequence[str], effort: Effort) -> bool:
    """Runs the named proofs, or all, each to its end, and says which hold."""
    unknown = [name for name in names if name not in PROOFS]
    if unknown:
        raise DevelopmentError(f"no proof is named {', '.join(unknown)}; there are {', '.join(PROOFS)}")
    results: list[tuple[str, str]] = []
    for name in names or PROOFS:
        proof = PROOFS[name]
        try:
            with Stopwatch(f"{name}: {proof.shows}"):
                proof.run(development, *((effort,) if proof.takes_effort else ()))
            results.append((name, "holds"))
        except DevelopmentError as error:
            results.append((name, f"does not hold: {error}"))
    for name, result in results:
        say(f"{name}: {result}")
    return all(result == "holds" for _, result in results)


def _concurrent_builds(development: Environment) -> None:
    """Two builds at once in one tree, again and again: every one gives the same wheel, bit for bit."""
    host = interpreters.ask(development.python)
    if host is None:
        raise DevelopmentError(f"{development.python} is no CPython that nasm-build supports")
    builds = environments.provide("builds", host.path, "builds.txt", (wheel.provide(development),))
    for folder in examples.found():
        with tempfile.TemporaryDirectory(prefix="nasm-build-pairs-") as work:
            project = examples.copy(folder, Path(work))
            hashes = Counter(
                made for pair in range(PAIRS) for made in _build_pair(project, builds, Path(work) / f"pair-{pair}")
            )
        say(f"{folder.name}: {sum(hashes.values())} wheels, {len(hashes)} different")
        if len(hashes) != 1:
            raise DevelopmentError(f"{folder.name}: {dict(hashes)}")


def _build_pair(project: Path, builds: Environment, target: Path) -> list[str]:
    """Starts two builds side by side and returns the hashes of their wheels."""
    started = [
        subprocess.Popen(
            [
                builds.python,
                "-m",
                "pip",
                "wheel",
                "--no-deps",
                "--no-build-isolation",
                "--wheel-dir",
                target / side,
                ".",
            ],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for side in ("left", "right")
    ]
    outputs = [process.communicate()[0] for process in started]
    for process, output in zip(started, outputs, strict=True):
        if process.returncode != 0:
            print(output)
            raise DevelopmentError(f"one of two builds at once ended with exit status {process.returncode}")
    wheels = [path for side in ("left", "right") for path in (target / side).glob("*.whl")]
    if len(wheels) != len(started):
        raise DevelopmentError(f"two builds left {len(wheels)} wheels")
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in wheels]


def _leaks(development: Environment) -> None:
    """pymult's own measurement, a million calls a path, under every CPython."""
    built = wheel.provide(development)
    for interpreter in interpreters.find_all():
        builds = environments.provide(
            "builds", interpreter.path, interpreters.requirements("builds", interpreter), (built,)
        )
        tools = environments.provide("tests", interpreter.path, interpreters.requirements("tests", interpreter))
        with tempfile.TemporaryDirectory(prefix="nasm-build-leaks-") as work:
            project, installed = examples.copy(ROOT / "examples/pymult", Path(work)), Path(work) / "installed"
            examples.install(examples.build(project, Form(), builds, Path(work)), builds, installed)
            say(f"CPython {interpreter.label}")
            run([tools.python, project / "tests/test_references.py"], env={"PYTHONPATH": str(installed)})


def _windows_imports(development: Environment) -> None:
    """Public wheels for Windows against the import libraries that this clone's nasm-ext writes."""
    windows_imports.prove(native.build(development, tests=False))


def _agreement(development: Environment) -> None:
    """Public wheels for every platform, read and judged by nasm-ext and by other programs."""
    agreement.prove(native.build(development, tests=False), development)


def _isa(development: Environment) -> None:
    """The levels of the functions of public wheels against objdump."""
    isa_agreement.prove(native.build(development, tests=False))


def _conventions(development: Environment) -> None:
    """The verifier of calling conventions over code that compilers made."""
    conventions.prove(native.build_target(development, "nasm-ext-verify"))


def _mutants(development: Environment) -> None:
    """Mutants of correct assembly, run and checked."""
    mutants.prove(native.build(development, tests=False))


PROOFS: dict[str, Proof] = {
    "fuzz": Proof(
        "damaged inputs of every format through the whole check: no crash, no hang, bounded memory",
        fuzzing.damaged,
        takes_effort=True,
    ),
    "fuzz-lief": Proof(
        "the same through a LIEF that is sanitised itself", fuzzing.damaged_through_lief, takes_effort=True
    ),
    "libfuzzer": Proof("libFuzzer finds no input that breaks the check", fuzzing.guided, takes_effort=True),
    "concurrency": Proof(f"{PAIRS} pairs of builds at once in one tree give one wheel", _concurrent_builds),
    "windows-imports": Proof(
        "our import libraries have every name that public wheels for Windows import from CPython's DLLs",
        _windows_imports,
    ),
    "agreement": Proof(
        "other programs read public wheels for every platform as nasm-ext does, and judge them so", _agreement
    ),
    "isa": Proof("functions of public wheels have the instruction-set levels that objdump's mnemonics show", _isa),
    "conventions": Proof(
        "the verifier finds nothing wrong in code of compilers: CPythons, system libraries, public wheels",
        _conventions,
    ),
    "mutants": Proof(
        "every mutant of correct assembly that breaks its calling convention when it runs is found by the check",
        _mutants,
    ),
    "leaks": Proof("a million calls of each path lose no reference, under every CPython", _leaks),
}
