"""Python environments made from pinned requirements, kept in the cache and known by what is in them.

An environment's name holds a hash of its interpreter, its requirements and its wheels: a change of any of them makes
another one. It is complete when its stamp is written; a killed creation leaves none and is begun again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cache import cache_folder, locked, prune, touch
from .shell import DevelopmentError, Stopwatch, run

REQUIREMENTS = Path(__file__).parent / "requirements"
KEPT = 4
"""How many environments of one purpose and interpreter stay: one made for each edit would fill the disk."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def scripts(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / ("python.exe" if os.name == "nt" else "python")

    def script(self, name: str) -> Path:
        """The path of a program that a package installed here."""
        return self.scripts / (name + (".exe" if os.name == "nt" else ""))


def development(interpreter: Path | None = None) -> Environment:
    """The environment of ./dev's own tools, for the interpreter that runs ./dev unless another is given."""
    return provide("development", interpreter or _base_interpreter(), "development.txt")


def provide(
    purpose: str, interpreter: Path, requirements: str, wheels: tuple[Path, ...] = (), *, musl: bool = False
) -> Environment:
    """An environment of `interpreter` with a requirements file and wheels installed; made when it is not there yet.

    `musl` says that it is ours for musl, which has no ssl: pip cannot fetch anything under it. Raises DevelopmentError.
    """
    real = interpreter.resolve()
    key = hashlib.sha256(f"{real} {real.stat().st_mtime_ns}".encode())
    for file in with_included(REQUIREMENTS / requirements):
        key.update(file.read_bytes())
    for wheel in wheels:
        key.update(wheel.name.encode() + wheel.read_bytes())
    family = f"{purpose}-{_label(interpreter)}"
    folder = cache_folder("environments") / f"{family}-{key.hexdigest()[:12]}"
    environment = Environment(folder)
    stamp = folder / ".complete"
    with locked(folder):
        if not stamp.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            with Stopwatch(f"making the environment {folder.name}"):
                _make(environment, interpreter, requirements, wheels, musl=musl)
            stamp.touch()
        touch(folder)
    prune((path for path in folder.parent.glob(f"{family}-*") if path.is_dir()), KEPT)
    return environment


def with_included(file: Path) -> list[Path]:
    """A requirements file and the ones that it takes in."""
    included = [line[3:].strip() for line in file.read_text().splitlines() if line.startswith("-r ")]
    return [file, *(inner for name in included for inner in with_included(file.parent / name))]


def _base_interpreter() -> Path:
    """The interpreter below ./dev's own, so that an environment never hangs on another environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def _label(interpreter: Path) -> str:
    """What tells interpreters apart to a reader; the hash tells them apart to the machine."""
    return run([interpreter, "-I", "-c", _LABEL], quiet=True).strip()


_LABEL = """
import sys, sysconfig
print(*sys.version_info[:3], sep=".", end="t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
print("-musl" if "musl" in (sysconfig.get_config_var("SOABI") or "") else "")
"""


def _make(
    environment: Environment, interpreter: Path, requirements: str, wheels: tuple[Path, ...], *, musl: bool
) -> None:
    # Without pip: Debian's Python has no ensurepip until python3-venv is there, and other interpreters of the machine
    # may never have it. Ours installs into them instead.
    run([interpreter, "-m", "venv", "--without-pip", environment.folder], quiet=True)
    install: list[str | Path] = [
        *_bootstrap_pip(),
        "--python",
        environment.python,
        *("install", "--quiet", "--disable-pip-version-check", "--no-warn-script-location"),
    ]
    clean = {"PYTHONPATH": "", "PIP_REQUIRE_VIRTUALENV": "0"}
    if musl:
        fetched = environment.folder / "fetched"
        download(requirements, fetched, musl_words(interpreter))
        install += ["--no-index", "--find-links", fetched]
    run([*install, "--requirement", REQUIREMENTS / requirements], env=clean, quiet=True)
    if wheels:
        run([*install, "--no-deps", *wheels], env=clean, quiet=True)


def download(requirements: str, target: Path, words: Sequence[str] = ()) -> None:
    """Downloads what a requirements file names, and what that needs, for the platform that pip's words say."""
    run(
        [*_bootstrap_pip(), "download", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
         *words, "--requirement", REQUIREMENTS / requirements, "--dest", target],
        quiet=True,
    )  # fmt: skip


def download_one(requirement: str, target: Path, words: Sequence[str]) -> None:
    """Downloads one package's wheel, without what it needs, for the platform of pip's words."""
    run(
        [*_bootstrap_pip(), "download", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps",
         *words, requirement, "--dest", target],
        quiet=True,
    )  # fmt: skip


def install_foreign(requirements: Path, target: Path, words: Sequence[str]) -> None:
    """Installs what a requirements file names, and nothing else, into a folder for the platform of pip's words."""
    run(
        [*_bootstrap_pip(), "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps",
         *words, "--requirement", requirements, "--target", target],
        env={"PYTHONPATH": "", "PIP_REQUIRE_VIRTUALENV": "0"},
        quiet=True,
    )  # fmt: skip


def musl_words(interpreter: Path) -> list[str]:
    """The words by which another CPython's pip downloads for one that runs with musl."""
    major, minor, *_ = _label(interpreter).split(".")
    return [
        *("--platform", "musllinux_1_2_x86_64", "--platform", "musllinux_1_1_x86_64"),
        *("--implementation", "cp", "--python-version", f"{major}.{minor}", "--abi", f"cp{major}{minor}"),
        *("--abi", "abi3", "--abi", "none"),
    ]


def _bootstrap_pip() -> list[str | Path]:
    """A pip that can install into other environments (`--python`, pip ≥ 22.3), made once from the host's ensurepip."""
    ensure_host_python()
    folder = cache_folder("environments") / f"pip-{_label(_base_interpreter())}"
    python = Environment(folder).python
    with locked(folder):
        stamp = folder / ".complete"
        if not stamp.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            run([_base_interpreter(), "-m", "venv", folder], quiet=True)
            pinned = next(
                line for line in (REQUIREMENTS / "tests.txt").read_text().splitlines() if line.startswith("pip==")
            )
            run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pinned], quiet=True)
            stamp.touch()
    return [python, "-m", "pip"]


def ensure_host_python() -> None:
    """Raises DevelopmentError when the interpreter that runs ./dev cannot make environments."""
    try:
        import ensurepip as ensurepip
        import venv as venv
    except ImportError:
        raise DevelopmentError(f"{sys.executable} has no venv or ensurepip; start ./dev with another Python") from None
