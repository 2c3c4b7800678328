"""What nasm-ext-verify (tests/cpp/conventions) says of files, an object an image."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..shell import DevelopmentError, cores


@dataclass(frozen=True)
class Fault:
    """What was found wrong in one function."""

    rule: str
    severity: str
    function: str
    place: str
    message: str


@dataclass(frozen=True)
class NotFollowed:
    """A function that nothing is said of."""

    function: str
    address: int
    """Of the instruction at which it ended."""
    reason: str


@dataclass(frozen=True)
class Image:
    """One image of a file; with a reason to pass it over nothing of it was verified."""

    path: Path
    member: str
    """Of a wheel."""
    slice: str
    """Of a fat file."""
    passed_over: str
    format: str = ""
    functions: int = 0
    instructions: int = 0
    milliseconds: float = 0
    """Processor time of the verifier, without what reading the file took."""
    not_followed: tuple[NotFollowed, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def library(self) -> str:
        """The name of the file, or of the one in the wheel."""
        return Path(self.member).name if self.member else self.path.name

    @property
    def name(self) -> str:
        """Where it is, for people: the folder says which CPython a module is of."""
        parts = (str(self.path) if not self.member else self.path.name, self.member, self.slice)
        return ": ".join(part for part in parts if part)


def verify(program: Path, files: Sequence[Path]) -> list[Image]:
    """Verifies files, as many at a time as there are cores, and gives what was found in their order."""
    with ThreadPoolExecutor(cores()) as pool:
        return [image for images in pool.map(lambda path: verify_one(program, path), files) for image in images]


def verify_one(program: Path, path: Path) -> list[Image]:
    """Verifies one file. Raises DevelopmentError where the program fails."""
    done = subprocess.run([program, path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevelopmentError(f"{path}: exit status {done.returncode}: {done.stderr}")
    return [_image(path, json.loads(line)) for line in done.stdout.splitlines()]


def _image(path: Path, line: dict[str, Any]) -> Image:
    place = (path, line["member"], line["slice"])
    if "passed_over" in line:
        return Image(*place, line["passed_over"])
    return Image(
        *place,
        "",
        line["format"],
        line["functions"],
        line["instructions"],
        line["milliseconds"],
        tuple(NotFollowed(one["function"], one["address"], one["reason"]) for one in line["not_followed"]),
        tuple(
            Fault(one["rule"], one["severity"], one["function"], one["place"], one["message"]) for one in line["faults"]
        ),
    )
