"""Public wheels that proofs and tests read: pinned, downloaded once into the cache, never installed."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import environments
from .cache import cache_folder, locked
from .shell import DevelopmentError


@dataclass(frozen=True)
class Wanted:
    """A wheel by the words that pip finds it with, and the folder of the cache that keeps it."""

    requirement: str
    words: tuple[str, ...]
    folder: str
    sha256: str = ""
    """Of the file; empty where the version alone is pinned."""


def named(file_name: str, sha256: str) -> Wanted:
    """The wheel of that very name: its tags give pip's words."""
    parts = file_name.removesuffix(".whl").split("-")
    if len(parts) not in (5, 6) or not (version := re.fullmatch(r"cp3(\d+)(\..*)?", parts[-3])):
        raise DevelopmentError(f"{file_name} is not a wheel's name for CPython")
    platforms = [word for tag in parts[-1].split(".") for word in ("--platform", tag)]
    abis = [word for abi in parts[-2].split(".") for word in ("--abi", abi)]
    words = (*platforms, *abis, "--implementation", "cp", "--python-version", f"3.{version[1]}")
    return Wanted(f"{parts[0]}=={parts[1]}", words, f"public-wheels/{file_name}", sha256)


def listed(pins: Path) -> list[Wanted]:
    """The wheels of a list as sha256sum writes it."""
    rows = [line.split() for line in pins.read_text().splitlines() if line and not line.startswith("#")]
    return [named(file_name, sha256) for sha256, file_name in rows]


def fetch(wanted: Wanted) -> Path:
    """The wheel, downloaded into the cache when it is not there yet. Raises DevelopmentError."""
    folder = cache_folder(str(Path(wanted.folder).parent)) / Path(wanted.folder).name
    with locked(folder):
        if not folder.is_dir():
            staged = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(staged, ignore_errors=True)
            environments.download_one(wanted.requirement, staged, wanted.words)
            _require_sha256(_only(staged), wanted.sha256)
            staged.rename(folder)
    return _only(folder)


def _only(folder: Path) -> Path:
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise DevelopmentError(f"{folder} holds {len(found)} wheels")
    return found[0]


def _require_sha256(wheel: Path, pinned: str) -> None:
    got = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if pinned and got != pinned:
        raise DevelopmentError(f"{wheel.name} has the SHA-256 {got}, not {pinned}")
