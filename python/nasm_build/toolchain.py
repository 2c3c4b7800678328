"""What the target needs, asked of `nasm-ext toolchain`: the one table that Python, CMake and people read."""

from __future__ import annotations

import functools
import json
import subprocess
from dataclasses import dataclass
from typing import Any

from .errors import BuildError, Problem, failed
from .executable import find_executable
from .target_python import TargetPython

RULE = "toolchain"


@dataclass(frozen=True)
class Toolchain:
    """The answer for one target and one ABI. Empty tags mean: as the engine names them (no row for this Python)."""

    platform: str
    assembles: bool
    link_style: str  #: `elf`, `macho`, `coff` or `none`
    object_suffix: str
    fallback_half: str  #: of a universal2 module the architecture that C stands in for, `arm64`; empty otherwise
    nasm: str
    nasm_version: str
    flags: tuple[str, ...]
    warnings: tuple[str, ...]
    nasm_missing: Problem | None
    suffix: str
    python_tag: str
    abi_tag: str
    platform_tag: str
    checked: bool  #: whether there is a nasm-ext that can read the finished module

    def need_nasm(self) -> str:
        """The path of NASM; raises BuildError, which names what was looked at, when there is none."""
        if self.nasm_missing is not None:
            raise BuildError(self.nasm_missing)
        return self.nasm


def load_toolchain(python: TargetPython, *, limited_api: str = "", nasm: str = "") -> Toolchain:
    """The toolchain for a Python, and the stable ABI from `limited_api` (`3.10`) on when it is given.

    `nasm` is the project's own setting. Raises BuildError when nasm-ext refuses: an unusable setting, an ABI that this
    Python cannot promise.
    """
    executable = find_executable()
    if executable is None or not python.is_cpython:
        return _without_table(python, limited_api, checked=executable is not None)
    return _ask(str(executable), python, limited_api, nasm)


@functools.lru_cache(maxsize=8)
def _ask(executable: str, python: TargetPython, limited_api: str, nasm: str) -> Toolchain:
    command = [executable, "toolchain", "--format", "json", "--target", python.platform]
    command += ["--pointer-bits", str(python.pointer_bits), "--c-library", python.c_library]
    command += ["--python", python.version]
    if limited_api:
        command += ["--abi3", limited_api]
    if nasm:
        command += ["--nasm", nasm]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        raise refusal(done.stderr, command, done.returncode)
    return _from_answer(json.loads(done.stdout))


def refusal(output: str, command: list[str], status: int, rule: str = RULE) -> BuildError:
    """What nasm-ext said, in our family; its own two lines are `error: …` and `fix: …`."""
    message, fix = "", ""
    for line in output.splitlines():
        word, _, rest = line.strip().partition(": ")
        if word == "error" and not message:
            message = rest
        elif word == "fix":
            fix = rest
    return failed(message or f"exit status {status}: {' '.join(command)}\n{output}", rule, fix)


def _from_answer(answer: dict[str, Any]) -> Toolchain:
    target, nasm, module = answer["target"], answer["nasm"], answer["module"]
    missing = answer["nasm_error"]
    return Toolchain(
        platform=target["platform"],
        assembles=target["assembles"],
        link_style=target["link_style"],
        object_suffix=target["object_suffix"],
        fallback_half=target["fallback_half"],
        nasm=nasm["path"] if nasm else "",
        nasm_version=nasm["version"] if nasm else "",
        flags=tuple(answer["flags"]),
        warnings=tuple(nasm["warnings"]) if nasm else (),
        nasm_missing=Problem(missing["message"], "nasm-missing", missing["fix"]) if missing else None,
        suffix=module["suffix"],
        python_tag=module["python_tag"],
        abi_tag=module["abi_tag"],
        platform_tag=module["platform_tag"],
        checked=True,
    )


def _without_table(python: TargetPython, limited_api: str, *, checked: bool) -> Toolchain:
    """A Python that the table has no row for: the C fallbacks are built, and named as the engine names them."""
    if limited_api and not python.is_cpython:
        raise failed(f"py-limited-api is CPython's alone, and this is {python.suffix}", RULE, "leave it out here")
    return Toolchain(
        platform=python.platform,
        assembles=False,
        link_style="none",
        object_suffix=".o",
        fallback_half="",
        nasm="",
        nasm_version="",
        flags=(),
        warnings=(),
        nasm_missing=None,
        suffix="",
        python_tag="",
        abi_tag="",
        platform_tag="",
        checked=checked,
    )
