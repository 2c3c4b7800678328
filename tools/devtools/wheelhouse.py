"""A folder of the wheels that isolated builds ask for, downloaded once, so that tests build without a network.

One folder an interpreter: cython and cffi have a wheel a CPython version. nasm-build's own wheel lies in a folder of
its own (wheel.py), since it changes with every edit.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from .cache import cache_folder, locked, prune, touch
from .environments import REQUIREMENTS, Environment, download, musl_words, with_included
from .interpreters import Interpreter, requirements
from .shell import Stopwatch, run

KEPT = 2


def provide(environment: Environment, interpreter: Interpreter) -> Path:
    """The folder with everything that builds may ask for, and what that needs, for an interpreter.

    `environment` is one of it, with pip. Raises DevelopmentError.
    """
    label = interpreter.label
    file = requirements("builds", interpreter)
    key = hashlib.sha256(b"".join(one.read_bytes() for one in with_included(REQUIREMENTS / file))).hexdigest()[:12]
    folder = cache_folder("wheelhouse") / f"{label}-{key}"
    with locked(folder):
        if not folder.is_dir():
            staged = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(staged, ignore_errors=True)
            with Stopwatch(f"downloading what builds ask for, for CPython {label}"):
                if interpreter.musl:
                    download(file, staged, musl_words(interpreter.path))
                else:
                    run(
                        [environment.python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                         "--only-binary", ":all:", "--requirement", REQUIREMENTS / file, "--dest", staged],
                        quiet=True,
                    )  # fmt: skip
            staged.rename(folder)
    touch(folder)
    prune((path for path in folder.parent.glob(f"{label}-*") if path.is_dir()), KEPT)
    return folder
