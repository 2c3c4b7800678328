"""Finds `nasm-ext`, the native part of this distribution, wherever an installer put it.

A candidate counts only when it answers with this package's own version: an old one on PATH would speak another
language. The order: NASM_EXT, the distribution's RECORD, the scripts folder beside site-packages (a prefix, `--target`,
pip's isolated build environment, whose sysconfig names the outer interpreter's folder), sysconfig's schemes, PATH.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ._version import VERSION
from .errors import BuildError, Problem, failed

RULE = "executable"
NAME = "nasm-ext.exe" if os.name == "nt" else "nasm-ext"
PACKAGE = Path(__file__).parent
SCRIPT_FOLDERS = ("Scripts", "bin") if os.name == "nt" else ("bin",)


def find_executable() -> Path | None:
    """The path of our own `nasm-ext`, or None where the distribution was installed without one.

    On machines that are neither x86-64 nor arm64 the distribution is pure Python. Raises BuildError when it should be
    there and is not, with every place that was looked at.
    """
    # One answer for as long as what decides it stays: a build asks several times.
    return _find(os.environ.get("NASM_EXT"), os.environ.get("PATH"))


@functools.lru_cache(maxsize=4)
def _find(named: str | None, path: str | None) -> Path | None:
    if not PACKAGE.is_dir():
        raise failed(
            f"nasm-build cannot run from inside an archive ({PACKAGE}): its native part must be a file",
            RULE,
            "install it unpacked: pip install nasm-build (or pip install --target FOLDER nasm-build)",
        )
    rejected: list[str] = []
    if named:
        reason = _rejection(Path(named))
        if reason:
            raise failed(f"NASM_EXT names {named}, which {reason}", RULE, "unset NASM_EXT, or give the right path")
        return Path(named)
    seen: set[Path] = set()
    for candidate in _candidates(path):
        if candidate in seen or not candidate.is_file():
            continue
        seen.add(candidate)
        reason = _rejection(candidate)
        if reason is None:
            return candidate
        rejected.append(f"{candidate} {reason}")
    if _installed_without():
        return None
    details = "".join(f"\n  rejected: {line}" for line in rejected)
    raise BuildError(
        Problem(
            f"nasm-ext {VERSION}, the native part of nasm-build, was not found",
            RULE,
            "reinstall it: pip install --force-reinstall nasm-build; or name it: NASM_EXT=/path/to/nasm-ext",
        ),
        details.lstrip("\n"),
    )


def _candidates(path: str | None) -> Iterator[Path]:
    yield from _from_record()
    yield from _beside_site_packages()
    yield from _from_sysconfig()
    for folder in (path or "").split(os.pathsep):
        if folder:
            yield Path(folder) / NAME


def _record() -> Path:
    return PACKAGE.parent / f"nasm_build-{VERSION}.dist-info" / "RECORD"


def _from_record() -> Iterator[Path]:
    """The path that the installer wrote down. Under `--target` it points outside, hence `is_file` at the caller."""
    try:
        lines = _record().read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        name = line.split(",")[0].strip('"')
        if name.endswith("/" + NAME) or name == NAME:
            yield Path(os.path.normpath(PACKAGE.parent / name))


def _beside_site_packages() -> Iterator[Path]:
    """`P/lib/python3.x/site-packages` has `P/bin`; `--target T` has `T/bin`; Windows has `P/Scripts`."""
    for folder in list(PACKAGE.parents)[:4]:
        for scripts in SCRIPT_FOLDERS:
            yield folder / scripts / NAME


def _from_sysconfig() -> Iterator[Path]:
    import sysconfig

    schemes = [None, "nt_user" if os.name == "nt" else "posix_user"]
    if sys.platform == "darwin":
        schemes.append("osx_framework_user")
    for scheme in schemes:
        try:
            folder = sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts")
        except KeyError:
            continue
        yield Path(folder) / NAME


def _rejection(candidate: Path) -> str | None:
    """Why a file is not our executable; None when it is."""
    try:
        answer = subprocess.run(
            [str(candidate), "--version"], capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return "does not answer"
    except OSError as error:
        return f"cannot be run: {(error.strerror or str(error)).lower()}"
    words = answer.stdout.split()
    if answer.returncode != 0 or words[:1] != ["nasm-ext"] or len(words) < 2:
        return f"is not nasm-ext (exit status {answer.returncode})"
    if words[1] != VERSION:
        return f"is nasm-ext {words[1]}, not {VERSION}"
    return None


def _installed_without() -> bool:
    """Whether this distribution was installed as pure Python, as it is where there is nothing to assemble for."""
    try:
        record = _record().read_text(encoding="utf-8")
    except OSError:
        return False
    return NAME not in record
