"""A folder of the wheels that isolated builds ask for, downloaded once, so that tests build without a network.

One folder an interpreter: cython and cffi have a wheel a CPython version. nasm-build's own wheel lies in a folder of
its own (wheel.py), since it changes with every edit.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from .cache import cache_folder, locked, prune, touch
from .environments import REQUIREMENTS, Environment, download, musl_words
from .interpreters import Interpreter
from .shell import Stopwatch, run

KEPT = 2


def provide(environment: Environment, interpreter: Interpreter) -> Path:
    """The folder with everything in builds.txt, and what that needs, for an interpreter and its environment with pip.

    Raises DevelopmentError.
    """
    label = interpreter.label
    requirements = REQUIREMENTS / "builds.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache_folder("wheelhouse") / f"{label}-{key}"
    with locked(folder):
        if not folder.is_dir():
            staged = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(staged, ignore_errors=True)
            with Stopwatch(f"downloading what builds ask for, for CPython {label}"):
                if interpreter.musl:
                    download("builds.txt", staged, musl_words(interpreter.path))
                else:
                    run(
                        [environment.python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                         "--only-binary", ":all:", "--requirement", requirements, "--dest", staged],
                        quiet=True,
                    )  # fmt: skip
            staged.rename(folder)
    touch(folder)
    prune((path for path in folder.parent.glob(f"{label}-*") if path.is_dir()), KEPT)
    return folder
