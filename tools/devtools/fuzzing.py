"""./dev prove fuzz, fuzz-lief, libfuzzer: damaged inputs through the whole check of a file, in process.

A run is made of chunks, each a process of nasm-ext-mutate; what a chunk came to is kept in the build folder, so that a
run that was interrupted goes on where it was. A new build of the program, or other seeds, begin anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from . import native
from .environments import Environment
from .shell import ROOT, DevelopmentError, cores, run, say

FORMATS = ("elf", "pe", "macho", "wheel", "object")
VERIFIED = ("code", "stream", "lines")
"""What the verifier of calling conventions gets: damaged code, made-up instructions, damaged objects with the lines."""
GUIDED = (*FORMATS, "code", "lines")
"""The libFuzzer targets; that of code has made-up instructions among its mutations."""
CHUNK = 5_000
"""Inputs a process: the memory that it grew by is judged over all of them."""

SUPPRESSIONS = ROOT / "tools/devtools/lief-undefined.txt"
CORPUS = ROOT / "tests/cpp/fuzz/corpus"


@dataclass(frozen=True)
class Effort:
    """How long to try: damaged inputs a format, seconds a libFuzzer target."""

    count: int = 200_000
    seconds: int = 60

    def inputs(self, name: str) -> int:
        """Of a format: the verifier gets 100,000 of each kind, unless fewer are asked for."""
        return min(self.count, 100_000) if name in VERIFIED else self.count


@dataclass(frozen=True)
class Build:
    """A build of nasm-ext-mutate, and what it is run with."""

    name: str
    program: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Chunk:
    """What the inputs of one process came to."""

    inputs: int
    read: int
    refused: int
    failed: int
    seconds: float
    slowest_ms: float
    megabytes: float


def damaged(development: Environment, effort: Effort) -> None:
    """Every format under sanitizers, then in the plain build, which bounds memory."""
    sanitized = native.build_sanitized(development, "nasm-ext-mutate")
    plain = native.build_target(development, "nasm-ext-mutate")
    builds = [Build("sanitized", sanitized, _sanitizer_variables()), Build("plain", plain, {})]
    _run_builds(development, builds, effort, (*FORMATS, *VERIFIED))


def damaged_through_lief(development: Environment, effort: Effort) -> None:
    """The same through a LIEF that is sanitised itself."""
    program = native.build_fuzzers(development, "nasm-ext-mutate")
    _run_builds(development, [Build("LIEF sanitized", program, _sanitizer_variables())], effort, FORMATS)


def guided(development: Environment, effort: Effort) -> None:
    """libFuzzer, a target a format, from the corpus in the tree, the samples and faulty fields in them."""
    mutate = native.build_fuzzers(development, "nasm-ext-mutate")
    native.build_fuzzers(development, "fuzzers")
    folder = native.fuzzers_folder() / "libfuzzer"
    samples = [native.fuzzers_folder() / "samples" / kind for kind in ("read", "code")]
    run([mutate, "--write-corpus", folder / "start", "--recipes", CORPUS, "--largest-seed", "200000", *samples])
    with ThreadPoolExecutor(cores()) as pool:
        results = list(pool.map(lambda name: _guide(name, folder, effort.seconds), GUIDED))
    _print_table([("format", "inputs", "a second", "edges", "corpus", ""), *(row for row, _ in results)])
    failed = [row[0] for row, good in results if not good]
    if failed:
        raise DevelopmentError(f"libFuzzer found inputs that break the check of {', '.join(failed)}: {folder}/found-*")


def _guide(name: str, folder: Path, seconds: int) -> tuple[tuple[str, ...], bool]:
    """Runs one target; its corpus grows from run to run."""
    grown = folder / name
    grown.mkdir(parents=True, exist_ok=True)
    target = native.program(native.fuzzers_folder(), f"fuzz-{name}")
    done = subprocess.run(
        [target, f"-max_total_time={seconds}", "-timeout=30", "-rss_limit_mb=4096", "-max_len=200000",
         "-use_value_profile=1", "-print_final_stats=1", f"-artifact_prefix={folder}/found-{name}-",
         grown, folder / "start" / name],
        env={**os.environ, **_sanitizer_variables()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        print(done.stderr[-6000:])
    inputs = _last(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    speed = _last(r"stat::average_exec_per_sec:\s+(\d+)", done.stderr)
    row = (name, inputs, speed, _last(r" cov: (\d+)", done.stderr), _last(r" corp: (\d+)", done.stderr))
    return (*row, "" if done.returncode == 0 else "FAILED"), done.returncode == 0


def _last(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    return str(found[-1]) if found else "?"


def _sanitizer_variables() -> dict[str, str]:
    return {
        # A small quarantine: freed memory that is kept makes every input slower.
        "ASAN_OPTIONS": "quarantine_size_mb=16",
        "UBSAN_OPTIONS": f"print_stacktrace=1:halt_on_error=1:suppressions={SUPPRESSIONS}",
    }


def _run_builds(development: Environment, builds: Sequence[Build], effort: Effort, formats: Sequence[str]) -> None:
    seeds = {name: _seeds(development, builds[0].program, name) for name in formats}
    jobs = [
        (build, name, first)
        for build in builds
        for name in formats
        for first in range(0, effort.inputs(name), CHUNK)
    ]  # fmt: skip
    results: dict[tuple[str, str], list[Chunk]] = {(build.name, name): [] for build in builds for name in formats}
    failures: list[str] = []
    kept = {build.name: _Kept(build, sorted({path for paths in seeds.values() for path in paths})) for build in builds}
    with ThreadPoolExecutor(cores()) as pool:
        started = {}
        for build, name, first in jobs:
            count = min(CHUNK, effort.inputs(name) - first)
            known = kept[build.name].get(name, first, count)
            if known is not None:
                results[build.name, name].append(known)
            else:
                started[pool.submit(_run_chunk, build, name, first, count, seeds[name])] = (build, name, first, count)
        for future in as_completed(started):
            build, name, first, count = started[future]
            chunk = future.result()
            if chunk is None or chunk.failed:
                failures.append(f"{build.name}, {name}, inputs {first} to {first + count - 1}")
            if chunk is not None:
                results[build.name, name].append(chunk)
                if not chunk.failed:
                    kept[build.name].keep(name, first, count, chunk)
    _print_table([_HEADINGS, *_rows(results)])
    if failures:
        raise DevelopmentError(f"{len(failures)} chunks failed: {'; '.join(failures[:10])}")


def _seeds(development: Environment, program: Path, name: str) -> list[Path]:
    """What a format's inputs are made from: what tests/samples made in the build folder of a program
    (tests/cpp/fuzz/nasm-ext-mutate), and what linkers make of large C sources."""
    samples = program.parents[3] / "samples" / ("code" if name in VERIFIED else "read")
    return [path for path in (samples, _standard_library(development)) if path.is_dir()]


def _standard_library(development: Environment) -> Path:
    """The modules of the CPython that runs ./dev: what linkers make of large C sources."""
    question = "import sysconfig; print(sysconfig.get_config_var('DESTSHARED'))"
    return Path(run([development.python, "-c", question], quiet=True).strip())


def _run_chunk(build: Build, name: str, first: int, count: int, seeds: Sequence[Path]) -> Chunk | None:
    """Nothing when the process ended without a result; what it said is then printed."""
    failures = build.program.parent / "failures"
    command = [build.program, "--format", name, "--first", str(first), "--count", str(count),
               "--failures", failures, *seeds]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **build.variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.stderr:
        say(f"{build.name}, {name}, from {first}:\n{done.stderr[-4000:]}")
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        chunk = Chunk(**{key: found[key] for key in Chunk.__dataclass_fields__})
    except (ValueError, KeyError, IndexError):
        return None
    return chunk if done.returncode == 0 or chunk.failed else None


class _Kept:
    """The chunks of a build that went well, in a file beside its program."""

    def __init__(self, build: Build, seeds: Sequence[Path]) -> None:
        digest = hashlib.sha256(build.program.read_bytes())
        for file in sorted(file for folder in seeds for file in folder.rglob("*") if file.is_file()):
            digest.update(file.read_bytes())
        self.path = build.program.parent / "chunks.json"
        self.build = digest.hexdigest()
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        self.chunks: dict[str, dict[str, float]] = known.get("chunks", {}) if known.get("build") == self.build else {}

    def get(self, name: str, first: int, count: int) -> Chunk | None:
        known = self.chunks.get(f"{name}:{first}:{count}")
        return Chunk(**known) if known else None  # type: ignore[arg-type]  # as keep() wrote it

    def keep(self, name: str, first: int, count: int, chunk: Chunk) -> None:
        self.chunks[f"{name}:{first}:{count}"] = asdict(chunk)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"build": self.build, "chunks": self.chunks}), encoding="utf-8")
        os.replace(new, self.path)


_HEADINGS = ("build", "format", "inputs", "read", "refused", "failed", "slowest", "memory", "a second and core")


def _rows(results: Mapping[tuple[str, str], Sequence[Chunk]]) -> Iterator[tuple[str, ...]]:
    for (build, name), chunks in results.items():
        inputs, seconds = sum(one.inputs for one in chunks), sum(one.seconds for one in chunks)
        yield (
            build,
            name,
            *(
                str(sum(numbers))
                for numbers in zip(*((c.inputs, c.read, c.refused, c.failed) for c in chunks), strict=True)
            ),
            f"{max((one.slowest_ms for one in chunks), default=0):.0f} ms",
            f"{max((one.megabytes for one in chunks), default=0):.0f} MB" if build == "plain" else "",
            f"{inputs / seconds:.0f}" if seconds else "",
        )


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
