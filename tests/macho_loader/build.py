"""Builds the loader of Mach-O extension modules for the CPython that runs this: python build.py OUT_FOLDER

With OUT_FOLDER on PYTHONPATH and MACHO_LOADER_FOLDER=DIR, that CPython imports the extension modules for macOS of DIR.
Needs the system's C++ compiler (or $CXX) and the headers of the CPython; ccache makes a second build quick.
"""

from __future__ import annotations

import concurrent.futures
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "src"
"""Where base/error.hpp is, the one error type."""

OPTIONS = (
    "-std=c++20 -O1 -g -fPIC -fvisibility=hidden -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-psabi"
    " -Wno-missing-field-initializers"
).split()


def build(folder: Path) -> Path:
    """Puts the package and its compiled part into a folder, and returns the compiled part's path."""
    package = folder / "macho_loader"
    package.mkdir(parents=True, exist_ok=True)
    for source in (HERE / "python").rglob("*.py"):
        shutil.copy2(source, folder / source.relative_to(HERE / "python"))
    target = package / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    cached = [shutil.which("ccache") or "", *compiler] if shutil.which("ccache") else compiler
    include = ["-isystem", sysconfig.get_path("include"), "-isystem", sysconfig.get_path("platinclude")]
    with tempfile.TemporaryDirectory(prefix="macho-loader-") as work:

        def compile_one(source: Path) -> str:
            item = str(Path(work, f"{source.stem}.o"))
            _run([*cached, *OPTIONS, "-I", str(SHARED), *include, "-c", str(source), "-o", item])
            return item

        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            objects = list(pool.map(compile_one, sorted((HERE / "src").glob("*.cpp"))))
        # In the folder itself and then renamed: a process that has the old one loaded keeps it.
        fresh = package / f"{target.name}.{os.getpid()}"
        _run([*compiler, "-shared", *objects, "-ldl", "-o", str(fresh)])
        fresh.replace(target)
    return target


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"$ {shlex.join(command)}\n{done.stdout}{done.stderr}error: the loader could not be built")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python build.py OUT_FOLDER")
    build(Path(sys.argv[1]))
