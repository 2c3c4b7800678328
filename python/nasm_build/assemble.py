"""Assembles sources: in parallel, only what changed, never half an object. `nasm-ext assemble` runs NASM on each.

A record beside the objects says of each what it was made from: the command, NASM itself, and the content of every file
that was read. Content decides, not time, so that a fresh checkout or pip's fresh environment reassembles nothing; a
file's unchanged size and time only spare reading it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._version import VERSION
from .errors import BuildError, Problem, failed, say
from .files import replace_file
from .programs import run_program
from .toolchain import refusal

RECORD_VERSION = 1
RULE = "nasm"


@dataclass(frozen=True)
class Unit:
    """One source to assemble. Paths are relative to the project, with forward slashes; `words` are its own for NASM."""

    source: str
    object: str
    words: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def nasm_words(self, flags: Sequence[str]) -> list[str]:
        """What NASM is told beside the source and the object."""
        includes = [word for folder in self.folders for word in ("-I", folder.rstrip("/") + "/")]
        return [*flags, *includes, *self.words]


@dataclass
class _Made:
    """What one run of NASM gave."""

    unit: Unit
    inputs: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    details: str = ""
    started: int = 0

    def problems_of(self, severity: str) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == severity]


def job_count() -> int:
    """How many sources are assembled at once: NASM_BUILD_PARALLEL, or the processors this process may use."""
    named = os.environ.get("NASM_BUILD_PARALLEL", "")
    if named:
        if not named.isdigit() or int(named) < 1:
            raise failed(f"NASM_BUILD_PARALLEL is {named!r}", "settings", "set it to a number from 1 on, or unset it")
        return int(named)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def nasm_environment() -> dict[str, str]:
    """The variables that NASM runs with: NASM takes words from NASMENV, which would change objects unseen."""
    return {name: value for name, value in os.environ.items() if name != "NASMENV"}


class Assembler:
    """Makes the objects of one extension module.

    `root` is the project, NASM's working folder, so that the paths in messages and in debug data are relative.
    `driver` is nasm-ext. `record` is where the knowledge of what is up to date is kept.
    """

    def __init__(
        self, root: Path, driver: str, nasm: str, nasm_version: str, flags: Sequence[str], record: Path
    ) -> None:
        self.root = root
        self.driver = driver
        self.nasm = nasm
        self.flags = list(flags)
        # Where nasm-ext lies differs from one isolated environment to the next; what it does, with its version alone.
        self.identity = f"{nasm_version} {_hash_file(Path(nasm))} {VERSION}"
        self.record = record
        self.hashes: dict[str, str] = {}
        self.running: set[subprocess.Popen[str]] = set()

    def assemble(self, units: Sequence[Unit]) -> bool:
        """Brings every object up to date; says whether any was made. Raises BuildError with all that NASM said."""
        known = self._read_record()
        files: dict[str, Any] = known.get("files", {})
        objects: dict[str, Any] = known.get("objects", {})
        stale = [unit for unit in units if not self._is_current(unit, objects.get(unit.object), files)]
        if not stale:
            return False
        for unit in stale:
            objects.pop(unit.object, None)
        made = self._run_all(stale)
        for result in made:
            if not result.details:
                self._remember(result, objects)
        wanted = {unit.object for unit in units}
        self._write_record({name: row for name, row in objects.items() if name in wanted})
        self._report(made)
        return True

    # -- what is up to date ------------------------------------------------------------------------------------------

    def _key(self, unit: Unit) -> str:
        words = [*unit.nasm_words(self.flags), unit.object, unit.source]
        return hashlib.sha256("\0".join([self.identity, *words]).encode()).hexdigest()

    def _is_current(self, unit: Unit, row: Any, files: dict[str, Any]) -> bool:
        if not isinstance(row, dict) or row.get("key") != self._key(unit):
            return False
        if _fingerprint(self.root / unit.object) != row.get("object"):
            return False
        return all(self._hash(name, files) == digest for name, digest in row["inputs"].items())

    def _hash(self, name: str, files: dict[str, Any]) -> str:
        """The content's hash of an input; what the record knows of a file with the same size and time is believed."""
        if name not in self.hashes:
            kept = files.get(name)
            path = self.root / name
            self.hashes[name] = (
                kept["sha256"] if kept and _fingerprint(path) == kept["fingerprint"] else _hash_file(path)
            )
        return self.hashes[name]

    def _remember(self, made: _Made, objects: dict[str, Any]) -> None:
        inputs: dict[str, str] = {}
        for name in made.inputs:
            self.hashes[name] = _hash_file(self.root / name)
            inputs[name] = self.hashes[name]
            if _modified(self.root / name) >= made.started:
                return  # edited while NASM read it: the object may be of either text, so it is made again next time
        objects[made.unit.object] = {
            "key": self._key(made.unit),
            "object": _fingerprint(self.root / made.unit.object),
            "inputs": inputs,
        }

    def _read_record(self) -> dict[str, Any]:
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) and record.get("version") == RECORD_VERSION else {}

    def _write_record(self, objects: dict[str, Any]) -> None:
        now = time.time_ns()
        names = {name for row in objects.values() for name in row["inputs"]}
        files = {}
        for name in sorted(names):
            path = self.root / name
            # A file changed within the clock's grain of this moment could change again without a new time.
            if name in self.hashes and now - _modified(path) > 20_000_000:
                files[name] = {"fingerprint": _fingerprint(path), "sha256": self.hashes[name]}
        record = {"version": RECORD_VERSION, "files": files, "objects": objects}
        replace_file(self.record, json.dumps(record).encode())

    # -- running NASM ------------------------------------------------------------------------------------------------

    def _run_all(self, units: Sequence[Unit]) -> list[_Made]:
        for folder in {(self.root / unit.object).parent for unit in units}:
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max_workers=min(job_count(), len(units))) as pool:
            waiting = [pool.submit(self._run, unit) for unit in units]
            try:
                return [result.result() for result in waiting]
            except BaseException:
                # An interrupt must not wait for a NASM that hangs, be the signal sent to it as well or not.
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(self.running):
                    process.terminate()  # nasm-ext ends its NASM with itself
                raise

    def _run(self, unit: Unit) -> _Made:
        started = time.time_ns()
        try:
            answer = self._assemble(unit)
        finally:
            (self.root / (unit.object + ".partial")).unlink(missing_ok=True)
        problems = [
            Problem(row["message"], RULE, row["fix"], row["file"], row["line"], row["severity"])
            for row in answer["problems"]
        ]
        return _Made(unit, answer["inputs"], problems, answer["details"].rstrip(), started)

    def _assemble(self, unit: Unit) -> dict[str, Any]:
        """What nasm-ext says of one run of NASM. Raises BuildError where it could not run it, or not write."""
        command = [self.driver, "assemble", unit.source, "--object", unit.object, "--nasm", self.nasm]
        command += ["--format", "json", "--", *unit.nasm_words(self.flags)]
        try:
            done = run_program(command, self.root, running=self.running)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise failed(f"{self.driver} cannot be run: {reason}", RULE, "reinstall nasm-build") from None
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise refusal(done.stdout, command, done.returncode, RULE) from None
        return answer

    def _report(self, made: Sequence[_Made]) -> None:
        warnings = [problem for result in made for problem in result.problems_of("warning")]
        for warning in dict.fromkeys(warnings):
            say(warning.render())
        broken = [result for result in made if result.details]
        if broken:
            errors = [problem for result in broken for problem in result.problems_of("error")]
            errors = errors or [Problem(f"NASM failed on {broken[0].unit.source}", RULE, file=broken[0].unit.source)]
            raise BuildError(list(dict.fromkeys(errors)), broken[0].details)


def _hash_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _fingerprint(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
